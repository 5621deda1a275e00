//! The rulebook of payments. First the late-money table of domain.md, row by row.

use crate::{
    actor::Role,
    money::{Currency, Money},
    payment::{Method, Row, Status, expire, fail, unknown},
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
    let by = person(Role::Finance, 9);
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
    assert_eq!(world.refunds()[0].payment_id, second);
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
    let cut = unknown(&world.load(payment), note("timed out"), world.now);
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
    let closed = expire(&world.load(payment), world.now);
    world.write(closed).unwrap();
    assert!(world.blocking().is_empty());
    assert_eq!(world.expire(reservation, &[payment]), Ok(vec!["reservation.expired"]));
}

#[test]
fn never_again_a_webhook_delivered_again_moves_money_again() {
    let mut world = World::new();
    let (_, payment) = world.hold(evening(2));
    world.land(payment, "T1", DEPOSIT).unwrap();
    let before = world.log.len();
    for _ in 0..100 {
        assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::Known));
    }
    assert_eq!(world.log.len(), before);
}

#[test]
fn never_again_one_transaction_pays_two_payments() {
    let mut world = World::new();
    let (reservation, first) = world.hold(evening(2));
    let second = world.request(reservation, Purpose::Deposit).unwrap();
    world.open(second).unwrap();
    world.land(first, "T1", DEPOSIT).unwrap();
    assert_eq!(world.land(second, "T1", DEPOSIT), Err(No::NotUnique));
}

#[test]
fn never_again_a_balance_failure_cancels_the_booking() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    let before = world.load::<reservation::Reservation>(reservation);
    let balance = world.request(reservation, Purpose::Balance).unwrap();
    world.open(balance).unwrap();
    let failed = fail(&world.load(balance), note("insufficient-funds"), world.now);
    assert_eq!(world.write(failed), Ok(vec!["payment.failed"]));
    let after = world.load::<reservation::Reservation>(reservation);
    assert_eq!((before.version, before.state), (after.version, after.state));
    assert!(world.blocking().contains(&reservation.uuid()));
}

#[test]
fn never_again_a_late_success_revives_a_cancelled_booking_by_itself() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    world.land(payment, "T1", TOTAL).unwrap();
    assert_eq!(world.reservation(reservation).status, reservation::Status::Cancelled);
    assert!(!world.names().contains(&"reservation.confirmed"));
    assert!(world.claiming().is_empty());
}

#[test]
fn never_again_the_client_chooses_the_amount() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    // There is nothing to say it with: the amount asked for follows from the price.
    assert_eq!(world.payment(payment).request.unwrap().amount, Money::xof(DEPOSIT));
    let full = world.request(reservation, Purpose::Full).unwrap();
    assert_eq!(world.payment(full).request.unwrap().amount, Money::xof(TOTAL));
}

#[test]
fn news_after_the_end_changes_nothing() {
    let mut world = World::new();
    let (_, payment) = world.hold(evening(2));
    world.land(payment, "T1", DEPOSIT).unwrap();
    let loaded = world.load(payment);
    for late in [
        fail(&loaded, note("failed"), world.now),
        expire(&loaded, world.now),
        unknown(&loaded, note("timed out"), world.now),
    ] {
        assert_eq!(world.write(late), Ok(vec![]));
    }
    assert_eq!(world.open(payment), Ok(vec![]));
}

#[test]
fn a_success_after_a_failure_is_still_money() {
    let mut world = World::new();
    let (_, payment) = world.hold(evening(2));
    let failed = fail(&world.load(payment), note("insufficient-funds"), world.now);
    world.write(failed).unwrap();
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::Confirmed));
}

#[test]
fn a_failed_attempt_leaves_the_hold_alone_while_it_lives() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    let failed = fail(&world.load(payment), note("insufficient-funds"), world.now);
    world.write(failed).unwrap();
    assert_eq!(world.expire(reservation, &[payment]), Err(No::Refused("reservation.hold_alive")));
    assert!(world.request(reservation, Purpose::Deposit).is_ok());
}

#[test]
fn other_money_is_no_state_change() {
    let mut world = World::new();
    let (_, payment) = world.hold(evening(2));
    let before = world.log.len();
    let euros = Money::new(DEPOSIT, Currency::Eur);
    assert_eq!(world.settle(payment, "T1", euros, super::Cells::Free), Err(No::Refused("payment.other_currency")));
    assert_eq!(world.land(payment, "T1", 0), Err(No::Refused("payment.nothing_received")));
    assert_eq!(world.land(payment, "T1", -5), Err(No::Refused("payment.nothing_received")));
    assert_eq!(world.log.len(), before);
}

#[test]
fn a_checkout_that_opens_too_late_is_closed_at_once() {
    let mut world = World::new();
    let wave = Paying::Online(Method::Wave, Purpose::Deposit);
    let (reservation, payment) = world.place(&Booking::online(evening(2)), wave).unwrap();
    world.cancel(reservation, CancelReason::Client, client()).unwrap();
    world.open(payment).unwrap();
    let checkout = world.payment(payment).checkout.unwrap();
    assert_eq!((checkout.close_at, checkout.blocks_until), (Some(world.now), None));
}

#[test]
fn nothing_can_be_asked_for_after_the_hold() {
    let mut world = World::new();
    let (reservation, _) = world.hold(evening(2));
    world.pass(15);
    assert_eq!(world.request(reservation, Purpose::Deposit), Err(No::Refused("reservation.hold_expired")));
}

#[test]
fn a_paid_deposit_cannot_be_asked_for_again() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    assert_eq!(world.request(reservation, Purpose::Deposit), Err(No::Refused("payment.nothing_due")));
}

#[test]
fn a_cashier_records_cash_under_their_name_and_nothing_else() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    let cashier = person(Role::Cashier, 3);
    let nameless = crate::actor::Actor { role: Role::Cashier, id: None };
    let refused = |code| Err(No::Refused(code));
    assert_eq!(world.record(reservation, Method::Cash, 1_000, nameless), refused("payment.name_required"));
    assert_eq!(world.record(reservation, Method::Transfer, 1_000, cashier), refused("payment.role_not_allowed"));
    assert_eq!(world.record(reservation, Method::Cash, 1_000, client()), refused("payment.role_not_allowed"));
    assert_eq!(world.record(reservation, Method::Wave, 1_000, manager()), refused("payment.at_provider"));
    assert_eq!(world.record(reservation, Method::Cash, TOTAL, cashier), refused("payment.more_than_due"));
    assert!(world.record(reservation, Method::Cash, TOTAL - DEPOSIT, cashier).is_ok());
    assert_eq!(world.reservation(reservation).balance_due(), Money::xof(0));
}

#[test]
fn cash_below_the_deposit_does_not_confirm_a_hold() {
    let mut world = World::new();
    let (reservation, _) = world.place(&Booking::online(evening(2)), Paying::Later).unwrap();
    let cashier = person(Role::Cashier, 3);
    let below = world.record(reservation, Method::Cash, DEPOSIT - 1, cashier);
    assert_eq!(below, Err(No::Refused("payment.below_deposit")));
    world.record(reservation, Method::Cash, DEPOSIT, cashier).unwrap();
    assert_eq!(world.reservation(reservation).status, reservation::Status::Confirmed);
}
