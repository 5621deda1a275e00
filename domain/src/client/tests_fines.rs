//! Fines: owed, appealed, decided, settled; and nobody books before.

use chrono::Duration;

use crate::{
    client::{Client, Standing, Verdict},
    money::Money,
    payment::{Method, Row},
    refund::Reason,
    reservation::{Purpose, Status},
    spec::{
        ledgers::balance,
        story::{Booking, Paying, client, evening, manager},
        world::{CLIENT, No, SITE, World, person},
    },
};

const FINE: i64 = 5_000;

fn standing(world: &World, id: crate::ids::ReservationId) -> Standing {
    world.load::<Client>(CLIENT).state.fines[&id].standing
}

/// What goes back by itself, and why.
fn backs(world: &World) -> Vec<(i64, Reason)> {
    world.refunds().iter().map(|refund| (refund.amount.amount, refund.reason)).collect()
}

fn place(world: &mut World, day: u32) -> Result<(), No> {
    world.place(&Booking::online(evening(day)), Paying::Later).map(drop)
}

#[test]
fn whoever_does_not_come_is_fined_in_the_same_decision_where_the_policy_says_so() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    assert_eq!(&world.names()[world.log.len() - 2..], ["reservation.no_show", "client.fined"]);
    assert_eq!(standing(&world, missed), Standing::Owed);
    let fine = world.load::<Client>(CLIENT).state.fines[&missed];
    assert_eq!((fine.amount, fine.appeal_until), (Money::xof(FINE), world.now + Duration::hours(48)));
    // Off unless it is set.
    let mut world = World::new();
    let (reservation, _) = world.confirm(evening(1));
    world.now = evening(1) + Duration::minutes(105);
    world.finish(reservation).unwrap();
    assert_eq!(world.reservation(reservation).status, Status::NoShow);
    assert!(!world.names().contains(&"client.fined"));
}

#[test]
fn a_debt_keeps_its_client_from_booking_and_nobody_s_manager() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    assert_eq!(place(&mut world, 3), Err(No::Limit));
    // A manager takes whom they like.
    world.place(&Booking::manual(evening(3)), Paying::Recorded(Method::Cash, Purpose::Deposit)).unwrap();
    world.pay_debt(missed, Method::Cash, manager()).unwrap();
    assert_eq!(standing(&world, missed), Standing::Settled);
    place(&mut world, 4).unwrap();
}

#[test]
fn an_appeal_lets_them_book_until_it_is_decided() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    assert_eq!(world.appeal(missed, manager()), Err(No::Refused("client.role_not_allowed")));
    world.appeal(missed, client()).unwrap();
    place(&mut world, 3).unwrap();
    assert_eq!(world.decide(missed, Verdict::Uphold, client()), Err(No::Refused("client.role_not_allowed")));
    world.decide(missed, Verdict::Uphold, manager()).unwrap();
    assert_eq!(place(&mut world, 4), Err(No::Limit));
    assert_eq!(world.appeal(missed, client()), Err(No::Refused("fine.already_appealed")));
    assert_eq!(world.decide(missed, Verdict::Uphold, manager()), Ok(Vec::new()), "again is nothing to do");
    // The site may still let it go, and cannot go back on it.
    world.decide(missed, Verdict::Waive, manager()).unwrap();
    place(&mut world, 4).unwrap();
    assert_eq!(world.decide(missed, Verdict::Uphold, manager()), Err(No::Refused("fine.not_appealed")));
}

#[test]
fn a_waived_fine_is_owed_no_more_and_what_is_paid_for_it_goes_back() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    let payment = world.pay_debt(missed, Method::Wave, client()).unwrap();
    world.open(payment).unwrap();
    world.appeal(missed, client()).unwrap();
    world.decide(missed, Verdict::Waive, manager()).unwrap();
    assert_eq!(standing(&world, missed), Standing::Waived);
    assert_eq!(balance(&world, "fines:unpaid"), 0);
    assert_eq!(world.land(payment, "T_late", FINE), Ok(Row::Duplicate));
    assert_eq!((world.credit(), backs(&world)), (0, vec![(FINE, Reason::Overpayment)]));
    assert_eq!(world.pay_debt(missed, Method::Wave, client()), Err(No::Refused("payment.nothing_due")));
}

#[test]
fn an_appeal_is_made_within_48_hours_and_decided_within_a_week() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    let fined = world.now;
    world.now = fined + Duration::hours(48) + Duration::seconds(1);
    assert_eq!(world.appeal(missed, client()), Err(No::Refused("fine.appeal_too_late")));
    world.now = fined + Duration::hours(48);
    world.appeal(missed, client()).unwrap();
    world.now += Duration::days(7) - Duration::seconds(1);
    assert_eq!(world.waive_undecided(missed), Err(No::Refused("fine.still_time")));
    world.now += Duration::seconds(1);
    world.waive_undecided(missed).unwrap();
    assert_eq!(standing(&world, missed), Standing::Waived);
    assert_eq!(world.waive_undecided(missed), Ok(Vec::new()));
}

