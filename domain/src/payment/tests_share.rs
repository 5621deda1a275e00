//! The rulebook of shares: how one is asked for, paid, overpaid and paid again.

use chrono::Duration;

use crate::{
    Timestamp,
    actor::Role,
    ids::{ClientId, ShareId},
    money::Money,
    payment::{Method, RequestShare, Row, fail},
    reaction::{Notice, Reaction, Whom, react},
    refund::Reason,
    reservation::{Purpose, Status},
    spec::{
        shares::{Cut, FRIEND},
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, note},
        world::{CLIENT, No, World, person},
    },
};

/// Noon of the next day.
fn noon() -> Timestamp {
    evening(1) - Duration::hours(6)
}

#[test]
fn a_checkout_that_ends_while_a_share_is_paid_is_decided_again() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let slow = world.request_share(id, shares[1], Method::Yas, None, &[]).unwrap();
    world.open(slow).unwrap();
    let failed = fail(&world.load(slow), &world.paid_by(slow), &[], note("refused"), world.now);
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    assert_eq!(world.write(failed), Err(No::Conflict), "it would end the pledge with the old hold");
}

#[test]
fn a_share_is_paid_within_the_time_of_a_usual_hold() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    world.pass(300);
    let payment = world.request_share(id, shares[1], Method::Wave, None, &[]).unwrap();
    world.open(payment).unwrap();
    let checkout = world.payment(payment).checkout.unwrap();
    assert_eq!(checkout.close_at, Some(world.now + Duration::minutes(15)));
    assert_eq!(checkout.blocks_until, Some(noon() + Duration::minutes(2)));
}

#[test]
fn a_share_is_asked_for_at_a_provider_by_those_who_may() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let ask = |world: &mut World, share, method| world.request_share(id, share, method, None, &[]);
    assert_eq!(ask(&mut world, shares[0], Method::Cash), Err(No::Refused("payment.by_hand")));
    let unknown = ShareId::new(uuid::Uuid::from_u128(1));
    assert_eq!(ask(&mut world, unknown, Method::Wave), Err(No::Refused("payment.no_such_share")));
    let (reservation, payment) = (world.load(id), crate::aggregate::Loaded::new(world.id().into()));
    let request = RequestShare {
        reservation: &reservation,
        payment: &payment,
        others: &[],
        share_id: shares[0],
        method: Method::Wave,
        payer: None,
        by: person(Role::Gatekeeper, 1),
    };
    let written = request.decide(world.now);
    assert_eq!(world.write(written), Err(No::Refused("payment.role_not_allowed")));
    let mut before = payment.clone();
    before.version = 1;
    let again = RequestShare { payment: &before, by: client(), ..request };
    assert_eq!(world.write(again.decide(world.now)), Err(No::Refused("payment.already_requested")));
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    assert_eq!(ask(&mut world, shares[0], Method::Wave), Err(No::Refused("payment.share_paid")));
    world.now = noon();
    assert_eq!(ask(&mut world, shares[1], Method::Wave), Err(No::Refused("reservation.hold_expired")));
    let unsplit = world.place(&Booking::online(evening(4)), Paying::Later).unwrap().0;
    let written = world.request_share(unsplit, shares[0], Method::Wave, None, &[]);
    assert_eq!(written, Err(No::Refused("payment.no_such_share")));
}

/// Or whoever asked first would get what somebody else pays, when it goes back.
#[test]
fn a_share_is_asked_for_anew_by_another_payer() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let first = world.request_share(id, shares[0], Method::OrangeMoney, Some(CLIENT), &[]).unwrap();
    world.open(first).unwrap();
    let own = world.request_share(id, shares[0], Method::OrangeMoney, Some(CLIENT), &[first]);
    assert_eq!(own, Err(No::Refused("payment.share_open")));
    let second = world.request_share(id, shares[0], Method::OrangeMoney, Some(FRIEND), &[first]).unwrap();
    assert_eq!(world.payment(second).request.unwrap().client_id, Some(FRIEND));
}

