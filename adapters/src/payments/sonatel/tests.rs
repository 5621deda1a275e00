//! The adapter against the running fake: every trap of providers.md §2a by name.

mod answers;
mod hooks;
mod payout;
mod token;

use std::time::Duration;

use domain::phone::Phone;
use fakes::sonatel as fake;
use serde_json::{Value, json};
use url::Url;

use super::*;
use crate::{payments::Receipt, testing::Fake};

struct World {
    fake: Fake,
    sonatel: Sonatel,
}

fn config(base: &str) -> Config {
    let secret = |text: &str| Secret::new(text).unwrap();
    Config {
        base_url: base.to_owned(),
        client_id: "fake-client".into(),
        client_secret: secret("fake-secret"),
        merchant_code: "123456".into(),
        merchant_name: "Kalel".into(),
        callback_url: None,
        api_key: None,
        cash_in: Some(CashIn { msisdn: "770000001".into(), pin: secret("1234") }),
        timeouts: Timeouts { connect_ms: 500, total_ms: 5_000 },
    }
}

fn impatient(base: &str) -> Sonatel {
    let timeouts = Timeouts { connect_ms: 400, total_ms: 400 };
    Sonatel::new(&Config { timeouts, ..config(base) }).unwrap()
}

impl World {
    async fn new() -> Self {
        Self::with(fake::Config::default()).await
    }

    async fn with(config_of_fake: fake::Config) -> Self {
        let fake = Fake::sonatel(config_of_fake).await;
        let sonatel = Sonatel::new(&config(&fake.base)).unwrap();
        Self { fake, sonatel }
    }

    /// The next call of this name goes wrong.
    async fn fail(&self, mut fault: Value) {
        fault["do"] = json!("fail");
        self.fake.control(fault).await;
    }

    async fn settle(&self, order: &Order, deed: &str) {
        self.fake.control(json!({ "do": "settle", "qr": order.reference.as_str(), "as": deed })).await;
    }

    async fn opened(&self, order: &Order) -> Opened {
        done(self.sonatel.open(order).await)
    }

    async fn search(&self, order: &Order) -> ProviderStatus {
        done(self.sonatel.search(&order.reference).await)
    }

    /// How often a call was made.
    async fn count(&self, name: &str) -> usize {
        self.calls().await.iter().filter(|call| call["call"] == name).count()
    }

