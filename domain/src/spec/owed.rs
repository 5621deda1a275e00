//! The rulebook of reactions: what the world is owed after each step of a story, and to whom it is said.

use chrono::Duration;

use super::{
    story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, note},
    world::{CLIENT, SITE, World},
};
use crate::{
    payment::{self, Method},
    reaction::{About, Alarm, Ask, Notice, Reaction, Whom, react},
    refund::{self, Route},
    reservation::{CancelReason, Purpose},
};

/// What is owed after the events written since `from`.
fn owed_since(world: &World, from: usize) -> Vec<Reaction> {
    world.log[from..].iter().flat_map(|(_, event)| react(event)).collect()
}

fn told(reactions: &[Reaction]) -> Vec<(Whom, Notice)> {
    let tell = |reaction: &Reaction| match reaction {
        Reaction::Tell { whom, notice } => Some((*whom, *notice)),
        _ => None,
    };
    reactions.iter().filter_map(tell).collect()
}

const TO_CLIENT: Whom = Whom::Client(CLIENT);
const TO_MANAGER: Whom = Whom::ManagerOf(SITE);

#[test]
fn a_hold_opens_a_checkout_says_the_link_and_wakes_at_its_end_and_after_the_grace() {
    let mut world = World::new();
    let wave = Paying::Online(Method::Wave, Purpose::Deposit);
    let (reservation_id, payment_id) = world.place(&Booking::online(evening(2)), wave).unwrap();
    let ends = world.now + Duration::minutes(15);
    let wake = |at| Reaction::Wake { reservation_id, at, alarm: Alarm::HoldEnds };
    let link = Reaction::Tell { whom: TO_CLIENT, notice: Notice::PayToConfirm { reservation_id, payment_id } };
    let expected = [wake(ends), wake(ends + Duration::minutes(2)), Reaction::OpenCheckout { payment_id }, link];
    assert_eq!(owed_since(&world, 0), expected);
}

#[test]
fn an_open_checkout_is_asked_about_and_closed_at_the_end_of_the_hold() {
    let mut world = World::new();
    let (_, payment_id) = world.hold(evening(2));
    let ask = Reaction::Ask(Ask::first(About::Payment(payment_id), world.now));
    let close = Reaction::CloseCheckout { payment_id, at: world.now + Duration::minutes(15) };
    assert_eq!(owed_since(&world, 2), [ask, close]);
    assert_eq!(ask.due(), Some(world.now + Duration::seconds(10)));
}

#[test]
fn a_confirmation_is_told_to_client_and_manager_with_reminder_and_end() {
    let mut world = World::new();
    let (reservation_id, payment) = world.hold(evening(2));
    let from = world.log.len();
    world.land(payment, "T1", DEPOSIT).unwrap();
    let notice = Notice::Confirmed { reservation_id };
    let wake = |at, alarm| Reaction::Wake { reservation_id, at, alarm };
    let expected = [
        Reaction::CloseCheckouts { reservation_id },
        Reaction::Tell { whom: TO_CLIENT, notice },
        Reaction::Tell { whom: TO_MANAGER, notice },
        wake(evening(2) - Duration::hours(2), Alarm::Remind { starts_at: evening(2) }),
        wake(evening(2) + Duration::minutes(105), Alarm::Finish),
    ];
    assert_eq!(owed_since(&world, from), expected);
}

#[test]
fn nobody_is_reminded_of_what_begins_in_an_hour() {
    let mut world = World::new();
    world.now = evening(0) - Duration::hours(1);
    world.confirm(evening(0));
    let remind = |reaction: &Reaction| matches!(reaction, Reaction::Wake { alarm: Alarm::Remind { .. }, .. });
    assert!(!owed_since(&world, 0).iter().any(remind));
}

#[test]
fn every_end_of_a_hold_looks_for_money_to_return_also_the_one_the_lane_writes() {
    let mut world = World::new();
    let (reservation_id, payment) = world.hold(evening(2));
    world.land(payment, "T1", 5_000).unwrap();
    world.pass(18);
    let from = world.log.len();
    let cash = Paying::Recorded(Method::Cash, Purpose::Deposit);
    world.place(&Booking::manual(evening(2)), cash).unwrap();
    assert!(owed_since(&world, from).contains(&Reaction::ReturnMoney { reservation_id }));
    let from = world.log.len();
    world.return_money(reservation_id).unwrap();
    let refund_id = world.refunds()[0].refund_id;
    let owed = owed_since(&world, from);
    assert!(owed.contains(&Reaction::SubmitRefund { refund_id }));
    assert_eq!(told(&owed), [(TO_CLIENT, Notice::PaidTooLittle { reservation_id, refund_id })]);
}

