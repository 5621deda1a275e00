//! Refunds: accepted is not done, and twice is once.

use super::*;

impl World {
    async fn refunded(&self) -> (Value, Value) {
        let ledger = self.fake.get("/__ledger").await;
        (ledger["totals"]["refunded"].clone(), ledger["repeated"]["refunds"].clone())
    }

    async fn later(&self, seconds: i64) {
        self.fake.control(json!({ "do": "advance", "seconds": seconds })).await;
    }
}

const ONCE: i64 = 15_000;

#[tokio::test]
async fn a_refund_accepted_is_unknown_until_it_is_complete() {
    let world = World::new().await;
    world.switch(json!({ "refund_seconds": 3_600 })).await;
    let id = world.paid("ref-1", ONCE).await;
    for _ in 0..3 {
        assert!(unknown(world.paytech.refund_full(&id).await).may_have_happened());
    }
    assert_eq!(world.calls("refund").await.len(), 1);
    assert_eq!(world.refunded().await, (json!(0), json!([])));
    world.later(3_600).await;
    for _ in 0..3 {
        done(world.paytech.refund_full(&id).await);
    }
    assert_eq!(world.refunded().await, (json!(ONCE), json!([])));
    assert_eq!(world.calls("refund").await[0]["body"], "ref_command=ref-1");
}

#[tokio::test]
async fn a_refund_done_at_once_is_done() {
    let world = World::new().await;
    world.switch(json!({ "refund_seconds": 0 })).await;
    let id = world.paid("ref-1", ONCE).await;
    done(world.paytech.refund_full(&id).await);
    assert_eq!(world.refunded().await, (json!(ONCE), json!([])));
}

/// `get-status` may know nothing of refunds: then the refusal of a second one tells.
#[tokio::test]
async fn a_refund_given_twice_is_done_by_the_words_of_the_refusal() {
    let world = World::new().await;
    world.switch(json!({ "refund_seconds": 60, "tells_refunds": false })).await;
    let id = world.paid("ref-1", ONCE).await;
    // Accepted, then "already under way".
    for _ in 0..2 {
        assert!(matches!(unknown(world.paytech.refund_full(&id).await), Unknown::Unreadable(_)));
    }
    world.later(60).await;
    for _ in 0..2 {
        done(world.paytech.refund_full(&id).await);
    }
    assert_eq!(world.refunded().await, (json!(ONCE), json!([])));
}

#[tokio::test]
async fn a_refund_that_is_accepted_again_and_again_and_never_told_stays_unknown() {
    let world = World::new().await;
    world.switch(json!({ "refund_seconds": 0, "tells_refunds": false, "accepts_refunds_again": true })).await;
    let id = world.paid("ref-1", ONCE).await;
    for _ in 0..3 {
        assert!(unknown(world.paytech.refund_full(&id).await).may_have_happened());
    }
    assert_eq!(world.refunded().await, (json!(ONCE), json!([])));
}

#[tokio::test]
async fn an_answer_lost_after_the_effect_is_made_up_for_by_calling_again() {
    for fault in [
        json!({ "how": "cut" }),
        json!({ "how": "html", "status": 200 }),
        json!({ "how": "empty" }),
        json!({ "how": "status", "status": 500 }),
        json!({ "how": "status", "status": 404 }),
    ] {
        let world = World::new().await;
        world.switch(json!({ "refund_seconds": 60 })).await;
        let id = world.paid("ref-1", ONCE).await;
        let mut after = fault.clone();
        after["call"] = json!("refund");
        after["after_effect"] = json!(true);
        world.fail(after).await;
        assert!(unknown(world.paytech.refund_full(&id).await).may_have_happened(), "{fault}");
        world.later(60).await;
        done(world.paytech.refund_full(&id).await);
        assert_eq!(world.refunded().await, (json!(ONCE), json!([])));
    }
}

