//! The late-money table of domain.md, row by row.

use crate::{
    money::Money,
    payment::{Cells, Landed, Method, ProviderId, Row, Settle, Status, expire, unknown},
    refund::{Reason, Route},
    reservation::{self, CancelReason, Purpose},
    spec::{
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, note},
        world::{CLIENT, No, World, person},
    },
};

const REFUNDED: [&str; 3] = ["payment.refund_allotted", "refund.requested", "refund.approved"];

/// The names of the last events.
fn last(world: &World, count: usize) -> Vec<&'static str> {
    let names = world.names();
    names[names.len() - count..].to_vec()
}

#[test]
fn row_1_hold_alive_confirms() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.pass(14);
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::Confirmed));
    assert_eq!(last(&world, 3), ["payment.succeeded", "reservation.payment_received", "reservation.confirmed"]);
    let state = world.reservation(reservation);
    assert_eq!(state.status, reservation::Status::Confirmed);
    assert_eq!((state.deposit_due(), state.balance_due()), (Money::xof(0), Money::xof(TOTAL - DEPOSIT)));
}

#[test]
fn row_2_hold_expired_cells_free_claims_again_and_confirms_late_at_the_quoted_price() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.pass(18);
    world.expire(reservation, &[payment]).unwrap();
    assert!(world.claiming().is_empty());
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::ConfirmedLate));
    assert!(world.blocking().contains(&reservation.uuid()));
    let state = world.reservation(reservation);
    assert_eq!(state.terms.unwrap().price.total, Money::xof(TOTAL));
    assert!(world.log.iter().any(|(_, event)| matches!(event,
        crate::event::Event::Reservation(reservation::Event::Confirmed(confirmed)) if confirmed.reclaims.is_some())));
    // It did not end unpaid after all: three more holds may still end so today.
    for day in 3..6 {
        let (other, payment) = world.hold(evening(day));
        world.pass(18);
        world.expire(other, &[payment]).unwrap();
    }
    assert_eq!(world.place(&Booking::online(evening(6)), Paying::Later), Err(No::Limit));
}

#[test]
fn row_3_hold_expired_cells_taken_refunds_at_once() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.pass(18);
    // Somebody needs the slot: the lapsed hold is expired by the command that takes it.
    let (winner, _) =
        world.place(&Booking::manual(evening(2)), Paying::Recorded(Method::Cash, Purpose::Deposit)).unwrap();
    assert_eq!(world.reservation(reservation).status, reservation::Status::Expired);
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::Orphaned));
    assert_eq!(last(&world, 4)[0], "payment.succeeded");
    assert_eq!(last(&world, 3), REFUNDED);
    let refund = world.refunds().pop().unwrap();
    assert_eq!((refund.amount, refund.reason), (Money::xof(DEPOSIT), Reason::Orphaned));
    assert_eq!((refund.route, refund.needs_approval), (Route::WholeTransaction, false));
    assert_eq!(world.reservation(reservation).status, reservation::Status::Expired);
    assert_eq!(world.blocking().into_iter().collect::<Vec<_>>(), [winner.uuid()]);
}

#[test]
fn row_3_money_for_a_slot_that_has_begun_goes_back_too() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(0));
    world.now = evening(0);
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::Orphaned));
    assert_eq!(world.reservation(reservation).status, reservation::Status::Expired);
    assert!(world.claiming().is_empty());
}

#[test]
fn row_4_underpayment_never_confirms_and_the_rest_can_follow() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    assert_eq!(world.land(payment, "T1", DEPOSIT - 1), Ok(Row::Underpaid));
    let state = world.reservation(reservation);
    assert_eq!((state.status, state.deposit_due()), (reservation::Status::Held, Money::xof(1)));
    let rest = world.request(reservation, Purpose::Deposit).unwrap();
    assert_eq!(world.payment(rest).request.unwrap().amount, Money::xof(1));
    world.open(rest).unwrap();
    assert_eq!(world.land(rest, "T2", 1), Ok(Row::Confirmed));
}

#[test]
fn row_4_an_underpayment_goes_back_when_the_hold_ends() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.land(payment, "T1", 5_000).unwrap();
    assert_eq!(world.return_money(reservation), Ok(vec![]), "the hold is alive");
    world.pass(18);
    world.expire(reservation, &[payment]).unwrap();
    let written = world.return_money(reservation).unwrap();
    assert_eq!(written[0], "reservation.money_returned");
    assert_eq!(written[1..], REFUNDED);
    let refund = world.refunds().pop().unwrap();
    assert_eq!((refund.amount, refund.reason), (Money::xof(5_000), Reason::Underpayment));
    assert_eq!(world.return_money(reservation), Ok(vec![]), "once");
    // What comes now does not add up with what went back.
    let rest = payment;
    assert_eq!(world.land(rest, "T2", DEPOSIT - 5_000), Ok(Row::Duplicate));
    assert_eq!(world.reservation(reservation).status, reservation::Status::Expired);
}

