//! Calls that are cut off, workers that die in the middle, two workers at once: charged once by the fake's ledger.

use std::time::Duration;

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::{PaymentId, ReservationId},
    payment::{Method, Payment, Request, reference},
    reservation::{Purpose, Reservation},
};
use serde_json::{Value, json};
use workers::{act::Worker, runtime::Step};

use super::bench::{Bench, DEPOSIT};

/// The client asks to pay the balance of the only confirmed reservation.
pub async fn ask_for_balance(bench: &Bench) -> PaymentId {
    let id: uuid::Uuid =
        sqlx::query_scalar("SELECT stream_id FROM event_log.events WHERE type = 'reservation.confirmed'")
            .fetch_one(bench.store.pool())
            .await
            .unwrap();
    let payment = PaymentId::new(bench.store.clock().new_id());
    let reservation: Loaded<Reservation> = bench.load(ReservationId::new(id)).await;
    let request = Request {
        reservation: &reservation,
        payment: &Loaded::<Payment>::new(payment),
        method: Method::Wave,
        purpose: Purpose::Balance,
        by: Actor::new(Role::Client, bench.client.uuid().into()),
    };
    bench.append(request.decide(bench.store.clock().now()).unwrap()).await.unwrap();
    payment
}

/// Checkouts that exist at Wave for a payment.
async fn sessions(bench: &Bench, payment: PaymentId) -> usize {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url =
        format!("{}/v1/checkout/sessions/search?client_reference={}", bench.wave.url, reference(payment.uuid(), 1));
    let found: Value = http.get(url).bearer_auth("wave_sn_prod_fake").send().await.unwrap().json().await.unwrap();
    found["result"].as_array().unwrap().len()
}

#[tokio::test]
async fn a_checkout_whose_answer_is_lost_is_found_again() {
    for (after_effect, creations) in [(true, 1), (false, 2)] {
        let bench = Bench::new().await;
        let (reservation, payment) = bench.hold(20).await;
        bench
            .wave
            .control(json!({"do": "fail", "call": "checkout.create", "how": "cut", "after_effect": after_effect}))
            .await;
        bench.pump().await;
        assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "unknown"));
        bench.pass(11).await;
        assert_eq!(bench.payment(payment).await, "pending", "after_effect: {after_effect}");
        assert_eq!((bench.wave.calls("checkout.create").await, sessions(&bench, payment).await), (creations, 1));
        bench.pay(payment).await;
        bench.pump().await;
        assert_eq!(bench.status(reservation).await, "confirmed");
    }
}

#[tokio::test]
async fn an_overloaded_provider_is_left_alone_for_as_long_as_it_asks() {
    let bench = Bench::new().await;
    let (_, payment) = bench.hold(20).await;
    let fault = json!({"do": "fail", "call": "checkout.create", "how": "status", "status": 429, "retry_after": 30});
    bench.wave.control(fault).await;
    bench.pump().await;
    bench.pass(20).await;
    assert_eq!((bench.payment(payment).await, bench.wave.calls("checkout.create").await), ("requested", 1));
    bench.pass(11).await;
    assert_eq!((bench.payment(payment).await, bench.wave.calls("checkout.create").await), ("pending", 2));
}

#[tokio::test]
async fn a_worker_that_dies_between_the_call_and_the_record_charges_nobody_twice() {
    let bench = Bench::with(|config| config.lease = Duration::from_millis(400)).await;
    let (reservation, payment) = bench.hold(20).await;
    for manager in workers::process::MANAGERS {
        workers::process::Process::new(bench.ctx.clone(), manager).step().await.unwrap();
    }
    // Wave has made the checkout and takes its time to say so.
    bench
        .wave
        .control(json!({"do": "fail", "call": "checkout.create", "how": "slow", "after_effect": true, "ms": 800}))
        .await;
    let ctx = bench.ctx.clone();
    let doomed = tokio::spawn(async move {
        let mut worker = Worker::new(ctx);
        loop {
            let _ = worker.step().await;
        }
    });
    while bench.wave.calls("checkout.create").await == 0 {
        tokio::task::yield_now().await;
    }
    doomed.abort();
    assert!(doomed.await.unwrap_err().is_cancelled());
    assert_eq!(bench.payment(payment).await, "requested");
    // The lease is measured by the database's own time: wait for its end, then somebody else takes it.
    let ended =
        "SELECT coalesce(bool_and(leased_until <= clock_timestamp()), true) FROM work.effects WHERE state = 'running'";
    while !sqlx::query_scalar::<_, bool>(ended).fetch_one(bench.store.pool()).await.unwrap() {
        tokio::task::yield_now().await;
    }
    bench.pump().await;
    assert_eq!(bench.payment(payment).await, "pending");
    assert_eq!((bench.wave.calls("checkout.create").await, sessions(&bench, payment).await), (1, 1));
    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    let ledger = bench.wave.get("/__ledger").await;
    assert_eq!((&ledger["totals"]["charged"], &ledger["repeated"]["charges"]), (&json!(DEPOSIT), &json!([])));
}