#[test]
fn whoever_changes_the_rail_does_not_wait_for_the_first_one() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let wave = world.request_share(id, shares[0], Method::Wave, None, &[]).unwrap();
    world.open(wave).unwrap();
    let again = world.request_share(id, shares[0], Method::Wave, None, &[wave]);
    assert_eq!(again, Err(No::Refused("payment.share_open")), "there is a link for it already");
    assert!(world.request_share(id, shares[0], Method::OrangeMoney, None, &[wave]).is_ok());
    assert!(world.request_share(id, shares[1], Method::Wave, None, &[wave]).is_ok(), "another share");
    let failed = fail(&world.load(wave), &world.paid_by(wave), &[], note("no money"), world.now);
    world.write(failed).unwrap();
    assert!(world.request_share(id, shares[0], Method::Wave, None, &[wave]).is_ok());
}

#[test]
fn while_it_is_held_what_is_split_is_paid_in_shares() {
    let mut world = World::new();
    let (id, _) = world.together(evening(2), &Cut::full(noon()));
    assert_eq!(world.request(id, Purpose::Deposit), Err(No::Refused("payment.split")));
    assert_eq!(world.request(id, Purpose::Full), Err(No::Refused("payment.split")));
    // The manager who has the deposit in the till says that it will be played, as ever.
    world.record(id, Method::Cash, DEPOSIT, manager()).unwrap();
    assert_eq!(world.reservation(id).status, Status::Confirmed);
    assert!(world.request(id, Purpose::Balance).is_ok());
}

#[test]
fn the_organiser_hears_of_every_share_and_of_no_link() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let from = world.log.len() - 1;
    let payment = world.request_share(id, shares[0], Method::Wave, Some(FRIEND), &[]).unwrap();
    let owed = |world: &World, from: usize| -> Vec<Reaction> {
        world.log[from..].iter().flat_map(|(_, event)| react(event)).collect()
    };
    assert_eq!(owed(&world, from), [Reaction::OpenCheckout { payment_id: payment }]);
    let from = world.log.len();
    world.land(payment, "T1", TOTAL / 5).unwrap();
    let notice = Notice::SharePaid { reservation_id: id, payment_id: payment };
    assert!(owed(&world, from).contains(&Reaction::Tell { whom: Whom::Client(CLIENT), notice }));
}

#[test]
fn an_overpaid_share_is_credit_of_whoever_paid_it_or_goes_back() {
    for (payer, known) in [(Some(FRIEND), true), (None, false)] {
        let mut world = World::new();
        let (id, shares) = world.together(evening(2), &Cut::full(noon()));
        let payment = world.request_share(id, shares[0], Method::Wave, payer, &[]).unwrap();
        assert_eq!(world.land(payment, "T1", TOTAL / 5 + 300), Ok(Row::Allocated));
        assert_eq!(world.reservation(id).held_money(), Money::xof(TOTAL / 5));
        let credited = |client: ClientId| world.version(client.into());
        assert_eq!((credited(FRIEND), credited(CLIENT)), (i32::from(known), 0), "never the organiser's");
        let back: Vec<_> = world.refunds().iter().map(|refund| (refund.amount, refund.reason)).collect();
        assert_eq!(back, if known { vec![] } else { vec![(Money::xof(300), Reason::Overpayment)] });
        let account = format!("client:{FRIEND}:credit");
        assert_eq!(crate::spec::ledgers::balance(&world, &account), if known { -300 } else { 0 });
    }
}

#[test]
fn an_underpaid_share_is_asked_for_again() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let payment = world.request_share(id, shares[0], Method::Wave, None, &[]).unwrap();
    assert_eq!(world.land(payment, "T1", 3_000), Ok(Row::Underpaid));
    let (_, row) = world.pay_share(id, shares[0], Method::Wave).unwrap();
    assert_eq!(row, Row::Allocated);
    let first = world.reservation(id).shares().next().unwrap();
    assert_eq!((first.received, first.due, first.payments.len()), (Money::xof(TOTAL / 5), Money::xof(0), 2));
    assert!(world.reservation(id).split.unwrap().pledged);
}
