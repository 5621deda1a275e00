//! Managers' own merchant accounts: money goes through the one of the contract that its reservation was placed under, in
//! and back, and no other account has a say in it. Each account is a fake with keys, secrets and a ledger of its own.

use adapters::{call::Outcome, payments::Order};
use domain::{ids::PaymentId, money::Money, text::Slug};
use serde_json::{Value, json};

use super::{
    bench::{Bench, DEPOSIT},
    money::cancel,
    rails::Kind,
    refunds::give_back,
    servers::Fake,
};

const KINDS: [Kind; 2] = [Kind::Wave, Kind::OrangeMoney];

/// What came in and what went back, by an account's own books.
async fn books(fake: &Fake) -> (i64, i64) {
    let totals = fake.get("/__ledger").await["totals"].clone();
    let total = |name: &str| totals[name].as_i64().unwrap();
    (total("charged"), total("refunded") + total("paid_out"))
}

async fn calls(fake: &Fake) -> usize {
    fake.get("/__calls").await["calls"].as_array().unwrap().len()
}

/// The platform, and the accounts of two managers.
async fn three(kind: Kind) -> (Bench, Fake, Fake) {
    let mut bench = Bench::by(kind).await;
    let fatou = bench.add_account(kind, "fatou").await;
    let omar = bench.add_account(kind, "omar").await;
    (bench, fatou, omar)
}

#[tokio::test]
async fn money_comes_and_goes_back_through_the_account_it_was_agreed_on() {
    for kind in KINDS {
        let (mut bench, fatou, omar) = three(kind).await;
        bench.through(Some("fatou"));
        let (reservation, payment) = bench.hold(44).await;
        // What is agreed afterwards is for others.
        bench.through(Some("omar"));
        bench.pump().await;
        bench.pay_at(&fatou, kind, payment).await;
        bench.pump().await;
        assert_eq!(bench.status(reservation).await, "confirmed", "{kind:?}");
        give_back(&bench, reservation, payment, 4_000).await;
        bench.pump().await;
        cancel(&bench, reservation).await;
        bench.pump().await;
        bench.pass(60).await;
        let refunds = bench.refunds(payment).await;
        assert!(refunds.iter().all(|(_, status, _)| *status == "succeeded"), "{kind:?}: {refunds:?}");
        assert_eq!(books(&fatou).await, (DEPOSIT, DEPOSIT), "{kind:?}");
        // A hold that ends is closed there, too.
        let (unpaid, left_open) = bench.hold(45).await;
        bench.pump().await;
        bench.pass(16 * 60).await;
        bench.pass_in_steps(4, 60).await;
        assert_eq!((bench.status(unpaid).await, bench.payment(left_open).await), ("expired", "expired"), "{kind:?}");
        assert_eq!(omar.calls(kind.create()).await, 1, "{kind:?}");
        assert_eq!((books(&omar).await, calls(&bench.rail).await), ((0, 0), 0), "{kind:?}: the platform's was called");
    }
}

#[tokio::test]
async fn never_again_a_webhook_of_one_account_settles_a_payment_of_another() {
    for kind in KINDS {
        let (mut bench, fatou, omar) = three(kind).await;
        bench.through(Some("omar"));
        let (reservation, payment) = bench.hold(44).await;
        bench.pump().await;
        // Fatou has a checkout of her own under the reference of Omar's, and pays it to herself: what Wave or Sonatel then
        // tells us is genuine.
        let reference = domain::payment::reference(payment.uuid(), 1);
        let page = "https://kalel.sn/pay/x".parse::<url::Url>().unwrap();
        let order = Order {
            amount: Money::xof(DEPOSIT),
            reference,
            success_url: page.clone(),
            error_url: page,
            closes_at: None,
            now: bench.store.clock().now(),
            payer: None,
        };
        open_at_fatou(&bench, kind, &order).await;
        bench.pay_at(&fatou, kind, payment).await;
        assert_eq!(bench.inbox().await, [("waiting".to_owned(), 1)], "{kind:?}");
        bench.pump().await;
        assert_eq!(bench.inbox().await, [("refused".to_owned(), 1)], "{kind:?}");
        assert_eq!((bench.status(reservation).await, bench.payment(payment).await), ("held", "pending"), "{kind:?}");
        // And Omar's own is as good as ever.
        bench.pay_at(&omar, kind, payment).await;
        bench.pump().await;
        assert_eq!((bench.status(reservation).await, books(&omar).await.0), ("confirmed", DEPOSIT), "{kind:?}");
        // Nothing of the platform's account is theirs, either.
        bench.through(None);
        let (ours, by_us) = bench.hold(46).await;
        bench.pump().await;
        let order = Order { reference: domain::payment::reference(by_us.uuid(), 1), ..order };
        open_at_fatou(&bench, kind, &order).await;
        bench.pay_at(&fatou, kind, by_us).await;
        bench.pump().await;
        assert_eq!((bench.status(ours).await, bench.payment(by_us).await), ("held", "pending"), "{kind:?}");
    }
}

