//! The adapter against the running fake: every trap of providers.md §3.1 by name.

mod answers;
mod ipn;
mod refund;

use domain::{money::Money, phone::Phone};

use super::*;
use crate::{payments::Receipt, testing::Fake};

struct World {
    fake: Fake,
    paytech: PayTech,
}

fn config(base: &str) -> Config {
    Config {
        base_url: format!("{base}/api"),
        api_key: Secret::new("paytech_key_fake").unwrap(),
        api_secret: Secret::new("paytech_secret_fake").unwrap(),
        env: Env::Prod,
        ipn_url: "https://kalel.sn/v1/provider-webhooks/paytech".into(),
        channel: Channel::Yas,
        timeouts: Timeouts { connect_ms: 500, total_ms: 5_000 },
    }
}

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let fake = Fake::paytech(fakes::paytech::Config::default()).await;
        let mut config = config(&fake.base);
        change(&mut config);
        let paytech = PayTech::new(&config).unwrap();
        Self { fake, paytech }
    }

    /// One that does not wait long.
    fn impatient(&self) -> PayTech {
        let timeouts = Timeouts { connect_ms: 500, total_ms: 400 };
        PayTech::new(&Config { timeouts, ..config(&self.fake.base) }).unwrap()
    }

    /// The next call of this name goes wrong.
    async fn fail(&self, mut fault: Value) {
        fault["do"] = json!("fail");
        self.fake.control(fault).await;
    }

    /// The next call of this name is answered so, with HTTP 200.
    async fn answer(&self, call: &str, body: Value) {
        self.fake.control(json!({ "do": "answer", "call": call, "body": body })).await;
    }

    async fn switch(&self, set: Value) {
        self.fake.control(json!({ "do": "switch", "set": set })).await;
    }

    async fn settle(&self, sale: &str, deed: &str) {
        self.fake.control(json!({ "do": "settle", "sale": sale, "as": deed })).await;
    }

    async fn opened(&self, order: &Order) -> ProviderId {
        done(self.paytech.open(order).await).provider_id
    }

    /// Opened and paid.
    async fn paid(&self, name: &str, francs: i64) -> ProviderId {
        let id = self.opened(&order(name, francs)).await;
        self.settle(name, "pay").await;
        id
    }

    async fn calls(&self, call: &str) -> Vec<Value> {
        let calls = self.fake.get("/__calls").await["calls"].as_array().unwrap().clone();
        calls.into_iter().filter(|each| each["call"] == call).collect()
    }
}

