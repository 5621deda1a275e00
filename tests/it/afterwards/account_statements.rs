//! Statements of managers' own accounts: asked for at night like the platform's, compared with what lies there and with nothing
//! else, and none of it in the platform's books.

use std::collections::BTreeMap;

use adapters::{call::Outcome, payments::Order};
use domain::{
    actor::{Actor, Role},
    ids::{PaymentId, PrincipalId},
    ledger::Account,
    money::Money,
    payment::{Payment, ProviderId, Reference},
    reconciliation::{
        Import, Is, Kind as Of, Line, LineState, Listing, Provider, Reconciliation, Signed, Source, Standing, Status,
        Terms, close, id_of, import, want,
    },
    text::{Slug, Text},
};
use serde_json::json;
use workers::{nightly::Nightly, runtime::Step};

use super::{
    bench::{Bench, DEPOSIT},
    rails::Kind,
    refunds::give_back,
    servers::Fake,
    statements::{bench, day, kinds, main, night, on, work},
};

const KINDS: [(Kind, Provider); 2] = [(Kind::Wave, Provider::Wave), (Kind::OrangeMoney, Provider::Sonatel)];

fn fatou() -> Slug {
    Slug::new("fatou").unwrap()
}

fn finance() -> Actor {
    Actor::new(Role::Finance, PrincipalId::new(uuid::Uuid::from_u128(0xF1)))
}

/// Somebody eats at Fatou's and pays her for it: none of ours.
async fn a_meal(bench: &Bench, fake: &Fake, kind: Kind) {
    let page = "https://fatou.sn/merci".parse::<url::Url>().unwrap();
    let order = Order {
        amount: Money::xof(2_500),
        reference: Reference::new("THIEBOUDIENNE-1").unwrap(),
        success_url: page.clone(),
        error_url: page,
        closes_at: None,
        now: bench.store.clock().now(),
        payer: None,
    };
    let rail = bench.ctx.providers.rail(kind.method(), Some(&fatou())).unwrap();
    assert!(matches!(rail.provider.open(&order).await, Outcome::Done(_)));
    fake.control(kind.deed("THIEBOUDIENNE-1", "pay", None)).await;
    fake.control(json!({"do": "drain"})).await;
}

#[tokio::test]
async fn each_account_is_compared_with_what_lies_on_it_and_closes_with_nothing_to_explain() {
    for (kind, provider) in KINDS {
        let mut bench = bench(kind).await;
        let purse = bench.add_account(kind, "fatou").await;
        bench.confirmed(240).await;
        bench.through(Some("fatou"));
        let (reservation, payment) = bench.hold(242).await;
        bench.pump().await;
        bench.pay_at(&purse, kind, payment).await;
        bench.pump().await;
        assert_eq!(bench.status(reservation).await, "confirmed", "{kind:?}");
        give_back(&bench, reservation, payment, 4_000).await;
        bench.pump().await;
        a_meal(&bench, &purse, kind).await;
        bench.pass_in_steps(2, 60).await;
        let refunds = bench.refunds(payment).await;
        assert!(refunds.iter().all(|(_, status, _)| *status == "succeeded"), "{kind:?}: {refunds:?}");
        let totals = purse.get("/__ledger").await["totals"].clone();
        assert_eq!(totals["charged"], DEPOSIT + 2_500, "{kind:?}");

        night(&bench).await;
        for (account, agree) in [(main(), 1), (fatou(), 2)] {
            let id = id_of(provider, &account, day());
            let known = bench.load::<Reconciliation>(id).await;
            assert_eq!(kinds(&known.state), [], "{kind:?} {account}");
            let lines = known.state.statement.as_ref().unwrap().lines;
            assert_eq!((known.state.pairs.len(), lines), (agree, 2.min(lines)), "{kind:?} {account}");
            bench.append(close(&known, finance(), bench.store.clock().now()).unwrap()).await.unwrap();
            let known = bench.load::<Reconciliation>(id).await;
            assert_eq!(known.state.status, Status::Closed);
            // Asked for once, whoever looks again.
            Nightly::new(bench.ctx.clone()).step().await.unwrap();
            assert_eq!(bench.load::<Reconciliation>(id).await.version, known.version);
        }
        let theirs = bench.load::<Reconciliation>(id_of(provider, &fatou(), day())).await;
        let theirs = theirs.state.statement.unwrap();
        assert_eq!((theirs.lines, theirs.totals[0].came), (2, Money::xof(DEPOSIT)), "{kind:?}: not the meal");

        // The platform's books have the platform's money and fees, and what the site owes for what it has.
        work(&bench).await;
        let fee = if kind == Kind::Wave { DEPOSIT / 100 } else { 0 };
        let clearing = Account::at_provider(kind.method()).unwrap();
        assert_eq!(on(&bench, clearing).await, DEPOSIT - fee, "{kind:?}");
        assert_eq!((on(&bench, Account::ProviderFees).await, on(&bench, Account::Suspense).await), (fee, 0));
        assert_eq!(on(&bench, Account::Collected(bench.site)).await, DEPOSIT - 4_000);
        let (pool, methods) = (bench.store.pool(), provider.methods());
        assert!(projections::reconciliation::is_known(pool, &fatou(), methods).await.unwrap());
        let omar = Slug::new("omar").unwrap();
        assert!(!projections::reconciliation::is_known(pool, &omar, methods).await.unwrap());
    }
}

