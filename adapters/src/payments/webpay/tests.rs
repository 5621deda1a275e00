//! The adapter against the running fake: every trap of providers.md §2c by name.

use std::net::SocketAddr;

use domain::{
    money::{Currency, Money},
    phone::Phone,
};
use serde_json::Value;

use super::*;
use crate::{call::Unknown, payments::Receipt, testing::Fake};

struct World {
    fake: Fake,
    webpay: WebPay,
}

fn config(base: &str) -> Config {
    let secret = |text: &str| Secret::new(text).unwrap();
    Config {
        base_url: base.to_owned(),
        country: "sn".into(),
        client_id: "orange_client_fake".into(),
        client_secret: secret("orange_secret_fake"),
        merchant_key: secret("orange_merchant_fake"),
        notif_url: "https://kalel.sn/v1/provider-webhooks/webpay".into(),
        timeouts: Timeouts { connect_ms: 500, total_ms: 1_000 },
    }
}

fn order(reference: &str, francs: i64) -> Order {
    Order {
        amount: Money::xof(francs),
        reference: Reference::new(reference).unwrap(),
        success_url: Url::parse("https://kalel.sn/pay/x/success").unwrap(),
        error_url: Url::parse("https://kalel.sn/pay/x/error").unwrap(),
        closes_at: None,
        now: chrono::DateTime::from_timestamp(1_763_800_000, 0).unwrap(),
        payer: None,
    }
}

impl World {
    async fn new() -> Self {
        Self::with(fakes::webpay::Config::default(), config).await
    }

    async fn with(fake: fakes::webpay::Config, config: impl Fn(&str) -> Config) -> Self {
        let fake = Fake::webpay(fake).await;
        let webpay = WebPay::new(&config(&fake.base)).unwrap();
        // What is notified is not there, and no test is to leave this machine for it.
        fake.control(json!({ "do": "webhooks", "next": "drop", "times": 0 })).await;
        Self { fake, webpay }
    }

    async fn opened(&self, reference: &str, francs: i64) -> Opened {
        done(self.webpay.open(&order(reference, francs)).await)
    }

    async fn ask(&self, opened: &Opened, reference: &str, francs: i64) -> Outcome<ProviderStatus> {
        let reference = Reference::new(reference).unwrap();
        let asked = Asked { provider_id: &opened.provider_id, reference: &reference, amount: Money::xof(francs) };
        self.webpay.status(asked).await
    }

    async fn settle(&self, reference: &str, deed: &str) {
        self.fake.control(json!({ "do": "settle", "page": reference, "as": deed })).await;
    }

