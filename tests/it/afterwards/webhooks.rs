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
async fn never_again_the_replay_of_a_webhook_is_unchecked() {
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

/// How the late webhook was answered by us, and what became of it.
async fn it_arrives(bench: &Bench) {
    bench.wave.control(json!({"do": "heal"})).await;
    let released = bench.wave.control(json!({"do": "release"})).await;
    assert_eq!(released["results"][0][0]["status"], 200, "{released}");
    bench.pump().await;
}

#[tokio::test]
async fn a_webhook_delayed_past_the_end_of_the_hold_confirms_while_the_cells_are_free() {
    let bench = Bench::new().await;
    let (reservation, payment) = super::money::in_the_dark(&bench, "hold", None).await;
    // Nobody has asked Wave since: the webhook is the first to tell.
    it_arrives(&bench).await;
    assert_eq!(bench.inbox().await, [("applied".to_owned(), 1)]);
    assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("confirmed", "succeeded"));
    bench.pass_in_steps(4, 600).await;
    assert_eq!(bench.refunds(payment).await, [], "asked again later, Wave tells no news");
    let history = bench.history(reservation).await;
    assert_eq!(history.iter().filter(|name| *name == "reservation.confirmed").count(), 1, "{history:?}");
}

#[tokio::test]
async fn a_webhook_delayed_past_the_end_of_the_hold_gives_the_money_back_when_the_cells_are_taken() {
    let bench = Bench::new().await;
    let (reservation, payment) = super::money::in_the_dark(&bench, "hold", None).await;
    let other = domain::ids::ClientId::new(bench.store.clock().new_id());
    bench.register_client(other, "+221761112233").await;
    let (winner, _) = bench.hold_for(other, 20).await.unwrap();
    it_arrives(&bench).await;
    bench.pass_in_steps(2, 60).await;
    assert_eq!(bench.inbox().await, [("applied".to_owned(), 1)]);
    assert_eq!((bench.status(reservation).await, bench.status(winner).await), ("expired", "held"));
    let back: Vec<_> = bench.refunds(payment).await.into_iter().map(|(_, status, amount)| (status, amount)).collect();
    assert_eq!(back, [("succeeded", DEPOSIT)]);
    let ledger = bench.wave.get("/__ledger").await;
    assert_eq!(ledger["totals"]["refunded"], json!(DEPOSIT));
}

#[tokio::test]
async fn a_webhook_that_comes_after_the_money_was_found_is_a_duplicate() {
    let bench = Bench::new().await;
    let (reservation, payment) = bench.hold(20).await;
    bench.pump().await;
    bench.wave.control(json!({"do": "webhooks", "next": "hold"})).await;
    bench.pass(14 * 60).await;
    bench.pay(payment).await;
    // Closing the checkout at the end of the hold finds it paid.
    bench.pass(61).await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    it_arrives(&bench).await;
    assert_eq!(bench.inbox().await, [("duplicate".to_owned(), 1)]);
    assert_eq!(bench.refunds(payment).await, []);
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
async fn never_again_the_amount_of_a_webhook_is_unchecked() {
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
