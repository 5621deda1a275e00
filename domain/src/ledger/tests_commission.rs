//! Whose each franc of a story is by its contract: when it is charged, when it goes back, in whose hands the money is. That it
//! holds whatever happens is a law of `spec::ledgers`.

use super::{
    Account,
    tests::{WAVE, stands},
};
use crate::{
    actor::Role,
    contract::{Contract, Flow},
    decision::{Change, Decision},
    ids::{PaymentId, RefundId, ReservationId},
    payment::{Method, ProviderId, Row},
    policy::BasisPoints,
    refund,
    reservation::{CancelReason, Purpose},
    site::{Site, set_contract},
    spec::{
        example,
        ledgers::{Ledger, entries},
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager},
        world::{CLIENT, SITE, World, person},
    },
};

const PAYABLE: Account = Account::SitePayable(SITE);
const COLLECTED: Account = Account::Collected(SITE);
const DUE: Account = Account::CommissionDue(SITE);

const fn ours(basis_points: u16) -> Contract {
    Contract { flow: Flow::PlatformCollects, commission: BasisPoints(basis_points), merchant_account: None }
}

const fn theirs(basis_points: u16) -> Contract {
    Contract { flow: Flow::ManagerCollects, commission: BasisPoints(basis_points), merchant_account: None }
}

/// Held under this contract, a Wave checkout open for the deposit.
fn held(world: &mut World, contract: Contract) -> (ReservationId, PaymentId) {
    let booking = Booking { contract, ..Booking::online(evening(2)) };
    let (reservation, payment) = world.place(&booking, Paying::Online(Method::Wave, Purpose::Deposit)).unwrap();
    world.open(payment).unwrap();
    (reservation, payment)
}

/// Confirmed under this contract, by a deposit of 12 000 through Wave.
fn confirmed(world: &mut World, contract: Contract) -> (ReservationId, PaymentId) {
    let (reservation, payment) = held(world, contract);
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::Confirmed));
    (reservation, payment)
}

/// The same, and they are there.
fn playing(contract: Contract) -> (World, ReservationId, PaymentId) {
    let mut world = World::new();
    let (reservation, payment) = confirmed(&mut world, contract.clone());
    world.now = evening(2);
    world.check_in(reservation).unwrap();
    (world, reservation, payment)
}

fn paid_out(world: &mut World, refund_id: RefundId) {
    world.submit(refund_id).unwrap();
    let id = ProviderId::new("pt-1").ok();
    world.with_refund(refund_id, |it, now| refund::succeed(it, id, manager(), now)).unwrap();
}

#[test]
fn commission_is_never_on_unpaid_or_refunded_money() {
    for contract in [ours(1_000), theirs(1_000), ours(10_000), theirs(10_000)] {
        let charged = |world: &World| Ledger::of(world).unwrap().balance(Account::Commission);
        // Never paid: the hold ends.
        let mut world = World::new();
        let (reservation, payment) = held(&mut world, contract.clone());
        world.pass(20);
        world.expire(reservation, &[payment]).unwrap();
        stands(&world, &[]);
        // Paid and not played yet; then called off in time, and all of it goes back.
        let mut world = World::new();
        let (reservation, _) = confirmed(&mut world, contract.clone());
        assert_eq!(charged(&world), 0);
        world.cancel(reservation, CancelReason::Client, client()).unwrap();
        assert_eq!(charged(&world), 0);
        let refund_id = world.refunds()[0].refund_id;
        paid_out(&mut world, refund_id);
        stands(&world, &[]);
        // On account: played, and nobody paid.
        let mut world = World::new();
        let booking = Booking { contract: contract.clone(), ..Booking::manual(evening(2)) };
        let (reservation, _) = world.place(&booking, Paying::Recorded(Method::OnAccount, Purpose::Full)).unwrap();
        world.now = evening(2);
        world.check_in(reservation).unwrap();
        stands(&world, &[]);
        // Paid twice: the second time is nobody's to charge.
        let (mut world, _, payment) = playing(contract);
        let once = charged(&world);
        world.land(payment, "T2", DEPOSIT).unwrap();
        assert_eq!(charged(&world), once);
    }
}

