//! What every event-sourced noun has in common.

use crate::{event::Event, ids::StreamId};

/// The number of events in a stream; 0 means that it does not exist yet.
pub type Version = i32;

/// The state of one noun, folded from its stream. `Default` is the state before the first event.
pub trait Aggregate: Default {
    /// The typed id of the noun; its UUID is the stream id.
    type Id: Copy + Into<StreamId>;
    /// The events of this noun alone.
    type Event;

    /// This noun's event out of any event, or `None` when it belongs to another noun.
    fn select(event: Event) -> Option<Self::Event>;

    /// What the event means. Cannot fail: what is recorded has happened.
    fn evolve(&mut self, event: Self::Event);
}

/// A state with the place in its stream it was folded up to: what a decision is based on.
#[derive(Clone, Debug)]
pub struct Loaded<A: Aggregate> {
    pub id: A::Id,
    pub version: Version,
    pub state: A,
}

impl<A: Aggregate> Loaded<A> {
    /// A stream that does not exist yet. Costs no query: a new id has version 0 by construction.
    pub fn new(id: A::Id) -> Self {
        Self { id, version: 0, state: A::default() }
    }

    /// Folds one more event.
    pub fn apply(&mut self, event: A::Event) {
        self.state.evolve(event);
        self.version += 1;
    }
}
