//! Cash-in: nobody's idempotency but ours, an encrypted PIN, and answers that say little.

use super::*;
use crate::payments::{PayoutOrder, PayoutStatus};

fn payout(name: &str, francs: i64) -> PayoutOrder {
    PayoutOrder {
        recipient: Phone::new("+221771234567").unwrap(),
        amount: Money::xof(francs),
        reference: reference(name),
        idempotency_key: name.to_owned(),
        reason: Some("Remboursement de votre réservation au Temple du Foot".into()),
    }
}

#[track_caller]
fn paid(status: PayoutStatus) -> ProviderId {
    match status {
        PayoutStatus::Succeeded { provider_id, .. } => provider_id,
        other => panic!("{other:?}"),
    }
}

impl World {
    async fn ledger(&self) -> (i64, Value) {
        let ledger = self.fake.get("/__ledger").await;
        (ledger["totals"]["paid_out"].as_i64().unwrap(), ledger["repeated"]["payouts"].clone())
    }
}

#[tokio::test]
async fn a_cashin_is_made_and_found_by_reference_and_by_id() {
    let world = World::new().await;
    let order = payout("pay-1", 24_500);
    let status = done(world.sonatel.payout(&order).await);
    let id = paid(status);
    assert!(id.as_str().starts_with("CI"));
    let found = done(world.sonatel.payout_search(&order.reference).await);
    match &found {
        PayoutStatus::Succeeded { amount, at, .. } => assert_eq!((*amount, at.is_some()), (Money::xof(24_500), true)),
        other => panic!("{other:?}"),
    }
    // The status says no amount; the row does.
    assert_eq!(done(world.sonatel.payout_status(&id).await), found);
    assert_eq!(world.ledger().await, (24_500, json!([])));
    let sent = world.calls().await.into_iter().find(|call| call["call"] == "cashin.create").unwrap();
    assert_eq!(sent["body"]["customer"], json!({ "idType": "MSISDN", "id": "771234567" }));
    assert_eq!(sent["body"]["partner"]["encryptedPinCode"].as_str().unwrap().len(), 344);
    assert_eq!(sent["body"]["metadata"]["reason"].as_str().unwrap().chars().count(), 40);
}

#[tokio::test]
async fn a_cashin_whose_answer_was_lost_is_unknown_then_found_and_never_paid_twice() {
    let faults = [
        json!({ "how": "hang", "ms": 60_000 }),
        json!({ "how": "cut" }),
        json!({ "how": "empty" }),
        json!({ "how": "empty", "status": 201 }),
        json!({ "how": "html", "status": 200 }),
        json!({ "how": "status", "status": 500 }),
    ];
    for mut fault in faults {
        let world = World::new().await;
        fault["call"] = json!("cashin.create");
        fault["after_effect"] = json!(true);
        let order = payout("pay-1", 1_000);
        world.fail(fault.clone()).await;
        assert!(unknown(impatient(&world.fake.base).payout(&order).await).may_have_happened(), "{fault}");
        let found = done(world.sonatel.payout_search(&order.reference).await);
        // The same order again finds it, too.
        assert_eq!(done(world.sonatel.payout(&order).await), found);
        paid(found);
        assert_eq!((world.ledger().await, world.count("cashin.create").await), ((1_000, json!([])), 1));
    }
}

#[tokio::test]
async fn a_cashin_lost_before_the_effect_is_made_the_next_time() {
    let world = World::new().await;
    world.fail(json!({ "call": "cashin.create", "how": "cut" })).await;
    let order = payout("pay-1", 1_000);
    assert!(unknown(world.sonatel.payout(&order).await).may_have_happened());
    assert_eq!(done(world.sonatel.payout_search(&order.reference).await), PayoutStatus::NotFound);
    paid(done(world.sonatel.payout(&order).await));
    assert_eq!(world.ledger().await, (1_000, json!([])));
}