#[track_caller]
fn done<T: std::fmt::Debug>(outcome: Outcome<T>) -> T {
    match outcome {
        Outcome::Done(value) => value,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused<T: std::fmt::Debug>(outcome: Outcome<T>) -> Refusal {
    match outcome {
        Outcome::Refused(refusal) => refusal,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn unknown<T: std::fmt::Debug>(outcome: Outcome<T>) -> Unknown {
    match outcome {
        Outcome::Unknown(unknown) => unknown,
        other => panic!("{other:?}"),
    }
}

fn order(name: &str, francs: i64) -> Order {
    Order {
        amount: Money::xof(francs),
        reference: Reference::new(name).unwrap(),
        success_url: Url::parse("https://kalel.sn/ok").unwrap(),
        error_url: Url::parse("https://kalel.sn/ko").unwrap(),
        closes_at: None,
        now: chrono::DateTime::UNIX_EPOCH,
        payer: None,
    }
}

fn receipt(status: ProviderStatus) -> Receipt {
    match status {
        ProviderStatus::Succeeded(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_is_opened_unpaid_and_paid() {
    let world = World::new().await;
    let opened = done(world.paytech.open(&order("ref-1", 15_000)).await);
    assert!(opened.launch_url.contains(opened.provider_id.as_str()) && opened.expires_at.is_none());
    let id = opened.provider_id;
    assert_eq!(done(world.paytech.status(&id).await), ProviderStatus::Unpaid);

    let mobile = json!({ "do": "settle", "sale": "ref-1", "as": "pay", "mobile": "221771234567" });
    world.fake.control(mobile).await;
    let paid = receipt(done(world.paytech.status(&id).await));
    assert_eq!((paid.amount, paid.reference.as_deref()), (Money::xof(15_000), Some("ref-1")));
    assert_eq!((&paid.provider_id, &paid.transaction_id), (&id, &id));
    assert_eq!(paid.payer, None, "what is typed on a page proves nothing");
}

#[tokio::test]
async fn the_request_says_all_that_is_needed_and_nothing_of_the_client() {
    for (channel, target) in [
        (Channel::Yas, "Free Money"),
        (Channel::Card, "Carte Bancaire"),
        (Channel::Wave, "Wave"),
        (Channel::OrangeMoney, "Orange Money"),
    ] {
        let world = World::with(|config| config.channel = channel).await;
        world.opened(&order("ref-1", 15_000)).await;
        let expected = json!({
            "item_name": "Réservation", "command_name": "Réservation", "item_price": 15_000, "currency": "XOF",
            "ref_command": "ref-1", "env": "prod", "target_payment": target,
            "ipn_url": "https://kalel.sn/v1/provider-webhooks/paytech",
            "success_url": "https://kalel.sn/ok", "cancel_url": "https://kalel.sn/ko",
            "custom_field": "{\"reference\":\"ref-1\"}",
        });
        assert_eq!(world.calls("request").await[0]["body"], expected);
    }
}

#[tokio::test]
async fn a_failed_attempt_leaves_it_unpaid_and_a_cancelled_or_ended_page_is_over() {
    let world = World::new().await;
    let ids = [
        world.opened(&order("ref-1", 500)).await,
        world.opened(&order("ref-2", 500)).await,
        world.opened(&order("ref-3", 500)).await,
    ];
    for (sale, deed) in [("ref-1", "fail"), ("ref-2", "cancel"), ("ref-3", "expire")] {
        world.settle(sale, deed).await;
    }
    assert_eq!(done(world.paytech.status(&ids[0]).await), ProviderStatus::Unpaid);
    assert!(matches!(done(world.paytech.status(&ids[1]).await), ProviderStatus::Failed { .. }));
    assert!(matches!(done(world.paytech.status(&ids[2]).await), ProviderStatus::Expired { .. }));
    assert_eq!(done(world.paytech.expire(&ids[0]).await), Closed::ByItself);
    assert_eq!(done(world.paytech.expire(&ids[1]).await), Closed::Already);
    assert_eq!(done(world.paytech.expire(&ids[2]).await), Closed::Already);
    world.settle("ref-1", "pay").await;
    assert_eq!(done(world.paytech.expire(&ids[0]).await), Closed::Already);
}

#[tokio::test]
async fn what_the_real_one_refuses_the_fake_refuses_and_the_place_is_told() {
    let world = World::with(|config| config.ipn_url = "http://127.0.0.1:1/ipn".into()).await;
    world.switch(json!({ "loopback_http": false })).await;
    let refusal = refused(world.paytech.open(&order("ref-1", 500)).await);
    assert_eq!((refusal.code.as_str(), refusal.http), ("paytech--1", Some(200)));
    assert!(refusal.message.contains("ipn_url") && !refusal.message.contains("success_url"), "{refusal}");
}

#[tokio::test]
async fn wrong_keys_are_about_our_account_with_200_and_with_401_and_403() {
    let stranger = World::with(|config| config.api_secret = Secret::new("another").unwrap()).await;
    let world = World::new().await;
    let id = world.opened(&order("ref-1", 500)).await;
    for statuses in [false, true] {
        stranger.switch(json!({ "http_statuses": statuses })).await;
        world.switch(json!({ "http_statuses": statuses, "suspended": true })).await;
        assert!(refused(stranger.paytech.open(&order("ref-2", 500)).await).is_about_our_account());
        assert!(refused(world.paytech.open(&order("ref-2", 500)).await).is_about_our_account());
        assert!(refused(world.paytech.status(&id).await).is_about_our_account());
        assert!(refused(world.paytech.refund_full(&id).await).is_about_our_account());
    }
}

#[tokio::test]
async fn orders_that_paytech_cannot_take_are_not_even_sent() {
    let world = World::new().await;
    for amount in [Money::xof(0), Money::xof(-1), Money::xof(Money::MAX + 1), Money::new(500, Currency::Eur)] {
        assert_eq!(refused(world.paytech.open(&Order { amount, ..order("ref-1", 1) }).await).http, None, "{amount}");
    }
    let order = Order { payer: Phone::new("+221771234567").ok(), ..order("ref-1", 500) };
    assert_eq!(refused(world.paytech.open(&order).await).code, "not-offered");
    assert_eq!(world.fake.get("/__calls").await["calls"], json!([]));
}

#[tokio::test]
async fn an_answer_about_another_page_or_in_other_money_is_no_answer() {
    let world = World::new().await;
    let id = world.paid("ref-1", 500).await;
    let good =
        json!({ "token": id.as_str(), "env": "prod", "state": "complete", "ref_command": "ref-1", "item_price": 500 });
    for (field, value) in [("token", "another"), ("env", "test"), ("env", "PROD"), ("currency", "EUR")] {
        let mut payment = good.clone();
        payment[field] = json!(value);
        world.answer("status", json!({ "success": 1, "payment": payment })).await;
        assert!(matches!(unknown(world.paytech.status(&id).await), Unknown::Unreadable(_)), "{field} {value}");
    }
    world.answer("status", json!({ "success": 1, "payment": good })).await;
    assert_eq!(receipt(done(world.paytech.status(&id).await)).amount, Money::xof(500));
}

#[tokio::test]
async fn a_page_of_the_test_env_is_unreadable_for_a_merchant_of_the_real_one() {
    let world = World::with(|config| config.env = Env::Test).await;
    let id = world.paid("ref-1", 15_000).await;
    let real = PayTech::new(&config(&world.fake.base)).unwrap();
    assert_eq!(unknown(real.status(&id).await), Unknown::Unreadable("another env".into()));
    receipt(done(world.paytech.status(&id).await));
}

/// The receipt says what PayTech says. While it tells the price, a test payment is like a real one; when it tells what it
/// took, that is too little, as it is.
#[tokio::test]
async fn the_test_env_debits_another_amount_and_the_receipt_says_what_is_told() {
    let world = World::with(|config| config.env = Env::Test).await;
    let id = world.paid("ref-1", 15_000).await;
    let debited = world.fake.get("/__ledger").await["totals"]["charged"].as_i64().unwrap();
    assert!((100..=150).contains(&debited));
    assert_eq!(receipt(done(world.paytech.status(&id).await)).amount, Money::xof(15_000));
    world.switch(json!({ "tells": "debited" })).await;
    assert_eq!(receipt(done(world.paytech.status(&id).await)).amount, Money::xof(debited));
}

#[tokio::test]
async fn a_promotion_or_another_amount_is_told_as_it_was_paid() {
    let world = World::new().await;
    let id = world.opened(&order("ref-1", 15_000)).await;
    world.fake.control(json!({ "do": "promo", "sale": "ref-1", "percent": 10 })).await;
    world.settle("ref-1", "pay").await;
    assert_eq!(receipt(done(world.paytech.status(&id).await)).amount, Money::xof(13_500));
    let id = world.opened(&order("ref-2", 15_000)).await;
    world.fake.control(json!({ "do": "settle", "sale": "ref-2", "as": "pay", "amount": 1 })).await;
    assert_eq!(receipt(done(world.paytech.status(&id).await)).amount, Money::xof(1));
}

#[tokio::test]
async fn payouts_are_not_offered() {
    let world = World::new().await;
    let order = PayoutOrder {
        recipient: Phone::new("+221771234567").unwrap(),
        amount: Money::xof(500),
        reference: Reference::new("pay-1").unwrap(),
        idempotency_key: "key-1".into(),
        reason: None,
    };
    let none = |refusal: Refusal| assert_eq!((refusal.http, refusal.code.as_str()), (None, "not-offered"));
    none(refused(world.paytech.payout(&order).await));
    none(refused(world.paytech.payout_status(&ProviderId::new("p").unwrap()).await));
    none(refused(world.paytech.payout_search(&order.reference).await));
    assert_eq!(world.fake.get("/__calls").await["calls"], json!([]));
}

#[test]
fn a_configuration_that_would_leak_or_not_arrive_is_refused() {
    let with = |change: fn(&mut Config)| {
        let mut config = config("http://127.0.0.1:1");
        change(&mut config);
        PayTech::new(&config).map(|paytech| format!("{paytech:?}"))
    };
    let shown = with(|_| {}).unwrap();
    assert!(!shown.contains("key_fake") && !shown.contains("secret_fake"), "{shown}");
    assert!(matches!(with(|c| c.base_url = "http://paytech.sn/api".into()), Err(ConfigError::NotEncrypted(_))));
    assert!(matches!(with(|c| c.ipn_url = "http://kalel.sn/ipn".into()), Err(ConfigError::NotEncrypted(_))));
    assert!(matches!(with(|c| c.ipn_url = "ipn".into()), Err(ConfigError::NotAnAddress(_))));
    assert!(with(|c| c.ipn_url = "http://127.0.0.1:1/ipn".into()).is_ok());
    assert_eq!(with(|c| c.api_key = Secret::new("a\nb").unwrap()), Err(ConfigError::UnsendableKey));
}
