//! Moving a reservation, however often and by whom, against a naive count of what domain.md says: at least so long
//! before, so often free, the price difference settled, the deposit follows, and the policy is the one of the first day.

use chrono::TimeDelta;
use proptest::prelude::*;

use crate::{
    Timestamp,
    actor::Actor,
    decision::Read,
    ids::ReservationId,
    money::Money,
    payment::Method,
    policy::Policy,
    quote::Price,
    reservation::{Cancel, CancelReason, Refusal, Reschedule, ReschedulePreview},
    spec::{
        story::{Booking, Paying, client, manager, price, slot},
        world::{No, SITE, World, Written},
    },
};

const MINUTE: i64 = 60_000_000;
/// Version of the site the policy was taken from, and of the site as it is priced later (see `story::price`).
const AGREED: i32 = 7;
const LATER: i32 = 9;

/// One wish to move.
#[derive(Clone, Debug)]
struct Move {
    by_manager: bool,
    /// How long before the start of what is booked now, in microseconds, relative to the limit of the policy.
    before_the_limit: i64,
    /// Half hours from what is booked now; none is a move onto itself.
    shift: i64,
    total: i64,
    /// Then so many thousandths of what is due are paid.
    pays: i64,
}

fn a_move() -> impl Strategy<Value = Move> {
    let by = prop_oneof![
        3 => prop::sample::select(vec![0, -1, 1, MINUTE, -MINUTE]),
        1 => 0..10 * 1_440 * MINUTE,
    ];
    let shift = prop_oneof![1 => Just(0), 1 => -4..4_i64, 4 => 1..1_000_i64];
    (any::<bool>(), by, shift, 0..80_000_i64, prop_oneof![Just(0), Just(1_000), 0..1_000_i64]).prop_map(
        |(by_manager, before_the_limit, shift, total, pays)| Move { by_manager, before_the_limit, shift, total, pays },
    )
}

/// By the test's own count.
#[derive(Clone, Debug)]
struct Model {
    policy: Policy,
    start: Timestamp,
    total: i64,
    deposit: i64,
    holds: i64,
    moves: u32,
}

impl Model {
    /// Which rule says no, if one does.
    fn refuses(&self, wish: &Move, now: Timestamp) -> Option<&'static str> {
        let notice = (self.start - now).num_microseconds().unwrap();
        if wish.by_manager {
            None
        } else if notice < i64::from(self.policy.reschedule_minutes) * MINUTE {
            Some("reservation.too_late_to_reschedule")
        } else {
            (self.moves >= self.policy.free_reschedules).then_some("reservation.reschedules_used")
        }
    }

    fn carry_out(&mut self, wish: &Move, to: Timestamp) {
        if to == self.start {
            return;
        }
        (self.start, self.total) = (to, wish.total);
        self.deposit = self.deposit.min(wish.total);
        self.holds = self.holds.min(wish.total);
        self.moves += u32::from(!wish.by_manager);
    }
}

fn by(wish: &Move) -> Actor {
    if wish.by_manager { manager() } else { client() }
}

/// The tariffs have moved on: a later version of the site, another deposit rule.
fn priced(to: Timestamp, total: i64) -> Price {
    Price { site_version: LATER, ..price(to, total, total) }
}

fn reschedule(world: &mut World, id: ReservationId, to: Timestamp, wish: &Move) -> Written {
    let (site, by) = (Read { stream: SITE.into(), version: LATER }, by(wish));
    world.with_sources(id, |reservation, sources, now| {
        let (to, price) = (slot(to), priced(to, wish.total));
        Reschedule { reservation, to, price, site, sources, by, now }.decide()
    })
}

fn preview(world: &World, id: ReservationId, to: Timestamp, wish: &Move) -> Result<ReschedulePreview, Refusal> {
    let (reservation, site) = (&world.load(id), Read { stream: SITE.into(), version: LATER });
    let (to, price) = (slot(to), priced(to, wish.total));
    Reschedule { reservation, to, price, site, sources: &[], by: by(wish), now: world.now }.preview()
}