#[tokio::test]
async fn without_a_look_at_the_list_nothing_is_sent_and_nothing_is_ruled_out() {
    let world = World::new().await;
    let order = payout("pay-1", 1_000);
    paid(done(world.sonatel.payout(&order).await));
    for status in [400, 404, 500] {
        world.fail(json!({ "call": "transactions.list", "how": "status", "status": status })).await;
        assert_eq!(unknown(world.sonatel.payout(&order).await), Unknown::Status(status));
    }
    assert_eq!(world.count("cashin.create").await, 1);
    let other = unknown(world.sonatel.payout(&payout("pay-1", 1_001)).await);
    assert!(matches!(other, Unknown::Unreadable(_)));
    assert_eq!(world.ledger().await, (1_000, json!([])));
}

#[tokio::test]
async fn a_revoked_key_is_fetched_anew_once_and_the_cashin_made_once() {
    let world = World::new().await;
    paid(done(world.sonatel.payout(&payout("pay-1", 500)).await));
    paid(done(world.sonatel.payout(&payout("pay-2", 500)).await));
    assert_eq!(world.count("keys.get").await, 1);
    world.fake.control(json!({ "do": "rotate_key" })).await;
    paid(done(world.sonatel.payout(&payout("pay-3", 500)).await));
    assert_eq!((world.count("keys.get").await, world.count("cashin.create").await), (2, 4));
    assert_eq!(world.ledger().await, (1_500, json!([])));
}

#[tokio::test]
async fn without_a_key_nothing_was_sent() {
    for how in ["html", "empty", "status"] {
        let world = World::new().await;
        world.fail(json!({ "call": "keys.get", "how": how, "status": if how == "status" { 500 } else { 200 } })).await;
        assert!(!unknown(world.sonatel.payout(&payout("pay-1", 500)).await).may_have_happened());
        assert_eq!(world.count("cashin.create").await, 0);
    }
}

