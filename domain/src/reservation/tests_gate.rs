//! The rulebook of reservations, at the gate and of the cells.

use chrono::Duration;

use crate::{
    actor::{Actor, Role},
    event::Event,
    guard::{self, Op},
    money::Money,
    payment::{Method, expire, fail},
    policy::Policy,
    refund::Reason,
    reservation::{CancelReason, Channel, Event as Happened, Purpose, Refusal, Reservation, Status, check_in},
    spec::{
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, note},
        world::{No, World, Written},
    },
};

const CASH_DEPOSIT: Paying = Paying::Recorded(Method::Cash, Purpose::Deposit);

fn refused(code: &'static str) -> Written {
    Err(No::Refused(code))
}

fn status(world: &World, id: crate::ids::ReservationId) -> Status {
    world.reservation(id).status
}

fn refunded(world: &World) -> Vec<i64> {
    world.refunds().iter().map(|refund| refund.amount.amount).collect()
}

// Check-in, completion, no-show

#[test]
fn never_again_a_deposit_only_client_is_refused_at_the_gate() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(0));
    world.now = evening(0);
    assert_eq!(world.check_in(id), Ok(vec!["reservation.checked_in"]));
    let Some((_, Event::Reservation(Happened::CheckedIn(checked_in)))) = world.log.last() else { panic!() };
    assert_eq!(checked_in.balance_due, Money::xof(TOTAL - DEPOSIT));
}

#[test]
fn never_again_early_arrival_is_refused() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(0));
    world.now = evening(0) - Duration::minutes(30) - Duration::seconds(1);
    assert_eq!(world.check_in(id), refused("reservation.too_early_to_check_in"));
    world.now = evening(0) - Duration::minutes(30);
    assert!(world.check_in(id).is_ok());
}

#[test]
fn never_again_a_ticket_is_usable_twice() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(0));
    world.now = evening(0);
    world.check_in(id).unwrap();
    assert_eq!(world.check_in(id), refused("reservation.already_checked_in"));
    world.now = evening(0) + Duration::minutes(105);
    world.finish(id).unwrap();
    assert_eq!(world.check_in(id), refused("reservation.already_checked_in"));
}

#[test]
fn check_in_ends_with_the_reservation_and_needs_one() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(0));
    let (unpaid, _) = world.hold(evening(1));
    world.now = evening(0) + Duration::minutes(90) - Duration::seconds(1);
    assert_eq!(world.check_in(unpaid), refused("reservation.not_confirmed"));
    let (before_end, at_end) = (world.clone().check_in(id), {
        world.pass(1);
        world.check_in(id)
    });
    assert!(before_end.is_ok());
    assert_eq!(at_end, refused("reservation.too_late_to_check_in"));
}

#[test]
fn a_client_cannot_check_themselves_in() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(0));
    world.now = evening(0);
    let by_client = check_in(&world.load(id), client(), world.now);
    assert_eq!(by_client, Err(Refusal::RoleNotAllowed { role: Role::Client }));
}

#[test]
fn completion_is_15_minutes_after_the_end_and_frees_the_cells() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(0));
    world.now = evening(0);
    world.check_in(id).unwrap();
    world.now = evening(0) + Duration::minutes(104);
    assert_eq!(world.finish(id), refused("reservation.not_over"));
    world.pass(1);
    assert_eq!(world.finish(id), Ok(vec!["reservation.completed"]));
    assert!(world.claiming().is_empty());
    assert_eq!(world.finish(id), Ok(vec![]));
}

#[test]
fn a_no_show_loses_the_deposit_gets_the_balance_back_and_may_owe_a_fine() {
    let mut world = World::new();
    let policy = Policy { no_show_fine: Some(Money::xof(5_000)), ..Policy::default() };
    let booking = Booking { policy, ..Booking::manual(evening(0)) };
    let (id, _) = world.place(&booking, Paying::Recorded(Method::Transfer, Purpose::Full)).unwrap();
    world.now = evening(0) + Duration::minutes(105);
    world.finish(id).unwrap();
    let no_show = world.log.iter().find_map(|(_, event)| match event {
        Event::Reservation(Happened::NoShow(no_show)) => Some(no_show.clone()),
        _ => None,
    });
    let no_show = no_show.unwrap();
    assert_eq!((no_show.kept, no_show.fine), (Money::xof(DEPOSIT), Some(Money::xof(5_000))));
    assert_eq!(refunded(&world), [TOTAL - DEPOSIT]);
    assert_eq!((status(&world, id), world.refunds()[0].reason), (Status::NoShow, Reason::NoShow));
    assert_eq!(world.reservation(id).held_money(), Money::xof(DEPOSIT));
    // Without a client there is nobody who could owe a fine.
    let walk_in = Booking { client: None, ..booking };
    let (id, _) = world.place(&Booking { from: evening(1), ..walk_in }, CASH_DEPOSIT).unwrap();
    world.now = evening(1) + Duration::minutes(105);
    world.finish(id).unwrap();
    let Some((_, Event::Reservation(Happened::NoShow(no_show)))) = world.log.last() else { panic!() };
    assert_eq!((no_show.reservation_id, no_show.fine), (id, None));
}

// Holds and guards

#[test]
fn a_hold_is_not_ended_on_old_news_of_its_checkout() {
    let mut world = World::new();
    let wave = Paying::Online(Method::Wave, Purpose::Deposit);
    let (id, payment) = world.place(&Booking::online(evening(2)), wave).unwrap();
    world.pass(15);
    let before = world.load(payment);
    let expiring = super::expire(&world.load(id), &[&before], world.now);
    // The checkout opens between the decision and its writing.
    world.open(payment).unwrap();
    assert_eq!(world.write(expiring), Err(No::Conflict));
}