#[test]
fn the_rate_is_frozen_when_it_is_placed() {
    let mut world = World::new();
    let events = example::history().into_iter().map(Into::into).collect();
    let history = Change { stream: SITE.into(), expected: 0, events };
    world.append(&Decision { changes: vec![history], reads: Vec::new() }).unwrap();
    let agree = |world: &mut World, contract| {
        let set = set_contract(&world.load::<Site>(SITE), contract, person(Role::Admin, 5), world.now);
        assert_eq!(world.write(set).unwrap(), ["site.contract_set"]);
    };
    let contract = |world: &World| world.load::<Site>(SITE).state.contract();
    agree(&mut world, ours(500));
    let agreed = contract(&world);
    let (first, _) = confirmed(&mut world, agreed);
    agree(&mut world, theirs(9_000));
    world.now = evening(2);
    world.check_in(first).unwrap();
    // The balance comes under the old contract, too.
    world.record(first, Method::Cash, TOTAL - DEPOSIT, manager()).unwrap();
    let old =
        [(WAVE, DEPOSIT), (Account::Cash(SITE), TOTAL - DEPOSIT), (PAYABLE, -38_000), (Account::Commission, -2_000)];
    stands(&world, &old);
    assert_eq!(world.reservation(first).terms.unwrap().contract, ours(500));
    let booking = Booking { contract: contract(&world), ..Booking::manual(evening(3)) };
    let (second, _) = world.place(&booking, Paying::Recorded(Method::Cash, Purpose::Deposit)).unwrap();
    assert_eq!(world.reservation(second).terms.unwrap().contract, theirs(9_000));
}

#[test]
fn a_refund_after_check_in_takes_its_commission_back() {
    let (mut world, _, payment) = playing(ours(1_000));
    let refund_id = world.ask_refund(payment, Some(5_000), manager()).unwrap();
    let owed = [(WAVE, DEPOSIT), (PAYABLE, -6_300), (Account::Commission, -700), (Account::RefundsPayable, -5_000)];
    stands(&world, &owed);
    paid_out(&mut world, refund_id);
    stands(&world, &[(WAVE, 7_000), (PAYABLE, -6_300), (Account::Commission, -700)]);

    let (mut world, _, payment) = playing(theirs(1_000));
    stands(&world, &[(DUE, 1_200), (Account::Commission, -1_200)]);
    let refund_id = world.ask_refund(payment, Some(5_000), manager()).unwrap();
    // It must come out of the site's pocket before it is paid.
    let owed = [(COLLECTED, 5_000), (DUE, 700), (Account::Commission, -700), (Account::RefundsPayable, -5_000)];
    stands(&world, &owed);
    let last = vec![(COLLECTED, 5_000), (DUE, -500), (Account::Commission, 500), (Account::RefundsPayable, -5_000)];
    assert_eq!(entries(&world).last(), Some(&("refund.approved", last)));
    paid_out(&mut world, refund_id);
    stands(&world, &[(DUE, 700), (Account::Commission, -700)]);
}

#[test]
fn rounding_never_makes_a_franc() {
    for (contract, rate) in [(ours(333), 333), (theirs(333), 333), (ours(1), 1), (theirs(9_999), 9_999)] {
        let (mut world, reservation, _) = playing(contract);
        // Franc by franc, each too little to be charged alone at the smaller rates.
        for paid in 1..=120 {
            world.record(reservation, Method::Cash, 1, manager()).unwrap();
            let charged = -Ledger::of(&world).unwrap().balance(Account::Commission);
            assert_eq!(charged, (DEPOSIT + paid) * rate / 10_000, "after {paid}");
        }
        let refunds: Vec<PaymentId> = world.reservation(reservation).paying();
        for payment in refunds {
            world.ask_refund(payment, None, manager()).unwrap();
        }
        let ledger = Ledger::of(&world).unwrap();
        let left = [Account::Commission, PAYABLE, DUE].map(|account| ledger.balance(account));
        assert_eq!(left, [0, 0, 0], "all went back");
        assert_eq!(ledger.balance(Account::RefundsPayable), -(DEPOSIT + 120));
    }
}

/// Called off by the client an hour before: the deposit is kept.
fn kept(contract: Contract) -> World {
    let mut world = World::new();
    let (reservation, _) = confirmed(&mut world, contract);
    world.now = evening(2) - chrono::Duration::hours(1);
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    world
}

