//! A payer whose provider does not work pays by another one, on our page: confirmed once, charged once.

use domain::{ids::PaymentId, payment::Method};
use eventstore::link::read_pay_token;
use serde_json::{Value, json};
use workers::{health::Health, runtime::Step};

use super::{
    bench::DEPOSIT,
    offers::{break_wave, offered, two},
    pages::{Page, Walk},
    rails::Kind,
    servers::Fake,
};

const WORDS: &str = "Payer autrement";

impl Walk {
    async fn choose(&self, payment: PaymentId, method: &str) -> Page {
        let pressed = self.http.post(self.link(payment)).form(&[("method", method)]).send().await.unwrap();
        Page::of(pressed).await
    }

    /// The payment behind a page of ours that a press led to.
    fn payment_of(&self, page: &Page) -> PaymentId {
        assert_eq!(page.status, 303, "{}", page.text);
        let token = page.to.as_deref().unwrap().rsplit('/').next().unwrap();
        read_pay_token(self.bench.store.keyring(), token).unwrap()
    }
}

fn button(method: &str) -> String {
    format!("value=\"{method}\"")
}

async fn charged(fake: &Fake) -> Value {
    fake.get("/__ledger").await["totals"].clone()
}

#[tokio::test]
async fn while_wave_is_down_the_page_offers_orange_money_and_nobody_is_charged_twice() {
    let (walk, orange) = two().await;
    let bench = &walk.bench;
    // Wave makes the checkout, cannot say so, and then answers nobody.
    let lost = json!({"do": "fail", "call": "checkout.create", "how": "cut", "after_effect": true});
    bench.wave.control(lost).await;
    break_wave(&walk).await;
    let (reservation, by_wave) = bench.hold(20).await;
    walk.open(&walk.link(by_wave)).await.says("Paiement en préparation", true);
    bench.pump().await;
    bench.pass(11).await;
    bench.pass(20).await;
    Health::new(bench.ctx.clone()).step().await.unwrap();
    offered(&walk, "", &[("orange_money", true), ("wave", false)]).await;
    let page = walk.open(&walk.link(by_wave)).await;
    page.says("Wave ne répond pas en ce moment.", true);
    assert!(page.text.contains(WORDS) && page.text.contains(&button("orange_money")), "{}", page.text);
    assert!(!page.text.contains(&button("wave")), "nobody can tell whether there is a checkout: {}", page.text);

    // Two tabs: one payment.
    let (one, two) = tokio::join!(walk.choose(by_wave, "orange_money"), walk.choose(by_wave, "orange_money"));
    let by_orange = walk.payment_of(&one);
    assert_eq!(by_orange, walk.payment_of(&two));
    assert_eq!(bench.history(by_orange).await, ["payment.requested"]);
    bench.pump().await;
    let page = walk.open(&walk.link(by_orange)).await;
    assert!(page.to.expect("to the provider's page").starts_with(&orange.url), "{}", page.text);
    bench.pay_at(&orange, Kind::OrangeMoney, by_orange).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    let texts = bench.texts(super::bench::CLIENT).await;
    assert_eq!(texts.iter().filter(|text| text.contains("/pay/")).count(), 1, "{texts:?}");

    // Wave is back: the checkout that nobody knew of is found and closed.
    bench.wave.control(json!({"do": "heal"})).await;
    bench.pass_in_steps(8, 60).await;
    assert_eq!((bench.payment(by_wave).await, bench.payment(by_orange).await), ("expired", "succeeded"));
    // Long before Wave would have ended it by itself.
    assert_eq!((bench.wave.calls("checkout.create").await, bench.wave.calls("checkout.expire").await), (1, 1));
    assert_eq!(charged(&bench.wave).await["charged"], 0);
    assert!(bench.refunds(by_orange).await.is_empty());
    walk.open(&walk.link(by_wave)).await.says("Paiement", false);
}

