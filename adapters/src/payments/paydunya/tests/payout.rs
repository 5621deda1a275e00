//! Payouts: never twice, whatever is lost.

use std::time::Duration;

use super::*;

fn payout(name: &str, francs: i64) -> PayoutOrder {
    PayoutOrder {
        recipient: Phone::new("+221761234567").unwrap(),
        amount: Money::xof(francs),
        reference: reference(name),
        idempotency_key: name.to_owned(),
        reason: Some("Remboursement".into()),
    }
}

#[track_caller]
fn paid(status: PayoutStatus) -> ProviderId {
    match status {
        PayoutStatus::Succeeded { provider_id, .. } => provider_id,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn processing(status: PayoutStatus) -> ProviderId {
    match status {
        PayoutStatus::Processing { provider_id } => provider_id,
        other => panic!("{other:?}"),
    }
}

impl World {
    async fn paid_out(&self) -> Value {
        let ledger = self.fake.get("/__ledger").await;
        assert_eq!(ledger["repeated"]["payouts"], json!([]));
        ledger["totals"]["paid_out"].clone()
    }
}

/// Ways of losing an answer.
fn losses() -> [Value; 6] {
    [
        json!({ "how": "hang", "ms": 60_000 }),
        json!({ "how": "cut" }),
        json!({ "how": "html", "status": 200 }),
        json!({ "how": "empty" }),
        json!({ "how": "status", "status": 500 }),
        json!({ "how": "status", "status": 408 }),
    ]
}

#[tokio::test]
async fn a_payout_is_made_in_two_steps_and_told_by_the_third() {
    let world = World::new().await;
    let status = done(world.paydunya.payout(&payout("pay-1", 24_500)).await);
    let token = paid(status.clone());
    assert_eq!(done(world.paydunya.payout_status(&token).await), status);
    let calls = world.fake.get("/__calls").await["calls"].clone();
    let made = json!({
        "account_alias": "761234567", "amount": 24_500, "withdraw_mode": "free-money-senegal",
        "callback_url": "https://kalel.sn/ipn",
    });
    assert_eq!(calls[0]["body"], made);
    assert_eq!(calls[1]["body"], json!({ "disburse_invoice": token.as_str(), "disburse_id": "pay-1" }));
    assert_eq!(world.paid_out().await, 24_500);
}

#[tokio::test]
async fn amounts_of_payouts_are_read_as_numbers_floats_and_text() {
    for amounts in [Amounts::Number, Amounts::Float, Amounts::Text, Amounts::Decimals] {
        let world = World::with(Quirks { amounts, ..Quirks::default() }).await;
        let token = paid(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
        match done(world.paydunya.payout_status(&token).await) {
            PayoutStatus::Succeeded { amount, .. } => assert_eq!(amount, Money::xof(1_000)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_success_without_a_status_is_asked_about() {
    let world = World::with(Quirks { submit_says_status: false, ..Quirks::default() }).await;
    paid(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
    assert_eq!((world.count("disburse.submit").await, world.count("disburse.check").await), (1, 1));
}

#[tokio::test]
async fn a_first_step_whose_answer_was_lost_has_moved_nothing_and_may_come_again() {
    for mut fault in losses() {
        let world = World::new().await;
        fault["call"] = json!("disburse.get");
        fault["after_effect"] = json!(true);
        world.fail(fault.clone()).await;
        let impatient = paydunya_at(&world.fake.base, 800);
        let refusal = refused(impatient.payout(&payout("pay-1", 1_000)).await);
        assert!(refusal.retryable && refusal.code == "no-token", "{fault}: {refusal}");
        assert_eq!(world.count("disburse.submit").await, 0);
        paid(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
        assert_eq!(world.paid_out().await, 1_000);
    }
}

#[tokio::test]
async fn a_submission_whose_answer_was_lost_is_asked_about_at_once() {
    for mut fault in losses() {
        let world = World::new().await;
        fault["call"] = json!("disburse.submit");
        fault["after_effect"] = json!(true);
        world.fail(fault.clone()).await;
        let impatient = paydunya_at(&world.fake.base, 800);
        paid(done(impatient.payout(&payout("pay-1", 1_000)).await));
        assert_eq!(world.count("disburse.submit").await, 1, "{fault}");
        assert_eq!(world.paid_out().await, 1_000);
    }
}

#[tokio::test]
async fn when_that_is_lost_as_well_the_token_is_kept_and_nothing_is_submitted_again() {
    for unique_disburse_ids in [true, false] {
        let world = World::with(Quirks { unique_disburse_ids, ..Quirks::default() }).await;
        world.fail(json!({ "call": "disburse.submit", "how": "cut", "after_effect": true })).await;
        world.fail(json!({ "call": "disburse.check", "how": "status", "status": 503 })).await;
        let token = processing(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
        paid(done(world.paydunya.payout_status(&token).await));
        assert_eq!((world.count("disburse.submit").await, world.paid_out().await), (1, json!(1_000)));
    }
}

#[tokio::test]
async fn a_submission_that_may_be_under_way_is_processing_and_no_question_submits_it() {
    let world = World::new().await;
    world.fail(json!({ "call": "disburse.submit", "how": "cut" })).await;
    let token = processing(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
    for _ in 0..3 {
        assert_eq!(processing(done(world.paydunya.payout_status(&token).await)), token);
    }
    assert_eq!((world.count("disburse.submit").await, world.paid_out().await), (1, json!(0)));
}

#[tokio::test]
async fn the_same_order_again_after_a_crash_is_unknown_and_pays_once() {
    let world = World::new().await;
    paid(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
    for http in [200, 400, 500] {
        if http != 200 {
            let text = "disburse_id already used";
            let refuse =
                json!({ "do": "refuse", "call": "disburse.submit", "code": "5000", "text": text, "http": http });
            world.fake.control(refuse).await;
        }
        let again = unknown(world.paydunya.payout(&payout("pay-1", 1_000)).await);
        assert!(again.may_have_happened(), "{http}: {again}");
    }
    assert_eq!(world.paid_out().await, 1_000);
}

/// The risk that remains (see the head of disburse.rs): if PayDunya takes a `disburse_id` twice after all, an order that
/// comes again because its first answer was never written down pays again.
#[tokio::test]
async fn without_unique_disburse_ids_only_the_callers_memory_keeps_an_order_from_paying_twice() {
    let world = World::with(Quirks { unique_disburse_ids: false, ..Quirks::default() }).await;
    for _ in 0..2 {
        paid(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
    }
    assert_eq!(world.fake.get("/__ledger").await["repeated"]["payouts"], json!(["pay-1"]));
}

#[tokio::test]
async fn a_search_never_answers_what_would_have_the_order_sent_again() {
    let world = World::new().await;
    assert_eq!(refused(world.paydunya.payout_search(&reference("pay-0")).await).code, "not-offered");
    done(world.paydunya.payout(&payout("pay-1", 1_000)).await);
    assert_eq!(refused(world.paydunya.payout_search(&reference("pay-1")).await).code, "not-offered");
    // Nor does a token that PayDunya does not know.
    let unknown_token = world.paydunya.payout_status(&ProviderId::new("d0").unwrap()).await;
    assert_eq!(refused(unknown_token).code, "paydunya-4004");
}

#[tokio::test]
async fn a_low_balance_is_refused_whichever_step_says_so() {
    let world = World::new().await;
    world.fake.control(json!({ "do": "balance", "amount": 1_000 })).await;
    let refusal = refused(world.paydunya.payout(&payout("pay-1", 1_000)).await);
    assert_eq!((refusal.code.as_str(), refusal.retryable), ("paydunya-4002", false));
    world.fake.control(json!({ "do": "balance", "amount": 1_000_000 })).await;
    world.refuse("disburse.submit", "4002", "You don't have enough funds").await;
    assert_eq!(refused(world.paydunya.payout(&payout("pay-1", 1_000)).await).code, "paydunya-4002");
    assert_eq!(world.paid_out().await, 0);
}

#[tokio::test]
async fn a_maintenance_is_retried_when_nothing_was_submitted_and_kept_when_nobody_can_tell() {
    let world = World::new().await;
    for call in ["disburse.get", "disburse.submit"] {
        world.refuse(call, "5000", "Service en maintenance").await;
        assert!(refused(world.paydunya.payout(&payout("pay-1", 1_000)).await).retryable, "{call}");
    }
    // The submission is refused and the question too: their trouble may have begun after the money had left.
    world.refuse("disburse.submit", "5000", "Service en maintenance").await;
    world.refuse("disburse.check", "5000", "Service en maintenance").await;
    processing(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
    assert_eq!(world.paid_out().await, 0);
}

#[tokio::test]
async fn a_refusal_that_the_token_contradicts_does_not_stand() {
    let world = World::new().await;
    // It happened, and then a gateway answered for them.
    world.fail(json!({ "call": "disburse.submit", "how": "html", "status": 404, "after_effect": true })).await;
    paid(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
    world.fail(json!({ "call": "disburse.submit", "how": "html", "status": 404, "after_effect": true })).await;
    world.fail(json!({ "call": "disburse.check", "how": "html", "status": 404 })).await;
    let token = processing(done(world.paydunya.payout(&payout("pay-2", 1_000)).await));
    paid(done(world.paydunya.payout_status(&token).await));
    assert_eq!(world.paid_out().await, 2_000);
}

#[tokio::test]
async fn too_many_calls_have_sent_nothing() {
    let world = World::new().await;
    for call in ["disburse.get", "disburse.submit"] {
        world.fail(json!({ "call": call, "how": "status", "status": 429, "retry_after": 3 })).await;
        let outcome = world.paydunya.payout(&payout("pay-1", 1_000)).await;
        assert_eq!(outcome, Outcome::RetryAfter(Some(Duration::from_secs(3))), "{call}");
    }
    paid(done(world.paydunya.payout(&payout("pay-1", 1_000)).await));
    assert_eq!(world.paid_out().await, 1_000);
}

#[tokio::test]
async fn a_payout_can_be_pending_and_then_succeed_or_fail() {
    for (name, status) in [("pay-1", "success"), ("pay-2", "failed")] {
        let world = World::new().await;
        world.fake.control(json!({ "do": "next_payout", "status": "pending" })).await;
        let token = processing(done(world.paydunya.payout(&payout(name, 1_000)).await));
        processing(done(world.paydunya.payout_status(&token).await));
        world.fake.control(json!({ "do": "settle_payout", "payout": name, "status": status })).await;
        match (status, done(world.paydunya.payout_status(&token).await)) {
            ("success", PayoutStatus::Succeeded { provider_id, .. }) => assert_eq!(provider_id, token),
            ("failed", PayoutStatus::Failed { provider_id, code, .. }) => {
                assert_eq!((provider_id, code.as_str()), (token, "failed"));
            }
            (_, other) => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_200_that_says_failed_has_failed() {
    let world = World::new().await;
    world.fake.control(json!({ "do": "next_payout", "status": "failed" })).await;
    let status = done(world.paydunya.payout(&payout("pay-1", 1_000)).await);
    assert!(matches!(status, PayoutStatus::Failed { .. }), "{status:?}");
    assert_eq!(world.paid_out().await, 0);
}

#[tokio::test]
async fn what_has_no_payout_is_not_sent() {
    let world = World::new().await;
    let base = &world.fake.base;
    let card = PayDunya::new(&Config { channel: Channel::Card, ..config(base, 5_000) }).unwrap();
    assert_eq!(refused(card.payout(&payout("pay-1", 1_000)).await).code, "not-offered");
    let play = PayDunya::new(&sandbox(base)).unwrap();
    assert_eq!(refused(play.payout(&payout("pay-1", 1_000)).await).code, "not-offered");
    for number in ["+33612345678", "+22176123456", "+2217612345678"] {
        let order = PayoutOrder { recipient: Phone::new(number).unwrap(), ..payout("pay-1", 1_000) };
        assert_eq!(refused(world.paydunya.payout(&order).await).code, "recipient", "{number}");
    }
    for amount in [Money::xof(0), Money::new(1_000, Currency::Eur)] {
        assert_eq!(refused(world.paydunya.payout(&PayoutOrder { amount, ..payout("pay-1", 1) }).await).http, None);
    }
    assert_eq!(world.fake.get("/__calls").await["calls"], json!([]));
}

#[tokio::test]
async fn a_callback_address_that_does_not_answer_is_a_refusal_that_says_so() {
    let world = World::with(Quirks { probes_callbacks: true, ..Quirks::default() }).await;
    let nowhere = Url::parse("http://127.0.0.1:1/ipn").unwrap();
    let paydunya = PayDunya::new(&Config { callback_url: nowhere, ..config(&world.fake.base, 5_000) }).unwrap();
    let refusal = refused(paydunya.payout(&payout("pay-1", 1_000)).await);
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("paydunya-4002", "the callback is not accessible"));
}