/// The state says what the count says.
fn agree(world: &World, id: ReservationId, model: &Model) -> Result<(), TestCaseError> {
    let state = world.reservation(id);
    let terms = state.terms.clone().unwrap();
    prop_assert_eq!(&terms.slot, &slot(model.start));
    prop_assert_eq!((terms.price.total, terms.price.deposit), (Money::xof(model.total), Money::xof(model.deposit)));
    prop_assert_eq!(state.held_money(), Money::xof(model.holds), "what goes back and what stays is what was there");
    prop_assert_eq!(state.balance_due(), Money::xof(model.total - model.holds));
    prop_assert_eq!((terms.policy, state.policy_version), (model.policy.clone(), AGREED), "agreed is agreed");
    let claims = world.open_claims();
    prop_assert_eq!(claims.iter().map(|claim| claim.during).collect::<Vec<_>>(), [slot(model.start).claims]);
    // The limits of the first day, counted from the new start.
    let free = TimeDelta::minutes(i64::from(model.policy.free_cancellation_minutes));
    for (now, kept) in
        [(model.start - free, 0), (model.start - free + TimeDelta::microseconds(1), model.deposit.min(model.holds))]
    {
        let reservation = &world.load(id);
        let (sources, reason, by) = (&[][..], CancelReason::Client, client());
        let cancel = Cancel { reservation, sources, reason, note: None, by, now };
        prop_assert_eq!(cancel.preview().unwrap().kept, Money::xof(kept));
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_move_settles_the_difference_and_leaves_the_terms(
        limits in (0..=43_200_u32, 0..=43_200_u32, 0..4_u32),
        total in 0..80_000_i64,
        deposit in 0..=1_000_i64,
        full: bool,
        wishes in prop::collection::vec(a_move(), 1..8),
    ) {
        let (free_cancellation_minutes, reschedule_minutes, free_reschedules) = limits;
        let policy = Policy { free_cancellation_minutes, reschedule_minutes, free_reschedules, ..Policy::default() };
        let mut world = World::new();
        let start = world.now + TimeDelta::days(45);
        let deposit = total * deposit / 1_000;
        let booking = Booking { total, deposit, policy: policy.clone(), ..Booking::manual(start) };
        let purpose = if full { crate::reservation::Purpose::Full } else { crate::reservation::Purpose::Deposit };
        let (id, _) = world.place(&booking, Paying::Recorded(Method::Cash, purpose)).unwrap();
        let mut model = Model { policy, start, total, deposit, holds: if full { total } else { deposit }, moves: 0 };
        agree(&world, id, &model)?;
        for wish in wishes {
            let limit = i64::from(model.policy.reschedule_minutes) * MINUTE;
            world.now = world.now.max(model.start - TimeDelta::microseconds(limit + wish.before_the_limit));
            let to = model.start + TimeDelta::minutes(30 * wish.shift);
            let refused = model.refuses(&wish, world.now);
            let expected = ReschedulePreview {
                total: Money::xof(wish.total),
                refund: Money::xof((model.holds - wish.total).max(0)),
                difference: Money::xof((wish.total - model.total).max(0)),
            };
            let said = preview(&world, id, to, &wish);
            if let (Some("reservation.too_late_to_reschedule"), Err(refusal)) = (refused, &said) {
                let (minutes, version) = (model.policy.reschedule_minutes, AGREED);
                let latest = model.start - TimeDelta::microseconds(limit);
                prop_assert_eq!(refusal, &Refusal::TooLateToReschedule { latest, minutes, version });
            } else {
                prop_assert_eq!(said.ok(), refused.is_none().then_some(expected));
            }
            let before = (world.refunds().len(), model.holds);
            match (reschedule(&mut world, id, to, &wish), refused) {
                (Err(No::Refused(code)), Some(rule)) => prop_assert_eq!(code, rule),
                (Ok(_), None) => model.carry_out(&wish, to),
                other => prop_assert!(false, "{other:?} for {wish:?}"),
            }
            let back: i64 = world.refunds()[before.0..].iter().map(|refund| refund.amount.amount).sum();
            prop_assert_eq!(back + model.holds, before.1);
            agree(&world, id, &model)?;
            let pays = (model.total - model.holds) * wish.pays / 1_000;
            if pays > 0 {
                world.record(id, Method::Cash, pays, manager()).unwrap();
                model.holds += pays;
            }
        }
    }
}
