//! The adapter against the running fake: every trap of providers.md §3.2 by name.

mod answers;
mod payout;

use domain::{payment::Reference, phone::Phone};
use fakes::paydunya::{Amounts, Quirks, StatusAt};
use serde_json::Value;

use super::*;
use crate::{payments::Receipt, testing::Fake};

struct World {
    fake: Fake,
    paydunya: PayDunya,
}

fn config(base: &str, total_ms: u64) -> Config {
    let secret = |text: &str| Secret::new(text).unwrap();
    Config {
        base_url: base.to_owned(),
        sandbox: false,
        master_key: secret("master_fake"),
        private_key: secret("live_private_fake"),
        token: secret("live_token_fake"),
        store_name: "Temple du Foot".into(),
        callback_url: Url::parse("https://kalel.sn/ipn").unwrap(),
        channel: Channel::Yas,
        timeouts: Timeouts { connect_ms: 500, total_ms },
    }
}

fn sandbox(base: &str) -> Config {
    let (private_key, token) = (Secret::new("test_private_fake").unwrap(), Secret::new("test_token_fake").unwrap());
    Config { sandbox: true, private_key, token, ..config(base, 5_000) }
}

fn paydunya_at(base: &str, total_ms: u64) -> PayDunya {
    PayDunya::new(&config(base, total_ms)).unwrap()
}

impl World {
    async fn new() -> Self {
        Self::with(Quirks::default()).await
    }

    async fn with(quirks: Quirks) -> Self {
        let fake = Fake::paydunya(fakes::paydunya::Config { quirks, ..Default::default() }).await;
        let paydunya = paydunya_at(&fake.base, 5_000);
        // What is called back to is not there, and no test is to leave this machine for it.
        fake.control(json!({ "do": "webhooks", "next": "drop", "times": 0 })).await;
        Self { fake, paydunya }
    }

    /// The next call of this name goes wrong.
    async fn fail(&self, mut fault: Value) {
        fault["do"] = json!("fail");
        self.fake.control(fault).await;
    }

    async fn refuse(&self, call: &str, code: &str, text: &str) {
        self.fake.control(json!({ "do": "refuse", "call": call, "code": code, "text": text })).await;
    }

    async fn settle(&self, deed: &str) {
        self.fake.control(json!({ "do": "settle", "invoice": "ref-1", "as": deed })).await;
    }

    async fn opened(&self) -> Opened {
        done(self.paydunya.open(&order("ref-1", 15_000)).await)
    }

