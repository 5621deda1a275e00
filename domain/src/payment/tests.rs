//! The rulebook of payments; the late-money table has its own.

use crate::{
    actor::Role,
    contract::{Contract, Flow},
    money::{Currency, Money},
    payment::{Method, Row, expire, fail, unknown},
    reservation::{self, CancelReason, Purpose},
    spec::{
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, note},
        world::{No, World, person},
    },
    text::Slug,
};

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
fn what_two_merchant_accounts_call_the_same_are_two_transactions() {
    let mut world = World::new();
    let held = |world: &mut World, day, account: Option<&str>| {
        let merchant_account = account.map(|account| Slug::new(account).unwrap());
        let contract = Contract { flow: Flow::ManagerCollects, merchant_account, ..Contract::default() };
        let booking = Booking { contract, ..Booking::online(evening(day)) };
        let (_, payment) = world.place(&booking, Paying::Online(Method::Wave, Purpose::Deposit)).unwrap();
        world.open(payment).unwrap();
        payment
    };
    let (ours, fatou) = (held(&mut world, 2, None), held(&mut world, 3, Some("fatou")));
    for payment in [ours, fatou] {
        assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::Confirmed));
    }
    let again = held(&mut world, 4, Some("fatou"));
    assert_eq!(world.land(again, "T1", DEPOSIT), Err(No::NotUnique));
}

#[test]
fn never_again_a_balance_failure_cancels_the_booking() {
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(2));
    let before = world.load::<reservation::Reservation>(reservation);
    let balance = world.request(reservation, Purpose::Balance).unwrap();
    world.open(balance).unwrap();
    let failed = fail(&world.load(balance), &world.paid_by(balance), &[], note("insufficient-funds"), world.now);
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
    let (loaded, of) = (world.load(payment), world.paid_by(payment));
    for late in [
        fail(&loaded, &of, &[], note("failed"), world.now),
        expire(&loaded, &of, &[], world.now),
        unknown(&loaded, &of, note("timed out"), world.now),
    ] {
        assert_eq!(world.write(late), Ok(vec![]));
    }
    assert_eq!(world.open(payment), Ok(vec![]));
}

#[test]
fn a_success_after_a_failure_is_still_money() {
    let mut world = World::new();
    let (_, payment) = world.hold(evening(2));
    let failed = fail(&world.load(payment), &world.paid_by(payment), &[], note("insufficient-funds"), world.now);
    world.write(failed).unwrap();
    assert_eq!(world.land(payment, "T1", DEPOSIT), Ok(Row::Confirmed));
}

#[test]
fn a_failed_attempt_leaves_the_hold_alone_while_it_lives() {
    let mut world = World::new();
    let (reservation, payment) = world.hold(evening(2));
    let failed = fail(&world.load(payment), &world.paid_by(payment), &[], note("insufficient-funds"), world.now);
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
    let cash = world.record(reservation, Method::Cash, DEPOSIT, cashier).unwrap();
    assert_eq!(world.reservation(reservation).status, reservation::Status::Confirmed);
    assert_eq!(world.payment(cash).request.unwrap().blocks_until, None, "nothing is open at a provider");
}
