//! Each way of paying back (domain.md, Refund), on each rail, by the rails' own ledgers: the way the money came, once more,
//! another rail, credit, cash; and never twice when an answer is lost.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{self, Client},
    ids::{PaymentId, RefundId, ReservationId},
    money::Money,
    payment::{Method, Payment},
    refund::{Refund, Request, Route},
    reservation::Reservation,
    text::Note,
};
use serde_json::json;

use super::{
    bench::{Bench, DEPOSIT, MANAGER},
    each_rail::books,
    rails::{Kind, on_each_rail},
    servers::Fake,
};

on_each_rail!(
    all_of_it_goes_back_as_its_provider_can,
    a_part_of_it_goes_back_as_its_provider_can,
    a_refused_refund_is_tried_once_more_the_same_way,
    then_it_goes_by_another_rail_to_a_number_that_is_known,
    then_it_is_credit_when_no_number_is_known,
    without_a_client_it_is_handed_out_in_cash,
    a_lost_answer_pays_nobody_twice,
    a_worker_that_died_while_sending_pays_nobody_twice,
);
on_each_rail!(@ webpay WebPay all_of_it_goes_back_as_its_provider_can a_part_of_it_goes_back_as_its_provider_can
    then_it_is_credit_when_no_number_is_known without_a_client_it_is_handed_out_in_cash);

/// What a rail does for a whole payment, and for a part of one.
const fn routes(kind: Kind) -> (Route, Route) {
    match kind {
        Kind::Wave => (Route::WholeTransaction, Route::Payout),
        Kind::OrangeMoney => (Route::Payout, Route::Payout),
        // PayTech sends nothing, PayDunya nothing to cards, and Orange's page gives nothing back either.
        Kind::Yas => (Route::WholeTransaction, Route::Credit),
        Kind::Card | Kind::WebPay => (Route::Credit, Route::Credit),
    }
}

/// The call by which a rail pays a whole deposit back, if it can.
const fn call(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Wave => Some("checkout.refund"),
        Kind::OrangeMoney => Some("cashin.create"),
        Kind::Yas => Some("refund"),
        Kind::Card | Kind::WebPay => None,
    }
}

/// A manager gives some of it back, or all of it.
pub(super) async fn give_back(bench: &Bench, reservation: ReservationId, payment: PaymentId, amount: i64) -> RefundId {
    let refund_id = RefundId::new(bench.store.clock().new_id());
    let request = Request {
        payment: &bench.load::<Payment>(payment).await,
        reservation: &bench.load::<Reservation>(reservation).await,
        refund_id,
        amount: Some(Money::xof(amount)),
        note: Note::new("Coupure de courant").unwrap(),
        by: Actor::new(Role::Manager, bench.site.uuid().into()),
        now: bench.store.clock().now(),
    };
    bench.append(request.decide().unwrap()).await.unwrap();
    bench.pump().await;
    refund_id
}

/// Paid, by somebody whose refund is asked for: how it ended.
pub(super) async fn ended(bench: &Bench, refund: RefundId) -> (&'static str, Route, Option<Method>) {
    let state = bench.load::<Refund>(refund).await.state;
    let attempt = state.attempt.unwrap();
    (state.status.as_str(), attempt.route, attempt.method)
}

pub(super) async fn credit(bench: &Bench, payment: PaymentId) -> i64 {
    bench.load::<Client>(bench.client).await.state.credits.get(&payment).map_or(0, |credit| credit.amount)
}

/// The rail refuses every try, for good.
pub(super) async fn refuses(bench: &Bench, times: u32) {
    if let Some(call) = call(bench.kind) {
        let no = json!({"do": "fail", "call": call, "how": "status", "status": 400, "times": times});
        bench.rail.control(no).await;
    }
    if bench.kind == Kind::Wave {
        let no = json!({"do": "fail", "call": "payout.create", "how": "status", "status": 400, "times": times});
        bench.rail.control(no).await;
    }
}

pub(super) async fn paid_out(fake: &Fake) -> i64 {
    let ledger = fake.get("/__ledger").await;
    assert_eq!(ledger["repeated"]["payouts"], json!([]), "{ledger}");
    ledger["totals"]["paid_out"].as_i64().unwrap()
}

async fn all_of_it_goes_back_as_its_provider_can(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.confirmed(20).await;
    let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
    bench.pass_in_steps(4, 30).await;
    let (route, _) = routes(kind);
    assert_eq!(ended(&bench, refund).await, ("succeeded", route, None));
    let credited = if route == Route::Credit { DEPOSIT } else { 0 };
    assert_eq!((books(&bench).await, credit(&bench, payment).await), ((DEPOSIT, DEPOSIT - credited), credited));
}

async fn a_part_of_it_goes_back_as_its_provider_can(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.confirmed(20).await;
    let refund = give_back(&bench, reservation, payment, 4_000).await;
    bench.pass_in_steps(4, 30).await;
    let (_, route) = routes(kind);
    assert_eq!(ended(&bench, refund).await, ("succeeded", route, None));
    let credited = if route == Route::Credit { 4_000 } else { 0 };
    assert_eq!((books(&bench).await, credit(&bench, payment).await), ((DEPOSIT, 4_000 - credited), credited));
}