#[tokio::test]
async fn many_workers_make_one_call_for_one_effect() {
    let bench = Bench::new().await;
    let (_, payment) = bench.hold(20).await;
    for manager in workers::process::MANAGERS {
        workers::process::Process::new(bench.ctx.clone(), manager).step().await.unwrap();
    }
    let workers = (0..8).map(|_| {
        let ctx = bench.ctx.clone();
        tokio::spawn(async move {
            for _ in 0..6 {
                Worker::new(ctx.clone()).step().await.unwrap();
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    bench.pump().await;
    assert_eq!(bench.payment(payment).await, "pending");
    assert_eq!((bench.wave.calls("checkout.create").await, bench.sms.calls("send").await), (1, 1));
}

#[tokio::test]
async fn a_stale_worker_s_word_is_not_taken() {
    let bench = Bench::with(|config| config.lease = Duration::from_millis(300)).await;
    let (reservation, payment) = bench.hold(20).await;
    for manager in workers::process::MANAGERS {
        workers::process::Process::new(bench.ctx.clone(), manager).step().await.unwrap();
    }
    let (pool, now) = (bench.store.pool(), bench.store.clock().now());
    let lease = Duration::from_millis(1);
    let taken = workers::effect::take(pool, now, lease).await.unwrap().unwrap();
    // Its lease ends and somebody else takes the same effect.
    let second = loop {
        if let Some(again) = workers::effect::take(pool, now, Duration::from_secs(20)).await.unwrap()
            && again.id == taken.id
        {
            break again;
        }
    };
    assert!(second.fence.token > taken.fence.token);
    let done = workers::effect::Outcome::Done;
    assert!(!workers::effect::finish(pool, &taken, &done, now).await.unwrap());
    assert!(!workers::effect::about_to_call(pool, &taken, now).await.unwrap());
    let payment_state: Loaded<Payment> = bench.load(payment).await;
    let why = domain::text::Note::new("late").unwrap();
    let decision = domain::payment::fail(&payment_state, &bench.load(reservation).await, &[], why, now).unwrap();
    let late = eventstore::Append::new(decision, eventstore::Meta::system()).fenced(taken.fence.clone());
    assert!(matches!(bench.store.append(late).await, Err(eventstore::AppendError::StaleFence)));
    assert!(workers::effect::finish(pool, &second, &done, now).await.unwrap());
}

/// A worker that hangs between moving a checkpoint and its commit must not keep the next one from starting.
#[tokio::test]
async fn a_worker_starts_beside_one_that_hangs_with_a_checkpoint_in_hand() {
    let bench = Bench::new().await;
    let mut hanging = bench.store.pool().begin().await.unwrap();
    // Wherever the new version of the row does not fit on its page, to move it on is to enter its key anew.
    let moved = "WITH moved AS (DELETE FROM work.checkpoints WHERE process = 'money' RETURNING position)
                 SELECT position FROM moved";
    let position: i64 = sqlx::query_scalar(moved).fetch_one(&mut *hanging).await.unwrap();
    let again = sqlx::query("INSERT INTO work.checkpoints (process, position) VALUES ('money', $1)").bind(position + 1);
    again.execute(&mut *hanging).await.unwrap();
    workers::enrol(&bench.ctx).await.unwrap();
    hanging.rollback().await.unwrap();
}