    /// How often a call of this name came in.
    async fn count(&self, call: &str) -> usize {
        let calls = self.fake.get("/__calls").await;
        calls["calls"].as_array().unwrap().iter().filter(|one| one["call"] == call).count()
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
async fn an_invoice_is_opened_unpaid_and_paid() {
    let world = World::new().await;
    let opened = world.opened().await;
    assert!(opened.launch_url.ends_with(&format!("/checkout/invoice/{}", opened.provider_id)));
    assert_eq!(opened.expires_at, None);
    assert_eq!(done(world.paydunya.status(&opened.provider_id).await), ProviderStatus::Unpaid);
    world.settle("pay").await;
    let paid = receipt(done(world.paydunya.status(&opened.provider_id).await));
    assert_eq!((paid.amount, paid.reference.as_deref()), (Money::xof(15_000), Some("ref-1")));
    assert_eq!((&paid.provider_id, &paid.transaction_id), (&opened.provider_id, &opened.provider_id));
}

#[tokio::test]
async fn what_is_sent_is_what_paydunya_documents() {
    let world = World::new().await;
    world.opened().await;
    let sent = world.fake.get("/__calls").await["calls"][0]["body"].clone();
    let expected = json!({
        "invoice": { "total_amount": 15_000, "description": "Réservation", "channels": ["free-money-senegal"] },
        "store": { "name": "Temple du Foot" },
        "custom_data": { "reference": "ref-1" },
        "actions": {
            "cancel_url": "https://kalel.sn/ko", "return_url": "https://kalel.sn/ok", "callback_url": "https://kalel.sn/ipn",
        },
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn each_channel_has_its_name_and_the_fake_knows_it() {
    let world = World::new().await;
    for (number, channel) in [Channel::Yas, Channel::Card, Channel::Wave, Channel::OrangeMoney].into_iter().enumerate()
    {
        let paydunya = PayDunya::new(&Config { channel, ..config(&world.fake.base, 5_000) }).unwrap();
        done(paydunya.open(&order("ref-1", 500)).await);
        let calls = world.fake.get("/__calls").await;
        assert_eq!(calls["calls"][number]["body"]["invoice"]["channels"], json!([channel.name()]));
    }
}

#[tokio::test]
async fn the_sandbox_has_a_base_and_keys_of_its_own() {
    let world = World::new().await;
    let play = PayDunya::new(&sandbox(&world.fake.base)).unwrap();
    let opened = done(play.open(&order("ref-1", 500)).await);
    assert!(opened.launch_url.contains("/sandbox-checkout/"));
    world.settle("pay").await;
    receipt(done(play.status(&opened.provider_id).await));
    // Play money is not found where there is money.
    assert_eq!(refused(world.paydunya.status(&opened.provider_id).await).code, "paydunya-4004");
    // Test keys at the live base, and live keys at the other.
    let mixed = PayDunya::new(&Config { sandbox: false, ..sandbox(&world.fake.base) }).unwrap();
    assert!(refused(mixed.open(&order("ref-2", 500)).await).is_about_our_account());
    let mixed = PayDunya::new(&Config { sandbox: true, ..config(&world.fake.base, 5_000) }).unwrap();
    assert!(refused(mixed.open(&order("ref-2", 500)).await).is_about_our_account());
}

#[tokio::test]
async fn a_200_with_another_code_is_a_refusal() {
    let world = World::new().await;
    world.refuse("checkout.create", "1042", "Montant trop petit").await;
    let refusal = refused(world.paydunya.open(&order("ref-1", 500)).await);
    assert_eq!((refusal.http, refusal.code.as_str(), refusal.retryable), (Some(200), "paydunya-1042", false));
    assert_eq!(refusal.message, "Montant trop petit");
    assert!(!refusal.is_about_our_account());
}

#[tokio::test]
async fn a_maintenance_is_a_refusal_to_come_back_from() {
    let world = World::new().await;
    world.refuse("checkout", "5000", "Service en maintenance").await;
    assert!(refused(world.paydunya.open(&order("ref-1", 500)).await).retryable);
    world.opened().await;
}

#[tokio::test]
async fn a_wrong_key_is_about_our_account_inside_a_200_and_with_a_401() {
    for keys_by_status in [false, true] {
        let world = World::with(Quirks { keys_by_status, ..Quirks::default() }).await;
        let wrong = Secret::new("live_private_other").unwrap();
        let paydunya = PayDunya::new(&Config { private_key: wrong, ..config(&world.fake.base, 5_000) }).unwrap();
        let refusal = refused(paydunya.open(&order("ref-1", 500)).await);
        assert!(refusal.is_about_our_account() && !refusal.retryable, "{refusal}");
        assert!(refused(paydunya.status(&ProviderId::new("t1").unwrap()).await).is_about_our_account());
    }
}

#[tokio::test]
async fn a_status_is_read_at_the_top_in_the_invoice_and_at_both() {
    for status_at in [StatusAt::Top, StatusAt::Invoice, StatusAt::Both] {
        let world = World::with(Quirks { status_at, ..Quirks::default() }).await;
        let opened = world.opened().await;
        assert_eq!(done(world.paydunya.status(&opened.provider_id).await), ProviderStatus::Unpaid);
        world.settle("pay").await;
        receipt(done(world.paydunya.status(&opened.provider_id).await));
    }
}

#[tokio::test]
async fn two_statuses_that_contradict_each_other_are_no_status() {
    let world = World::with(Quirks { status_at: StatusAt::Contradicting, ..Quirks::default() }).await;
    let opened = world.opened().await;
    world.settle("pay").await;
    assert!(matches!(unknown(world.paydunya.status(&opened.provider_id).await), Unknown::Unreadable(_)));
    assert!(matches!(unknown(world.paydunya.expire(&opened.provider_id).await), Unknown::Unreadable(_)));
}

#[tokio::test]
async fn amounts_are_read_as_numbers_floats_and_text() {
    for amounts in [Amounts::Number, Amounts::Float, Amounts::Text, Amounts::Decimals] {
        let world = World::with(Quirks { amounts, ..Quirks::default() }).await;
        let opened = world.opened().await;
        world.settle("pay").await;
        assert_eq!(receipt(done(world.paydunya.status(&opened.provider_id).await)).amount, Money::xof(15_000));
    }
}

#[tokio::test]
async fn another_amount_than_asked_for_is_told_as_it_is() {
    let world = World::new().await;
    let opened = world.opened().await;
    world.fake.control(json!({ "do": "settle", "invoice": "ref-1", "as": "pay", "amount": 14_999 })).await;
    assert_eq!(receipt(done(world.paydunya.status(&opened.provider_id).await)).amount, Money::xof(14_999));
}

#[tokio::test]
async fn a_failed_invoice_has_its_reason_and_a_cancelled_one_none() {
    for (deed, expected) in [("fail", "Solde insuffisant"), ("cancel", "cancelled")] {
        let world = World::new().await;
        let opened = world.opened().await;
        world.settle(deed).await;
        match done(world.paydunya.status(&opened.provider_id).await) {
            ProviderStatus::Failed { provider_id, code } => {
                assert_eq!((&provider_id, code.as_str()), (&opened.provider_id, expected));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn nothing_is_closed_but_what_has_ended() {
    let world = World::new().await;
    let opened = world.opened().await;
    assert_eq!(done(world.paydunya.expire(&opened.provider_id).await), Closed::ByItself);
    world.settle("pay").await;
    assert_eq!(done(world.paydunya.expire(&opened.provider_id).await), Closed::Already);
    let world = World::new().await;
    let opened = world.opened().await;
    world.settle("cancel").await;
    assert_eq!(done(world.paydunya.expire(&opened.provider_id).await), Closed::Already);
}

#[tokio::test]
async fn no_invoice_is_given_back_and_none_is_found_by_reference() {
    let world = World::new().await;
    let opened = world.opened().await;
    world.settle("pay").await;
    let refusal = refused(world.paydunya.refund_full(&opened.provider_id).await);
    assert_eq!((refusal.http, refusal.code.as_str()), (None, "not-offered"));
    assert_eq!(done(world.paydunya.search(&reference("ref-1")).await), ProviderStatus::NotFound);
    assert_eq!(world.count("other").await, 0);
}

#[tokio::test]
async fn what_paydunya_would_refuse_or_not_honour_is_not_even_sent() {
    let world = World::new().await;
    for amount in [Money::xof(0), Money::xof(-1), Money::xof(Money::MAX + 1), Money::new(500, Currency::Eur)] {
        assert_eq!(refused(world.paydunya.open(&Order { amount, ..order("ref-1", 1) }).await).http, None, "{amount}");
    }
    let payer = Phone::new("+221761234567").ok();
    assert_eq!(refused(world.paydunya.open(&Order { payer, ..order("ref-1", 500) }).await).code, "not-offered");
    for id in ["../create", "a/b", "..", "a?b", "a#b", "a%2fb"] {
        let id = ProviderId::new(id).unwrap();
        assert_eq!(refused(world.paydunya.status(&id).await).code, "provider-id");
        assert_eq!(refused(world.paydunya.expire(&id).await).code, "provider-id");
        assert_eq!(refused(world.paydunya.payout_status(&id).await).code, "provider-id");
    }
    assert_eq!(world.fake.get("/__calls").await["calls"], json!([]));
}

#[test]
fn the_keys_are_not_printed_and_the_configuration_is_read_strictly() {
    let paydunya = paydunya_at("http://127.0.0.1:1", 1_000);
    assert!(!format!("{paydunya:?}").contains("_fake") && !format!("{:?}", config("x", 1)).contains("_fake"));
    let mut text = json!({
        "base_url": "https://app.paydunya.com", "sandbox": true, "master_key": "m", "private_key": "p", "token": "t",
        "store_name": "s", "callback_url": "https://kalel.sn/ipn", "channel": "orange_money",
    });
    let read = |text: &Value| serde_json::from_value::<Config>(text.clone());
    assert_eq!(read(&text).unwrap().channel, Channel::OrangeMoney);
    for (field, value) in [("callback_url", "kalel.sn"), ("channel", "cash"), ("token", " "), ("other", "x")] {
        let before = text.clone();
        text[field] = json!(value);
        assert!(read(&text).is_err(), "{field}");
        text = before;
    }
    let open = Config { base_url: "http://app.paydunya.com".into(), ..config("", 1) };
    assert!(matches!(PayDunya::new(&open), Err(ConfigError::NotEncrypted(_))));
}
