//! Every order in which hold, pay, confirm and refund may go, searched through.
//!
//! [`Booking`] is a model for stateright: one reservation, its payments and refunds, decided by the real verbs and folded
//! by the real folds; around them the provider's own truth, messages under way, a worker that can die between its call and
//! its record, somebody else who wants the slot, and a clock that moves over the instants at which something changes.
//! What must hold is the table [`laws::LAWS`], published as `docs/model.md`. What the model takes for granted stands there.

mod actions;
mod broken;
mod checks;
mod inbox;
mod lane;
mod laws;
mod learn;
mod people;
mod provider;
mod refunds;
mod state;
mod tests;
mod worker;

use std::sync::Arc;

use chrono::Duration;
use stateright::{Model, Property};

use self::{
    actions::Action,
    broken::Broken,
    lane::Lane,
    provider::{Kind, Provider},
    state::{Left, State},
};
use crate::{Timestamp, reservation::Purpose};

/// In what state the search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// Just placed.
    Held,
    /// Its first payment has been made, too.
    Confirmed,
}

/// A bounded world: what can happen, and how often.
#[derive(Clone, Debug)]
struct Booking {
    /// Seconds after it was placed; at the last two nothing breaks any more.
    instants: &'static [i64],
    /// Minutes from the placing to the start of the slot.
    starts_in: i64,
    purpose: Purpose,
    rail: Kind,
    /// Of several charges in one checkout, only the latest is shown.
    shows_latest_only: bool,
    /// What a payer may pay; empty: what is asked for.
    amounts: &'static [i64],
    /// Turns that may be under way at once.
    workers: usize,
    begins: Begin,
    /// Whether the provider may end a checkout by itself, with a refusal.
    refuses_checkouts: bool,
    left: Left,
    broken: Option<Broken>,
}

/// Placed; questions; the end of the hold; the end of the checkout's grace; later the same hour; when all questions have
/// been asked, and when those about what was begun then have been asked, too.
const INSTANTS: &[i64] = &[0, 60, 900, 1_020, 2_700, 80 * 3_600, 160 * 3_600];

impl Booking {
    /// A deposit at a provider that closes checkouts, for a slot in ten days. Nothing goes wrong.
    const fn plain() -> Self {
        Self {
            instants: INSTANTS,
            starts_in: 10 * 24 * 60,
            purpose: Purpose::Deposit,
            rail: Kind::Closes,
            shows_latest_only: false,
            amounts: &[],
            workers: 1,
            begins: Begin::Held,
            refuses_checkouts: false,
            left: Left {
                tabs: 0,
                charges: 1,
                twice: 0,
                cancels: 0,
                others: 0,
                cuts: 0,
                deaths: 0,
                refusals: 0,
                slow: 0,
                repeats: 0,
                losses: 0,
                forgeries: 0,
            },
            broken: None,
        }
    }

    fn instant(&self, tick: usize) -> Timestamp {
        placed_at() + Duration::seconds(self.instants[tick])
    }
}

fn placed_at() -> Timestamp {
    Lane::new().world.now
}

impl State {
    fn empty(model: &Booking) -> Self {
        Self {
            tick: 0,
            now: placed_at(),
            calm: false,
            lane: Arc::new(Lane::new()),
            provider: Provider::new(model),
            effects: Vec::new(),
            post: Vec::new(),
            left: model.left,
            hint_moved: false,
        }
    }
}

impl Model for Booking {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![self.begin()]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.possible(state, actions);
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        self.next(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let laws = laws::LAWS.iter().map(|law| Property::always(law.id, law.holds));
        let sights = laws::SIGHTS.iter().map(|(id, seen)| Property::sometimes(id, *seen));
        laws.chain(sights).chain([Property::eventually(laws::COMES_TO_REST, laws::rests)]).collect()
    }
}