#[test]
fn a_lost_slot_is_told_with_the_refund_on_its_way() {
    let mut world = World::new();
    let (reservation_id, payment) = world.hold(evening(2));
    world.pass(18);
    let cash = Paying::Recorded(Method::Cash, Purpose::Deposit);
    world.place(&Booking::manual(evening(2)), cash).unwrap();
    let from = world.log.len();
    world.land(payment, "T1", DEPOSIT).unwrap();
    let refund_id = world.refunds()[0].refund_id;
    let told_client = Reaction::Tell { whom: TO_CLIENT, notice: Notice::SlotLost { reservation_id, refund_id } };
    assert_eq!(owed_since(&world, from), [told_client, Reaction::SubmitRefund { refund_id }]);
}

#[test]
fn another_amount_than_was_asked_for_alerts_finance() {
    let mut world = World::new();
    let (_, payment_id) = world.hold(evening(2));
    let from = world.log.len();
    world.land(payment_id, "T1", TOTAL + 1).unwrap();
    let owed = told(&owed_since(&world, from));
    assert!(owed.contains(&(Whom::Finance, Notice::AmountDiffers { payment_id })));
    assert!(owed.contains(&(TO_CLIENT, Notice::Credited { payment_id })));
}

#[test]
fn a_cancellation_closes_what_is_open_and_is_told_to_both() {
    let mut world = World::new();
    let (reservation_id, _) = world.hold(evening(2));
    let from = world.log.len();
    world.cancel(reservation_id, CancelReason::Client, client()).unwrap();
    let notice = Notice::Cancelled { reservation_id };
    let tell = |whom| Reaction::Tell { whom, notice };
    assert_eq!(
        owed_since(&world, from),
        [
            Reaction::CloseCheckouts { reservation_id },
            tell(TO_CLIENT),
            tell(TO_MANAGER),
            Reaction::ReleaseDiscount { reservation_id }
        ]
    );
}

#[test]
fn a_refund_is_submitted_asked_about_and_told_when_it_is_out() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    let refund_id = world.refunds()[0].refund_id;
    let from = world.log.len();
    world.submit(refund_id).unwrap();
    assert_eq!(owed_since(&world, from), [Reaction::Ask(Ask::first(About::Refund(refund_id), world.now))]);
    let from = world.log.len();
    world.with_refund(refund_id, |r, now| refund::fail(r, note("refused"), now)).unwrap();
    assert_eq!(owed_since(&world, from), [Reaction::RetryRefund { refund_id }]);
    world.retry(refund_id).unwrap();
    let from = world.log.len();
    world.with_refund(refund_id, |r, now| refund::succeed(r, None, manager(), now)).unwrap();
    assert_eq!(told(&owed_since(&world, from)), [(TO_CLIENT, Notice::Refunded { refund_id })]);
}

#[test]
fn cash_is_handed_out_by_the_manager_and_large_refunds_wait_for_finance() {
    let mut world = World::new();
    let cash = Paying::Recorded(Method::Cash, Purpose::Full);
    let (reservation, _) = world.place(&Booking { total: 90_000, ..Booking::manual(evening(2)) }, cash).unwrap();
    let payment = world.reservation(reservation).paying()[0];
    let from = world.log.len();
    let refund_id = world.ask_refund(payment, None, manager()).unwrap();
    let expected = [(Whom::Finance, Notice::ApprovalWanted { refund_id }), (TO_MANAGER, Notice::HandOut { refund_id })];
    assert_eq!(told(&owed_since(&world, from)), expected);
    assert_eq!(world.refunds()[0].route, Route::Cash);
}

#[test]
fn a_walk_in_without_a_number_is_told_nothing_and_the_manager_everything() {
    let mut world = World::new();
    let walk_in = Booking { client: None, ..Booking::manual(evening(2)) };
    let (reservation, _) = world.place(&walk_in, Paying::Recorded(Method::Cash, Purpose::Deposit)).unwrap();
    world.cancel(reservation, CancelReason::Weather, manager()).unwrap();
    let whom: Vec<Whom> = told(&owed_since(&world, 0)).into_iter().map(|(whom, _)| whom).collect();
    assert!(!whom.is_empty() && whom.iter().all(|whom| *whom == TO_MANAGER));
}

#[test]
fn a_failed_checkout_lets_the_hold_end_when_it_always_would_have() {
    let mut world = World::new();
    let (reservation_id, payment) = world.hold(evening(2));
    let ends = world.now + Duration::minutes(15);
    let from = world.log.len();
    let failed =
        payment::fail(&world.load(payment), &world.paid_by(payment), &[], note("insufficient-funds"), world.now);
    world.write(failed).unwrap();
    assert_eq!(owed_since(&world, from), [Reaction::Wake { reservation_id, at: ends, alarm: Alarm::HoldEnds }]);
}
