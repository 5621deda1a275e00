//! The rulebook of paying together: who may split what, and how shares are paid.

use chrono::Duration;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    ids::{ReservationId, ShareId},
    money::Money,
    payment::{Method, Row, expire, fail, unknown},
    policy::Policy,
    reaction::{Alarm, Reaction, react},
    reservation::{Purpose, Status},
    spec::{
        shares::{Cut, FRIEND},
        story::{Booking, DEPOSIT, Paying, TOTAL, client, evening, manager, note},
        world::{No, World, person},
    },
};

/// Noon of the next day.
fn noon() -> Timestamp {
    evening(1) - Duration::hours(6)
}

fn amounts(world: &World, id: ReservationId) -> Vec<i64> {
    world.reservation(id).shares().map(|share| share.amount.amount).collect()
}

fn held(world: &mut World) -> ReservationId {
    world.place(&Booking::online(evening(2)), Paying::Later).unwrap().0
}

fn refused(code: &'static str) -> Result<Vec<ShareId>, No> {
    Err(No::Refused(code))
}

#[test]
fn five_friends_on_three_rails_confirm_it() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let rails = [Method::Wave, Method::OrangeMoney, Method::Card, Method::Wave, Method::OrangeMoney];
    for (nth, (share, rail)) in shares.iter().zip(rails).enumerate() {
        world.pass(7);
        let (payment, row) = world.pay_share(id, *share, rail).unwrap();
        let asked = world.payment(payment).request.unwrap();
        assert_eq!((asked.amount, asked.share_id, asked.client_id), (Money::xof(TOTAL / 5), Some(*share), None));
        assert_eq!(row, if nth == 4 { Row::Confirmed } else { Row::Allocated });
    }
    let state = world.reservation(id);
    assert_eq!((state.status, state.balance_due()), (Status::Confirmed, Money::xof(0)));
    assert!(state.shares().all(|share| share.received == share.amount && share.payments.len() == 1));
    assert_eq!(world.names().iter().filter(|name| **name == "reservation.hold_prolonged").count(), 1);
}

#[test]
fn nobody_blocks_a_pitch_without_a_paid_share() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let waiting = world.request_share(id, shares[0], Method::Wave, None, &[]).unwrap();
    world.open(waiting).unwrap();
    // A franc is no share.
    assert_eq!(world.land(waiting, "T1", 1), Ok(Row::Underpaid));
    world.pass(17);
    assert_eq!(world.expire(id, &[waiting]), Ok(vec!["reservation.expired"]));
    let mut world = World::new();
    let (id, _) = world.together(evening(2), &Cut::full(noon()));
    world.pass(15);
    assert!(world.blocking().is_empty());
    world.place(&Booking::manual(evening(2)), Paying::Recorded(Method::Cash, Purpose::Deposit)).unwrap();
    assert_eq!(world.reservation(id).status, Status::Expired);
}

#[test]
fn a_paid_share_keeps_the_pitch_until_the_deadline_and_buys_no_further_holds() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    for day in 3..5 {
        world.place(&Booking::online(evening(day)), Paying::Later).unwrap();
    }
    assert_eq!(world.place(&Booking::online(evening(5)), Paying::Later), Err(No::Limit));
    let from = world.log.len();
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    let owed: Vec<Reaction> = world.log[from..].iter().flat_map(|(_, event)| react(event)).collect();
    assert!(owed.contains(&Reaction::Wake { reservation_id: id, at: noon(), alarm: Alarm::HoldEnds }));
    // A share is cheap: it must not buy pitches for weeks, one after the other.
    assert_eq!(world.place(&Booking::online(evening(5)), Paying::Later), Err(No::Limit));
    world.pass(16);
    assert_eq!(world.expire(id, &[]), Err(No::Refused("reservation.hold_alive")));
    world.now = noon() - Duration::minutes(1);
    assert_eq!(world.place(&Booking::manual(evening(2)), Paying::Later), Err(No::SlotTaken));
    world.pass(1);
    assert!(world.place(&Booking::manual(evening(2)), Paying::Later).is_ok());
    assert_eq!(world.reservation(id).status, Status::Expired);
}

#[test]
fn what_becomes_of_the_others_checkouts_does_not_shorten_a_pledge() {
    for ending in 0..4 {
        let mut world = World::new();
        let (id, shares) = world.together(evening(2), &Cut::full(noon()));
        let slow = world.request_share(id, shares[1], Method::Yas, None, &[]).unwrap();
        if ending < 3 {
            world.open(slow).unwrap();
        }
        world.pay_share(id, shares[0], Method::Wave).unwrap();
        world.pass(3);
        let (payment, of, now) = (world.load(slow), world.paid_by(slow), world.now);
        let decision = match ending {
            0 => fail(&payment, &of, &[], note("refused"), now),
            1 => expire(&payment, &of, &[], now),
            2 => unknown(&payment, &of, note("cut"), now),
            _ => {
                world.open(slow).unwrap();
                Ok(crate::decision::Decision::nothing())
            }
        };
        world.write(decision).unwrap();
        world.now = noon() - Duration::minutes(1);
        assert!(world.blocking().contains(&id.uuid()), "ending {ending}");
    }
}

