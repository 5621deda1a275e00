//! Whatever happens in whatever order: no site is paid more than it has earned less the commission, and no franc twice.

use proptest::prelude::*;

use super::{
    tests::{approve_now, earn, finance, last, payable, prepare_now, set_account, with, world},
    *,
};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    event,
    ids::ReservationId,
    money::Money,
    payment::Method,
    site,
    spec::{
        story::note,
        world::{SITE, World, person},
    },
};

/// One step of a story.
#[derive(Clone, Copy, Debug)]
enum Step {
    Earn,
    /// Of that reservation, so much goes back.
    GiveBack(usize, i64),
    Prepare(bool),
    Approve(u128),
    Reject,
    Submit,
    Unknown,
    Succeed,
    Fail,
    Reverse,
    Hold(Option<i64>),
    Release,
    NewAccount(bool),
    Pass(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Earn),
        3 => (0..9_usize, 500..9_000_i64).prop_map(|(of, amount)| Step::GiveBack(of, amount)),
        5 => any::<bool>().prop_map(Step::Prepare),
        6 => (3..6_u128).prop_map(Step::Approve),
        1 => Just(Step::Reject),
        4 => Just(Step::Submit),
        1 => Just(Step::Unknown),
        4 => Just(Step::Succeed),
        2 => Just(Step::Fail),
        1 => Just(Step::Reverse),
        1 => prop_oneof![Just(None), (1..20_000_i64).prop_map(Some)].prop_map(Step::Hold),
        1 => Just(Step::Release),
        1 => any::<bool>().prop_map(Step::NewAccount),
        2 => (1..3_000_i64).prop_map(Step::Pass),
    ]
}

type Verb<'a> = &'a dyn Fn(&Loaded<Payout>, Timestamp) -> Result<Decision, Refusal>;

/// Plays one; what may not be is refused.
fn play(world: &mut World, played: &mut Vec<ReservationId>, step: Step) {
    let latest = last(world).map(|(payout, _)| payout.id);
    let on = |world: &mut World, verb: Verb<'_>| {
        if let Some(id) = latest {
            let _ = with(world, id, verb);
        }
    };
    match step {
        Step::Earn if played.len() < 6 => {
            let day = u32::try_from(played.len()).unwrap() + 1;
            if world.now < crate::spec::story::evening(day) {
                played.push(earn(world, day));
            }
        }
        Step::GiveBack(of, amount) if !played.is_empty() => {
            let payment = world.reservation(played[of % played.len()]).paying()[0];
            let _ = world.ask_refund(payment, Some(amount), person(Role::Manager, 1));
        }
        Step::Prepare(by_itself) => {
            drop(prepare_now(world, if by_itself { Actor::SYSTEM } else { finance(3) }));
        }
        Step::Approve(by) => {
            if let Some(id) = latest {
                let _ = approve_now(world, id, finance(by));
            }
        }
        Step::Reject => on(world, &|it, now| reject(it, note("no"), finance(3), now)),
        Step::Submit => on(world, &submit),
        Step::Unknown => on(world, &|it, now| unknown(it, note("cut off"), now)),
        Step::Succeed => on(world, &|it, now| succeed(it, None, None, Actor::SYSTEM, now)),
        Step::Fail => on(world, &|it, now| fail(it, note("full"), now)),
        Step::Reverse => on(world, &|it, now| reverse(it, note("taken back"), now)),
        Step::Hold(amount) => {
            let amount = amount.map(Money::xof);
            let decision = site::hold_payouts(&world.load(SITE), amount, note("a dispute"), finance(3), world.now);
            let _ = world.write(decision);
        }
        Step::Release => {
            let _ = world.write(site::release_payouts(&world.load(SITE), note("settled"), finance(3), world.now));
        }
        Step::NewAccount(one) => {
            drop(set_account(world, super::tests::destination(Method::Wave, if one { "one" } else { "other" })));
        }
        Step::Pass(minutes) => world.pass(minutes),
        Step::Earn | Step::GiveBack(..) => {}
    }
}

/// What the site has earned less the commission and what went back, and what was sent to it, by the events alone.
fn counted(world: &World) -> (i64, i64) {
    let mut of_payouts = 0;
    for (_, event) in &world.log {
        if let event::Event::Payout(event) = event {
            of_payouts += match event {
                Event::Approved(approved) => approved.amount.amount,
                Event::Failed(failed) => -failed.amount.amount,
                Event::Reversed(reversed) => -reversed.amount.amount,
                _ => 0,
            };
        }
    }
    (payable(world).owed.amount + of_payouts, of_payouts)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn no_site_is_paid_more_than_is_its_own(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut world, mut played) = (world(Method::Wave), Vec::new());
        for step in steps {
            let before = world.log.len();
            let (_, was_sent) = counted(&world);
            let (hold, owed_before) = (world.load::<site::Site>(SITE).state.payout_hold, payable(&world).owed);
            play(&mut world, &mut played, step);
            let (own, sent) = counted(&world);
            if sent > was_sent {
                // At the moment at which money leaves: at most what is the site's, and nothing that is held.
                prop_assert!(sent <= own, "{sent} sent of {own}");
                let held = hold.map_or(0, |hold| hold.amount.map_or(i64::MAX, |amount| amount.amount));
                prop_assert!(sent - was_sent <= owed_before.amount.saturating_sub(held.min(owed_before.amount)));
            }
            let live = world.log.iter().filter(|(_, event)| matches!(event, event::Event::Payout(Event::Prepared(_))));
            let open = live.filter(|(stream, _)| {
                let id = crate::ids::PayoutId::new(stream.uuid());
                !world.load::<Payout>(id).state.status.is_over()
            });
            prop_assert!(open.count() <= 1, "one at a time");
            prop_assert!(world.log.len() >= before);
        }
        // Each movement has one key, and each key one movement.
        let mut keys: Vec<String> = world.log.iter().filter_map(|(_, event)| match event {
            event::Event::Payout(Event::Submitted(submitted)) => Some(submitted.reference.to_string()),
            _ => None,
        }).collect();
        let all = keys.len();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), all);
    }
}