#[tokio::test]
async fn after_the_acceptance_nothing_makes_it_refused_or_not_begun() {
    for (fault, answer) in [
        (json!({ "how": "status", "status": 429, "retry_after": 7 }), None),
        (json!({ "how": "status", "status": 403 }), None),
        (json!({ "how": "html", "status": 200 }), None),
        (Value::Null, Some(json!({ "success": 0, "message": "Token invalide" }))),
        (Value::Null, Some(json!({ "success": 1, "payment": { "state": "pending" } }))),
        (Value::Null, Some(json!({ "success": 1, "payment": { "state": "failed" } }))),
    ] {
        let world = World::new().await;
        world.switch(json!({ "refund_seconds": 60 })).await;
        let id = world.paid("ref-1", ONCE).await;
        // The first question is answered as it should be, the one after the acceptance is not.
        world.answer("status", json!({ "success": 1, "state": "complete", "ref_command": "ref-1" })).await;
        if let Some(answer) = answer {
            world.answer("status", answer).await;
        } else {
            world.fail(json!({ "call": "status", "how": "slow", "ms": 1 })).await;
            let mut second = fault;
            second["call"] = json!("status");
            world.fail(second).await;
        }
        assert!(unknown(world.paytech.refund_full(&id).await).may_have_happened());
        world.later(60).await;
        done(world.paytech.refund_full(&id).await);
        assert_eq!(world.refunded().await, (json!(ONCE), json!([])));
    }
}

#[tokio::test]
async fn a_question_that_is_refused_is_no_refusal_of_the_refund() {
    let world = World::new().await;
    let id = world.paid("ref-1", ONCE).await;
    world.answer("status", json!({ "success": 0, "message": "service indisponible" })).await;
    assert!(matches!(unknown(world.paytech.refund_full(&id).await), Unknown::Unreadable(_)));
    world.fail(json!({ "call": "status", "how": "status", "status": 429 })).await;
    assert_eq!(world.paytech.refund_full(&id).await, Outcome::RetryAfter(None));
    assert_eq!(world.calls("refund").await.len(), 0);
}

#[tokio::test]
async fn a_refund_that_paytech_refuses_is_refused() {
    let world = World::new().await;
    let unpaid = world.opened(&order("ref-1", ONCE)).await;
    let refusal = refused(world.paytech.refund_full(&unpaid).await);
    assert_eq!((refusal.code.as_str(), refusal.http), ("paytech-0", Some(200)));
    let paid = world.paid("ref-2", ONCE).await;
    world.fake.control(json!({ "do": "balance", "amount": 100 })).await;
    assert_eq!(refused(world.paytech.refund_full(&paid).await).message, "Solde insuffisant");
    assert_eq!(world.refunded().await, (json!(0), json!([])));
}

#[tokio::test]
async fn a_refusal_that_only_hints_at_another_refund_leaves_it_unknown() {
    let world = World::new().await;
    let id = world.paid("ref-1", ONCE).await;
    for message in ["Demande déjà reçue", "Remboursement en attente", "n'a pas déjà été remboursée"] {
        world.answer("refund", json!({ "success": 0, "message": message })).await;
        assert!(unknown(world.paytech.refund_full(&id).await).may_have_happened(), "{message}");
    }
}

#[tokio::test]
async fn a_refund_that_came_to_nothing_is_asked_for_again() {
    let world = World::new().await;
    world.switch(json!({ "refund_seconds": 60 })).await;
    let id = world.paid("ref-1", ONCE).await;
    assert!(unknown(world.paytech.refund_full(&id).await).may_have_happened());
    world.fake.control(json!({ "do": "lose_refund", "sale": "ref-1" })).await;
    assert!(unknown(world.paytech.refund_full(&id).await).may_have_happened());
    world.later(60).await;
    done(world.paytech.refund_full(&id).await);
    assert_eq!(world.refunded().await, (json!(ONCE), json!([])));
}

#[tokio::test]
async fn money_that_went_back_is_no_longer_a_receipt() {
    let world = World::new().await;
    world.switch(json!({ "refund_seconds": 60 })).await;
    let id = world.paid("ref-1", ONCE).await;
    receipt(done(world.paytech.status(&id).await));
    for seconds in [0, 60] {
        assert!(unknown(world.paytech.refund_full(&id).await).may_have_happened() || seconds > 0);
        world.later(seconds).await;
        assert_eq!(unknown(world.paytech.status(&id).await), Unknown::Unreadable("paid and given back".into()));
    }
    done(world.paytech.refund_full(&id).await);
}
