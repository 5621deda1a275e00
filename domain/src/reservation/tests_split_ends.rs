//! What becomes of a split: confirmed with a quorum, given back without it, called off, or paid twice.

use chrono::Duration;

use crate::{
    Timestamp,
    ids::{PaymentId, ReservationId, ShareId},
    money::Money,
    payment::{Method, Row},
    refund::{Next, Reason},
    reservation::{CancelReason, Purpose, Status},
    spec::{
        shares::{Cut, FRIEND},
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager},
        world::{No, World},
    },
};

const SHARE: i64 = TOTAL / 5;

fn noon() -> Timestamp {
    evening(1) - Duration::hours(6)
}

/// Three of five have paid, by three rails, and the second one is known.
fn three_of_five(world: &mut World) -> (ReservationId, Vec<ShareId>, Vec<PaymentId>) {
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let mut payments = Vec::new();
    for (nth, method) in [Method::Wave, Method::OrangeMoney, Method::Yas].into_iter().enumerate() {
        let payer = (nth == 1).then_some(FRIEND);
        let payment = world.request_share(id, shares[nth], method, payer, &[]).unwrap();
        world.open(payment).unwrap();
        assert_eq!(world.land(payment, &format!("T{nth}"), SHARE), Ok(Row::Allocated));
        payments.push(payment);
    }
    (id, shares, payments)
}

fn refunds(world: &World) -> Vec<(PaymentId, i64, Reason)> {
    world.refunds().iter().map(|refund| (refund.payment_id, refund.amount.amount, refund.reason)).collect()
}

#[test]
fn the_quorum_confirms_and_the_rest_is_balance() {
    let mut world = World::new();
    let cut = Cut { quorum: Some(25_000), ..Cut::full(noon()) };
    let (id, shares) = world.together(evening(2), &cut);
    for share in &shares[..3] {
        assert_eq!(world.pay_share(id, *share, Method::Wave).unwrap().1, Row::Allocated, "24 000, above the deposit");
    }
    assert_eq!(world.pay_share(id, shares[3], Method::Wave).unwrap().1, Row::Confirmed);
    assert_eq!(world.reservation(id).balance_due(), Money::xof(SHARE));
    // The deadline no longer matters: the last share is a part of the balance.
    world.now = noon() + Duration::hours(1);
    assert!(world.blocking().contains(&id.uuid()));
    let (last, row) = world.pay_share(id, shares[4], Method::Yas).unwrap();
    assert_eq!(row, Row::Allocated);
    let asked = world.payment(last).request.unwrap();
    assert_eq!((asked.purpose, asked.hold_expires_at), (Purpose::Balance, None));
    assert_eq!(world.reservation(id).balance_due(), Money::xof(0));
}

#[test]
fn what_is_paid_at_the_gate_no_share_owes_any_more() {
    let mut world = World::new();
    let cut = Cut { quorum: Some(DEPOSIT), ..Cut::full(noon()) };
    let (id, shares) = world.together(evening(2), &cut);
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    world.pay_share(id, shares[1], Method::Wave).unwrap();
    let late = world.request_share(id, shares[2], Method::Wave, None, &[]).unwrap();
    world.open(late).unwrap();
    world.record(id, Method::Cash, TOTAL - 2 * SHARE, manager()).unwrap();
    assert!(world.reservation(id).shares().all(|share| share.due.is_zero()));
    assert_eq!(world.request_share(id, shares[3], Method::Wave, None, &[]), Err(No::Refused("payment.share_paid")));
    assert_eq!(world.land(late, "T9", SHARE), Ok(Row::Duplicate));
    assert_eq!(refunds(&world), [(late, SHARE, Reason::Duplicate)]);
}

