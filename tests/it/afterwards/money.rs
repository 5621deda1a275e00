//! The pay journey, and each row of the late-money table (domain.md, Payment), end to end.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::{ClientId, PaymentId, RefundId},
    payment::{Method, Payment, Request},
    reservation::{Cancel, CancelReason, Purpose, Reservation, Source},
};
use serde_json::json;

use super::bench::{Bench, CLIENT, DEPOSIT, MANAGER};

#[tokio::test]
async fn a_deposit_paid_by_wave_confirms_and_everybody_hears_of_it() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    assert_eq!(bench.payment(payment).await, "pending");
    let texts = bench.texts(CLIENT).await;
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].contains(&format!("https://kalel.sn/p/{payment}")) && texts[0].contains("10 000 F"), "{texts:?}");

    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("confirmed", "succeeded"));
    assert_eq!(bench.inbox().await, [("applied".to_owned(), 1)]);
    let code = bench.load::<Reservation>(reservation).await.state.terms.unwrap().code.0;
    let (client, manager) = (bench.texts(CLIENT).await, bench.texts(MANAGER).await);
    assert!(client[1].starts_with("Confirmé") && client[1].contains(&code), "{client:?}");
    assert!(client[1].contains("Payé 10 000 F, reste 20 000 F"), "{client:?}");
    assert!(manager[0].starts_with("Nouvelle réservation"), "{manager:?}");

    // Two hours before the start, once.
    bench.pass(10 * 3_600 - 60).await;
    assert_eq!(bench.texts(CLIENT).await.len(), 2);
    bench.pass(120).await;
    let client = bench.texts(CLIENT).await;
    assert!(client.len() == 3 && client[2].starts_with("Rappel"), "{client:?}");
    // The end and the grace pass and nobody came.
    bench.pass(3 * 3_600 + 16 * 60).await;
    assert_eq!(bench.status(reservation).await, "no_show");
    let ledger = bench.wave.get("/__ledger").await;
    assert_eq!((&ledger["totals"]["charged"], &ledger["totals"]["refunded"]), (&json!(DEPOSIT), &json!(0)));
}

#[tokio::test]
async fn an_unpaid_hold_ends_after_its_checkout_is_closed() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.pass(15 * 60 - 1).await;
    assert_eq!(bench.status(reservation).await, "held");
    bench.pass(2).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("expired", "expired"));
    let all = bench.history(payment).await;
    assert_eq!(all, ["payment.requested", "payment.opened", "payment.expired"]);
    assert_eq!(bench.wave.calls("checkout.expire").await, 1);
    let client = bench.texts(CLIENT).await;
    assert!(client[1].contains("expiré. Rien n'a été débité."), "{client:?}");
}

async fn paid_in_the_dark(bench: &Bench) -> (domain::ids::ReservationId, PaymentId) {
    in_the_dark(bench, "drop", None).await
}

/// Wave cannot be asked or told anything until the grace is over; the payer pays meanwhile. `webhooks` says what becomes
/// of Wave's.
pub async fn in_the_dark(
    bench: &Bench,
    webhooks: &str,
    amount: Option<i64>,
) -> (domain::ids::ReservationId, PaymentId) {
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.wave.control(json!({"do": "webhooks", "next": webhooks, "times": 0})).await;
    for call in ["checkout.expire", "checkout.get", "checkout.search"] {
        bench.wave.control(json!({"do": "fail", "call": call, "how": "status", "status": 503, "times": 500})).await;
    }
    bench.pass(14 * 60).await;
    bench.pay_amount(payment, amount).await;
    bench.pass_in_steps(5, 50).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("expired", "unknown"));
    (reservation, payment)
}

#[tokio::test]
async fn nobody_is_told_that_nothing_was_taken_while_that_is_not_known() {
    let bench = Bench::new().await;
    paid_in_the_dark(&bench).await;
    let texts = bench.texts(CLIENT).await;
    let told = texts.last().unwrap();
    assert!(told.contains("expiré") && told.contains("nous vérifions") && !told.contains("débité"), "{texts:?}");
}

#[tokio::test]
async fn late_money_confirms_while_the_cells_are_free() {
    let bench = Bench::new().await;
    let (reservation, payment) = paid_in_the_dark(&bench).await;
    bench.wave.control(json!({"do": "heal"})).await;
    bench.pass_in_steps(4, 600).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("confirmed", "succeeded"));
    assert_eq!(bench.refunds(payment).await, []);
    assert!(bench.texts(CLIENT).await.last().unwrap().starts_with("Confirmé"));
}