async fn a_refused_refund_is_tried_once_more_the_same_way(kind: Kind) {
    let Some(call) = call(kind) else { return };
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.confirmed(20).await;
    bench.rail.control(json!({"do": "fail", "call": call, "how": "status", "status": 400})).await;
    let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
    bench.pass_in_steps(6, 30).await;
    assert_eq!(ended(&bench, refund).await, ("succeeded", routes(kind).0, None));
    let history = bench.history(refund).await;
    let tries = history.iter().filter(|name| *name == "refund.submitted").count();
    assert_eq!((tries, bench.rail.calls(call).await), (2, 2), "{history:?}");
    assert_eq!((books(&bench).await, credit(&bench, payment).await), ((DEPOSIT, DEPOSIT), 0));
}

async fn then_it_goes_by_another_rail_to_a_number_that_is_known(kind: Kind) {
    let mut bench = Bench::by(kind).await;
    let (other, fake) = match kind {
        Kind::Wave => (Kind::OrangeMoney, bench.add(Kind::OrangeMoney).await),
        _ => (Kind::Wave, bench.wave.clone()),
    };
    let (reservation, payment) = bench.confirmed(20).await;
    let known = client::verify(&bench.load(bench.client).await, payment, bench.store.clock().now()).unwrap();
    // Sonatel tells who paid: the number may be known by now.
    if !known.is_nothing() {
        bench.append(known).await.unwrap();
    }
    refuses(&bench, 9).await;
    let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
    bench.pass_in_steps(8, 60).await;
    assert_eq!(ended(&bench, refund).await, ("succeeded", Route::Payout, Some(other.method())));
    assert_eq!((paid_out(&fake).await, credit(&bench, payment).await), (DEPOSIT, 0));
    assert_eq!(books(&bench).await, (DEPOSIT, 0), "it never left the rail it came by");
}

async fn then_it_is_credit_when_no_number_is_known(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.confirmed(20).await;
    assert!(!bench.load::<Client>(bench.client).await.state.number_verified, "somebody else's phone paid");
    refuses(&bench, 9).await;
    let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
    bench.pass_in_steps(8, 60).await;
    assert_eq!(ended(&bench, refund).await, ("succeeded", Route::Credit, None));
    assert_eq!((books(&bench).await, credit(&bench, payment).await), ((DEPOSIT, 0), DEPOSIT));
}

async fn without_a_client_it_is_handed_out_in_cash(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.walk_in(20).await;
    bench.pump().await;
    bench.pay(payment).await;
    bench.pump().await;
    refuses(&bench, 9).await;
    let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
    bench.pass_in_steps(8, 60).await;
    assert_eq!(ended(&bench, refund).await.0, "failed");
    let told = bench.texts(MANAGER).await;
    assert!(told.iter().any(|text| text.contains("10 000 F")), "{told:?}");
    let state: Loaded<Refund> = bench.load(refund).await;
    let manager = Actor::new(Role::Manager, bench.site.uuid().into());
    let handed = domain::refund::hand_out(&state, manager, bench.store.clock().now()).unwrap();
    bench.append(handed).await.unwrap();
    assert_eq!(ended(&bench, refund).await, ("succeeded", Route::Cash, None));
    assert_eq!(books(&bench).await, (DEPOSIT, 0));
}

async fn a_lost_answer_pays_nobody_twice(kind: Kind) {
    let Some(call) = call(kind) else { return };
    for after_effect in [true, false] {
        let bench = Bench::by(kind).await;
        let (reservation, payment) = bench.confirmed(20).await;
        bench.rail.control(json!({"do": "fail", "call": call, "how": "cut", "after_effect": after_effect})).await;
        let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
        assert_eq!(ended(&bench, refund).await.0, "unknown");
        bench.pass_in_steps(6, 60).await;
        if kind == Kind::OrangeMoney && !after_effect {
            // No key makes a second cash-in the first one: what is not listed may yet come, for as long as a day.
            assert_eq!((ended(&bench, refund).await.0, paid_out(&bench.rail).await), ("unknown", 0));
            bench.pass_in_steps(26, 3_600).await;
        }
        assert_eq!(ended(&bench, refund).await, ("succeeded", routes(kind).0, None), "after_effect: {after_effect}");
        assert_eq!((books(&bench).await, credit(&bench, payment).await), ((DEPOSIT, DEPOSIT), 0));
    }
}

async fn a_worker_that_died_while_sending_pays_nobody_twice(kind: Kind) {
    let Some(call) = call(kind) else { return };
    for sent in [true, false] {
        let bench = Bench::by(kind).await;
        let (reservation, payment) = bench.confirmed(20).await;
        // It sent it and could say nothing, or died just before.
        bench.rail.control(json!({"do": "fail", "call": call, "how": "cut", "after_effect": sent})).await;
        let refund = give_back(&bench, reservation, payment, DEPOSIT).await;
        let dead = "UPDATE work.effects SET state = 'ready', called_at = now(), finished_at = NULL
                    WHERE kind = 'submit_refund'";
        sqlx::query(dead).execute(bench.store.pool()).await.unwrap();
        bench.pump().await;
        bench.pass_in_steps(6, 60).await;
        bench.pass_in_steps(26, 3_600).await;
        assert_eq!(ended(&bench, refund).await, ("succeeded", routes(kind).0, None), "sent: {sent}");
        assert_eq!((books(&bench).await, credit(&bench, payment).await), ((DEPOSIT, DEPOSIT), 0));
    }
}
