//! Refunds that somebody made at the provider without us, on each rail: seen by what the rail tells, or said by a person;
//! in the log once, and never paid a second time.

use adapters::{payments::PayoutOrder, statements};
use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::{PaymentId, PrincipalId, RefundId},
    ledger::Account,
    money::Money,
    payment::{Payment, ProviderId, reference},
    phone::Phone,
    reconciliation::{
        Import, Provider, Reconciliation, Scope, Source, Standing, Terms, close, end, id_of, import, want,
    },
    refund::{Movement, Observed, Reason, Refund},
    reservation::Reservation,
    text::{Note, Text},
};
use serde_json::json;
use uuid::Uuid;

use super::{
    bench::{Bench, CLIENT, DEPOSIT},
    each_rail::books,
    money::cancel,
    rails::{Kind, on_each_rail},
    statements::{day, main, night, on, work},
};

on_each_rail!(
    one_made_outside_is_observed_by_what_its_rail_tells,
    one_made_outside_and_said_by_a_person_is_in_the_log_once,
    what_went_back_outside_is_not_given_back_again,
);
on_each_rail!(@ webpay WebPay one_made_outside_and_said_by_a_person_is_in_the_log_once
    what_went_back_outside_is_not_given_back_again);

fn finance() -> Actor {
    Actor::new(Role::Finance, PrincipalId::new(Uuid::from_u128(0xF1)))
}

/// Somebody gives the deposit back with the provider's own means: the movement's id there, where there is one. A card's
/// portal and a wallet that is handed over leave nothing that a program could see.
async fn by_hand(bench: &Bench, payment: PaymentId) -> Option<ProviderId> {
    let rail = &bench.ctx.providers.rails[&bench.kind.method()].provider;
    let state = bench.load::<Payment>(payment).await.state;
    match bench.kind {
        Kind::Wave | Kind::Yas => {
            let whole = rail.refund_full(state.provider_id().unwrap()).await;
            // PayTech does it later.
            assert!(bench.kind == Kind::Yas || matches!(whole, adapters::call::Outcome::Done(())), "{whole:?}");
        }
        Kind::OrangeMoney => {
            let order = PayoutOrder {
                recipient: Phone::new(CLIENT).unwrap(),
                amount: Money::xof(DEPOSIT),
                reference: reference(payment.uuid(), 1),
                idempotency_key: "portal".into(),
                reason: None,
            };
            let sent = rail.payout(&order).await;
            let adapters::call::Outcome::Done(sent) = sent else { panic!("{sent:?}") };
            let adapters::payments::PayoutStatus::Succeeded { provider_id, .. } = sent else { panic!("{sent:?}") };
            return Some(provider_id);
        }
        Kind::Card | Kind::WebPay => {}
    }
    None
}

/// What a rail tells of it, up to when it is known here.
async fn told(bench: &Bench, payment: PaymentId) {
    match bench.kind {
        Kind::Wave | Kind::OrangeMoney => {
            if !the_day_is_over(bench) {
                return night(bench).await;
            }
            let provider = provider(bench.kind).unwrap();
            let known = bench.load::<Reconciliation>(id_of(provider, &main(), day())).await;
            let now = bench.store.clock().now();
            bench.append(want(&known, provider, main(), day(), finance(), now).unwrap()).await.unwrap();
            work(bench).await;
        }
        Kind::Yas => {
            bench.pass_in_steps(3, 60).await;
            bench.rail.control(json!({"do": "drain"})).await;
            bench.pump().await;
        }
        Kind::Card => {
            work(bench).await;
            let file = format!(
                "transaction,kind,state,amount,fee,currency,at,method,reference\n\
                 CARD-BACK-1,refund,succeeded,-{DEPOSIT},0,XOF,{}T12:00:00Z,card,{}\n",
                day(),
                reference(payment.uuid(), 1)
            );
            let captured = bench.load::<Payment>(payment).await.state.captures[0].clone();
            let charge = format!(
                "{},charge,succeeded,{DEPOSIT},0,XOF,{},card,{}\n",
                captured.transaction,
                captured.at.to_rfc3339(),
                reference(payment.uuid(), 1)
            );
            read(bench, Provider::Paydunya, &(file + &charge)).await;
            work(bench).await;
        }
        Kind::WebPay => unreachable!("it tells nothing"),
    }
}

fn the_day_is_over(bench: &Bench) -> bool {
    bench.store.clock().now() >= end(day())
}

/// A statement comes as a file.
async fn read(bench: &Bench, provider: Provider, file: &str) {
    let listed = statements::read(provider, day(), file.as_bytes()).unwrap();
    let subjects = bench.store.subjects();
    let lines: Vec<_> = listed.into_iter().map(|line| line.line(|number| subjects.hash_phone(number))).collect();
    let scope = Scope { provider, account: main(), day: day() };
    let sides = projections::reconciliation::sides(bench.store.pool(), &scope, &lines);
    let sides = sides.await.unwrap();
    let wish = Import {
        provider,
        account: main(),
        day: day(),
        source: Source::Csv,
        digest: Text::new(&hex::encode([0; 32])).unwrap(),
        lines,
        movements: sides.movements,
        elsewhere: sides.elsewhere,
        terms: Terms::default(),
        as_of_position: sides.as_of,
    };
    let known: Loaded<Reconciliation> = bench.load(id_of(provider, &main(), day())).await;
    let now = bench.store.clock().now();
    bench.append(import(&known, &[], &wish, finance(), now).unwrap()).await.unwrap();
}