#[test]
fn a_failed_split_returns_every_share() {
    let mut world = World::new();
    let (id, _, payments) = three_of_five(&mut world);
    world.now = noon();
    assert_eq!(world.expire(id, &payments), Ok(vec!["reservation.expired"]));
    world.return_money(id).unwrap();
    let expected: Vec<_> = payments.iter().rev().map(|payment| (*payment, SHARE, Reason::Underpayment)).collect();
    assert_eq!(refunds(&world), expected);
    assert_eq!(world.reservation(id).held_money(), Money::xof(0));
    assert!(world.refunds().iter().all(|refund| !refund.needs_approval));
    // To whoever paid: the known one may fall back on credit, the others never on the organiser's.
    for refund in world.refunds() {
        let known = refund.payment_id == payments[1];
        assert_eq!(refund.client_id, known.then_some(FRIEND));
        world.ways = crate::refund::Ways::default();
        let next = if known { Next::Credit } else { Next::Cash };
        assert_eq!(world.next(refund.refund_id), next);
    }
    assert_eq!(world.return_money(id), Ok(vec![]), "once");
}

#[test]
fn a_share_paid_twice_goes_back_once() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let wave = world.request_share(id, shares[0], Method::Wave, None, &[]).unwrap();
    world.open(wave).unwrap();
    let orange = world.request_share(id, shares[0], Method::OrangeMoney, None, &[wave]).unwrap();
    world.open(orange).unwrap();
    assert_eq!(world.land(wave, "T1", SHARE), Ok(Row::Allocated));
    assert_eq!(world.land(orange, "T1", SHARE), Ok(Row::Duplicate));
    assert_eq!(world.land(orange, "T1", SHARE), Ok(Row::Known));
    assert_eq!(refunds(&world), [(orange, SHARE, Reason::Duplicate)]);
    // And once more in the same checkout.
    assert_eq!(world.land(wave, "T2", SHARE), Ok(Row::Duplicate));
    assert_eq!(refunds(&world)[1..], [(wave, SHARE, Reason::Duplicate)]);
    assert_eq!(world.reservation(id).held_money(), Money::xof(SHARE));
    world.now = noon();
    world.expire(id, &[wave, orange]).unwrap();
    world.return_money(id).unwrap();
    assert_eq!(refunds(&world)[2..], [(wave, SHARE, Reason::Underpayment)], "what was in it, and no more");
}

#[test]
fn a_second_checkout_opened_for_a_paid_share_is_closed_at_once() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let second = world.request_share(id, shares[0], Method::OrangeMoney, None, &[]).unwrap();
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    world.open(second).unwrap();
    assert_eq!(world.payment(second).checkout.unwrap().close_at, Some(world.now));
}

#[test]
fn a_share_after_the_deadline_goes_back() {
    let mut world = World::new();
    let (id, shares, payments) = three_of_five(&mut world);
    let late = world.request_share(id, shares[3], Method::Card, None, &[]).unwrap();
    world.now = noon();
    world.expire(id, &payments).unwrap();
    assert_eq!(world.land(late, "T9", SHARE), Ok(Row::Orphaned));
    assert_eq!(refunds(&world), [(late, SHARE, Reason::Underpayment)]);
    world.return_money(id).unwrap();
    assert_eq!(world.refunds().len(), 4);
    assert_eq!(world.reservation(id).status, Status::Expired);
}

#[test]
fn the_last_share_after_the_deadline_confirms_while_the_cells_are_free() {
    for taken in [false, true] {
        let mut world = World::new();
        let (id, shares, mut payments) = three_of_five(&mut world);
        payments.push(world.pay_share(id, shares[3], Method::Wave).unwrap().0);
        let late = world.request_share(id, shares[4], Method::Card, None, &[]).unwrap();
        world.now = noon();
        world.expire(id, &payments).unwrap();
        if taken {
            world.place(&Booking::manual(evening(2)), Paying::Later).unwrap();
        }
        let row = world.land(late, "T9", SHARE).unwrap();
        assert_eq!(row, if taken { Row::Orphaned } else { Row::ConfirmedLate });
        world.return_money(id).unwrap();
        assert_eq!(world.refunds().len(), if taken { 5 } else { 0 });
        // Once the shares went back the last one alone reaches nothing.
    }
}