async fn open_at_fatou(bench: &Bench, kind: Kind, order: &Order) {
    let rail = bench.ctx.providers.rail(kind.method(), Some(&Slug::new("fatou").unwrap())).unwrap();
    let opened = rail.provider.open(order).await;
    assert!(matches!(opened, Outcome::Done(_)), "{kind:?}: {opened:?}");
}

/// Why the effects of a payment wait.
async fn why(bench: &Bench, kind: &str) -> String {
    let effects = bench.effects(kind).await;
    let last = effects.last().unwrap();
    assert_eq!(last.0, "ready", "{effects:?}");
    last.1.clone().unwrap_or_default()
}

#[tokio::test]
async fn what_needs_an_account_that_is_gone_waits_and_says_so() {
    for kind in KINDS {
        let (mut bench, fatou, omar) = three(kind).await;
        let key = (kind.method(), Slug::new("fatou").unwrap());
        bench.through(Some("fatou"));
        let gone = bench.ctx.providers.accounts.remove(&key).unwrap();
        let (reservation, payment) = bench.hold(44).await;
        bench.pump().await;
        let said = why(&bench, "open_checkout").await;
        assert!(said.contains("fatou") && said.contains(kind.method().as_str()), "{said}");
        bench.ctx.providers.accounts.insert(key.clone(), gone);
        bench.pass(30).await;
        bench.pay_at(&fatou, kind, payment).await;
        bench.pump().await;
        assert_eq!(bench.status(reservation).await, "confirmed", "{kind:?}");
        // Away again, when money has to go back: nobody else pays it.
        let gone = bench.ctx.providers.accounts.remove(&key).unwrap();
        cancel(&bench, reservation).await;
        bench.pump().await;
        bench.pass_in_steps(5, 60).await;
        assert!(why(&bench, "submit_refund").await.contains("merchant account"));
        assert_eq!((books(&fatou).await, books(&omar).await), ((DEPOSIT, 0), (0, 0)), "{kind:?}");
        assert_eq!((calls(&omar).await, calls(&bench.rail).await), (0, 0), "{kind:?}");
        bench.ctx.providers.accounts.insert(key, gone);
        bench.pass_in_steps(6, 60).await;
        assert_eq!(books(&fatou).await, (DEPOSIT, DEPOSIT), "{kind:?}: {:?}", bench.refunds(payment).await);
    }
}

#[tokio::test]
async fn an_account_that_is_out_of_order_is_no_other_s_trouble() {
    use workers::runtime::Step;
    let (mut bench, fatou, _) = three(Kind::Wave).await;
    bench.through(Some("fatou"));
    fatou.control(json!({"do": "fail", "call": "any", "how": "status", "status": 503, "times": 10_000})).await;
    let (_, payment): (_, PaymentId) = bench.hold(44).await;
    bench.pump().await;
    bench.pass(11).await;
    bench.pass(20).await;
    assert_eq!(bench.payment(payment).await, "unknown");
    workers::health::Health::new(bench.ctx.clone()).step().await.unwrap();
    let rows = eventstore::health::unwell(bench.store.pool()).await.unwrap();
    let shown: Vec<_> =
        rows.iter().map(|row| (row.method.as_str(), row.account.as_str(), row.error.as_str())).collect();
    assert_eq!(shown, [("wave", "fatou", "http_status")]);
    assert_eq!(fatou.get("/__ledger").await["totals"]["charged"], Value::from(0));
}
