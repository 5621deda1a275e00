//! The token: one for all, renewed once, and what is wrong with our application.

use super::*;

#[tokio::test]
async fn one_token_serves_all_clones_and_all_who_come_at_once() {
    let world = World::new().await;
    let tasks = (0..20).map(|_| {
        let sonatel = world.sonatel.clone();
        tokio::spawn(async move { done(sonatel.search(&reference("ref-1")).await) })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap(), ProviderStatus::Unpaid);
    }
    assert_eq!((world.count("token").await, world.count("transactions.list").await), (1, 20));
}

#[tokio::test]
async fn a_401_is_answered_with_a_new_token_and_the_same_call_once() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    world.search(&order).await;
    // Their clock says that it has ended, whatever ours says.
    world.fake.control(json!({ "do": "advance", "seconds": 299 })).await;
    world.opened(&order).await;
    assert_eq!((world.count("token").await, world.count("qrcode.create").await), (2, 2));
    world.fake.control(json!({ "do": "revoke_tokens" })).await;
    let tasks: Vec<_> = (0..10)
        .map(|_| {
            let sonatel = world.sonatel.clone();
            tokio::spawn(async move { done(sonatel.search(&reference("ref-1")).await) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(world.count("token").await, 3);
}

#[tokio::test]
async fn a_401_twice_is_about_our_account_and_not_tried_again() {
    let world = World::new().await;
    world.fail(json!({ "call": "qrcode.create", "how": "status", "status": 401, "times": 9 })).await;
    let refusal = refused(world.sonatel.open(&order("ref-1", 500)).await);
    assert!(refusal.is_about_our_account());
    assert_eq!((world.count("token").await, world.count("qrcode.create").await), (2, 2));
}

#[tokio::test]
async fn a_token_is_not_used_in_its_last_seconds() {
    // Of two seconds the last is not used: the margin is half at most.
    let world = World::with(fake::Config { token_seconds: 2, ..Default::default() }).await;
    let order = order("ref-1", 500);
    world.search(&order).await;
    world.search(&order).await;
    assert_eq!(world.count("token").await, 1);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    world.search(&order).await;
    assert_eq!(world.count("token").await, 2);
    assert!(world.calls().await.iter().all(|call| call["status"] == 200));
}

#[tokio::test]
async fn invalid_and_unauthorized_clients_are_about_our_account() {
    for (state, secret, code) in [
        (fake::ClientState::Activated, "wrong", "invalid_client"),
        (fake::ClientState::NotActivated, "fake-secret", "unauthorized_client"),
    ] {
        let mut of_fake = fake::Config::default();
        of_fake.clients[0].state = state;
        let world = World::with(of_fake).await;
        let client_secret = Secret::new(secret).unwrap();
        let sonatel = Sonatel::new(&Config { client_secret, ..config(&world.fake.base) }).unwrap();
        let refusal = refused(sonatel.open(&order("ref-1", 500)).await);
        assert_eq!(refusal.code, code);
        assert!(refusal.is_about_our_account());
    }
}

#[tokio::test]
async fn an_api_that_was_not_subscribed_to_is_about_our_account() {
    let mut of_fake = fake::Config::default();
    of_fake.clients[0].apis = vec![fake::Api::Payment];
    let world = World::with(of_fake).await;
    assert!(refused(world.sonatel.open(&order("ref-1", 500)).await).is_about_our_account());
}

#[tokio::test]
async fn without_a_token_nothing_was_sent_and_that_is_said() {
    let faults = [
        json!({ "how": "status", "status": 500 }),
        json!({ "how": "status", "status": 503 }),
        json!({ "how": "html", "status": 200 }),
        json!({ "how": "empty" }),
        json!({ "how": "cut" }),
        json!({ "how": "hang", "ms": 60_000 }),
    ];
    for mut fault in faults {
        let world = World::new().await;
        fault["call"] = json!("token");
        world.fail(fault.clone()).await;
        let lost = unknown(impatient(&world.fake.base).open(&order("ref-1", 500)).await);
        assert!(!lost.may_have_happened(), "{fault}: {lost}");
        assert_eq!(world.count("qrcode.create").await, 0);
    }
    let world = World::new().await;
    world.fail(json!({ "call": "token", "how": "status", "status": 429, "retry_after": 7 })).await;
    assert_eq!(world.sonatel.open(&order("ref-1", 500)).await, Outcome::RetryAfter(Some(Duration::from_secs(7))));
}
