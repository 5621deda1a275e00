//! The fine of whoever did not come: told, paid at the provider, appealed, and waived when nobody decides.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{self, Client, Standing},
    ids::{PaymentId, ReservationId},
    money::Money,
    payment::{Method, PayDebt, Payment},
    reservation::Reservation,
    sealed::field,
};

use super::bench::{Bench, CLIENT, MANAGER};

const FINE: i64 = 5_000;

/// A deposit is paid and nobody comes.
async fn missed() -> (Bench, ReservationId) {
    let mut bench = Bench::new().await;
    bench.policy.no_show_fine = Some(Money::xof(FINE));
    let (reservation, _) = bench.confirmed(20).await;
    bench.pass(13 * 3_600 + 16 * 60).await;
    assert_eq!(bench.status(reservation).await, "no_show");
    (bench, reservation)
}

async fn standing(bench: &Bench, id: ReservationId) -> Standing {
    bench.load::<Client>(bench.client).await.state.fines[&id].standing
}

async fn ask(bench: &Bench, id: ReservationId) -> PaymentId {
    let payment = PaymentId::new(bench.store.clock().new_id());
    let pay = PayDebt {
        reservation: &bench.load::<Reservation>(id).await,
        payment: &Loaded::<Payment>::new(payment),
        client: &bench.load::<Client>(bench.client).await,
        method: Method::Wave,
        by: Actor::new(Role::Client, bench.client.uuid().into()),
        now: bench.store.clock().now(),
    };
    bench.append(pay.decide().unwrap()).await.unwrap();
    bench.pump().await;
    payment
}

#[tokio::test]
async fn a_fine_is_told_paid_by_wave_and_then_they_book_again() {
    let (bench, reservation) = missed().await;
    let texts = bench.texts(CLIENT).await;
    let fined = texts.iter().find(|text| text.contains("pénalité de 5 000 F")).expect("told");
    assert!(fined.contains("Contestation jusqu'au"), "{fined}");
    assert!(bench.hold_for(bench.client, 44).await.is_err(), "a debt comes first");
    let payment = ask(&bench, reservation).await;
    assert_eq!(bench.payment(payment).await, "pending", "a checkout although the game is over");
    let texts = bench.texts(CLIENT).await;
    assert!(texts.last().unwrap().contains(&format!("https://kalel.sn/p/{payment}")), "{texts:?}");
    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!(standing(&bench, reservation).await, Standing::Settled);
    let texts = bench.texts(CLIENT).await;
    assert!(texts.last().unwrap().contains("5 000 F réglée. Vous pouvez réserver."), "{texts:?}");
    bench.hold_for(bench.client, 44).await.unwrap();
}

#[tokio::test]
async fn of_two_checkouts_for_one_fine_the_other_is_closed_when_one_is_paid() {
    let (bench, reservation) = missed().await;
    let (first, second) = (ask(&bench, reservation).await, ask(&bench, reservation).await);
    bench.pay(first).await;
    bench.pump().await;
    assert_eq!((bench.payment(first).await, bench.payment(second).await), ("succeeded", "expired"));
    assert_eq!(standing(&bench, reservation).await, Standing::Settled);
    assert_eq!(bench.refunds(first).await, []);
}

#[tokio::test]
async fn an_appeal_that_nobody_decides_about_for_a_week_is_granted_by_the_clock() {
    let (bench, reservation) = missed().await;
    let subjects = bench.store.subjects();
    let statement = subjects.seal(bench.client.uuid(), field::STATEMENT, "Le pont était coupé").await.unwrap();
    let client = bench.load::<Client>(bench.client).await;
    let by = Actor::new(Role::Client, bench.client.uuid().into());
    bench
        .append(client::appeal(&client, reservation, statement, by, bench.store.clock().now()).unwrap())
        .await
        .unwrap();
    bench.pump().await;
    let texts = bench.texts(MANAGER).await;
    assert!(texts.last().unwrap().contains("Pénalité contestée: 5 000 F"), "{texts:?}");
    bench.pass(7 * 24 * 3_600 - 1).await;
    assert!(matches!(standing(&bench, reservation).await, Standing::Appealed { .. }));
    bench.pass(2).await;
    assert_eq!(standing(&bench, reservation).await, Standing::Waived);
    let texts = bench.texts(CLIENT).await;
    assert!(texts.last().unwrap().contains("5 000 F levée"), "{texts:?}");
    bench.pass(24 * 3_600).await;
    let decided = bench.history(bench.client).await.into_iter().filter(|name| name == "client.fine_decided").count();
    assert_eq!(decided, 1, "once");
}
