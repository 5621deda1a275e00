//! Where each franc of a story is. That it is always somewhere, whatever happens, is a law of `spec::ledgers`.

use super::*;
use crate::{
    ids::{ClientId, SiteId},
    money::{Currency, Money},
    payment::{Method, ProviderId},
    refund,
    reservation::{CancelReason, Purpose},
    spec::{
        ledgers::Ledger,
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, note},
        world::{CLIENT, SITE, World},
    },
};

pub(super) const WAVE: Account = Account::Clearing(account::Provider::Wave);

/// Every account that is not at zero, by name.
#[track_caller]
pub(super) fn stands(world: &World, expected: &[(Account, i64)]) {
    let ledger = Ledger::of(world).unwrap();
    let mut found: Vec<(Account, i64)> = ledger.balances.into_iter().filter(|(_, amount)| *amount != 0).collect();
    let mut expected = expected.to_vec();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn never_again_a_deposit_is_revenue_before_anybody_came() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    stands(&world, &[(WAVE, DEPOSIT), (Account::Unearned, -DEPOSIT)]);
    world.now = evening(2);
    world.check_in(reservation).unwrap();
    stands(&world, &[(WAVE, DEPOSIT), (Account::SitePayable(SITE), -10_800), (Account::Commission, -1_200)]);
    let by = crate::spec::world::person(crate::actor::Role::Cashier, 2);
    world.record(reservation, Method::Cash, TOTAL - DEPOSIT, by).unwrap();
    let money = [(WAVE, DEPOSIT), (Account::Cash(SITE), TOTAL - DEPOSIT)];
    let whose = [(Account::SitePayable(SITE), -36_000), (Account::Commission, -4_000)];
    stands(&world, &[money, whose].concat());
}

#[test]
fn more_than_was_due_is_the_client_s() {
    let mut world = World::new();
    let (_, payment) = world.hold(evening(2));
    world.land(payment, "T1", TOTAL + 700).unwrap();
    stands(&world, &[(WAVE, TOTAL + 700), (Account::Unearned, -TOTAL), (Account::ClientCredit(CLIENT), -700)]);
}

#[test]
fn a_second_success_is_owed_until_it_is_paid_back() {
    let mut world = World::new();
    let (_, payment) = world.confirm(evening(2));
    world.land(payment, "T2", DEPOSIT).unwrap();
    stands(&world, &[(WAVE, 2 * DEPOSIT), (Account::Unearned, -DEPOSIT), (Account::RefundsPayable, -DEPOSIT)]);
    let refund_id = world.refunds()[0].refund_id;
    world.submit(refund_id).unwrap();
    world.with_refund(refund_id, |it, now| refund::succeed(it, None, manager(), now)).unwrap();
    stands(&world, &[(WAVE, DEPOSIT), (Account::Unearned, -DEPOSIT)]);
}

#[test]
fn a_refund_that_the_provider_took_back_is_owed_again() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    stands(&world, &[(WAVE, DEPOSIT), (Account::RefundsPayable, -DEPOSIT)]);
    let refund_id = world.refunds()[0].refund_id;
    world.submit(refund_id).unwrap();
    let id = || ProviderId::new("pt-1").ok();
    world.with_refund(refund_id, |it, now| refund::succeed(it, id(), manager(), now)).unwrap();
    stands(&world, &[]);
    world.with_refund(refund_id, |it, now| refund::reverse(it, note("taken back"), now)).unwrap();
    stands(&world, &[(WAVE, DEPOSIT), (Account::RefundsPayable, -DEPOSIT)]);
}

#[test]
fn a_late_cancellation_keeps_the_deposit_for_the_site() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    world.now = evening(2) - chrono::Duration::hours(1);
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    stands(&world, &[(WAVE, DEPOSIT), (Account::SitePayable(SITE), -10_800), (Account::Commission, -1_200)]);
}

#[test]
fn a_refund_that_waits_for_a_second_person_is_not_owed_yet() {
    let mut world = World::new();
    let full = Paying::Recorded(Method::Cash, Purpose::Full);
    let (reservation, _) = world.place(&Booking { total: 90_000, ..Booking::manual(evening(2)) }, full).unwrap();
    let payment = world.reservation(reservation).paying()[0];
    let refund_id = world.ask_refund(payment, None, manager()).unwrap();
    stands(&world, &[(Account::Cash(SITE), 90_000), (Account::Unearned, -90_000)]);
    world.second(refund_id, true, crate::spec::world::person(crate::actor::Role::Finance, 3)).unwrap();
    stands(&world, &[(Account::Cash(SITE), 90_000), (Account::RefundsPayable, -90_000)]);
}

#[test]
fn an_entry_that_is_not_balanced_is_none() {
    let one = Posting { account: Account::Unearned, amount: Money::xof(1) };
    assert_eq!(Entry::new([one]), Err(LedgerError::Unbalanced { sum: Money::xof(1) }));
    let other = Posting { account: Account::Suspense, amount: Money::new(-1, Currency::Eur) };
    assert!(matches!(Entry::new([one, other]), Err(LedgerError::Money(_))));
    let nothing = Posting { account: Account::Suspense, amount: Money::xof(0) };
    assert_eq!(Entry::new([nothing]), Ok(Entry::nothing()));
}

#[test]
fn an_account_is_read_by_its_name() {
    let (site, client) = (SiteId::new(uuid::Uuid::from_u128(7)), ClientId::new(uuid::Uuid::from_u128(8)));
    for account in [
        WAVE,
        Account::Clearing(account::Provider::OrangeMoney),
        Account::Clearing(account::Provider::Yas),
        Account::Cash(site),
        Account::Transfer(site),
        Account::Variance(site),
        Account::ClientCredit(client),
        Account::ClientDebt(client),
        Account::ProviderFees,
        Account::PayoutsPayable,
        Account::Unearned,
        Account::SitePayable(site),
        Account::Collected(site),
        Account::CommissionDue(site),
        Account::Commission,
        Account::RefundsPayable,
        Account::Suspense,
    ] {
        assert_eq!(account.to_string().parse(), Ok(account));
    }
    for name in [
        "",
        "provider:paypal:clearing",
        "cash:here:main",
        "deposits",
        "site::payable",
        "suspense:",
        "site:here:collected",
        "platform",
    ] {
        assert_eq!(name.parse::<Account>(), Err(AccountError), "{name}");
    }
}