#[test]
fn a_deposit_that_is_kept_when_the_platform_collects() {
    let world = kept(ours(1_000));
    let expected = [
        ("payment.succeeded", vec![(WAVE, 12_000), (Account::Unearned, -12_000)]),
        ("reservation.cancelled", vec![(Account::Unearned, 12_000), (PAYABLE, -10_800), (Account::Commission, -1_200)]),
    ];
    assert_eq!(entries(&world), expected);
    stands(&world, &[(WAVE, 12_000), (PAYABLE, -10_800), (Account::Commission, -1_200)]);
}

#[test]
fn a_deposit_that_is_kept_when_the_manager_collects() {
    let world = kept(theirs(1_000));
    let expected = [
        ("payment.succeeded", vec![(COLLECTED, 12_000), (Account::Unearned, -12_000)]),
        (
            "reservation.cancelled",
            vec![(Account::Unearned, 12_000), (COLLECTED, -12_000), (DUE, 1_200), (Account::Commission, -1_200)],
        ),
    ];
    assert_eq!(entries(&world), expected);
    stands(&world, &[(DUE, 1_200), (Account::Commission, -1_200)]);
}

#[test]
fn a_rate_of_nothing_and_a_rate_of_all() {
    stands(&kept(ours(0)), &[(WAVE, 12_000), (PAYABLE, -12_000)]);
    stands(&kept(ours(10_000)), &[(WAVE, 12_000), (Account::Commission, -12_000)]);
    stands(&kept(theirs(0)), &[]);
    stands(&kept(theirs(10_000)), &[(DUE, 12_000), (Account::Commission, -12_000)]);
}

#[test]
fn what_a_client_paid_too_much_the_site_has_and_the_platform_owes() {
    let mut world = World::new();
    let (reservation, payment) = held(&mut world, theirs(1_000));
    world.land(payment, "T1", TOTAL + 700).unwrap();
    stands(&world, &[(COLLECTED, TOTAL + 700), (Account::Unearned, -TOTAL), (Account::ClientCredit(CLIENT), -700)]);
    world.now = evening(2);
    world.check_in(reservation).unwrap();
    // The site keeps the price, not the credit, and no commission is on the credit.
    let expected =
        [(COLLECTED, 700), (Account::ClientCredit(CLIENT), -700), (DUE, 4_000), (Account::Commission, -4_000)];
    stands(&world, &expected);
}

#[test]
fn a_refund_as_credit_leaves_the_money_with_the_site() {
    let mut world = World::new();
    world.ways = refund::Ways { whole: false, payout: false };
    let (reservation, _) = confirmed(&mut world, theirs(1_000));
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    stands(&world, &[(COLLECTED, DEPOSIT), (Account::RefundsPayable, -DEPOSIT)]);
    let refund_id = world.refunds()[0].refund_id;
    assert!(world.submit(refund_id).unwrap().contains(&"client.credited"));
    stands(&world, &[(COLLECTED, DEPOSIT), (Account::ClientCredit(CLIENT), -DEPOSIT)]);
}

#[test]
fn whatever_comes_to_a_site_that_collects_is_in_its_hands() {
    let mut world = World::new();
    let booking = Booking { contract: theirs(1_000), ..Booking::manual(evening(2)) };
    let (reservation, _) = world.place(&booking, Paying::Recorded(Method::Cash, Purpose::Deposit)).unwrap();
    world.record(reservation, Method::Transfer, 5_000, manager()).unwrap();
    stands(&world, &[(COLLECTED, DEPOSIT + 5_000), (Account::Unearned, -DEPOSIT - 5_000)]);
    // What still comes when they are there is the site's at once.
    world.now = evening(2);
    world.check_in(reservation).unwrap();
    let cash = world.record(reservation, Method::Cash, 3_000, manager()).unwrap();
    let at_once = vec![(COLLECTED, 3_000), (COLLECTED, -3_000), (DUE, 300), (Account::Commission, -300)];
    assert_eq!(entries(&world).last(), Some(&("payment.succeeded", at_once)));
    stands(&world, &[(DUE, 2_000), (Account::Commission, -2_000)]);
    // And what goes back over the counter comes out of them.
    let refund_id = world.ask_refund(cash, None, manager()).unwrap();
    world.with_refund(refund_id, |it, now| refund::hand_out(it, manager(), now)).unwrap();
    let out = vec![(Account::RefundsPayable, 3_000), (COLLECTED, -3_000)];
    assert_eq!(entries(&world).last(), Some(&("refund.succeeded", out)));
    stands(&world, &[(DUE, 1_700), (Account::Commission, -1_700)]);
}
