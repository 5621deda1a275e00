//! What people want of the ground, and the decisions it makes.

use std::collections::HashSet;

use domain::{
    decision::Decision,
    event::Event,
    ids::{PaymentId, StreamId},
    payment::{self, Opened, ProviderId},
    policy::Policy,
    reservation::{self, Slot},
    site::{self, ClosureLifted, ClosureScheduled},
    text::Text,
};
use eventstore::Clock;
use kalel::bench::sample;
use proptest::prelude::*;

use super::{AT_ONCE, CLIENTS, Closure, Known, Model, PER_DAY, PITCHES, Stage};

/// A pitch, the half hour it begins and how many it lasts.
pub type Spot = (usize, u32, u32);

/// What somebody wants; a number is one of the reservations that this can be wanted of.
#[derive(Clone, Debug)]
pub enum Step {
    /// `over`: its time is up from the start. `code`: somebody else's.
    Hold {
        at: Spot,
        client: usize,
        over: bool,
        code: Option<usize>,
    },
    /// Two in one decision.
    Both(Spot, Spot, usize),
    Confirm(usize),
    /// Money for a hold that was ended: it claims its ground again.
    Reclaim(usize),
    Cancel(usize),
    Expire(usize),
    Move(usize, Spot),
    Swap(usize, usize),
    /// A checkout opens and lends the hold time, or takes it.
    Prolong(usize, bool),
    Close(Spot),
    Lift(usize),
    /// Decided on a version that is gone.
    Stale(usize),
}

pub fn a_step() -> impl Strategy<Value = Step> {
    let at = || (0..PITCHES.len(), 0..8_u32, 1..4_u32);
    let nth = || 0..8_usize;
    prop_oneof![
        12 => (at(), 0..CLIENTS, prop::bool::weighted(0.3), prop::option::weighted(0.1, nth()))
            .prop_map(|(at, client, over, code)| Step::Hold { at, client, over, code }),
        1 => (at(), at(), 0..CLIENTS).prop_map(|(one, two, client)| Step::Both(one, two, client)),
        5 => nth().prop_map(Step::Confirm),
        2 => nth().prop_map(Step::Reclaim),
        3 => nth().prop_map(Step::Cancel),
        2 => nth().prop_map(Step::Expire),
        4 => (nth(), at()).prop_map(|(nth, at)| Step::Move(nth, at)),
        2 => (nth(), nth()).prop_map(|(one, two)| Step::Swap(one, two)),
        4 => (nth(), any::<bool>()).prop_map(|(nth, alive)| Step::Prolong(nth, alive)),
        1 => at().prop_map(Step::Close),
        1 => nth().prop_map(Step::Lift),
        1 => nth().prop_map(Step::Stale),
    ]
}

/// One event of a command.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Hold(usize),
    Confirm(usize),
    Reclaim(usize),
    Cancel(usize),
    Expire(usize),
    Move(usize, Spot),
    Prolong(usize, bool),
    Close(usize, Spot),
    Lift(usize),
}

/// A decision, and what the model makes of it.
#[derive(Clone, Debug)]
pub struct Command {
    pub decision: Decision,
    pub(super) parts: Vec<Part>,
}

impl Model {
    fn wish(&mut self, clock: &Clock, at: Spot, client: usize, over: bool, code: Option<usize>) -> usize {
        let until = clock.now() + chrono::TimeDelta::seconds(if over { -1 } else { 3_600 });
        let mut wish = self.ground.wish(clock, at.1, until).unwrap();
        wish.slot = self.slot(at);
        wish.client_id = self.clients[client];
        wish.held.slot = wish.slot.clone();
        wish.held.client_id = Some(wish.client_id);
        wish.held.policy = Policy { unpaid_holds_at_once: AT_ONCE, unpaid_holds_per_day: PER_DAY, ..Policy::default() };
        if let Some(other) = code.and_then(|nth| self.known.get(nth)) {
            wish.held.code = other.wish.held.code.clone();
        }
        self.known.push(Known { wish, version: 0, stage: Stage::New });
        self.known.len() - 1
    }

    /// The step as a command, decided on what is known now; `None` when there is nobody of whom it could be wanted.
    /// Whoever is `busy` is left alone.
    pub fn prepare(&mut self, step: &Step, clock: &Clock, busy: &mut HashSet<usize>) -> Option<Command> {
        let parts = self.parts(step, clock, busy)?;
        let mut decision = Decision::default();
        for part in &parts {
            decision = decision.and(self.event(*part, clock));
        }
        if matches!(step, Step::Stale(_)) {
            decision.changes[0].expected -= 1;
        }
        Some(Command { decision, parts })
    }