#[tokio::test]
async fn late_money_goes_back_when_the_cells_are_taken() {
    let bench = Bench::new().await;
    let (reservation, payment) = paid_in_the_dark(&bench).await;
    let other = ClientId::new(bench.store.clock().new_id());
    bench.register_client(other, "+221761112233").await;
    let (winner, _) = bench.hold_for(other, 20).await.unwrap();
    bench.wave.control(json!({"do": "heal"})).await;
    bench.pass_in_steps(4, 600).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("expired", "succeeded"));
    let _ = winner;
    let refunds = bench.refunds(payment).await;
    assert_eq!(
        refunds.iter().map(|(_, status, amount)| (*status, *amount)).collect::<Vec<_>>(),
        [("succeeded", DEPOSIT)]
    );
    let ledger = bench.wave.get("/__ledger").await;
    assert_eq!((&ledger["totals"]["charged"], &ledger["totals"]["refunded"]), (&json!(DEPOSIT), &json!(DEPOSIT)));
    let client = bench.texts(CLIENT).await;
    assert!(client.iter().any(|text| text.contains("payé trop tard")), "{client:?}");
    assert!(client.iter().any(|text| text.contains("10 000 F remboursés") && text.contains("Réf.")), "{client:?}");
}

#[tokio::test]
async fn a_second_payment_for_the_same_deposit_goes_back() {
    let bench = Bench::new().await;
    let (reservation, first) = bench.hold(20).await;
    let second = PaymentId::new(bench.store.clock().new_id());
    let held: Loaded<Reservation> = bench.load(reservation).await;
    let request = Request {
        reservation: &held,
        payment: &Loaded::<Payment>::new(second),
        method: Method::Wave,
        purpose: Purpose::Deposit,
        by: Actor::new(Role::Client, bench.client.uuid().into()),
    };
    bench.append(request.decide(bench.store.clock().now()).unwrap()).await.unwrap();
    bench.pump().await;
    // Both tabs pay before either webhook is here.
    bench.wave.control(json!({"do": "webhooks", "next": "hold", "times": 2})).await;
    bench.pay(first).await;
    bench.pay(second).await;
    bench.wave.control(json!({"do": "release"})).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    assert_eq!((bench.payment(first).await, bench.payment(second).await), ("succeeded", "succeeded"));
    let back: Vec<_> = [bench.refunds(first).await, bench.refunds(second).await].concat();
    assert_eq!(back.iter().map(|(_, status, amount)| (*status, *amount)).collect::<Vec<_>>(), [("succeeded", DEPOSIT)]);
    let ledger = bench.wave.get("/__ledger").await;
    assert_eq!((&ledger["totals"]["charged"], &ledger["totals"]["refunded"]), (&json!(2 * DEPOSIT), &json!(DEPOSIT)));
}

#[tokio::test]
async fn money_after_the_client_cancelled_follows_the_policy() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(30).await;
    bench.pump().await;
    bench.wave.control(json!({"do": "webhooks", "next": "hold"})).await;
    bench.pay(payment).await;
    cancel(&bench, reservation).await;
    bench.pump().await;
    // Closing the checkout has found the money already.
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("cancelled", "succeeded"));
    let refunds = bench.refunds(payment).await;
    assert_eq!(
        refunds.iter().map(|(_, status, amount)| (*status, *amount)).collect::<Vec<_>>(),
        [("succeeded", DEPOSIT)]
    );
    bench.wave.control(json!({"do": "release"})).await;
    bench.pump().await;
    assert_eq!(bench.inbox().await, [("duplicate".to_owned(), 1)]);
}

/// The client calls it off.
pub async fn cancel(bench: &Bench, id: domain::ids::ReservationId) {
    let reservation: Loaded<Reservation> = bench.load(id).await;
    let mut payments: Vec<Loaded<Payment>> = Vec::new();
    for payment in reservation.state.paying() {
        payments.push(bench.load(payment).await);
    }
    let refund = || RefundId::new(bench.store.clock().new_id());
    let sources: Vec<Source<'_>> = payments.iter().map(|payment| Source { payment, refund_id: refund() }).collect();
    let cancel = Cancel {
        reservation: &reservation,
        sources: &sources,
        reason: CancelReason::Client,
        note: None,
        by: Actor::new(Role::Client, bench.client.uuid().into()),
        now: bench.store.clock().now(),
    };
    bench.append(cancel.decide().unwrap()).await.unwrap();
}

#[tokio::test]
async fn a_failed_attempt_leaves_the_hold_alone() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    let session = domain::payment::reference(payment.uuid(), 1).to_string();
    bench.wave.control(json!({"do": "settle", "session": session, "as": "fail", "code": "insufficient-funds"})).await;
    bench.wave.control(json!({"do": "drain"})).await;
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "pending"));
    assert_eq!(bench.inbox().await, [("stale".to_owned(), 1)]);
    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
}
