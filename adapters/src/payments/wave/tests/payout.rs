//! Payouts: at most once per key, and two ways for the provider to say no.

use super::*;

fn payout(name: &str, key: &str, francs: i64) -> PayoutOrder {
    PayoutOrder {
        recipient: Phone::new("+221771234567").unwrap(),
        amount: Money::xof(francs),
        reference: reference(name),
        idempotency_key: key.to_owned(),
        reason: Some("Remboursement de votre réservation au Temple du Foot".into()),
    }
}

fn paid(status: PayoutStatus) -> ProviderId {
    match status {
        PayoutStatus::Succeeded { provider_id, .. } => provider_id,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_payout_is_made_with_its_fee_on_top() {
    let world = World::new().await;
    let order = payout("pay-1", "key-1", 24_500);
    let status = done(world.wave.payout(&order).await);
    match &status {
        PayoutStatus::Succeeded { amount, fee, at, .. } => {
            assert_eq!((*amount, *fee, at.is_some()), (Money::xof(24_500), Some(Money::xof(245)), true));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(done(world.wave.payout_search(&order.reference).await), status);
    assert_eq!(done(world.wave.payout_status(&paid(status.clone())).await), status);
    assert_eq!(world.fake.get("/__ledger").await["balance"], 1_000_000 - 24_745);
}

#[tokio::test]
async fn a_payout_tried_again_with_the_same_key_pays_once() {
    let faults = [
        json!({ "how": "cut" }),
        json!({ "how": "html", "status": 200 }),
        json!({ "how": "status", "status": 500 }),
        json!({ "how": "empty" }),
    ];
    for mut fault in faults {
        let world = World::new().await;
        fault["call"] = json!("payout.create");
        fault["after_effect"] = json!(true);
        world.fail(fault).await;
        let order = payout("pay-1", "key-1", 1_000);
        assert!(unknown(world.wave.payout(&order).await).may_have_happened());
        paid(done(world.wave.payout(&order).await));
        let ledger = world.fake.get("/__ledger").await;
        assert_eq!((&ledger["totals"]["paid_out"], &ledger["repeated"]["payouts"]), (&json!(1_000), &json!([])));
    }
}

#[tokio::test]
async fn a_payout_whose_answer_was_lost_is_found_by_reference() {
    let world = World::new().await;
    world.fail(json!({ "call": "payout.create", "how": "cut", "after_effect": true })).await;
    let order = payout("pay-1", "key-1", 1_000);
    assert!(unknown(world.wave.payout(&order).await).may_have_happened());
    paid(done(world.wave.payout_search(&order.reference).await));
}

#[tokio::test]
async fn a_key_used_for_another_amount_is_refused() {
    let world = World::new().await;
    paid(done(world.wave.payout(&payout("pay-1", "key-1", 1_000)).await));
    assert_eq!(code(world.wave.payout(&payout("pay-1", "key-1", 1_001)).await).1, "idempotency-mismatch");
}

#[tokio::test]
async fn a_200_that_says_failed_has_failed() {
    let world = World::new().await;
    world.fake.control(json!({ "do": "next_payout", "status": "failed", "code": "recipient-limit-exceeded" })).await;
    let order = payout("pay-1", "key-1", 1_000);
    for _ in 0..2 {
        match done(world.wave.payout(&order).await) {
            PayoutStatus::Failed { code, .. } => assert_eq!(code, "recipient-limit-exceeded"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.fake.get("/__ledger").await["totals"]["paid_out"], 0);
}

#[tokio::test]
async fn a_payout_from_an_empty_wallet_is_refused_by_status() {
    let world = World::new().await;
    world.fake.control(json!({ "do": "balance", "amount": 1_000 })).await;
    assert_eq!(code(world.wave.payout(&payout("pay-1", "key-1", 1_000)).await).1, "insufficient-funds");
    assert_eq!(done(world.wave.payout_search(&reference("pay-1")).await), PayoutStatus::NotFound);
}

#[tokio::test]
async fn a_payout_can_be_processing_and_then_fail() {
    let world = World::new().await;
    world.fake.control(json!({ "do": "next_payout", "status": "processing" })).await;
    let order = payout("pay-1", "key-1", 1_000);
    let status = done(world.wave.payout(&order).await);
    assert!(matches!(status, PayoutStatus::Processing { .. }));
    world.fake.control(json!({ "do": "settle_payout", "payout": "pay-1", "status": "failed" })).await;
    assert!(matches!(done(world.wave.payout_search(&order.reference).await), PayoutStatus::Failed { .. }));
    assert_eq!(world.fake.get("/__ledger").await["balance"], 1_000_000);
}

#[tokio::test]
async fn two_payouts_under_one_reference_are_several() {
    let world = World::new().await;
    paid(done(world.wave.payout(&payout("pay-1", "key-1", 1_000)).await));
    paid(done(world.wave.payout(&payout("pay-1", "key-2", 1_000)).await));
    let several = done(world.wave.payout_search(&reference("pay-1")).await);
    assert!(matches!(&several, PayoutStatus::Several(all) if all.len() == 2), "{several:?}");
}

#[tokio::test]
async fn a_payout_without_a_usable_key_is_not_sent() {
    let world = World::new().await;
    for key in ["", "a\nb", &"k".repeat(256)] {
        assert_eq!(code(world.wave.payout(&payout("pay-1", key, 1_000)).await), (None, "idempotency-key".into()));
    }
    assert_eq!(world.fake.get("/__calls").await["calls"], json!([]));
}

#[tokio::test]
async fn an_unknown_payout_is_not_found() {
    let world = World::new().await;
    assert_eq!(done(world.wave.payout_status(&ProviderId::new("pt-0").unwrap()).await), PayoutStatus::NotFound);
    assert_eq!(done(world.wave.payout_search(&reference("pay-0")).await), PayoutStatus::NotFound);
}
