//! Another amount arrives than was asked for: never confirmed on less, more than fits is the client's credit, and whoever
//! looks after the money is told by mail.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::Client,
    ids::{PaymentId, ReservationId},
    money::Money,
    payment::{Method, Payment, Request},
    reservation::{Purpose, Reservation},
};
use serde_json::{Value, json};

use super::{
    bench::{Bench, CLIENT, DEPOSIT, FINANCE, PRICE},
    servers::Fake,
};

/// The client asks again for what is still due of the deposit.
async fn ask_for_the_rest(bench: &Bench, reservation: ReservationId) -> PaymentId {
    let payment = PaymentId::new(bench.store.clock().new_id());
    let request = Request {
        reservation: &bench.load::<Reservation>(reservation).await,
        payment: &Loaded::<Payment>::new(payment),
        method: Method::Wave,
        purpose: Purpose::Deposit,
        by: Actor::new(Role::Client, bench.client.uuid().into()),
    };
    bench.append(request.decide(bench.store.clock().now()).unwrap()).await.unwrap();
    bench.pump().await;
    payment
}

async fn credit(bench: &Bench, payment: PaymentId) -> Option<Money> {
    bench.load::<Client>(bench.client).await.state.credits.get(&payment).copied()
}

/// What finance was told: one mail, about this payment, with both amounts.
async fn told(mail: &Fake, payment: PaymentId, asked: i64, received: i64) {
    let all = mail.get("/__messages").await;
    assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
    assert_eq!((&all[0]["to"], &all[0]["subject"]), (&json!([FINANCE]), &json!("Montant différent")));
    let text = all[0]["text"].as_str().unwrap();
    for part in [payment.to_string(), format!("{asked} XOF demandés"), format!("{received} XOF reçus")] {
        assert!(text.contains(&part), "{text}");
    }
}

async fn totals(bench: &Bench) -> (Value, Value) {
    let ledger = bench.wave.get("/__ledger").await;
    (ledger["totals"]["charged"].clone(), ledger["totals"]["refunded"].clone())
}

#[tokio::test]
async fn one_franc_too_little_does_not_confirm_and_goes_back_when_the_hold_ends() {
    let mut bench = Bench::new().await;
    let mail = bench.mail().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.pay_amount(payment, Some(DEPOSIT - 1)).await;
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "succeeded"));
    assert_eq!(bench.inbox().await, [("applied".to_owned(), 1)]);
    told(&mail, payment, DEPOSIT, DEPOSIT - 1).await;
    assert_eq!(bench.refunds(payment).await, [], "the rest may still come");

    bench.pass(15 * 60 + 1).await;
    assert_eq!(bench.status(reservation).await, "expired");
    bench.pass(60).await;
    let refunds = bench.refunds(payment).await;
    let back: Vec<_> = refunds.iter().map(|(_, status, amount)| (*status, *amount)).collect();
    assert_eq!(back, [("succeeded", DEPOSIT - 1)]);
    assert_eq!(totals(&bench).await, (json!(DEPOSIT - 1), json!(DEPOSIT - 1)));
    let history = bench.history(reservation).await;
    assert!(!history.contains(&"reservation.confirmed".to_owned()), "{history:?}");
    let texts = bench.texts(CLIENT).await;
    assert!(
        texts.iter().any(|text| text.contains("acompte incomplet") && text.contains("9 999 F remboursés")),
        "{texts:?}"
    );
    assert!(!texts.iter().any(|text| text.contains("Rien n'a été débité")), "{texts:?}");
    assert_eq!(credit(&bench, payment).await, None);
}

#[tokio::test]
async fn the_rest_of_too_little_confirms() {
    let bench = Bench::new().await;
    let (reservation, first) = bench.hold(20).await;
    bench.pump().await;
    bench.pay_amount(first, Some(6_000)).await;
    bench.pump().await;
    let rest = ask_for_the_rest(&bench, reservation).await;
    let asked = bench.load::<Payment>(rest).await.state.request.unwrap().amount;
    assert_eq!(asked, Money::xof(DEPOSIT - 6_000));
    assert_eq!(bench.status(reservation).await, "held");
    bench.pay(rest).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    let texts = bench.texts(CLIENT).await;
    assert!(texts.last().unwrap().contains("Payé 10 000 F, reste 20 000 F"), "{texts:?}");
    assert_eq!(totals(&bench).await, (json!(DEPOSIT), json!(0)));
}

#[tokio::test]
async fn too_little_after_the_hold_goes_back_at_once() {
    let bench = Bench::new().await;
    let (reservation, payment) = super::money::in_the_dark(&bench, "drop", Some(DEPOSIT - 1)).await;
    bench.wave.control(json!({"do": "heal"})).await;
    bench.pass_in_steps(4, 600).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("expired", "succeeded"));
    let refunds = bench.refunds(payment).await;
    let back: Vec<_> = refunds.iter().map(|(_, status, amount)| (*status, *amount)).collect();
    assert_eq!(back, [("succeeded", DEPOSIT - 1)]);
    assert_eq!(totals(&bench).await, (json!(DEPOSIT - 1), json!(DEPOSIT - 1)));
}

#[tokio::test]
async fn more_than_the_deposit_lowers_the_balance_and_is_no_credit() {
    let mut bench = Bench::new().await;
    let mail = bench.mail().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.pay_amount(payment, Some(DEPOSIT + 2_000)).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    let state = bench.load::<Reservation>(reservation).await.state;
    assert_eq!(state.balance_due(), Money::xof(PRICE - DEPOSIT - 2_000));
    assert_eq!((credit(&bench, payment).await, bench.refunds(payment).await), (None, vec![]));
    told(&mail, payment, DEPOSIT, DEPOSIT + 2_000).await;
}

#[tokio::test]
async fn more_than_the_price_becomes_credit_once() {
    let mut bench = Bench::new().await;
    let mail = bench.mail().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.wave.control(json!({"do": "webhooks", "next": {"duplicate": {"copies": 5}}})).await;
    bench.pay_amount(payment, Some(PRICE + 15_000)).await;
    bench.pump().await;
    bench.pass_in_steps(3, 60).await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    assert_eq!(bench.load::<Reservation>(reservation).await.state.balance_due(), Money::xof(0));
    assert_eq!(credit(&bench, payment).await, Some(Money::xof(15_000)));
    assert_eq!((bench.refunds(payment).await, totals(&bench).await), (vec![], (json!(PRICE + 15_000), json!(0))));
    told(&mail, payment, DEPOSIT, PRICE + 15_000).await;
    let texts = bench.texts(CLIENT).await;
    assert!(texts.iter().any(|text| text.contains("15 000 F gardés")), "{texts:?}");
    assert_eq!(bench.history(bench.client).await, ["client.registered", "client.credited"]);
}