#[test]
fn an_open_share_keeps_the_cells_for_the_grace_and_no_longer() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    world.now = noon() - Duration::minutes(1);
    let last = world.request_share(id, shares[1], Method::Wave, None, &[]).unwrap();
    world.open(last).unwrap();
    world.pass(1);
    assert_eq!(world.expire(id, &[last]), Err(No::Refused("reservation.hold_alive")));
    assert_eq!(
        world.request_share(id, shares[2], Method::Wave, None, &[]),
        Err(No::Refused("reservation.hold_expired"))
    );
    world.pass(2);
    assert!(world.blocking().is_empty());
    assert_eq!(world.expire(id, &[last]), Ok(vec!["reservation.expired"]));
}

#[test]
fn a_share_opened_before_the_hold_was_prolonged_keeps_the_cells_for_the_grace_too() {
    let mut world = World::new();
    let (id, shares) = world.together(evening(2), &Cut::full(noon()));
    let early = world.request_share(id, shares[1], Method::Wave, None, &[]).unwrap();
    world.open(early).unwrap();
    world.pay_share(id, shares[0], Method::Wave).unwrap();
    // Its provider did not answer when it was to be closed, for as long as the hold lasted.
    world.now = noon() - Duration::minutes(1);
    let decision = unknown(&world.load(early), &world.load(id), note("cut off"), world.now);
    world.write(decision).unwrap();
    world.pass(1);
    assert_eq!(world.expire(id, &[early]), Err(No::Refused("reservation.hold_alive")));
    assert!(world.blocking().contains(&id.uuid()));
    world.pass(2);
    assert_eq!(world.expire(id, &[early]), Ok(vec!["reservation.expired"]));
}

#[test]
fn shares_are_exact_by_largest_remainder() {
    let mut world = World::new();
    let booking = Booking { total: 35_000, deposit: 10_500, ..Booking::online(evening(2)) };
    for (shares, expected) in [(2, vec![17_500; 2]), (3, vec![11_667, 11_667, 11_666])] {
        let mut world = world.clone();
        let (id, _) = world.place(&booking, Paying::Later).unwrap();
        world.split(id, &Cut { shares, ..Cut::full(noon()) }, &[], client()).unwrap();
        assert_eq!(amounts(&world, id), expected);
    }
    for shares in 2..=30 {
        let mut world = world.clone();
        let (id, _) = world.place(&booking, Paying::Later).unwrap();
        world.split(id, &Cut { shares, ..Cut::full(noon()) }, &[], client()).unwrap();
        let amounts = amounts(&world, id);
        assert_eq!((amounts.len(), amounts.iter().sum()), (shares, 35_000));
        assert!(amounts.iter().max().unwrap() - amounts.iter().min().unwrap() <= 1);
    }
    let (id, _) = world.place(&booking, Paying::Later).unwrap();
    let agreed = Cut { amounts: vec![20_000, 10_000, 5_000], ..Cut::full(noon()) };
    world.split(id, &agreed, &[], client()).unwrap();
    assert_eq!(amounts(&world, id), [20_000, 10_000, 5_000]);
}

#[test]
fn only_the_client_who_holds_it_the_manager_or_a_service_splits() {
    let mut world = World::new();
    let id = held(&mut world);
    let cut = Cut::full(noon());
    let another = Actor::new(Role::Client, FRIEND.uuid().into());
    for by in [another, person(Role::Cashier, 1), person(Role::Support, 2), Actor::SYSTEM] {
        assert_eq!(world.split(id, &cut, &[], by), refused("reservation.role_not_allowed"), "{by:?}");
    }
    for by in [client(), manager(), person(Role::Service, 3)] {
        assert!(world.clone().split(id, &cut, &[], by).is_ok());
    }
}

#[test]
fn it_is_split_once() {
    let mut world = World::new();
    let (id, _) = world.together(evening(2), &Cut::full(noon()));
    assert_eq!(world.split(id, &Cut::full(noon()), &[], client()), refused("reservation.already_split"));
}

#[test]
fn there_are_two_to_thirty_shares() {
    let mut world = World::new();
    let id = held(&mut world);
    for shares in [0, 1, 31, 500] {
        let cut = Cut { shares, ..Cut::full(noon()) };
        assert_eq!(world.split(id, &cut, &[], client()), refused("reservation.share_count"), "{shares}");
    }
}

#[test]
fn the_shares_add_up_to_what_is_due() {
    let mut world = World::new();
    let id = held(&mut world);
    for amounts in [vec![TOTAL - 2_001, 2_000], vec![TOTAL, 2_000], vec![DEPOSIT / 2; 2]] {
        let cut = Cut { amounts, ..Cut::full(noon()) };
        assert_eq!(world.split(id, &cut, &[], client()), refused("reservation.shares_do_not_add_up"));
    }
}

#[test]
fn a_share_is_no_smaller_than_a_thirtieth() {
    let mut world = World::new();
    let id = held(&mut world);
    let cut = |small: i64| Cut { amounts: vec![small, TOTAL - small], ..Cut::full(noon()) };
    for small in [-500, 0, 1, TOTAL / 30 - 1] {
        assert_eq!(world.split(id, &cut(small), &[], client()), refused("reservation.share_too_small"), "{small}");
    }
    assert!(world.split(id, &cut(TOTAL / 30), &[], client()).is_ok());
}