#[tokio::test]
async fn what_nobody_told_of_a_manager_s_account_is_found_by_its_statement_and_lands_there() {
    let mut bench = bench(Kind::Wave).await;
    let purse = bench.add_account(Kind::Wave, "fatou").await;
    bench.through(Some("fatou"));
    purse.control(json!({"do": "webhooks", "next": "drop", "times": 0})).await;
    for call in Kind::Wave.questions() {
        purse.control(json!({"do": "fail", "call": call, "how": "status", "status": 429, "times": 5_000})).await;
    }
    let (reservation, payment) = bench.hold(242).await;
    bench.pump().await;
    bench.pay_at(&purse, Kind::Wave, payment).await;
    bench.pass_in_steps(3, 600).await;
    assert_eq!(bench.status(reservation).await, "expired");
    night(&bench).await;
    let id = id_of(Provider::Wave, &fatou(), day());
    let found = bench.load::<Reconciliation>(id).await.state;
    assert_eq!(kinds(&found), [(Of::MissingHere, Standing::Unexplained)]);
    assert_eq!(on(&bench, Account::Suspense).await, 0, "it is not in the platform's hands");
    let ours = bench.load::<Reconciliation>(id_of(Provider::Wave, &main(), day())).await.state;
    assert_eq!((kinds(&ours), ours.pairs.len()), (Vec::new(), 0));

    purse.control(json!({"do": "heal"})).await;
    bench.pass_in_steps(8, 900).await;
    assert_eq!((bench.payment(payment).await, bench.status(reservation).await), ("succeeded", "confirmed"));
    let known = bench.load::<Reconciliation>(id).await;
    let now = bench.store.clock().now();
    bench.append(want(&known, Provider::Wave, fatou(), day(), finance(), now).unwrap()).await.unwrap();
    work(&bench).await;
    let known = bench.load::<Reconciliation>(id).await;
    assert_eq!(known.state.unexplained().count(), 0, "{:?}", kinds(&known.state));
    bench.append(close(&known, finance(), bench.store.clock().now()).unwrap()).await.unwrap();
    for account in [Account::at_provider(Kind::Wave.method()).unwrap(), Account::ProviderFees, Account::Suspense] {
        assert_eq!(on(&bench, account).await, 0, "{account}");
    }
}

