//! The adapter against the running fake: every trap of providers.md §1 by name.

mod payout;

use std::time::Duration;

use domain::{money::Money, payment::Reference, phone::Phone};
use serde_json::{Value, json};

use super::*;
use crate::{payments::Receipt, testing::Fake};

struct World {
    fake: Fake,
    wave: Wave,
}

fn wave_at(base: &str, key: &str, total_ms: u64) -> Wave {
    let timeouts = Timeouts { connect_ms: 500, total_ms };
    Wave::new(&Config { base_url: base.to_owned(), api_key: Secret::new(key).unwrap(), timeouts }).unwrap()
}

impl World {
    async fn new() -> Self {
        let fake = Fake::wave(fakes::wave::Config::default()).await;
        let wave = wave_at(&fake.base, "wave_sn_prod_fake", 5_000);
        Self { fake, wave }
    }

    /// The next call of this name goes wrong.
    async fn fail(&self, mut fault: Value) {
        fault["do"] = json!("fail");
        self.fake.control(fault).await;
    }

    async fn settle(&self, reference: &Reference, deed: &str) {
        self.fake.control(json!({ "do": "settle", "session": reference.as_str(), "as": deed })).await;
    }

    async fn opened(&self, order: &Order) -> Opened {
        done(self.wave.open(order).await)
    }

