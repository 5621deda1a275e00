//! What should be in a drawer, whatever happens in between; and who may say what is.

use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::{
    aggregate::Loaded,
    contract::Flow,
    event::Event as AnyEvent,
    ids::TillId,
    ledger::{Account, alone},
    reaction::{Notice, Reaction, Whom, react},
    refusal::Refused,
    spec::{
        story::{manager, note},
        world::{No, SITE, World, person},
    },
};

fn closing(counted: i64, reason: Option<&str>, flow: Flow) -> Close {
    Close { counted: Money::xof(counted), reason: reason.map(note), flow }
}

const OURS: Flow = Flow::PlatformCollects;

fn cashier() -> Actor {
    person(Role::Cashier, 7)
}

fn takings(received: i64, handed_out: i64, as_of_position: i64) -> Takings {
    Takings { received: Money::xof(received), handed_out: Money::xof(handed_out), as_of_position }
}

fn till(world: &World) -> Loaded<Till> {
    world.load(TillId::new(Uuid::from_u128(0x7111)))
}

fn opened(world: &mut World, float: i64, at: i64) {
    let wish = Open { site_id: SITE, float: Money::xof(float), as_of_position: at };
    let decision = open(&till(world), wish, cashier(), world.now);
    assert_eq!(world.write(decision), Ok(vec!["till.opened"]));
}

fn last_closed(world: &World) -> Closed {
    world
        .log
        .iter()
        .rev()
        .find_map(|(_, event)| match event {
            AnyEvent::Till(Event::Closed(closed)) => Some(closed.clone()),
            _ => None,
        })
        .unwrap()
}

#[test]
fn a_drawer_is_opened_counted_and_closed_with_what_is_missing() {
    let mut world = World::new();
    opened(&mut world, 10_000, 5);
    let decision = count(&till(&world), &takings(30_000, 0, 8), Money::xof(40_000), cashier(), world.now);
    assert_eq!(world.write(decision), Ok(vec!["till.counted"]));
    let wish = || Move { amount: Money::xof(25_000), reason: note("à la banque"), reference: None, flow: OURS };
    let decision = move_cash(&till(&world), &takings(30_000, 0, 8), wish(), manager(), world.now);
    assert_eq!(world.write(decision), Ok(vec!["till.cash_moved"]));
    // 10 000 + 30 000 − 5 000 − 25 000 should be there.
    let again = move_cash(&till(&world), &takings(30_000, 5_000, 9), wish(), manager(), world.now);
    assert_eq!(world.write(again), Err(No::Refused("till.more_than_there")));
    let silent = close(&till(&world), &takings(30_000, 5_000, 9), closing(4_000, None, OURS), cashier(), world.now);
    assert_eq!(silent.unwrap_err(), Refusal::ReasonRequired { expected: Money::xof(10_000), version: 3 });
    let said = closing(4_000, Some("rendu en double"), OURS);
    let closed = close(&till(&world), &takings(30_000, 5_000, 9), said, cashier(), world.now);
    assert_eq!(world.write(closed), Ok(vec!["till.closed"]));
    let closed = last_closed(&world);
    assert_eq!((closed.expected, closed.variance), (Money::xof(10_000), Money::xof(-6_000)));
    assert_eq!((closed.from_position, closed.as_of_position), (5, 9));
    // Nothing is counted in a closed drawer, and what was counted is not in the next session, too.
    let late = count(&till(&world), &takings(0, 0, 10), Money::xof(0), cashier(), world.now);
    assert_eq!(late.unwrap_err(), Refusal::NotOpen);
    let early = Open { site_id: SITE, float: Money::xof(0), as_of_position: 8 };
    let early = open(&till(&world), early, cashier(), world.now);
    assert_eq!(early.unwrap_err(), Refusal::CountedFurther { known: 9 });
    opened(&mut world, 4_000, 9);
    assert_eq!(till(&world).state.sessions, 2);
}