#[test]
fn a_fine_that_is_paid_is_the_site_s_less_the_commission_and_only_then() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    let (debt, payable) = (format!("client:{CLIENT}:debt"), format!("site:{SITE}:payable"));
    // The deposit of 12 000 is kept.
    assert_eq!((balance(&world, &debt), balance(&world, "fines:unpaid")), (FINE, -FINE));
    assert_eq!((balance(&world, &payable), balance(&world, "platform:commission")), (-10_800, -1_200));
    let payment = world.pay_debt(missed, Method::Wave, client()).unwrap();
    world.open(payment).unwrap();
    assert_eq!(world.land(payment, "T_fine", FINE), Ok(Row::Allocated));
    assert_eq!((balance(&world, &debt), balance(&world, "fines:unpaid")), (0, 0));
    assert_eq!((balance(&world, &payable), balance(&world, "platform:commission")), (-15_300, -1_700));
    assert_eq!(world.reservation(missed).held_money(), Money::xof(12_000), "a fine is no part of the price");
}

/// The late-money table, of a fine.
#[test]
fn too_little_settles_nothing_too_much_is_credit_and_what_comes_twice_goes_back() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    let mut asked = || {
        let payment = world.pay_debt(missed, Method::Wave, client()).unwrap();
        world.open(payment).unwrap();
        payment
    };
    let (little, much, other) = (asked(), asked(), asked());
    assert_eq!(world.land(little, "T_little", FINE - 1), Ok(Row::Credited));
    assert_eq!((standing(&world, missed), world.credit()), (Standing::Owed, FINE - 1));
    assert_eq!(world.land(much, "T_much", FINE + 300), Ok(Row::Allocated));
    assert_eq!((standing(&world, missed), world.credit()), (Standing::Settled, FINE + 299));
    assert_eq!(world.land(much, "T_much", FINE + 300), Ok(Row::Known));
    // A second payment of the same fine, and a second success of the same payment.
    assert_eq!(world.land(other, "T_other", FINE), Ok(Row::Duplicate));
    assert_eq!(world.land(much, "T_again", FINE), Ok(Row::Duplicate));
    assert_eq!((world.credit(), backs(&world)), (FINE + 299, vec![(FINE, Reason::Duplicate); 2]));
}

#[test]
fn a_fine_is_paid_from_credit_whole_or_not_at_all() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    let payment = world.pay_debt(missed, Method::Wave, client()).unwrap();
    world.open(payment).unwrap();
    world.land(payment, "T_little", FINE - 1).unwrap();
    let refused = world.pay_debt(missed, Method::Credit, client());
    assert_eq!(refused, Err(No::Refused("credit.insufficient")));
    assert_eq!(world.pay_debt(missed, Method::Credit, manager()), Err(No::Refused("payment.role_not_allowed")));
    let more = world.pay_debt(missed, Method::Wave, client()).unwrap();
    world.open(more).unwrap();
    world.land(more, "T_more", FINE - 1).unwrap();
    world.pay_debt(missed, Method::Credit, client()).unwrap();
    assert_eq!((standing(&world, missed), world.credit()), (Standing::Settled, FINE - 2));
}

#[test]
fn nobody_who_owes_is_forgotten_and_nobody_who_has_credit_by_accident() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    let erase = |world: &mut World, gives_up| {
        let loaded = world.load::<Client>(CLIENT);
        world.write(super::erase(&loaded, 0, gives_up, client(), world.now))
    };
    // As after a registration: the test worlds know nobody.
    let registered = super::Registered {
        client_id: CLIENT,
        phone_hash: crate::phone::PhoneHash("a".to_owned()),
        phone: crate::sealed::Sealed("phone".to_owned()),
        name: None,
        language: super::Language::Fr,
        by: client(),
        at: world.now,
    };
    world.happened(registered.into(), CLIENT);
    assert_eq!(erase(&mut world, true), Err(No::Refused("client.in_debt")));
    let payment = world.pay_debt(missed, Method::Wave, client()).unwrap();
    world.open(payment).unwrap();
    world.land(payment, "T1", FINE + 700).unwrap();
    assert_eq!(erase(&mut world, false), Err(No::Refused("client.has_credit")));
    assert_eq!(erase(&mut world, true), Ok(vec!["client.credit_forfeited", "client.erased"]));
    assert_eq!((world.credit(), balance(&world, "platform:forfeited")), (0, -700));
}

#[test]
fn cash_for_a_fine_is_taken_by_whoever_may_take_cash() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    let refused = Err(No::Refused("payment.role_not_allowed"));
    for (method, by) in [
        (Method::Cash, client()),
        (Method::Transfer, person(crate::actor::Role::Cashier, 2)),
        (Method::OnAccount, manager()),
    ] {
        assert_eq!(world.pay_debt(missed, method, by), refused, "{method:?}");
    }
    world.pay_debt(missed, Method::Cash, person(crate::actor::Role::Cashier, 2)).unwrap();
    assert_eq!(balance(&world, &format!("cash:{SITE}:main")), FINE);
}

#[test]
fn a_checkout_for_a_fine_stays_open_although_the_game_is_over() {
    let mut world = World::new();
    let missed = world.miss(evening(1));
    let payment = world.pay_debt(missed, Method::Wave, client()).unwrap();
    world.open(payment).unwrap();
    let closes = world.payment(payment).checkout.unwrap().close_at;
    assert!(closes.is_none_or(|at| at > world.now + Duration::hours(1)), "{closes:?}");
}