    async fn sessions(&self) -> usize {
        let calls = self.fake.get("/__calls").await;
        calls["calls"].as_array().unwrap().iter().filter(|call| call["call"] == "checkout.create").count()
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
fn code<T: std::fmt::Debug>(outcome: Outcome<T>) -> (Option<u16>, String) {
    match outcome {
        Outcome::Refused(refusal) => (refusal.http, refusal.code),
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

fn receipt(status: ProviderStatus) -> Receipt {
    match status {
        ProviderStatus::Succeeded(receipt) => receipt,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_checkout_is_opened_pending_and_paid() {
    let world = World::new().await;
    let order = order("ref-1", 15_000);
    let opened = world.opened(&order).await;
    assert!(opened.launch_url.contains(opened.provider_id.as_str()));
    let pending = ProviderStatus::Pending { opened: opened.clone(), last_error: None };
    assert_eq!(done(world.wave.status(&opened.provider_id).await), pending);
    assert_eq!(done(world.wave.search(&order.reference).await), pending);

    world.settle(&order.reference, "pay").await;
    let paid = receipt(done(world.wave.status(&opened.provider_id).await));
    assert_eq!((paid.amount, paid.reference.as_deref()), (Money::xof(15_000), Some("ref-1")));
    assert!(paid.transaction_id.as_str().starts_with("T_") && paid.at.is_some());
    assert_eq!(receipt(done(world.wave.search(&order.reference).await)), paid);
}

#[tokio::test]
async fn the_expiry_is_the_providers_and_not_thirty_minutes() {
    let fake = Fake::wave(fakes::wave::Config { session_seconds: 86_400, ..Default::default() }).await;
    let wave = wave_at(&fake.base, "wave_sn_prod_fake", 5_000);
    let now = fake.control(json!([])).await;
    assert_eq!(now, json!([]));
    let opened = done(wave.open(&order("ref-1", 500)).await);
    fake.control(json!({ "do": "advance", "seconds": 86_000 })).await;
    assert!(matches!(done(wave.status(&opened.provider_id).await), ProviderStatus::Pending { .. }));
    fake.control(json!({ "do": "advance", "seconds": 400 })).await;
    assert!(matches!(done(wave.status(&opened.provider_id).await), ProviderStatus::Expired { .. }));
}

#[tokio::test]
async fn a_failed_attempt_leaves_the_checkout_pending() {
    let world = World::new().await;
    let order = order("ref-1", 15_000);
    let opened = world.opened(&order).await;
    world.settle(&order.reference, "fail").await;
    match done(world.wave.status(&opened.provider_id).await) {
        ProviderStatus::Pending { last_error, .. } => assert_eq!(last_error.as_deref(), Some("insufficient-funds")),
        other => panic!("{other:?}"),
    }
    world.settle(&order.reference, "pay").await;
    receipt(done(world.wave.status(&opened.provider_id).await));
}

#[tokio::test]
async fn a_cancelled_checkout_has_failed_and_an_expired_one_has_expired() {
    let world = World::new().await;
    let (first, second) = (order("ref-1", 500), order("ref-2", 500));
    let (cancelled, expired) = (world.opened(&first).await, world.opened(&second).await);
    world.settle(&first.reference, "cancel").await;
    assert!(matches!(done(world.wave.status(&cancelled.provider_id).await), ProviderStatus::Failed { .. }));
    assert_eq!(done(world.wave.expire(&expired.provider_id).await), Closed::Now);
    assert_eq!(done(world.wave.expire(&expired.provider_id).await), Closed::Already);
    assert!(matches!(done(world.wave.status(&expired.provider_id).await), ProviderStatus::Expired { .. }));
}

#[tokio::test]
async fn a_paid_checkout_cannot_be_expired() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    let opened = world.opened(&order).await;
    world.settle(&order.reference, "pay").await;
    assert_eq!(done(world.wave.expire(&opened.provider_id).await), Closed::Already);
    receipt(done(world.wave.status(&opened.provider_id).await));
}

#[tokio::test]
async fn what_the_provider_does_not_know_is_not_found() {
    let world = World::new().await;
    let nobody = ProviderId::new("cos-nobody").unwrap();
    assert_eq!(done(world.wave.status(&nobody).await), ProviderStatus::NotFound);
    assert_eq!(done(world.wave.expire(&nobody).await), Closed::NotFound);
    assert_eq!(done(world.wave.search(&reference("ref-0")).await), ProviderStatus::NotFound);
}

#[tokio::test]
async fn a_404_that_is_not_waves_is_not_a_payment_that_never_was() {
    let world = World::new().await;
    world.fail(json!({ "call": "checkout.get", "how": "html", "status": 404 })).await;
    let status = world.wave.status(&ProviderId::new("cos-1").unwrap()).await;
    assert_eq!(unknown(status), Unknown::Status(404));
}

#[tokio::test]
async fn an_id_cannot_change_the_path() {
    let world = World::new().await;
    for id in ["../balance", "a/b", "..", "a?b", "a#b", "a%2fb"] {
        let id = ProviderId::new(id).unwrap();
        assert_eq!(code(world.wave.status(&id).await), (None, "provider-id".into()));
        assert_eq!(code(world.wave.refund_full(&id).await), (None, "provider-id".into()));
    }
    assert_eq!(world.fake.get("/__calls").await["calls"], json!([]));
}

#[tokio::test]
async fn only_the_payer_named_may_pay() {
    let world = World::new().await;
    let order = Order { payer: Some(Phone::new("+221771234567").unwrap()), ..order("ref-1", 500) };
    let opened = world.opened(&order).await;
    let other = json!({ "do": "settle", "session": "ref-1", "as": "pay", "mobile": "+221760000000" });
    world.fake.control(other).await;
    match done(world.wave.status(&opened.provider_id).await) {
        ProviderStatus::Pending { last_error, .. } => assert_eq!(last_error.as_deref(), Some("payer-mobile-mismatch")),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn amounts_that_wave_would_refuse_are_not_even_sent() {
    let world = World::new().await;
    for amount in [Money::xof(0), Money::xof(-1), Money::xof(Money::MAX + 1), Money::new(500, Currency::Eur)] {
        let refused = world.wave.open(&Order { amount, ..order("ref-1", 1) }).await;
        assert_eq!(code(refused).0, None, "{amount}");
    }
    assert_eq!(world.sessions().await, 0);
}

#[tokio::test]
async fn what_the_real_one_refuses_the_fake_refuses_and_the_place_is_told() {
    let fake = Fake::wave(fakes::wave::Config { loopback_http: false, ..Default::default() }).await;
    let wave = wave_at(&fake.base, "wave_sn_prod_fake", 5_000);
    let plain = Order { success_url: Url::parse("http://127.0.0.1/ok").unwrap(), ..order("ref-1", 500) };
    match wave.open(&plain).await {
        Outcome::Refused(refusal) => {
            assert_eq!((refusal.http, refusal.code.as_str()), (Some(422), "request-validation-error"));
            assert!(refusal.message.contains("success_url") && !refusal.is_about_our_account(), "{refusal}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_wrong_key_is_about_our_account_and_not_about_the_payment() {
    let fake = Fake::wave(fakes::wave::Config::default()).await;
    let wave = wave_at(&fake.base, "wave_sn_prod_revoked", 5_000);
    match wave.open(&order("ref-1", 500)).await {
        Outcome::Refused(refusal) => assert!(refusal.is_about_our_account()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_lost_after_the_effect_is_found_by_reference() {
    for how in
        [json!({ "how": "hang", "ms": 60_000 }), json!({ "how": "cut" }), json!({ "how": "html", "status": 200 })]
            .into_iter()
            .chain([
                json!({ "how": "empty" }),
                json!({ "how": "status", "status": 500 }),
                json!({ "how": "status", "status": 503 }),
            ])
    {
        let world = World::new().await;
        let mut fault = how.clone();
        fault["call"] = json!("checkout.create");
        fault["after_effect"] = json!(true);
        world.fail(fault).await;
        let order = order("ref-1", 15_000);
        let impatient = wave_at(&world.fake.base, "wave_sn_prod_fake", 400);
        assert!(unknown(impatient.open(&order).await).may_have_happened(), "{how}");
        match done(world.wave.search(&order.reference).await) {
            ProviderStatus::Pending { opened, .. } => assert!(!opened.launch_url.is_empty()),
            other => panic!("{how}: {other:?}"),
        }
        assert_eq!(world.sessions().await, 1);
    }
}

#[tokio::test]
async fn an_answer_lost_before_the_effect_leaves_nothing_to_find() {
    for how in ["hang", "cut"] {
        let world = World::new().await;
        world.fail(json!({ "call": "checkout.create", "how": how, "ms": 60_000 })).await;
        let impatient = wave_at(&world.fake.base, "wave_sn_prod_fake", 400);
        let order = order("ref-1", 15_000);
        assert!(unknown(impatient.open(&order).await).may_have_happened());
        assert_eq!(done(world.wave.search(&order.reference).await), ProviderStatus::NotFound);
    }
}

#[tokio::test]
async fn each_way_of_not_answering_has_its_name() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    for status in [408, 500, 502, 503, 504, 302] {
        world.fail(json!({ "call": "checkout.create", "how": "status", "status": status })).await;
        assert_eq!(unknown(world.wave.open(&order).await), Unknown::Status(status));
    }
    world.fail(json!({ "how": "html" })).await;
    assert_eq!(unknown(world.wave.open(&order).await), Unknown::Status(502));
    for how in ["html", "empty"] {
        world.fail(json!({ "how": how, "status": 200 })).await;
        assert!(matches!(unknown(world.wave.open(&order).await), Unknown::Unreadable(_)));
    }
    world.fail(json!({ "how": "status", "status": 429, "retry_after": 7 })).await;
    assert_eq!(world.wave.open(&order).await, Outcome::RetryAfter(Some(Duration::from_secs(7))));
    world.fail(json!({ "how": "status", "status": 429 })).await;
    assert_eq!(world.wave.open(&order).await, Outcome::RetryAfter(None));
}

#[tokio::test]
async fn a_provider_that_is_not_there_cannot_have_done_anything() {
    let world = World::new().await;
    let base = world.fake.base.clone();
    drop(world.fake);
    // Stopping takes a moment; until then the old server may still answer.
    let wave = wave_at(&base, "wave_sn_prod_fake", 2_000);
    for _ in 0..200 {
        if let Outcome::Unknown(Unknown::Unreachable(_)) = wave.open(&order("ref-1", 500)).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("still reachable");
}

#[tokio::test]
async fn fields_of_next_year_are_no_trouble() {
    let world = World::new().await;
    world.fail(json!({ "how": "extra_fields", "times": 3 })).await;
    let order = order("ref-1", 500);
    let opened = world.opened(&order).await;
    done(world.wave.status(&opened.provider_id).await);
    done(world.wave.search(&order.reference).await);
}

#[tokio::test]
async fn two_checkouts_under_one_reference_are_several() {
    let world = World::new().await;
    let order = order("ref-1", 500);
    world.opened(&order).await;
    world.opened(&order).await;
    world.settle(&order.reference, "pay").await;
    match done(world.wave.search(&order.reference).await) {
        ProviderStatus::Several(all) => {
            assert!(matches!(all[..], [ProviderStatus::Pending { .. }, ProviderStatus::Succeeded(_)]), "{all:?}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_refund_given_twice_moves_money_once() {
    let world = World::new().await;
    let order = order("ref-1", 15_000);
    let opened = world.opened(&order).await;
    assert_eq!(code(world.wave.refund_full(&opened.provider_id).await).1, "checkout-refund-failed");
    world.settle(&order.reference, "pay").await;
    world.fail(json!({ "call": "checkout.refund", "how": "cut", "after_effect": true })).await;
    assert!(unknown(world.wave.refund_full(&opened.provider_id).await).may_have_happened());
    done(world.wave.refund_full(&opened.provider_id).await);
    let ledger = world.fake.get("/__ledger").await;
    assert_eq!(ledger["totals"]["refunded"], 15_000);
    assert_eq!(ledger["repeated"]["refunds"], json!([]));
}

#[tokio::test]
async fn a_refund_answered_with_a_page_of_html_is_not_done() {
    let world = World::new().await;
    let order = order("ref-1", 15_000);
    let opened = world.opened(&order).await;
    world.settle(&order.reference, "pay").await;
    world.fail(json!({ "call": "checkout.refund", "how": "html", "status": 200 })).await;
    assert!(matches!(unknown(world.wave.refund_full(&opened.provider_id).await), Unknown::Unreadable(_)));
    assert_eq!(world.fake.get("/__ledger").await["totals"]["refunded"], 0);
}

#[tokio::test]
async fn a_refund_from_an_empty_wallet_is_refused() {
    let world = World::new().await;
    let order = order("ref-1", 15_000);
    let opened = world.opened(&order).await;
    world.settle(&order.reference, "pay").await;
    world.fake.control(json!({ "do": "balance", "amount": 0 })).await;
    assert_eq!(code(world.wave.refund_full(&opened.provider_id).await).1, "insufficient-funds");
}

#[test]
fn the_key_is_not_printed() {
    let wave = wave_at("http://127.0.0.1:1", "wave_sn_prod_very_secret", 1_000);
    assert!(!format!("{wave:?}").contains("very_secret"));
}

proptest::proptest! {
    #[test]
    fn every_amount_has_the_strict_wire_form(amount in 1_i64..=Money::MAX) {
        let text = francs::<()>(Money::xof(amount)).unwrap();
        proptest::prop_assert!(text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0'));
        proptest::prop_assert_eq!(wire::money(&json!(text), "XOF"), Some(Money::xof(amount)));
    }
}