#[test]
fn a_checkout_that_failed_leaves_the_other_one_its_grace() {
    let mut world = World::new();
    let (id, first) = world.hold(evening(2));
    let second = world.request(id, Purpose::Deposit).unwrap();
    world.open(second).unwrap();
    let failed =
        fail(&world.load(first), &world.paid_by(first), &[&world.load(second)], note("changed their mind"), world.now);
    world.write(failed).unwrap();
    world.pass(16);
    assert_eq!(world.place(&Booking::manual(evening(2)), CASH_DEPOSIT), Err(No::SlotTaken), "the second one is open");
    let closed = expire(&world.load(second), &world.paid_by(second), &[&world.load(first)], world.now);
    world.write(closed).unwrap();
    assert!(world.place(&Booking::manual(evening(2)), CASH_DEPOSIT).is_ok(), "none is open any more");
}

#[test]
fn a_match_that_is_broken_off_is_paid_back_in_full() {
    for (reason, by) in [
        (CancelReason::PowerCut, manager()),
        (CancelReason::Weather, manager()),
        (CancelReason::Manager, manager()),
        (CancelReason::Closure, Actor::SYSTEM),
    ] {
        let mut world = World::new();
        let (id, _) = world.confirm(evening(0));
        world.now = evening(0);
        world.check_in(id).unwrap();
        world.pass(40);
        assert_eq!(world.cancel(id, CancelReason::Client, client()), refused("reservation.not_confirmed"));
        world.cancel(id, reason, by).unwrap();
        assert_eq!((status(&world, id), refunded(&world)), (Status::Cancelled, vec![DEPOSIT]), "{reason:?}");
        assert!(world.claiming().is_empty());
        world.pass(120);
        assert_eq!(world.finish(id), Ok(vec![]), "it is over already");
    }
}

#[test]
fn never_again_a_slot_whose_deposit_is_paid_is_sold_again() {
    let mut world = World::new();
    world.confirm(evening(2));
    for minutes in [0, 30, 24 * 60] {
        world.pass(minutes);
        assert_eq!(world.place(&Booking::manual(evening(2)), CASH_DEPOSIT), Err(No::SlotTaken));
    }
}

#[test]
fn never_again_holds_never_expire() {
    let mut world = World::new();
    let (id, _) = world.place(&Booking::online(evening(2)), Paying::Later).unwrap();
    assert_eq!(world.expire(id, &[]), refused("reservation.hold_alive"));
    world.pass(15);
    // Even when no timer ever rings, the hold is no longer in the way.
    assert!(world.blocking().is_empty());
    assert!(world.clone().place(&Booking::manual(evening(2)), CASH_DEPOSIT).is_ok());
    assert_eq!(world.expire(id, &[]), Ok(vec!["reservation.expired"]));
    assert_eq!(world.expire(id, &[]), Ok(vec![]));
}

#[test]
fn never_again_18_to_19_and_19_to_20_overlap() {
    let mut world = World::new();
    world.place(&Booking::manual(evening(2)), CASH_DEPOSIT).unwrap();
    let right_after = evening(2) + Duration::minutes(90);
    assert!(world.place(&Booking::manual(right_after), CASH_DEPOSIT).is_ok());
    let right_before = evening(2) - Duration::minutes(90);
    assert!(world.place(&Booking::manual(right_before), CASH_DEPOSIT).is_ok());
}

#[test]
fn never_again_90_minutes_are_billed_and_60_held() {
    let mut world = World::new();
    let (id, _) = world.place(&Booking::manual(evening(2)), CASH_DEPOSIT).unwrap();
    let held = world.reservation(id).terms.unwrap();
    let billed: i64 = held.price.lines.iter().map(|line| line.during.minutes()).sum();
    let claimed: Vec<i64> = guard::of(&held.into())
        .iter()
        .filter_map(|op| if let Op::Claim(claim) = op { Some(claim.during.minutes()) } else { None })
        .collect();
    assert_eq!(claimed, [billed]);
}

#[test]
fn never_again_a_manual_confirm_has_no_money_record() {
    let mut world = World::new();
    let (id, _) = world.place(&Booking::online(evening(2)), Paying::Later).unwrap();
    // There is no verb that confirms: only money, or a name that vouches for it, does.
    let nameless = Actor { role: Role::Manager, id: None };
    for method in [Method::Cash, Method::Transfer, Method::OnAccount] {
        assert_eq!(world.record(id, method, TOTAL, nameless), Err(No::Refused("payment.name_required")));
    }
    world.record(id, Method::OnAccount, TOTAL, manager()).unwrap();
    assert_eq!(status(&world, id), Status::Confirmed);
    assert!(world.names().contains(&"payment.put_on_account"));
}

#[test]
fn the_channel_says_which_limits_apply() {
    let mut world = World::new();
    let (online, _) = world.place(&Booking::online(evening(2)), Paying::Later).unwrap();
    let (manual, _) = world.place(&Booking::manual(evening(3)), Paying::Later).unwrap();
    let limited = |id| {
        let held = world.reservation(id).terms.unwrap();
        guard::of(&held.into()).iter().any(|op| matches!(op, Op::Limit { .. }))
    };
    assert_eq!((limited(online), limited(manual)), (true, false));
    assert_eq!(world.reservation(manual).terms.unwrap().channel, Channel::Manual);
    assert_eq!(world.load::<Reservation>(online).version, 1);
}