#[test]
fn a_cashier_or_manager_touches_it_and_nobody_else() {
    let mut world = World::new();
    let wish = Open { site_id: SITE, float: Money::xof(0), as_of_position: 0 };
    for role in [Role::Client, Role::Gatekeeper, Role::Finance, Role::Admin, Role::Auditor, Role::Service, Role::System]
    {
        let refused = open(&till(&world), wish, person(role, 1), world.now).unwrap_err();
        assert_eq!(refused.code(), "till.role_not_allowed", "{role:?}");
    }
    let nameless = Actor { role: Role::Cashier, id: None };
    assert_eq!(open(&till(&world), wish, nameless, world.now).unwrap_err().code(), "till.role_not_allowed");
    opened(&mut world, 0, 0);
    assert_eq!(open(&till(&world), wish, cashier(), world.now), Err(Refusal::AlreadyOpen));
    // A site has one drawer.
    let other = Loaded::<Till>::new(world.id().into());
    let second = open(&other, wish, cashier(), world.now);
    assert_eq!(world.write(second), Err(No::NotUnique));
}

#[test]
fn a_difference_is_entered_where_the_cash_is_ours_and_told_when_it_is_large() {
    for (flow, counted, postings, told) in [
        (OURS, 4_000, vec![(Account::Cash(SITE), -6_000), (Account::Variance(SITE), 6_000)], true),
        (OURS, 12_000, vec![(Account::Cash(SITE), 2_000), (Account::Variance(SITE), -2_000)], false),
        (OURS, 5_000, vec![(Account::Cash(SITE), -5_000), (Account::Variance(SITE), 5_000)], false),
        (OURS, 10_000, vec![], false),
        (Flow::ManagerCollects, 4_000, vec![], true),
    ] {
        let mut world = World::new();
        opened(&mut world, 10_000, 0);
        let wish = closing(counted, Some("compté"), flow);
        let closed = close(&till(&world), &takings(0, 0, 1), wish, cashier(), world.now);
        world.write(closed).unwrap();
        let event: AnyEvent = last_closed(&world).into();
        let entry = alone(&event).unwrap();
        let made: Vec<_> = entry.postings().iter().map(|posting| (posting.account, posting.amount.amount)).collect();
        assert_eq!(made, postings);
        let notice = Notice::TillVariance { site_id: SITE, variance: counted - 10_000 };
        let tell = Reaction::Tell { whom: Whom::ManagerOf(SITE), notice };
        assert_eq!(react(&event).contains(&tell), told, "{counted}");
    }
}

proptest! {
    /// Whatever comes, goes and is taken out: what is expected is the float and the sum of the movements, in every session.
    #[test]
    fn what_is_expected_is_the_float_and_every_movement_since(
        sessions in prop::collection::vec(
            (0_i64..50_000, prop::collection::vec((0_i64..20_000, 0_i64..8_000, 0_i64..30_000), 0..8), 0_i64..90_000), 1..5,
        ),
    ) {
        let mut world = World::new();
        let mut position = 0;
        for (float, movements, counted) in sessions {
            opened(&mut world, float, position);
            let (mut received, mut out, mut moved) = (0, 0, 0);
            for (came, went, wanted) in movements {
                received += came;
                out += went;
                position += 1;
                let now = takings(received, out, position);
                let there = float + received - out - moved;
                let wish = Move { amount: Money::xof(wanted), reason: note("banque"), reference: None, flow: OURS };
                let taken = move_cash(&till(&world), &now, wish, manager(), world.now);
                prop_assert_eq!(taken.is_ok(), wanted > 0 && wanted <= there);
                if taken.is_ok() {
                    world.write(taken).unwrap();
                    moved += wanted;
                }
                let counting = count(&till(&world), &now, Money::xof(counted), cashier(), world.now);
                world.write(counting).unwrap();
            }
            let end = takings(received, out, position);
            let wish = closing(counted, Some("compté"), OURS);
            let ended = close(&till(&world), &end, wish, cashier(), world.now);
            world.write(ended).unwrap();
            let closed = last_closed(&world);
            prop_assert_eq!(closed.expected.amount, float + received - out - moved);
            prop_assert_eq!(closed.variance.amount, counted - closed.expected.amount);
            prop_assert_eq!(closed.moved.amount, moved);
            prop_assert!(till(&world).state.open.is_none());
        }
    }
}