    fn parts(&mut self, step: &Step, clock: &Clock, busy: &mut HashSet<usize>) -> Option<Vec<Part>> {
        let mut of = |nth: usize, stages: &[Stage]| {
            let may: Vec<usize> =
                (0..self.known.len()).filter(|n| stages.contains(&self.known[*n].stage) && !busy.contains(n)).collect();
            let chosen = *may.get(nth.checked_rem(may.len())?)?;
            busy.insert(chosen);
            Some(chosen)
        };
        Some(match *step {
            Step::Hold { at, client, over, code } => vec![Part::Hold(self.wish(clock, at, client, over, code))],
            Step::Both(one, two, client) => {
                vec![
                    Part::Hold(self.wish(clock, one, client, false, None)),
                    Part::Hold(self.wish(clock, two, client, false, None)),
                ]
            }
            Step::Confirm(nth) => vec![Part::Confirm(of(nth, &[Stage::Held])?)],
            Step::Reclaim(nth) => vec![Part::Reclaim(of(nth, &[Stage::Lapsed])?)],
            Step::Cancel(nth) | Step::Stale(nth) => vec![Part::Cancel(of(nth, &[Stage::Held, Stage::Paid])?)],
            Step::Expire(nth) => vec![Part::Expire(of(nth, &[Stage::Held])?)],
            Step::Move(nth, at) => vec![Part::Move(of(nth, &[Stage::Paid])?, at)],
            Step::Swap(one, two) => {
                let (one, two) = (of(one, &[Stage::Paid])?, of(two, &[Stage::Paid])?);
                vec![Part::Move(one, self.spot(two)), Part::Move(two, self.spot(one))]
            }
            Step::Prolong(nth, alive) => vec![Part::Prolong(of(nth, &[Stage::Held, Stage::Paid])?, alive)],
            Step::Close(at) => {
                let (stream, id) = (StreamId::new(clock.new_id()), clock.new_id().into());
                self.closures.push(Closure { stream, id, version: 0 });
                vec![Part::Close(self.closures.len() - 1, at)]
            }
            Step::Lift(nth) => {
                // A closure is only ever lifted once: its number is beyond those of the reservations.
                let open = |n: &usize| self.closures[*n].version == 1 && !busy.contains(&(10_000 + n));
                let may: Vec<usize> = (0..self.closures.len()).filter(open).collect();
                let chosen = *may.get(nth.checked_rem(may.len())?)?;
                busy.insert(10_000 + chosen);
                vec![Part::Lift(chosen)]
            }
        })
    }

    /// Where a reservation stands, as a spot.
    fn spot(&self, n: usize) -> Spot {
        let slot = &self.known[n].wish.slot;
        let cells: Vec<usize> = (0..3).filter(|cell| slot.cells.contains(&self.ground.cells[*cell])).collect();
        let pitch = PITCHES.iter().position(|pitch| *pitch == cells).unwrap();
        let first = self.ground.slot(0).unwrap().during.from();
        let half_hours = |minutes: i64| u32::try_from(minutes / 30).unwrap();
        (pitch, half_hours((slot.during.from() - first).num_minutes()), half_hours(slot.during.minutes()))
    }

    fn event(&self, part: Part, clock: &Clock) -> Decision {
        let now = clock.now();
        let of = |n: usize, event: Event| {
            let Known { wish, version, .. } = &self.known[n];
            sample::one(wish.reservation_id, *version, [event])
        };
        let wish = |n: usize| &self.known[n].wish;
        match part {
            Part::Hold(n) => wish(n).place(),
            Part::Confirm(n) => of(n, wish(n).confirm(now)),
            Part::Reclaim(n) => {
                let Event::Reservation(reservation::Event::Confirmed(mut confirmed)) = wish(n).confirm(now) else {
                    panic!("not a confirmation")
                };
                (confirmed.reclaims, confirmed.counted_on) = (Some(wish(n).slot.clone()), Some(sample::day()));
                of(n, confirmed.into())
            }
            Part::Cancel(n) => of(n, wish(n).cancel(now)),
            Part::Expire(n) => of(n, wish(n).expire(now)),
            Part::Move(n, at) => of(n, wish(n).reschedule(self.slot(at), now)),
            Part::Prolong(n, alive) => {
                let payment_id = PaymentId::new(clock.new_id());
                let until = now + chrono::TimeDelta::seconds(if alive { 3_600 } else { -1 });
                let opened = payment::Event::from(Opened {
                    payment_id,
                    reservation_id: wish(n).reservation_id,
                    provider_id: ProviderId::new("cos-1").unwrap(),
                    checkout_url: Text::new("http://127.0.0.1/pay").unwrap(),
                    expires_at: None,
                    close_at: None,
                    blocks_until: Some(until),
                    at: now,
                });
                sample::one(payment_id, 0, [opened.into()])
            }
            Part::Close(n, at) => {
                let Closure { stream, id: closure_id, .. } = self.closures[n];
                let Slot { cells, during, .. } = self.slot(at);
                let closure = self.ground.closure(clock, 0).unwrap();
                let closure = ClosureScheduled { closure_id, cells, during, ..closure };
                sample::one(stream, 0, [site::Event::from(closure).into()])
            }
            Part::Lift(n) => {
                let Closure { stream, id: closure_id, version } = self.closures[n];
                let lifted = ClosureLifted { site_id: self.ground.site_id, closure_id };
                sample::one(stream, version, [site::Event::from(lifted).into()])
            }
        }
    }
}
