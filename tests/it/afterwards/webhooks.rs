//! Webhooks are hints: dropped, delayed, repeated, in any order, forged.

use domain::payment::reference;
use serde_json::json;

use super::bench::{Bench, CLIENT, DEPOSIT};

#[tokio::test]
async fn a_webhook_that_never_comes_is_not_missed() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.wave.control(json!({"do": "webhooks", "next": "drop", "times": 0})).await;
    bench.pay(payment).await;
    bench.pass(9).await;
    assert_eq!(bench.payment(payment).await, "pending");
    bench.pass(2).await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("confirmed", "succeeded"));
    assert_eq!(bench.inbox().await, []);
}

#[tokio::test]
async fn the_provider_is_asked_on_the_schedule_and_then_hourly() {
    let bench = Bench::new().await;
    let (_, payment) = bench.confirmed(100).await;
    // A balance, which no hold ends.
    let _ = payment;
    let balance = super::faults::ask_for_balance(&bench).await;
    bench.wave.control(json!({"do": "webhooks", "next": "drop", "times": 0})).await;
    bench.pump().await;
    let before = bench.wave.calls("checkout.get").await;
    for (seconds, asked) in [(11, 1), (20, 2), (90, 3), (480, 4)] {
        bench.pass(seconds).await;
        assert_eq!(bench.wave.calls("checkout.get").await - before, asked, "after {seconds} more");
    }
    assert_eq!(bench.payment(balance).await, "pending");
}

#[tokio::test]
async fn a_webhook_sent_many_times_counts_once() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.wave.control(json!({"do": "webhooks", "next": {"duplicate": {"copies": 20}}})).await;
    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    // The same event is stored once; another event about the same money changes nothing.
    assert_eq!(bench.inbox().await, [("applied".to_owned(), 1)]);
    let session = reference(payment.uuid(), 1).to_string();
    let answer = bench.wave.control(json!({"do": "forge", "session": session, "signature": "valid"})).await;
    assert_eq!(answer["results"][0][0]["status"], 200, "{answer}");
    bench.pump().await;
    assert_eq!(bench.inbox().await, [("applied".to_owned(), 1), ("duplicate".to_owned(), 1)]);
    let history = bench.history(reservation).await;
    assert_eq!(history.iter().filter(|name| *name == "reservation.confirmed").count(), 1, "{history:?}");
    assert_eq!(bench.texts(CLIENT).await.len(), 2);
}

#[tokio::test]
async fn a_failure_that_arrives_after_the_success_changes_nothing() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.wave.control(json!({"do": "webhooks", "next": {"reorder": {"count": 2}}, "times": 2})).await;
    let session = reference(payment.uuid(), 1).to_string();
    bench.wave.control(json!({"do": "settle", "session": session, "as": "fail"})).await;
    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("confirmed", "succeeded"));
}

#[tokio::test]
async fn what_is_not_wave_s_is_refused_and_changes_nothing() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    let session = reference(payment.uuid(), 1).to_string();
    let head = bench.store.head().await.unwrap();
    for signature in ["bad", "missing", "other_secret", "empty_secret", "stale", "future", "reserialised", "dotted"] {
        let forged = json!({"do": "forge", "session": session, "signature": signature,
            "set": {"checkout_status": "complete", "payment_status": "succeeded", "transaction_id": "T_FORGED"}});
        let answer = bench.wave.control(forged).await;
        assert_eq!(answer["results"][0][0]["status"], 401, "{signature}: {answer}");
    }
    bench.pump().await;
    assert_eq!((bench.inbox().await, bench.store.head().await.unwrap()), (vec![], head));
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "pending"));
}

#[tokio::test]
async fn a_genuine_webhook_that_lies_is_refused_after_asking() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    let session = reference(payment.uuid(), 1).to_string();
    let head = bench.store.head().await.unwrap();
    // Signed as Wave would, but Wave, asked, says that nothing was paid.
    let lie = json!({"do": "forge", "session": session, "signature": "valid",
        "set": {"checkout_status": "complete", "payment_status": "succeeded", "transaction_id": "T_LIE", "amount": "1"}});
    bench.wave.control(lie).await;
    bench.pump().await;
    assert_eq!(bench.store.head().await.unwrap(), head);
    bench.pass_in_steps(6, 120).await;
    assert_eq!(bench.inbox().await, [("refused".to_owned(), 1)]);
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "pending"));
    // Nobody was charged, and the true payment is still taken.
    bench.pay(payment).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    assert_eq!(bench.wave.get("/__ledger").await["totals"]["charged"], json!(DEPOSIT));
}

#[tokio::test]
async fn a_genuine_webhook_about_nothing_known_is_parked_and_tried_again() {
    let bench = Bench::new().await;
    let stranger = reference(bench.store.clock().new_id(), 1).to_string();
    let strange =
        json!({"do": "forge", "signature": "valid", "set": {"id": "cos-strange", "client_reference": stranger}});
    bench.wave.control(strange).await;
    bench.pump().await;
    assert_eq!(bench.inbox().await, [("parked".to_owned(), 1)]);
    bench.wave.control(json!({"do": "test_event"})).await;
    bench.wave.control(json!({"do": "drain"})).await;
    bench.pass(80 * 3_600).await;
    assert_eq!(bench.inbox().await, [("parked".to_owned(), 1), ("stale".to_owned(), 1)]);
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM work.inbox WHERE finished_at IS NULL")
        .fetch_one(bench.store.pool())
        .await
        .unwrap();
    assert_eq!(waiting, 0);
    let body: String =
        sqlx::query_scalar("SELECT string_agg(body, '') FROM work.inbox").fetch_one(bench.store.pool()).await.unwrap();
    assert!(!body.contains("cos-strange"), "the body is ciphertext");
}
