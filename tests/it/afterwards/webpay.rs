//! Orange Money by the group's page: its notifications are unsigned, come in any order or not at all, and only what Orange
//! says when it is asked moves money. The rows of the late-money table are in `each_rail.rs`.

use domain::payment::Payment;
use serde_json::json;

use super::{
    bench::{Bench, DEPOSIT},
    each_rail::books,
    rails::Kind,
};

fn reference(payment: domain::ids::PaymentId) -> String {
    domain::payment::reference(payment.uuid(), 1).to_string()
}

#[tokio::test]
async fn a_notification_with_a_token_that_nobody_waits_for_is_answered_and_forgotten() {
    let bench = Bench::by(Kind::WebPay).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    for token in ["guessed", &"0".repeat(32)] {
        let body = json!({ "status": "SUCCESS", "notif_token": token, "txnid": "MP270301.0800.A00001" });
        let forged = json!({ "do": "forge", "page": reference(payment), "body": body });
        assert_eq!(bench.rail.control(forged).await["results"][0]["status"], 200);
    }
    let bare = json!({ "do": "forge", "page": reference(payment), "body": { "status": "SUCCESS" } });
    assert_eq!(bench.rail.control(bare).await["results"][0]["status"], 401);
    assert_eq!(bench.inbox().await, []);
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "pending"));
}

#[tokio::test]
async fn never_again_a_notification_that_knows_the_token_moves_money_by_its_word() {
    let bench = Bench::by(Kind::WebPay).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    // The payer's browser, or a log of somebody's, has told the token: the true one, over something that never was.
    bench.rail.control(json!({ "do": "tell", "page": reference(payment), "status": "SUCCESS" })).await;
    assert_eq!(bench.inbox().await, [("waiting".to_owned(), 1)]);
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "pending"));
    assert_eq!(books(&bench).await, (0, 0));
    // And what was made up does not stand in the way of what is true.
    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, books(&bench).await), ("confirmed", (DEPOSIT, 0)));
}

#[tokio::test]
async fn a_failure_that_is_told_after_the_success_changes_nothing() {
    let bench = Bench::by(Kind::WebPay).await;
    let (reservation, payment) = bench.confirmed(20).await;
    bench.rail.control(json!({ "do": "tell", "page": reference(payment), "status": "FAILED" })).await;
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("confirmed", "succeeded"));
    assert_eq!(bench.load::<Payment>(payment).await.state.captures.len(), 1);
}

#[tokio::test]
async fn a_notification_that_overtakes_the_making_of_its_page_is_made_up_for_by_asking() {
    let bench = Bench::by(Kind::WebPay).await;
    bench.rail.control(json!({ "do": "pay_at_once", "times": 1 })).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    assert_eq!((bench.inbox().await, bench.payment(payment).await), (vec![], "pending"));
    bench.pass(11).await;
    assert_eq!((bench.status(reservation).await, books(&bench).await), ("confirmed", (DEPOSIT, 0)));
}

#[tokio::test]
async fn without_any_notification_it_is_asked_and_paid() {
    let bench = Bench::by(Kind::WebPay).await;
    bench.rail.control(json!({ "do": "webhooks", "next": "drop", "times": 0 })).await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.rail.control(json!({ "do": "settle", "page": reference(payment), "as": "start" })).await;
    bench.pass(11).await;
    assert_eq!(bench.payment(payment).await, "pending", "the payer has given a code, and nothing is decided");
    bench.pay(payment).await;
    bench.pass_in_steps(4, 60).await;
    assert_eq!((bench.status(reservation).await, books(&bench).await), ("confirmed", (DEPOSIT, 0)));
}

#[tokio::test]
async fn a_page_that_ends_before_the_hold_ends_its_payment() {
    let bench = Bench::by(Kind::WebPay).await;
    let (_, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.rail.control(json!({ "do": "settle", "page": reference(payment), "as": "expire" })).await;
    bench.pass_in_steps(4, 60).await;
    assert_eq!(bench.payment(payment).await, "expired");
    assert_eq!((bench.inbox().await, books(&bench).await), (vec![], (0, 0)), "an end is notified to nobody");
}