#[test]
fn row_4_an_underpayment_after_the_hold_goes_back_at_once() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.pass(18);
    world.expire(reservation, &[payment]).unwrap();
    assert_eq!(world.land(payment, "T1", 100), Ok(Row::Orphaned));
    assert_eq!(world.refunds()[0].reason, Reason::Underpayment);
    assert_eq!(world.reservation(reservation).status, reservation::Status::Expired);
}

#[test]
fn row_4_overpayment_is_allocated_as_far_as_it_fits_and_the_rest_is_credit() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    assert_eq!(world.land(payment, "T1", TOTAL + 500), Ok(Row::Confirmed));
    assert_eq!(world.reservation(reservation).balance_due(), Money::xof(0));
    assert_eq!(*world.names().last().unwrap(), "client.credited");
    assert_eq!(world.version(CLIENT.into()), 1);
    assert!(world.refunds().is_empty());
    // Credit was given away: it cannot be refunded as well.
    let by = person(crate::actor::Role::Finance, 9);
    assert_eq!(world.ask_refund(payment, Some(TOTAL + 1), by), Err(No::Refused("refund.more_than_captured")));
}

#[test]
fn row_4_overpayment_without_a_client_goes_back() {
    let mut world = World::new();
    let walk_in = Booking { client: None, ..Booking::manual(evening(2)) };
    let (_, payment) = world.place(&walk_in, Paying::Online(Method::Wave, Purpose::Full)).unwrap();
    world.open(payment).unwrap();
    assert_eq!(world.land(payment, "T1", TOTAL + 500), Ok(Row::Confirmed));
    let refund = world.refunds().pop().unwrap();
    assert_eq!((refund.amount, refund.reason), (Money::xof(500), Reason::Overpayment));
    assert_eq!(refund.route, Route::Payout, "a part of a transaction cannot be reversed");
}

#[test]
fn row_5_second_success_of_the_same_checkout_is_refunded() {
    let mut world = World::new();
    let (reservation, payment) = world.confirm(evening(2));
    assert_eq!(world.land(payment, "T2", DEPOSIT), Ok(Row::Duplicate));
    assert_eq!(last(&world, 4), ["payment.duplicated", REFUNDED[0], REFUNDED[1], REFUNDED[2]]);
    assert_eq!(world.refunds()[0].transaction.as_str(), "T2");
    assert_eq!(world.refunds()[0].route, Route::Payout, "to reverse the checkout would give the first one back");
    assert_eq!(world.reservation(reservation).received(), Money::xof(DEPOSIT));
}

#[test]
fn row_5_second_success_of_another_checkout_is_refunded() {
    let mut world = World::new();
    let (reservation, first) = world.hold(evening(2));
    let second = world.request(reservation, Purpose::Deposit).unwrap();
    world.open(second).unwrap();
    world.land(first, "T1", DEPOSIT).unwrap();
    assert_eq!(world.land(second, "T2", DEPOSIT), Ok(Row::Duplicate));
    assert_eq!(world.payment(second).status, Status::Succeeded, "a receipt of its own");
    assert_eq!((world.refunds()[0].payment_id, world.refunds()[0].route), (second, Route::WholeTransaction));
    assert_eq!(world.reservation(reservation).received(), Money::xof(DEPOSIT));
    assert_eq!(world.names().iter().filter(|name| **name == "reservation.confirmed").count(), 1);
}

#[test]
fn row_6_success_after_an_early_cancellation_goes_back_whole() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::AfterEnd));
    let refund = world.refunds().pop().unwrap();
    assert_eq!((refund.amount, refund.reason), (Money::xof(DEPOSIT), Reason::Cancellation));
    assert_eq!(world.reservation(reservation).status, reservation::Status::Cancelled);
}

#[test]
fn row_6_success_after_a_late_cancellation_keeps_the_deposit_and_gives_the_rest_back() {
    let mut world = World::new();
    let wave = Paying::Online(Method::Wave, Purpose::Full);
    let (reservation, payment) = world.place(&Booking::online(evening(0)), wave).unwrap();
    world.open(payment).unwrap();
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    assert_eq!(world.land(payment, "T1", TOTAL), Ok(Row::AfterEnd));
    assert_eq!(world.refunds()[0].amount, Money::xof(TOTAL - DEPOSIT));
    let state = world.reservation(reservation);
    assert_eq!((state.status, state.held_money()), (reservation::Status::Cancelled, Money::xof(DEPOSIT)));
}