    async fn calls(&self, call: &str) -> Vec<Value> {
        let calls = self.fake.get("/__calls").await["calls"].clone();
        calls.as_array().unwrap().iter().filter(|one| one["call"] == call).cloned().collect()
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
fn code<T: std::fmt::Debug>(outcome: Outcome<T>) -> String {
    match outcome {
        Outcome::Refused(refusal) => refusal.code,
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

#[tokio::test]
async fn a_page_is_made_with_201_and_asked_about_with_its_order_amount_and_token() {
    let world = World::new().await;
    let opened = world.opened("ref-1", 15_000).await;
    assert!(opened.launch_url.starts_with(&format!("{}/payment/pay_token/", world.fake.base)), "{opened:?}");
    assert_eq!(opened.expires_at, None, "nobody tells it");
    let created = world.calls("webpayment").await.remove(0);
    assert_eq!(created["status"], 201);
    let sent = &created["body"];
    assert_eq!(
        (&sent["amount"], &sent["currency"], &sent["order_id"]),
        (&json!(15_000), &json!("XOF"), &json!("ref-1"))
    );
    assert_eq!((&sent["lang"], &sent["reference"]), (&json!("fr"), &json!("ref-1")));
    assert_eq!(done(world.ask(&opened, "ref-1", 15_000).await), ProviderStatus::Unpaid);
    let asked = world.calls("transactionstatus").await.remove(0);
    let pay_token = opened.launch_url.rsplit('/').next().unwrap();
    assert_eq!(asked["body"], json!({ "order_id": "ref-1", "amount": 15_000, "pay_token": pay_token }));
    // An id is not what notifications are proven by.
    assert!(opened.provider_id.as_str().ends_with(&format!(".{pay_token}")), "{opened:?}");
}

#[tokio::test]
async fn each_of_the_five_statuses_is_what_it_is() {
    let world = World::new().await;
    let id = |opened: &Opened| opened.provider_id.clone();
    let opened = world.opened("ref-1", 15_000).await;
    world.settle("ref-1", "start").await;
    assert_eq!(done(world.ask(&opened, "ref-1", 15_000).await), ProviderStatus::UnderWay);
    world.settle("ref-1", "pay").await;
    let ProviderStatus::Succeeded(receipt) = done(world.ask(&opened, "ref-1", 15_000).await) else { panic!() };
    let Receipt { provider_id, transaction_id, amount, reference, .. } = receipt;
    assert_eq!((provider_id, amount, reference.as_deref()), (id(&opened), Money::xof(15_000), Some("ref-1")));
    assert!(transaction_id.as_str().starts_with("MP"), "{transaction_id}");
    let failed = world.opened("ref-2", 500).await;
    world.settle("ref-2", "fail").await;
    let status = done(world.ask(&failed, "ref-2", 500).await);
    assert_eq!(status, ProviderStatus::Failed { provider_id: id(&failed), code: "FAILED".into() });
    // Ten minutes and nobody paid; whoever is paying is let pay.
    let (left, late) = (world.opened("ref-3", 500).await, world.opened("ref-4", 500).await);
    world.settle("ref-4", "start").await;
    world.fake.control(json!({ "do": "advance", "seconds": 601 })).await;
    assert_eq!(done(world.ask(&left, "ref-3", 500).await), ProviderStatus::Expired { provider_id: id(&left) });
    assert_eq!(done(world.ask(&late, "ref-4", 500).await), ProviderStatus::UnderWay);
    // A sixth word decides nothing.
    world.fake.control(json!({ "do": "quirks", "status": "SUCCESSFULL" })).await;
    unknown(world.ask(&opened, "ref-1", 15_000).await);
}

#[tokio::test]
async fn a_success_that_says_too_little_or_something_else_is_none() {
    let world = World::new().await;
    let opened = world.opened("ref-1", 15_000).await;
    world.settle("ref-1", "pay").await;
    for quirk in [
        json!({ "no_txnid": true }),
        json!({ "other_order": "ref-2" }),
        json!({ "tells_amount": 14_999 }),
        json!({ "tells_amount": "15000.50" }),
        json!({ "tells_amount": [] }),
    ] {
        let mut instruction = quirk.clone();
        instruction["do"] = json!("quirks");
        world.fake.control(instruction).await;
        let outcome = world.ask(&opened, "ref-1", 15_000).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{quirk}: {outcome:?}");
    }
    for amount in [json!(15_000), json!("15000"), json!(15_000.0), json!("15000.00"), Value::Null] {
        world.fake.control(json!({ "do": "quirks", "tells_amount": amount })).await;
        assert!(matches!(done(world.ask(&opened, "ref-1", 15_000).await), ProviderStatus::Succeeded(_)), "{amount}");
    }
    // Asked about another amount than that of the page, Orange knows nothing.
    assert_eq!(code(world.ask(&opened, "ref-1", 14_000).await), "orange-23");
}

#[tokio::test]
async fn an_order_is_taken_once_and_a_lost_answer_leads_to_no_second_page() {
    let world = World::new().await;
    world.fake.control(json!({ "do": "fail", "call": "webpayment", "how": "cut", "after_effect": true })).await;
    assert!(unknown(world.webpay.open(&order("ref-1", 500)).await).may_have_happened());
    let reference = Reference::new("ref-1").unwrap();
    assert_eq!(done(world.webpay.search(&reference).await), ProviderStatus::NotFound);
    assert_eq!(code(world.webpay.open(&order("ref-1", 500)).await), wire::REFERENCE_USED);
    world.opened("ref-1-2", 500).await;
}

#[tokio::test]
async fn addresses_and_references_are_as_long_as_orange_takes_them() {
    let world = World::new().await;
    let long = |length: usize| {
        let start = "https://kalel.sn/pay/";
        Url::parse(&format!("{start}{}", "x".repeat(length - start.len()))).unwrap()
    };
    done(world.webpay.open(&Order { success_url: long(120), ..order("ref-1", 500) }).await);
    for order in
        [Order { success_url: long(121), ..order("ref-2", 500) }, Order { error_url: long(121), ..order("ref-2", 500) }]
    {
        assert_eq!(code(world.webpay.open(&order).await), "address-too-long");
    }
    done(world.webpay.open(&order(&"r".repeat(30), 500)).await);
    let hook = |length| Config { notif_url: long(length).to_string(), ..config(&world.fake.base) };
    assert!(WebPay::new(&hook(120)).is_ok());
    assert!(matches!(WebPay::new(&hook(121)), Err(ConfigError::Setting(_))));
    assert_eq!(world.calls("webpayment").await.len(), 2, "what is too long is not sent");
}

#[tokio::test]
async fn orange_does_not_come_to_this_machine() {
    let world = World::with(fakes::webpay::Config { loopback_http: false, ..Default::default() }, config).await;
    done(world.webpay.open(&order("ref-1", 500)).await);
    let local = Url::parse("http://localhost:8080/pay").unwrap();
    assert_eq!(code(world.webpay.open(&Order { success_url: local, ..order("ref-2", 500) }).await), "orange-23");
}

#[tokio::test]
async fn money_is_francs_and_in_dev_it_is_called_ouv() {
    let fake = || fakes::webpay::Config { country: "dev".into(), ..Default::default() };
    let world = World::with(fake(), |base| Config { country: "dev".into(), ..config(base) }).await;
    world.opened("ref-1", 500).await;
    assert_eq!(world.calls("webpayment").await[0]["body"]["currency"], "OUV");
    for country in ["cm", "gn", "fr", "SN", "", "../.."] {
        let refused = WebPay::new(&Config { country: country.into(), ..config(&world.fake.base) });
        assert!(matches!(refused, Err(ConfigError::Setting(_))), "{country}");
    }
    for amount in [Money::xof(0), Money::xof(-1), Money { amount: 500, currency: Currency::Eur }] {
        assert!(matches!(world.webpay.open(&Order { amount, ..order("ref-2", 1) }).await, Outcome::Refused(_)));
    }
    let payer = Some(Phone::new("+221771234567").unwrap());
    assert_eq!(code(world.webpay.open(&Order { payer, ..order("ref-2", 1) }).await), "not-offered");
}

#[tokio::test]
async fn a_country_without_a_subscription_refuses_us_and_not_the_payment() {
    let fake = fakes::webpay::Config { country: "ci".into(), ..Default::default() };
    let world = World::with(fake, config).await;
    match world.webpay.open(&order("ref-1", 500)).await {
        Outcome::Refused(refusal) => assert!(refusal.is_about_our_account(), "{refusal:?}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn one_token_lasts_as_long_as_its_text_says_and_is_renewed_once_on_a_401() {
    let world = World::new().await;
    let opened = world.opened("ref-1", 500).await;
    done(world.ask(&opened, "ref-1", 500).await);
    assert_eq!(world.calls("token").await.len(), 1);
    world.fake.control(json!({ "do": "revoke_tokens" })).await;
    done(world.ask(&opened, "ref-1", 500).await);
    assert_eq!((world.calls("token").await.len(), world.calls("transactionstatus").await.len()), (2, 3));
    // One that has ended when it comes is renewed once, not for ever.
    let short = World::with(fakes::webpay::Config { token_seconds: 0, ..Default::default() }, config).await;
    assert_eq!(code(short.webpay.open(&order("ref-1", 500)).await), "orange-42");
    assert_eq!((short.calls("token").await.len(), short.calls("webpayment").await.len()), (2, 2));
}

#[tokio::test]
async fn a_wrong_secret_is_about_us() {
    let wrong = |base: &str| Config { client_secret: Secret::new("wrong").unwrap(), ..config(base) };
    let world = World::with(fakes::webpay::Config::default(), wrong).await;
    match world.webpay.open(&order("ref-1", 500)).await {
        Outcome::Refused(refusal) => {
            assert!(refusal.is_about_our_account(), "{refusal:?}");
            assert_eq!(refusal.code, "invalid_client");
        }
        other => panic!("{other:?}"),
    }
    assert!(world.calls("webpayment").await.is_empty());
}

#[tokio::test]
async fn nothing_is_closed_given_back_or_sent() {
    let world = World::new().await;
    let opened = world.opened("ref-1", 500).await;
    let reference = Reference::new("ref-1").unwrap();
    let asked = || Asked { provider_id: &opened.provider_id, reference: &reference, amount: Money::xof(500) };
    assert_eq!(done(world.webpay.expire(asked()).await), Closed::ByItself);
    world.settle("ref-1", "pay").await;
    assert_eq!(done(world.webpay.expire(asked()).await), Closed::Already);
    assert_eq!(code(world.webpay.refund_full(&opened.provider_id).await), "not-offered");
    assert_eq!(code(world.webpay.payout_search(&reference).await), "not-offered");
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown_and_what_is_too_much_comes_later() {
    let world = World::new().await;
    let opened = world.opened("ref-1", 500).await;
    for how in ["html", "empty", "cut"] {
        world.fake.control(json!({ "do": "fail", "call": "transactionstatus", "how": how, "status": 200 })).await;
        unknown(world.ask(&opened, "ref-1", 500).await);
    }
    for status in [404, 500, 503] {
        world
            .fake
            .control(json!({ "do": "fail", "call": "transactionstatus", "how": "status", "status": status }))
            .await;
        assert_eq!(unknown(world.ask(&opened, "ref-1", 500).await), Unknown::Status(status));
    }
    let busy = json!({ "do": "fail", "call": "webpayment", "how": "status", "status": 429, "retry_after": 7 });
    world.fake.control(busy).await;
    let later = world.webpay.open(&order("ref-2", 500)).await;
    assert_eq!(later, Outcome::RetryAfter(Some(std::time::Duration::from_secs(7))));
    world.fake.control(json!({ "do": "fail", "call": "any", "how": "extra_fields", "times": 2 })).await;
    done(world.ask(&opened, "ref-1", 500).await);
    // Nobody is there at all: nothing has happened.
    let nobody = WebPay::new(&config(&format!("http://{}", SocketAddr::from(([127, 0, 0, 1], 1))))).unwrap();
    assert!(!unknown(nobody.open(&order("ref-1", 500)).await).may_have_happened());
}

#[tokio::test]
async fn an_id_of_another_provider_is_not_asked_about() {
    let world = World::new().await;
    let reference = Reference::new("ref-1").unwrap();
    for id in ["qr-1", "om-x", "om-x.", "cos-1.2"] {
        let id = ProviderId::new(id).unwrap();
        let asked = Asked { provider_id: &id, reference: &reference, amount: Money::xof(500) };
        assert_eq!(code(world.webpay.status(asked).await), "provider-id");
    }
    assert!(world.calls("token").await.is_empty());
}
