//! Statements that providers list themselves: asked for at night, compared, and what they show followed up (F50).

use std::time::Duration;

use chrono::NaiveDate;
use domain::{
    actor::{Actor, Role},
    ids::PrincipalId,
    ledger::Account,
    reconciliation::{How, Kind as Of, MAIN, Provider, Reconciliation, Standing, Status, Terms, close, id_of, want},
    text::Slug,
};
use projections::{PROJECTORS, Runner};
use serde_json::json;
use workers::{nightly::Nightly, runtime::Step};

use super::{
    bench::{Bench, DEPOSIT},
    rails::Kind,
};

pub fn main() -> Slug {
    Slug::new(MAIN).unwrap()
}

/// The day on which every bench begins.
pub fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2027, 3, 1).unwrap()
}

pub async fn bench(kind: Kind) -> Bench {
    let mut bench = Bench::by(kind).await;
    let config = std::sync::Arc::make_mut(&mut bench.ctx.config);
    config.terms = [(Provider::Wave, Terms { fee_basis_points: Some(100) })].into();
    bench
}

/// The views come up to the log, and the workers do what is due, until both have nothing to do.
pub async fn work(bench: &Bench) {
    for _ in 0..4 {
        for projector in PROJECTORS {
            let mut runner = Runner::own(projector, bench.store.clone(), "test", None).await.unwrap();
            runner.catch_up().await.unwrap();
        }
        bench.pass(5).await;
    }
}

/// Until half past two of the night after.
pub async fn night(bench: &Bench) {
    let end = domain::reconciliation::end(day()) + chrono::TimeDelta::minutes(151);
    let ahead = (end - bench.store.clock().now()).num_seconds();
    bench.pass_quietly(ahead).await;
    bench.pump().await;
    Nightly::new(bench.ctx.clone()).step().await.unwrap();
    work(bench).await;
}

pub async fn on(bench: &Bench, account: Account) -> i64 {
    let (_, balances) = projections::ledger::trial_balance(bench.store.pool(), None, None).await.unwrap();
    let found = balances.into_iter().find(|balance| balance.account == account.to_string());
    found.map_or(0, |balance| balance.balance().amount)
}

pub fn kinds(state: &Reconciliation) -> Vec<(Of, Standing)> {
    state.differences.iter().map(|difference| (difference.found.kind, difference.standing)).collect()
}

#[tokio::test]
async fn webhooks_lost_for_a_day_are_found_by_the_statement_of_that_day() {
    let bench = bench(Kind::Wave).await;
    let told = bench.confirmed(240).await.1;
    // From here on Wave tells nothing, and has no time for questions about a checkout.
    bench.wave.control(json!({"do": "webhooks", "next": "drop", "times": 0})).await;
    for call in Kind::Wave.questions() {
        let dark = json!({"do": "fail", "call": call, "how": "status", "status": 429, "times": 5_000});
        bench.wave.control(dark).await;
    }
    let (first, paid) = bench.hold(242).await;
    let (second, paid_too) = bench.hold(244).await;
    bench.pump().await;
    bench.pay(paid).await;
    bench.pay(paid_too).await;
    bench.pass_in_steps(3, 600).await;
    for reservation in [first, second] {
        assert_eq!(bench.status(reservation).await, "expired");
    }
    night(&bench).await;
    let id = id_of(Provider::Wave, &main(), day());
    let found = bench.load::<Reconciliation>(id).await.state;
    assert_eq!(kinds(&found), [(Of::MissingHere, Standing::Unexplained); 2]);
    assert_eq!(found.pairs.len(), 1, "what we were told of");
    // Not income: nobody can say yet whose it is.
    assert_eq!(on(&bench, Account::Suspense).await, -2 * DEPOSIT);
    let finance = Actor::new(Role::Finance, PrincipalId::new(uuid::Uuid::from_u128(0xF1)));
    let loaded = bench.load::<Reconciliation>(id).await;
    assert!(close(&loaded, finance, bench.store.clock().now()).is_err(), "it does not close by itself");

    // Wave answers again: what the statement named is asked about, and lands.
    bench.wave.control(json!({"do": "heal"})).await;
    bench.pass_in_steps(8, 900).await;
    for payment in [told, paid, paid_too] {
        assert_eq!(bench.payment(payment).await, "succeeded");
    }
    for reservation in [first, second] {
        assert_eq!(bench.status(reservation).await, "confirmed");
    }
    // Compared once more, nothing is left to explain, and the day closes.
    let known = bench.load::<Reconciliation>(id).await;
    let now = bench.store.clock().now();
    bench.append(want(&known, Provider::Wave, main(), day(), finance, now).unwrap()).await.unwrap();
    work(&bench).await;
    let known = bench.load::<Reconciliation>(id).await;
    assert_eq!(known.state.unexplained().count(), 0, "{:?}", kinds(&known.state));
    let superseded = known.state.differences.iter().filter(|difference| !difference.is_current());
    assert_eq!(superseded.count(), 2);
    // They landed here a day later than there, which says so by itself.
    let later = known.state.differences.iter().filter(|difference| difference.found.kind == Of::DayDiffers);
    assert!(later.clone().all(|it| it.explained.as_ref().is_some_and(|said| said.how == How::BookedNextDay)));
    assert_eq!(later.count() + known.state.pairs.len(), 3);
    assert_eq!(on(&bench, Account::Suspense).await, 0);
    assert_eq!(on(&bench, Account::ProviderFees).await, 3 * DEPOSIT / 100);
    let ledger = bench.wave.get("/__ledger").await;
    let charged = ledger["totals"]["charged"].as_i64().unwrap();
    assert_eq!(charged, 3 * DEPOSIT);
    let clearing = Account::at_provider(domain::payment::Method::Wave).unwrap();
    assert_eq!(on(&bench, clearing).await, 3 * DEPOSIT * 99 / 100, "what Wave says the wallet got");
    bench.append(close(&known, finance, bench.store.clock().now()).unwrap()).await.unwrap();
    assert_eq!(bench.load::<Reconciliation>(id).await.state.status, Status::Closed);
}

#[tokio::test]
async fn a_statement_of_sonatel_is_fetched_at_night_once_and_agrees() {
    let bench = bench(Kind::OrangeMoney).await;
    bench.confirmed(240).await;
    night(&bench).await;
    for (provider, pairs) in [(Provider::Sonatel, 1), (Provider::Wave, 0)] {
        let known = bench.load::<Reconciliation>(id_of(provider, &main(), day())).await;
        assert_eq!((known.state.status, kinds(&known.state)), (Status::Open, Vec::new()), "{provider:?}");
        assert_eq!((known.state.pairs.len(), known.state.wanted), (pairs, false));
        // Asked for once, whoever looks again.
        Nightly::new(bench.ctx.clone()).step().await.unwrap();
        let again = bench.load::<Reconciliation>(id_of(provider, &main(), day())).await;
        assert_eq!(again.version, known.version);
    }
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_asked_for_its_statement_until_it_does() {
    let bench = bench(Kind::Wave).await;
    bench.confirmed(240).await;
    bench.wave.control(json!({"do": "fail", "call": "transactions", "how": "status", "status": 503, "times": 3})).await;
    night(&bench).await;
    for _ in 0..6 {
        bench.store.clock().advance(Duration::from_secs(300)).await.unwrap();
        work(&bench).await;
    }
    let known = bench.load::<Reconciliation>(id_of(Provider::Wave, &main(), day())).await;
    assert_eq!((known.state.status, known.state.pairs.len()), (Status::Open, 1));
}