#[test]
fn row_6_the_deposit_is_kept_once_however_much_lands() {
    let mut world = World::new();
    let (reservation, first) = world.hold(evening(0));
    let second = world.request(reservation, Purpose::Deposit).unwrap();
    world.open(second).unwrap();
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    world.land(first, "T1", DEPOSIT).unwrap();
    assert_eq!(world.refunds(), []);
    world.land(second, "T2", DEPOSIT).unwrap();
    assert_eq!(world.refunds()[0].amount, Money::xof(DEPOSIT));
    assert_eq!(world.reservation(reservation).held_money(), Money::xof(DEPOSIT));
}

#[test]
fn what_is_decided_about_a_payment_rests_on_what_its_reservation_was() {
    let mut world = World::new();
    let (id, first) = world.hold(evening(2));
    let reservation = world.load::<reservation::Reservation>(id);
    let asking = |world: &mut World| {
        let payment = crate::aggregate::Loaded::new(world.id().into());
        let (method, purpose, by) = (Method::Wave, Purpose::Deposit, client());
        super::Request { reservation: &reservation, payment: &payment, method, purpose, by }.decide(world.now)
    };
    let asked = asking(&mut world);
    world.land(first, "T1", DEPOSIT).unwrap();
    assert_eq!(world.write(asked), Err(No::Conflict), "the deposit was paid in the meantime");
}

#[test]
fn a_landing_is_decided_again_when_the_reservation_moved_in_the_meantime() {
    let mut world = World::new();
    let (id, first) = world.hold(evening(0));
    let second = world.request(id, Purpose::Deposit).unwrap();
    world.land(first, "T1", DEPOSIT).unwrap();
    let (payment, reservation) = (world.load(second), world.load(id));
    let settle = Settle {
        fine: None,
        payment: &payment,
        reservation: &reservation,
        client: Some(0),
        promotion: None,
        refund_id: world.id().into(),
        landed: Landed {
            transaction: ProviderId::new("T2").unwrap(),
            provider_id: None,
            received: Money::xof(DEPOSIT),
            by: crate::actor::Actor::SYSTEM,
        },
        now: world.now,
    };
    let settled = settle.decide(Cells::Free).unwrap();
    assert_eq!(settled.row, Row::Duplicate);
    world.cancel(id, CancelReason::PowerCut, manager()).unwrap();
    assert_eq!(world.append(&settled.decision), Err(No::Conflict));
    assert_eq!(world.land(second, "T2", DEPOSIT), Ok(Row::AfterEnd));
}

#[test]
fn row_6_success_after_the_manager_cancelled_goes_back_whole() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(0));
    world.cancel(reservation, CancelReason::PowerCut, manager()).unwrap();
    world.land(payment, "T1", DEPOSIT).unwrap();
    assert_eq!(world.refunds()[0].amount, Money::xof(DEPOSIT));
    assert_eq!(world.reservation(reservation).held_money(), Money::xof(0));
}

#[test]
fn row_7_unknown_keeps_the_cells_to_the_grace_and_no_longer() {
    let mut world = World::new();
    let wave = Paying::Online(Method::Wave, Purpose::Deposit);
    let (reservation, payment) = world.place(&Booking::online(evening(2)), wave).unwrap();
    let cut = unknown(&world.load(payment), &world.paid_by(payment), note("timed out"), world.now);
    world.write(cut).unwrap();
    world.pass(16);
    assert_eq!(world.expire(reservation, &[payment]), Err(No::Refused("reservation.hold_alive")));
    assert_eq!(world.place(&Booking::online(evening(2)), Paying::Later), Err(No::SlotTaken));
    world.pass(1);
    assert!(world.expire(reservation, &[payment]).is_ok());
    assert_eq!(world.payment(payment).status, Status::Unknown, "the provider is still asked");
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::ConfirmedLate));
}

#[test]
fn a_checkout_that_ends_gives_the_cells_back_at_the_end_of_the_hold() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.pass(15);
    assert_eq!(world.expire(reservation, &[payment]), Err(No::Refused("reservation.hold_alive")));
    let closed = expire(&world.load(payment), &world.paid_by(payment), &[], world.now);
    world.write(closed).unwrap();
    assert!(world.blocking().is_empty());
    assert_eq!(world.expire(reservation, &[payment]), Ok(vec!["reservation.expired"]));
}