#[tokio::test]
async fn each_no_keeps_its_code_and_moves_nothing() {
    let world = World::new().await;
    let customer = |msisdn: &str, standing: &str| json!({ "do": "customer", "msisdn": msisdn, "as": standing });
    world.fake.control(json!([customer("770000013", "blocked"), customer("770000014", "unknown")])).await;
    let to = |number: &str| PayoutOrder { recipient: Phone::new(number).unwrap(), ..payout("pay-1", 500) };
    for (order, code) in [
        (to("+221770000013"), "sonatel-2013"),
        (to("+221770000014"), "sonatel-2000"),
        (to("+221338219903"), "sonatel-2001"),
        (payout("pay-1", 1_000_001), "sonatel-2020"),
    ] {
        let refusal = refused(world.sonatel.payout(&order).await);
        assert_eq!((refusal.http, refusal.code.as_str()), (Some(400), code));
    }
    let mut stranger = config(&world.fake.base);
    stranger.cash_in = Some(CashIn { msisdn: "770000009".into(), pin: Secret::new("1234").unwrap() });
    assert_eq!(refused(Sonatel::new(&stranger).unwrap().payout(&payout("pay-1", 500)).await).code, "sonatel-2041");
    let mut wrong = config(&world.fake.base);
    wrong.cash_in = Some(CashIn { msisdn: "770000001".into(), pin: Secret::new("0000").unwrap() });
    assert_eq!(refused(Sonatel::new(&wrong).unwrap().payout(&payout("pay-1", 500)).await).code, "sonatel-2021");
    assert_eq!(world.ledger().await.0, 0);
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_even_asked_about() {
    let world = World::new().await;
    for recipient in ["+33612345678", "+22177123456", "+2217712345678", "+22077123456"] {
        let order = PayoutOrder { recipient: Phone::new(recipient).unwrap(), ..payout("pay-1", 500) };
        assert_eq!(refused(world.sonatel.payout(&order).await).code, "recipient", "{recipient}");
    }
    for amount in [Money::xof(0), Money::xof(-1), Money::new(500, Currency::Eur)] {
        assert_eq!(refused(world.sonatel.payout(&PayoutOrder { amount, ..payout("pay-1", 1) }).await).http, None);
    }
    let desk_less = Config { cash_in: None, ..config(&world.fake.base) };
    assert_eq!(refused(Sonatel::new(&desk_less).unwrap().payout(&payout("pay-1", 500)).await).code, "not-offered");
    assert_eq!(world.calls().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_cashin_can_be_open_and_then_fail_or_succeed() {
    for (left, end) in [("PENDING", "FAILED"), ("ACCEPTED", "SUCCESS")] {
        let world = World::new().await;
        let order = payout("pay-1", 1_000);
        world.fake.control(json!({ "do": "next", "as": left })).await;
        let status = done(world.sonatel.payout(&order).await);
        let PayoutStatus::Processing { provider_id } = status.clone() else { panic!("{status:?}") };
        assert_eq!(done(world.sonatel.payout_status(&provider_id).await), status);
        assert_eq!(done(world.sonatel.payout(&order).await), status);
        world.fake.control(json!({ "do": "settle_transaction", "transaction": "pay-1", "as": end })).await;
        for ended in [
            done(world.sonatel.payout_status(&provider_id).await),
            done(world.sonatel.payout_search(&order.reference).await),
        ] {
            match (ended, end) {
                (PayoutStatus::Failed { code, .. }, "FAILED") => assert_eq!(code, "failed"),
                (PayoutStatus::Succeeded { amount, .. }, "SUCCESS") => assert_eq!(amount, Money::xof(1_000)),
                (other, _) => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_200_that_says_failed_has_failed_and_stays_so() {
    let world = World::new().await;
    world.fake.control(json!({ "do": "next", "as": "REJECTED" })).await;
    for _ in 0..2 {
        match done(world.sonatel.payout(&payout("pay-1", 1_000)).await) {
            PayoutStatus::Failed { code, .. } => assert_eq!(code, "rejected"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((world.ledger().await.0, world.count("cashin.create").await), (0, 1));
}

#[tokio::test]
async fn an_unknown_cashin_is_not_found_and_a_payment_is_none() {
    let world = World::new().await;
    let nobody = ProviderId::new("CI261122.1224.A00001").unwrap();
    assert_eq!(done(world.sonatel.payout_status(&nobody).await), PayoutStatus::NotFound);
    world.fail(json!({ "call": "transactions.status", "how": "html", "status": 404 })).await;
    assert_eq!(unknown(world.sonatel.payout_status(&nobody).await), Unknown::Status(404));
    let order = order("pay-1", 500);
    world.opened(&order).await;
    world.settle(&order, "pay").await;
    assert_eq!(done(world.sonatel.payout_search(&order.reference).await), PayoutStatus::NotFound);
}

#[tokio::test]
async fn an_id_cannot_change_the_path() {
    let world = World::new().await;
    for id in ["../x", "a/b", "..", ".", "a?b", "a#b", "a%2fb"] {
        let id = ProviderId::new(id).unwrap();
        assert_eq!(refused(world.sonatel.payout_status(&id).await).code, "provider-id", "{id:?}");
    }
    assert_eq!(world.calls().await, Vec::<Value>::new());
}

#[tokio::test]
async fn a_cashin_that_is_listed_late_is_not_seen_by_a_look() {
    // The limit of what can be done without idempotency at Sonatel's, noted where `payout` is.
    let world = World::with(fake::Config { listing_lag_seconds: 60, ..Default::default() }).await;
    let order = payout("pay-1", 1_000);
    world.fail(json!({ "call": "cashin.create", "how": "cut", "after_effect": true })).await;
    assert!(unknown(world.sonatel.payout(&order).await).may_have_happened());
    assert_eq!(done(world.sonatel.payout_search(&order.reference).await), PayoutStatus::NotFound);
    world.fake.control(json!({ "do": "advance", "seconds": 61 })).await;
    paid(done(world.sonatel.payout(&order).await));
    assert_eq!(world.ledger().await, (1_000, json!([])));
}