#[tokio::test]
async fn what_a_provider_refuses_is_paid_by_another_while_the_hold_lives() {
    let (walk, orange) = two().await;
    let bench = &walk.bench;
    bench
        .wave
        .control(json!({"do": "fail", "call": "checkout.create", "how": "status", "status": 422, "times": 9}))
        .await;
    let (reservation, by_wave) = bench.hold(20).await;
    bench.pump().await;
    assert_eq!((bench.payment(by_wave).await, bench.status(reservation).await), ("failed", "held"));
    let page = walk.open(&walk.link(by_wave)).await;
    page.says("votre créneau est encore retenu", false);
    assert!(page.text.contains(&button("orange_money")) && page.text.contains(&button("wave")), "{}", page.text);
    // What is not offered cannot be chosen.
    for method in ["cash", "yas", "on_account", "nothing"] {
        let page = walk.choose(by_wave, method).await;
        assert_eq!(page.status, 200, "{method}: {}", page.text);
        assert!(page.text.contains("<b>"), "{method}: {}", page.text);
    }
    let again = walk.payment_of(&walk.choose(by_wave, "wave").await);
    bench.pump().await;
    assert_eq!(bench.payment(again).await, "failed");
    let by_orange = walk.payment_of(&walk.choose(again, "orange_money").await);
    bench.pump().await;
    bench.pay_at(&orange, Kind::OrangeMoney, by_orange).await;
    bench.pump().await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    let page = walk.open(&walk.link(by_wave)).await;
    assert!(!page.text.contains(WORDS), "{}", page.text);
    // Whoever presses it now is led to how things stand.
    assert_eq!(walk.choose(by_orange, "wave").await.to, Some(walk.link(by_orange)));
    bench.pass(3_600).await;
    walk.open(&walk.link(by_wave)).await.says("Rien n'a été débité", false);
}

#[tokio::test]
async fn whoever_changes_their_mind_at_the_provider_and_pays_both_gets_the_second_back() {
    let (walk, orange) = two().await;
    let bench = &walk.bench;
    let (reservation, by_wave) = bench.hold(20).await;
    bench.pump().await;
    let back = walk.press(by_wave, "fail").await;
    let page = walk.open(&back).await;
    page.says("Payer maintenant", true);
    assert!(page.text.contains(&button("orange_money")) && !page.text.contains(&button("wave")), "{}", page.text);
    let by_orange = walk.payment_of(&walk.choose(by_wave, "orange_money").await);
    bench.pump().await;
    // In two tabs, before anybody could close either.
    bench.pay(by_wave).await;
    bench.pay_at(&orange, Kind::OrangeMoney, by_orange).await;
    bench.pump().await;
    bench.pass_in_steps(6, 60).await;
    assert_eq!(bench.status(reservation).await, "confirmed");
    let (first, second) = (bench.refunds(by_wave).await, bench.refunds(by_orange).await);
    let back: Vec<_> = first.iter().chain(&second).collect();
    assert!(matches!(back[..], [(_, "succeeded", DEPOSIT)]), "{back:?}");
    let after = bench.load::<domain::reservation::Reservation>(reservation).await;
    assert_eq!(after.state.received().amount, DEPOSIT);
}

#[tokio::test]
async fn a_page_whose_provider_is_down_does_not_lead_there_blindly() {
    let (walk, _) = two().await;
    let bench = &walk.bench;
    let (_, by_wave) = bench.hold(20).await;
    bench.pump().await;
    let page = walk.open(&walk.link(by_wave)).await;
    assert!(page.to.is_some(), "it works, so it leads there");
    let minute = std::time::Duration::from_secs(60);
    eventstore::health::say_unwell(bench.store.pool(), Method::Wave, "", "timeout", minute, minute).await.unwrap();
    offered(&walk, "", &[("orange_money", true), ("wave", false)]).await;
    let page = walk.open(&walk.link(by_wave)).await;
    page.says("Wave ne répond pas en ce moment.", true);
    assert!(page.text.contains(&bench.wave.url) && page.text.contains(&button("orange_money")), "{}", page.text);
}