/// A statement of the platform's account lists this as given back.
async fn the_platform_lists(bench: &Bench, payment: PaymentId, amount: i64) {
    let listing = Listing {
        transaction: ProviderId::new("T_NOT_OURS").unwrap(),
        reference: Some(domain::payment::reference(payment.uuid(), 1)),
        is: Is::Refund,
        state: LineState::Succeeded,
        method: Kind::Wave.method(),
        amount: Signed(Money::xof(-amount)),
        fee: Signed(Money::xof(0)),
        at: domain::reconciliation::begin(day()) + chrono::TimeDelta::hours(12),
    };
    let known = bench.load::<Reconciliation>(id_of(Provider::Wave, &main(), day())).await;
    let statement = Import {
        provider: Provider::Wave,
        account: main(),
        day: day(),
        source: Source::Csv,
        digest: Text::new(&"0".repeat(64)).unwrap(),
        lines: vec![Line { listing, checkout: None, number: None }],
        movements: Vec::new(),
        elsewhere: BTreeMap::new(),
        terms: Terms::default(),
        as_of_position: bench.store.head().await.unwrap(),
    };
    let now = bench.store.clock().now();
    bench.append(import(&known, &[], &statement, finance(), now).unwrap()).await.unwrap();
}

#[tokio::test]
async fn what_a_manager_gives_back_in_their_portal_is_written_down_from_their_statement_and_from_no_other() {
    let mut bench = bench(Kind::Wave).await;
    let purse = bench.add_account(Kind::Wave, "fatou").await;
    bench.through(Some("fatou"));
    let (_, payment) = bench.hold(242).await;
    bench.pump().await;
    bench.pay_at(&purse, Kind::Wave, payment).await;
    bench.pump().await;
    assert_eq!(on(&bench, Account::Collected(bench.site)).await, 0, "the views are not there yet");

    the_platform_lists(&bench, payment, DEPOSIT).await;
    work(&bench).await;
    let effects = bench.effects("observe_refund").await;
    assert_eq!(effects, [("dropped".to_owned(), Some("the payment is not one of this merchant account".to_owned()))]);
    assert_eq!(bench.refunds(payment).await, []);
    assert_eq!(on(&bench, Account::Collected(bench.site)).await, DEPOSIT);

    let checkout = bench.load::<Payment>(payment).await.state.provider_id().unwrap().clone();
    let portal = bench.ctx.providers.rail(Kind::Wave.method(), Some(&fatou())).unwrap();
    assert!(matches!(portal.provider.refund_full(&checkout).await, Outcome::Done(())));
    night(&bench).await;
    let id = id_of(Provider::Wave, &fatou(), day());
    let known = bench.load::<Reconciliation>(id).await;
    assert_eq!(kinds(&known.state), [(Of::MissingHere, Standing::Explained)], "{:?}", known.state.differences);
    let refunds = bench.refunds(payment).await;
    assert_eq!(
        refunds.iter().map(|(_, status, amount)| (*status, *amount)).collect::<Vec<_>>(),
        [("succeeded", DEPOSIT)]
    );
    bench.append(close(&known, finance(), bench.store.clock().now()).unwrap()).await.unwrap();
    work(&bench).await;
    assert_eq!(on(&bench, Account::Collected(bench.site)).await, 0);
    assert_eq!((on(&bench, Account::RefundsPayable).await, on(&bench, Account::ProviderFees).await), (0, 0));
}

#[tokio::test]
async fn the_statement_of_an_account_that_is_gone_waits_and_no_other_is_taken_for_it() {
    for (kind, provider) in KINDS {
        let mut bench = bench(kind).await;
        bench.add_account(kind, "fatou").await;
        let key = (kind.method(), fatou());
        let gone = bench.ctx.providers.accounts.remove(&key).unwrap();
        let id = id_of(provider, &fatou(), day());
        let known = bench.load::<Reconciliation>(id).await;
        let now = bench.store.clock().now();
        bench.append(want(&known, provider, fatou(), day(), finance(), now).unwrap()).await.unwrap();
        work(&bench).await;
        let effects = bench.effects("fetch_statement").await;
        let [(state, why)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(state, "ready");
        assert!(why.as_ref().unwrap().contains("merchant account fatou is not configured"), "{why:?}");
        bench.ctx.providers.accounts.insert(key, gone);
        bench.pass_in_steps(2, 60).await;
        work(&bench).await;
        let known = bench.load::<Reconciliation>(id).await.state;
        assert_eq!((known.status, known.wanted), (Status::Open, false), "{kind:?}");
    }
}
