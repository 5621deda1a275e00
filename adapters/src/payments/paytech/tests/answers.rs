//! Yes, no, and everything that is neither.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn success_0_and_minus_1_in_a_200_are_refusals_with_their_words() {
    let world = World::new().await;
    for (body, code, message) in [
        (json!({ "success": 0, "message": "non" }), "paytech-0", "non"),
        (json!({ "success": -1, "message": "non" }), "paytech--1", "non"),
        (json!({ "success": 0, "error": ["a", "b"] }), "paytech-0", "a; b"),
        (json!({ "success": -1, "error": "non" }), "paytech--1", "non"),
        (json!({ "success": "-1", "errors": ["non"] }), "paytech--1", "non"),
        (json!({ "success": false }), "paytech-0", "no reason given"),
    ] {
        world.answer("request", body.clone()).await;
        let refusal = refused(world.paytech.open(&order("ref-1", 500)).await);
        let said = (refusal.http, refusal.code.as_str(), refusal.message.as_str());
        assert_eq!(said, (Some(200), code, message), "{body}");
        assert!(!refusal.is_about_our_account());
    }
    // None of them has used the reference.
    world.opened(&order("ref-1", 500)).await;
}

#[tokio::test]
async fn a_200_without_a_clear_yes_or_no_is_unknown() {
    let world = World::new().await;
    for body in [
        json!({}),
        json!([]),
        json!(1),
        json!({ "token": "t", "redirect_url": "https://paytech.sn/t" }),
        json!({ "success": 2, "token": "t", "redirect_url": "https://paytech.sn/t" }),
        json!({ "success": 1 }),
        json!({ "success": 1, "token": "t" }),
        json!({ "success": 1, "token": "", "redirect_url": "https://paytech.sn/t" }),
        json!({ "success": 1, "token": "t", "redirect_url": "javascript:alert(1)" }),
    ] {
        world.answer("request", body.clone()).await;
        let why = unknown(world.paytech.open(&order("ref-1", 500)).await);
        assert!(matches!(why, Unknown::Unreadable(_)) && why.may_have_happened(), "{body}");
    }
}

/// What becomes of an answer that was lost: nobody has the page, the payment is told so, and the client asks anew.
#[tokio::test]
async fn an_answer_lost_after_the_effect_leaves_a_page_that_nobody_can_pay() {
    for fault in [
        json!({ "how": "hang", "ms": 60_000 }),
        json!({ "how": "cut" }),
        json!({ "how": "html", "status": 200 }),
        json!({ "how": "empty" }),
        json!({ "how": "status", "status": 500 }),
        json!({ "how": "status", "status": 503 }),
    ] {
        let world = World::new().await;
        let mut after = fault.clone();
        after["call"] = json!("request");
        after["after_effect"] = json!(true);
        world.fail(after).await;
        let order = order("ref-1", 15_000);
        assert!(unknown(world.impatient().open(&order).await).may_have_happened(), "{fault}");
        assert_eq!(done(world.paytech.search(&order.reference).await), ProviderStatus::NotFound);
        let refusal = refused(world.paytech.open(&order).await);
        assert_eq!((refusal.code.as_str(), refusal.is_about_our_account()), (wire::REFERENCE_USED, false));
        world.opened(&Order { reference: Reference::new("ref-2").unwrap(), ..order }).await;
    }
}

#[tokio::test]
async fn an_answer_lost_before_the_effect_is_made_up_for() {
    let world = World::new().await;
    for how in ["hang", "cut"] {
        world.fail(json!({ "call": "request", "how": how, "ms": 60_000 })).await;
        assert!(unknown(world.impatient().open(&order("ref-1", 500)).await).may_have_happened());
    }
    assert_eq!(done(world.paytech.search(&order("ref-1", 500).reference).await), ProviderStatus::NotFound);
    world.opened(&order("ref-1", 500)).await;
}

#[tokio::test]
async fn each_way_of_not_answering_has_its_name() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    let id = ProviderId::new("tok-1").unwrap();
    for status in [408, 500, 502, 503, 504, 302, 404] {
        world.fail(json!({ "how": "status", "status": status, "times": 3 })).await;
        assert_eq!(unknown(world.paytech.open(&order).await), Unknown::Status(status));
        assert_eq!(unknown(world.paytech.status(&id).await), Unknown::Status(status));
        assert_eq!(unknown(world.paytech.refund_full(&id).await), Unknown::Status(status));
    }
    world.fail(json!({ "how": "html" })).await;
    assert_eq!(unknown(world.paytech.open(&order).await), Unknown::Status(502));
    for how in ["html", "empty"] {
        world.fail(json!({ "how": how, "status": 200, "times": 2 })).await;
        assert!(matches!(unknown(world.paytech.open(&order).await), Unknown::Unreadable(_)));
        assert!(matches!(unknown(world.paytech.status(&id).await), Unknown::Unreadable(_)));
    }
    world.fail(json!({ "how": "status", "status": 429, "retry_after": 7 })).await;
    assert_eq!(world.paytech.open(&order).await, Outcome::RetryAfter(Some(Duration::from_secs(7))));
    world.fail(json!({ "how": "status", "status": 400 })).await;
    let refusal = refused(world.paytech.open(&order).await);
    assert_eq!((refusal.http, refusal.code.as_str()), (Some(400), "http-400"));
}

#[tokio::test]
async fn a_token_that_paytech_does_not_know_is_a_refused_question_and_no_answer() {
    let world = World::new().await;
    let nobody = ProviderId::new("a b&token_payment=c/../d").unwrap();
    assert_eq!(refused(world.paytech.status(&nobody).await).code, "paytech-0");
    assert_eq!(refused(world.paytech.expire(&nobody).await).code, "paytech-0");
}

#[tokio::test]
async fn fields_of_next_year_are_no_trouble() {
    let world = World::new().await;
    world.fail(json!({ "how": "extra_fields", "times": 2 })).await;
    let id = world.opened(&order("ref-1", 500)).await;
    assert_eq!(done(world.paytech.status(&id).await), ProviderStatus::Unpaid);
}