    async fn calls(&self) -> Vec<Value> {
        self.fake.get("/__calls").await["calls"].as_array().unwrap().clone()
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

fn reference(name: &str) -> Reference {
    Reference::new(name).unwrap()
}

fn order(name: &str, francs: i64) -> Order {
    Order {
        amount: Money::xof(francs),
        reference: reference(name),
        success_url: Url::parse("https://kalel.sn/ok").unwrap(),
        error_url: Url::parse("https://kalel.sn/ko").unwrap(),
        closes_at: None,
        now: chrono::DateTime::UNIX_EPOCH,
        payer: None,
    }
}

#[track_caller]
fn receipt(status: ProviderStatus) -> Receipt {
    match status {
        ProviderStatus::Succeeded(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_code_is_opened_and_paid() {
    let world = World::new().await;
    let order = order("ref-1", 15_000);
    let opened = world.opened(&order).await;
    assert_eq!(opened.provider_id.as_str(), "ref-1");
    assert!(opened.launch_url.contains("/q/") && opened.expires_at.is_some());
    world.fake.control(json!({ "do": "settle", "qr": "ref-1", "as": "pay", "msisdn": "771234567" })).await;
    let paid = receipt(done(world.sonatel.status(&opened.provider_id).await));
    assert_eq!((paid.amount, paid.reference.as_deref()), (Money::xof(15_000), Some("ref-1")));
    assert_eq!(paid.payer, Phone::new("+221771234567").ok());
    assert!(paid.transaction_id.as_str().starts_with("MP") && paid.at.is_some());
    assert_eq!(receipt(world.search(&order).await), paid);
}

#[tokio::test]
async fn unpaid_is_an_empty_list_and_so_is_what_never_was() {
    let world = World::new().await;
    let opened = world.opened(&order("ref-1", 500)).await;
    assert_eq!(done(world.sonatel.status(&opened.provider_id).await), ProviderStatus::Unpaid);
    assert_eq!(world.search(&order("ref-0", 500)).await, ProviderStatus::Unpaid);
}

#[tokio::test]
async fn every_call_says_that_it_is_json_a_get_too() {
    // The fake answers 415 otherwise.
    let world = World::new().await;
    world.opened(&order("ref-1", 500)).await;
    world.search(&order("ref-1", 500)).await;
    done(world.sonatel.payout_search(&reference("ref-1")).await);
    assert!(world.calls().await.iter().all(|call| call["status"] == 200));
}

#[tokio::test]
async fn the_list_is_never_asked_by_type() {
    for type_filter_bug in [true, false] {
        let world = World::with(fake::Config { type_filter_bug, ..Default::default() }).await;
        let order = order("ref-1", 500);
        world.opened(&order).await;
        world.settle(&order, "pay").await;
        receipt(world.search(&order).await);
        assert!(world.calls().await.iter().all(|call| !call["path"].as_str().unwrap().contains("type=")));
    }
}

#[tokio::test]
async fn amounts_come_as_float_number_or_text_in_a_list_that_is_bare_or_wrapped() {
    for amounts in [fake::Amounts::Float, fake::Amounts::Integer, fake::Amounts::Text] {
        for wrapped_list in [false, true] {
            let world = World::with(fake::Config { amounts, wrapped_list, ..Default::default() }).await;
            let order = order("ref-1", 15_000);
            world.opened(&order).await;
            world.settle(&order, "pay").await;
            assert_eq!(receipt(world.search(&order).await).amount, Money::xof(15_000));
        }
    }
}

#[tokio::test]
async fn a_success_wins_over_failed_attempts() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    world.opened(&order).await;
    for deed in ["fail", "cancel", "pay"] {
        if deed == "pay" {
            assert_eq!(world.search(&order).await, ProviderStatus::Unpaid);
        }
        world.settle(&order, deed).await;
    }
    receipt(world.search(&order).await);
}

#[tokio::test]
async fn two_successes_are_several() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    let codes = [world.opened(&order).await, world.opened(&order).await];
    for code in codes {
        let id = code.launch_url.rsplit('/').next().unwrap().to_owned();
        world.fake.control(json!({ "do": "settle", "qr": id, "as": "pay" })).await;
    }
    match world.search(&order).await {
        ProviderStatus::Several(all) => {
            assert!(matches!(all[..], [ProviderStatus::Succeeded(_), ProviderStatus::Succeeded(_)]), "{all:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn accepted_and_its_like_are_no_success_yet() {
    for status in ["ACCEPTED", "PENDING", "INITIATED", "PRE_INITIATED"] {
        let world = World::new().await;
        let order = order("ref-1", 500);
        world.opened(&order).await;
        world.fake.control(json!({ "do": "next", "as": status })).await;
        world.settle(&order, "pay").await;
        assert_eq!(world.search(&order).await, ProviderStatus::UnderWay, "{status}");
        world.fake.control(json!({ "do": "settle_transaction", "transaction": "ref-1", "as": "SUCCESS" })).await;
        receipt(world.search(&order).await);
    }
}

#[tokio::test]
async fn a_code_can_be_paid_after_our_expire_and_is_found_then() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    let opened = world.opened(&order).await;
    assert_eq!(done(world.sonatel.expire(&opened.provider_id).await), Closed::ByItself);
    world.settle(&order, "pay").await;
    assert_eq!(done(world.sonatel.expire(&opened.provider_id).await), Closed::Already);
    receipt(done(world.sonatel.status(&opened.provider_id).await));
}

#[tokio::test]
async fn another_amount_paid_is_told_as_it_is() {
    let world = World::new().await;
    let order = order("ref-1", 15_000);
    world.opened(&order).await;
    world.fake.control(json!({ "do": "settle", "qr": "ref-1", "as": "pay", "amount": 14_999 })).await;
    assert_eq!(receipt(world.search(&order).await).amount, Money::xof(14_999));
}

#[tokio::test]
async fn a_web_payment_counts_and_more_than_a_page_of_attempts_is_read() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    world.opened(&order).await;
    world.fake.control(json!({ "do": "settle", "qr": "ref-1", "as": "pay", "type": "WEB_PAYMENT" })).await;
    let paid = receipt(world.search(&order).await);
    // A second code of the same reference, on which somebody fails again and again: the success moves to page two.
    world.opened(&order).await;
    for _ in 0..25 {
        world.settle(&order, "fail").await;
    }
    let before = world.count("transactions.list").await;
    assert_eq!(receipt(world.search(&order).await), paid);
    assert_eq!(world.count("transactions.list").await, before + 2);
}

#[tokio::test]
async fn a_code_lives_from_a_second_to_a_day() {
    let world = World::new().await;
    let now = order("ref-1", 500).now;
    let at = |seconds| Some(now + chrono::TimeDelta::seconds(seconds));
    let cases = [(None, 86_400), (at(600), 600), (at(0), 1), (at(-60), 1), (at(100_000), 86_400)];
    for (closes_at, _) in cases {
        world.opened(&Order { closes_at, ..order("ref-1", 500) }).await;
    }
    let calls = world.calls().await;
    let sent: Vec<_> = calls
        .iter()
        .filter(|call| call["call"] == "qrcode.create")
        .map(|call| call["body"]["validity"].clone())
        .collect();
    assert_eq!(sent, cases.map(|(_, validity)| json!(validity)));
}

#[tokio::test]
async fn what_sonatel_cannot_do_is_not_even_sent() {
    let world = World::new().await;
    for amount in
        [Money::xof(9), Money::xof(0), Money::xof(-1), Money::xof(Money::MAX + 1), Money::new(500, Currency::Eur)]
    {
        let refusal = refused(world.sonatel.open(&Order { amount, ..order("ref-1", 1) }).await);
        assert_eq!(refusal.http, None, "{amount}");
    }
    let payer = Phone::new("+221771234567").ok();
    assert_eq!(refused(world.sonatel.open(&Order { payer, ..order("ref-1", 500) }).await).code, "payer");
    let id = ProviderId::new("ref-1").unwrap();
    assert_eq!(refused(world.sonatel.refund_full(&id).await).code, "not-offered");
    let long = ProviderId::new(&"x".repeat(31)).unwrap();
    assert_eq!(refused(world.sonatel.status(&long).await).code, "provider-id");
    assert_eq!(world.calls().await, Vec::<Value>::new());
    world.opened(&order("ref-1", 10)).await;
}

#[test]
fn a_config_that_cannot_work_is_no_config() {
    let at = |change: fn(&mut Config)| {
        let mut config = config("https://api.orange-sonatel.com");
        change(&mut config);
        Sonatel::new(&config).map(|_| ())
    };
    assert_eq!(at(|_| {}), Ok(()));
    assert!(at(|config| config.base_url = "http://api.orange-sonatel.com".into()).is_err());
    for code in ["", "12345", "1234567", "12345a"] {
        let mut config = config("https://api.orange-sonatel.com");
        config.merchant_code = code.into();
        assert!(matches!(Sonatel::new(&config), Err(ConfigError::Setting(_))), "{code}");
    }
    assert!(at(|config| config.merchant_name = " ".into()).is_err());
    assert!(at(|config| config.callback_url = Some("http://kalel.sn/hook".into())).is_err());
    assert!(at(|config| config.callback_url = Some("https://kalel.sn/hook".into())).is_ok());
    assert!(at(|config| config.cash_in.iter_mut().for_each(|desk| desk.msisdn = "+221770000001".into())).is_err());
    let unsendable = at(|config| config.api_key = Secret::new("a\nb").ok());
    assert_eq!(unsendable, Err(ConfigError::UnsendableKey));
}

#[test]
fn no_secret_is_printed() {
    let mut config = config("http://127.0.0.1:1");
    config.api_key = Secret::new("contract-key").ok();
    let printed = format!("{:?} {config:?}", Sonatel::new(&config).unwrap());
    for secret in ["fake-secret", "1234\"", "contract-key"] {
        assert!(!printed.contains(secret), "{printed}");
    }
}