fn provider(kind: Kind) -> Option<Provider> {
    match kind {
        Kind::Wave => Some(Provider::Wave),
        Kind::OrangeMoney => Some(Provider::Sonatel),
        Kind::Card => Some(Provider::Paydunya),
        Kind::Yas | Kind::WebPay => None,
    }
}

/// A person of finance says what they have seen.
async fn say(bench: &Bench, payment: PaymentId, provider_id: ProviderId) -> RefundId {
    let payment: Loaded<Payment> = bench.load(payment).await;
    let reservation: Loaded<Reservation> = bench.load(payment.state.request.as_ref().unwrap().reservation_id).await;
    let mut refunds = Vec::new();
    for allotment in &payment.state.allotments {
        refunds.push(bench.load::<Refund>(allotment.refund_id).await);
    }
    let observed = Observed {
        payment: &payment,
        reservation: &reservation,
        refunds: &refunds,
        refund_id: RefundId::new(bench.store.clock().new_id()),
        movement: Movement {
            provider_id,
            method: bench.kind.method(),
            amount: Money::xof(DEPOSIT),
            transaction: None,
            note: Note::new("Vu dans le portail").unwrap(),
        },
        by: finance(),
        now: bench.store.clock().now(),
    };
    let seen = observed.decide().unwrap();
    bench.append(seen.decision).await.unwrap();
    bench.pump().await;
    seen.refund_id
}

/// One refund, by nobody's wish, paid; the books of the log and those of the provider agree.
async fn is_written_down(bench: &Bench, payment: PaymentId) {
    let refunds = bench.refunds(payment).await;
    let [(id, "succeeded", DEPOSIT)] = refunds.as_slice() else { panic!("{:?}: {refunds:?}", bench.kind) };
    assert_eq!(bench.load::<Refund>(*id).await.state.request.unwrap().reason, Reason::External);
    work(bench).await;
    let clearing = Account::at_provider(bench.kind.method()).unwrap();
    assert_eq!((on(bench, clearing).await, on(bench, Account::Suspense).await), (0, 0), "{:?}", bench.kind);
    assert_eq!(on(bench, Account::RefundsPayable).await, 0);
}

async fn one_made_outside_is_observed_by_what_its_rail_tells(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (_, payment) = bench.confirmed(240).await;
    by_hand(&bench, payment).await;
    told(&bench, payment).await;
    is_written_down(&bench, payment).await;
    if let Some(provider) = provider(kind) {
        let known: Loaded<Reconciliation> = bench.load(id_of(provider, &main(), day())).await;
        let all: Vec<_> = known.state.differences.iter().map(|it| (it.found.kind, it.standing)).collect();
        assert!(!all.is_empty() && all.iter().all(|(_, standing)| *standing == Standing::Explained), "{all:?}");
        assert_eq!(known.state.pairs.len(), 2, "what came, and what went back");
    }
    // The same news once more is none, and the day closes.
    told(&bench, payment).await;
    is_written_down(&bench, payment).await;
    if let Some(provider) = provider(kind) {
        let known: Loaded<Reconciliation> = bench.load(id_of(provider, &main(), day())).await;
        assert_eq!(known.state.unexplained().count(), 0, "{:?}", known.state.differences);
        close(&known, finance(), end(day())).unwrap();
    }
}

async fn one_made_outside_and_said_by_a_person_is_in_the_log_once(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (_, payment) = bench.confirmed(240).await;
    let movement = by_hand(&bench, payment).await.unwrap_or_else(|| ProviderId::new("PORTAL-1").unwrap());
    let first = say(&bench, payment, movement.clone()).await;
    assert_eq!(say(&bench, payment, movement).await, first);
    is_written_down(&bench, payment).await;
    // Nor does what the rail tells later make a second one of it.
    if kind != Kind::WebPay {
        told(&bench, payment).await;
    }
    assert_eq!(bench.refunds(payment).await.len(), 1);
}

async fn what_went_back_outside_is_not_given_back_again(kind: Kind) {
    let bench = Bench::by(kind).await;
    let (reservation, payment) = bench.confirmed(240).await;
    let movement = by_hand(&bench, payment).await.unwrap_or_else(|| ProviderId::new("PORTAL-1").unwrap());
    let before = books(&bench).await;
    say(&bench, payment, movement).await;
    cancel(&bench, reservation).await;
    bench.pass_in_steps(6, 60).await;
    assert_eq!(bench.refunds(payment).await.len(), 1, "nothing is left to give");
    let after = books(&bench).await;
    let late = if kind == Kind::Yas { (DEPOSIT, DEPOSIT) } else { before };
    assert_eq!(after, late, "{kind:?}");
    assert_eq!(bench.status(reservation).await, "cancelled");
}