#[test]
fn the_quorum_is_between_the_deposit_and_what_is_shared() {
    let mut world = World::new();
    let id = held(&mut world);
    let cut = |of, quorum| Cut { of, quorum: Some(quorum), ..Cut::full(noon()) };
    for (of, quorum) in [
        (Purpose::Full, DEPOSIT - 1),
        (Purpose::Full, TOTAL + 1),
        (Purpose::Deposit, DEPOSIT + 1),
        (Purpose::Deposit, -DEPOSIT),
    ] {
        assert_eq!(world.split(id, &cut(of, quorum), &[], client()), refused("reservation.quorum_out_of_range"));
    }
    assert!(world.clone().split(id, &cut(Purpose::Full, DEPOSIT), &[], client()).is_ok());
    world.split(id, &Cut { of: Purpose::Deposit, ..Cut::full(noon()) }, &[], client()).unwrap();
    assert_eq!(world.reservation(id).split.unwrap().quorum, Some(Money::xof(DEPOSIT)));
}

#[test]
fn the_deadline_lies_between_the_hold_and_the_lead_time() {
    let mut world = World::new();
    let id = held(&mut world);
    let hold_ends = world.now + Duration::minutes(15);
    let latest = evening(2) - Duration::minutes(15);
    for deadline in [world.now - Duration::days(1), hold_ends, latest + Duration::seconds(1), evening(3)] {
        let written = world.split(id, &Cut::full(deadline), &[], client());
        assert_eq!(written, refused("reservation.deadline_out_of_range"), "{deadline}");
    }
    for deadline in [hold_ends + Duration::seconds(1), latest] {
        assert!(world.clone().split(id, &Cut::full(deadline), &[], client()).is_ok(), "{deadline}");
    }
}

#[test]
fn nothing_is_split_while_a_checkout_is_open() {
    let mut world = World::new();
    let (id, payment) = world.hold(evening(2));
    let cut = Cut::full(noon());
    assert_eq!(world.split(id, &cut, &[payment], client()), refused("reservation.checkout_open"));
    let (loaded, of) = (world.load(payment), world.paid_by(payment));
    let closed = expire(&loaded, &of, &[], world.now);
    world.write(closed).unwrap();
    assert!(world.split(id, &cut, &[payment], client()).is_ok());
}

#[test]
fn what_came_before_counts_and_only_the_rest_is_split() {
    let mut world = World::new();
    let (id, payment) = world.hold(evening(2));
    world.land(payment, "T1", 5_000).unwrap();
    let cut = Cut { of: Purpose::Deposit, shares: 2, ..Cut::full(noon()) };
    let shares = world.split(id, &cut, &[payment], client()).unwrap();
    assert_eq!(amounts(&world, id), [3_500, 3_500]);
    assert_eq!(world.pay_share(id, shares[0], Method::Yas).unwrap().1, Row::Allocated);
    assert_eq!(world.pay_share(id, shares[1], Method::Yas).unwrap().1, Row::Confirmed);
}

#[test]
fn only_what_is_held_or_confirmed_and_due_is_split() {
    let mut world = World::new();
    let id = held(&mut world);
    let balance = Cut { of: Purpose::Balance, ..Cut::full(noon()) };
    assert_eq!(world.split(id, &balance, &[], client()), refused("payment.nothing_due"));
    world.pass(15);
    assert_eq!(world.split(id, &Cut::full(noon()), &[], client()), refused("reservation.hold_expired"));
    world.expire(id, &[]).unwrap();
    assert_eq!(world.split(id, &Cut::full(noon()), &[], client()), refused("payment.not_payable"));
    let paid = Paying::Recorded(Method::Cash, Purpose::Full);
    let (id, _) = world.place(&Booking::manual(evening(3)), paid).unwrap();
    assert_eq!(world.split(id, &balance, &[], manager()), refused("payment.nothing_due"));
    let missing = ReservationId::new(uuid::Uuid::from_u128(1));
    assert_eq!(world.split(missing, &balance, &[], manager()), refused("reservation.not_found"));
}

#[test]
fn manual_holds_and_other_policies_split_too() {
    let mut world = World::new();
    let policy = Policy { lead_minutes: 24 * 60, ..Policy::default() };
    let booking = Booking { client: None, policy, ..Booking::manual(evening(2)) };
    let (id, _) = world.place(&booking, Paying::Later).unwrap();
    let late = Cut::full(evening(1) + Duration::seconds(1));
    assert_eq!(world.split(id, &late, &[], client()), refused("reservation.role_not_allowed"), "nobody's client");
    assert_eq!(world.split(id, &late, &[], manager()), refused("reservation.deadline_out_of_range"));
    let shares = world.split(id, &Cut::full(evening(1)), &[], manager()).unwrap();
    assert_eq!(world.pay_share(id, shares[0], Method::Card).unwrap().1, Row::Allocated);
}