#[test]
fn after_the_shares_went_back_the_last_one_confirms_nothing() {
    let mut world = World::new();
    let (id, shares, mut payments) = three_of_five(&mut world);
    payments.push(world.pay_share(id, shares[3], Method::Wave).unwrap().0);
    let late = world.request_share(id, shares[4], Method::Card, None, &[]).unwrap();
    world.now = noon();
    world.expire(id, &payments).unwrap();
    world.return_money(id).unwrap();
    assert_eq!(world.land(late, "T9", SHARE), Ok(Row::Orphaned));
    assert_eq!(world.refunds().len(), 5);
}

#[test]
fn calling_off_a_split_hold_gives_every_share_back_also_the_one_that_comes_late() {
    let mut world = World::new();
    // So late that a confirmed one would cost the deposit.
    let (id, shares) = world.together(evening(0), &Cut::full(evening(0) - Duration::hours(2)));
    let (first, _) = world.pay_share(id, shares[0], Method::Wave).unwrap();
    let late = world.request_share(id, shares[1], Method::Wave, None, &[]).unwrap();
    world.open(late).unwrap();
    world.cancel(id, CancelReason::Client, client()).unwrap();
    assert_eq!(refunds(&world), [(first, SHARE, Reason::Cancellation)]);
    assert_eq!(world.land(late, "T9", SHARE), Ok(Row::AfterEnd));
    assert_eq!(refunds(&world)[1..], [(late, SHARE, Reason::Cancellation)]);
    assert_eq!(world.reservation(id).held_money(), Money::xof(0));
}

#[test]
fn a_late_cancellation_of_a_confirmed_split_keeps_the_deposit_and_the_last_get_theirs_back_first() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(0), &Cut::full(evening(0) - Duration::hours(2)));
    let payments: Vec<_> = shares.iter().map(|share| world.pay_share(id, *share, Method::Wave).unwrap().0).collect();
    world.cancel(id, CancelReason::Client, client()).unwrap();
    let back: Vec<_> = refunds(&world).iter().map(|(payment, amount, _)| (*payment, *amount)).collect();
    let expected =
        [(payments[4], SHARE), (payments[3], SHARE), (payments[2], SHARE), (payments[1], 2 * SHARE - DEPOSIT)];
    assert_eq!(back, expected);
    assert_eq!(world.reservation(id).held_money(), Money::xof(DEPOSIT));
}

#[test]
fn a_split_hold_is_not_moved_and_a_cheaper_slot_leaves_no_share_open() {
    let mut world = World::new();
    let cut = Cut { quorum: Some(DEPOSIT), ..Cut::full(noon()) };
    let (id, shares) = world.together(evening(2), &cut);
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    assert_eq!(
        world.reschedule(id, evening(3), TOTAL, client()),
        Err(No::Refused("reservation.not_confirmed")),
        "it is only held"
    );
    let (second, row) = world.pay_share(id, shares[1], Method::Wave).unwrap();
    assert_eq!(row, Row::Confirmed);
    world.reschedule(id, evening(3), 2 * SHARE - 1_000, client()).unwrap();
    assert_eq!(refunds(&world), [(second, 1_000, Reason::Reschedule)]);
    assert!(world.reservation(id).shares().all(|share| share.due.is_zero()));
}

#[test]
fn the_balance_of_a_confirmed_one_is_shared_and_nothing_hangs_on_it() {
    let mut world = World::new();
    let (id, _) = world.confirm(evening(2));
    let cut = Cut { of: Purpose::Balance, shares: 4, ..Cut::full(noon()) };
    let quorum = Cut { quorum: Some(TOTAL), ..cut.clone() };
    assert_eq!(world.split(id, &quorum, &[], client()), Err(No::Refused("reservation.not_held")));
    let shares = world.split(id, &cut, &[], client()).unwrap();
    assert_eq!(world.pay_share(id, shares[0], Method::Yas).unwrap().1, Row::Allocated);
    assert!(!world.names().contains(&"reservation.hold_prolonged"));
    world.now = noon() + Duration::hours(1);
    assert_eq!(world.expire(id, &[]), Ok(vec![]));
    assert_eq!(world.reservation(id).balance_due(), Money::xof((TOTAL - DEPOSIT) / 4 * 3));
}
