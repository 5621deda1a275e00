//! Answers that are lost, late, spoiled or somebody else's.

use super::*;

#[tokio::test]
async fn a_code_whose_answer_was_lost_is_unknown_and_its_payment_found_by_reference() {
    let faults = [
        json!({ "how": "hang", "ms": 60_000 }),
        json!({ "how": "cut" }),
        json!({ "how": "empty" }),
        json!({ "how": "html", "status": 200 }),
        json!({ "how": "status", "status": 500 }),
        json!({ "how": "status", "status": 503 }),
    ];
    for mut fault in faults {
        let world = World::new().await;
        fault["call"] = json!("qrcode.create");
        fault["after_effect"] = json!(true);
        world.fail(fault.clone()).await;
        let order = order("ref-1", 15_000);
        assert!(unknown(impatient(&world.fake.base).open(&order).await).may_have_happened(), "{fault}");
        assert_eq!(world.search(&order).await, ProviderStatus::Unpaid);
        world.settle(&order, "pay").await;
        receipt(world.search(&order).await);
        assert_eq!(world.count("qrcode.create").await, 1);
    }
}

#[tokio::test]
async fn each_way_of_not_answering_has_its_name() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    world.search(&order).await;
    for status in [408, 500, 502, 503, 504, 302] {
        world.fail(json!({ "call": "qrcode.create", "how": "status", "status": status })).await;
        assert_eq!(unknown(world.sonatel.open(&order).await), Unknown::Status(status));
        world.fail(json!({ "call": "transactions.list", "how": "status", "status": status })).await;
        assert_eq!(unknown(world.sonatel.search(&order.reference).await), Unknown::Status(status));
    }
    for call in ["qrcode.create", "transactions.list"] {
        for how in ["html", "empty"] {
            world.fail(json!({ "call": call, "how": how, "status": 200, "times": 1 })).await;
        }
    }
    for _ in 0..2 {
        assert!(matches!(unknown(world.sonatel.open(&order).await), Unknown::Unreadable(_)));
        assert!(matches!(unknown(world.sonatel.search(&order.reference).await), Unknown::Unreadable(_)));
    }
    world.fail(json!({ "how": "status", "status": 429, "retry_after": 7 })).await;
    assert_eq!(world.sonatel.open(&order).await, Outcome::RetryAfter(Some(Duration::from_secs(7))));
    world.fail(json!({ "how": "status", "status": 429 })).await;
    assert_eq!(world.sonatel.open(&order).await, Outcome::RetryAfter(None));
}

#[tokio::test]
async fn a_list_that_is_not_there_is_not_a_payment_that_never_was() {
    let world = World::new().await;
    for how in ["html", "status"] {
        world.fail(json!({ "call": "transactions.list", "how": how, "status": 404 })).await;
        assert_eq!(unknown(world.sonatel.search(&reference("ref-1")).await), Unknown::Status(404));
    }
    let elsewhere = Sonatel::new(&config(&format!("{}/gateway", world.fake.base))).unwrap();
    assert!(refused(elsewhere.search(&reference("ref-1")).await).is_about_our_account());
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_the_gateways_own_trouble_is_none() {
    let world = World::new().await;
    let other = Config { merchant_code: "654321".into(), ..config(&world.fake.base) };
    let refusal = refused(Sonatel::new(&other).unwrap().open(&order("ref-1", 500)).await);
    assert_eq!((refusal.http, refusal.code.as_str()), (Some(400), "sonatel-2022"));
    assert!(!refusal.is_about_our_account() && !refusal.message.is_empty());
    for code in ["sonatel-50", "sonatel-51"] {
        let said = Outcome::Refused(Refusal { code: code.into(), ..refusal.clone() });
        assert_eq!(unknown(super::super::gateway::own_trouble(said)), Unknown::Status(400));
    }
}

#[tokio::test]
async fn fields_of_next_year_are_no_trouble() {
    let world = World::new().await;
    world.fail(json!({ "how": "extra_fields", "times": 4 })).await;
    let order = order("ref-1", 500);
    world.opened(&order).await;
    assert_eq!(world.search(&order).await, ProviderStatus::Unpaid);
}

#[tokio::test]
async fn the_contracts_key_and_the_callback_address_go_along() {
    let api_key = Some("contract".to_owned());
    let world = World::with(fake::Config { api_key, ..Default::default() }).await;
    assert!(refused(world.sonatel.open(&order("ref-1", 500)).await).is_about_our_account());
    let mut config = config(&world.fake.base);
    config.api_key = Secret::new("contract").ok();
    config.callback_url = Some("http://127.0.0.1:1/hook".into());
    done(Sonatel::new(&config).unwrap().open(&order("ref-1", 500)).await);
    world.settle(&order("ref-1", 500), "pay").await;
    let events = world.fake.get("/__webhooks").await["events"].clone();
    assert_eq!(events[0]["endpoint"]["url"], "http://127.0.0.1:1/hook");
}

#[tokio::test]
async fn a_provider_that_is_not_there_cannot_have_done_anything() {
    let world = World::new().await;
    let base = world.fake.base.clone();
    drop(world);
    let sonatel = Sonatel::new(&config(&base)).unwrap();
    // Stopping takes a moment; until then the old server may still answer.
    for _ in 0..200 {
        if let Outcome::Unknown(Unknown::Unreachable(_)) = sonatel.open(&order("ref-1", 500)).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still reachable");
}
