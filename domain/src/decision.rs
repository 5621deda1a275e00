//! What a command wants written, as one atomic unit.

use crate::{
    aggregate::{Aggregate, Loaded, Version},
    event::Event,
    ids::StreamId,
};

/// Events for one stream, valid only if the stream still has the version they were decided on.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub stream: StreamId,
    /// 0 for a stream that does not exist yet.
    pub expected: Version,
    pub events: Vec<Event>,
}

/// Another stream the decision relied on (a site's hours and tariffs): it must not have moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    pub stream: StreamId,
    pub version: Version,
}

/// All of it happens, or none of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    pub changes: Vec<Change>,
    pub reads: Vec<Read>,
}

impl Decision {
    /// Nothing to do: the wish is already so. Makes redelivery and double clicks harmless.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Whether there is nothing to write; streams relied on do not count.
    pub fn is_nothing(&self) -> bool {
        self.changes.iter().all(|change| change.events.is_empty())
    }

    /// Adds an event to a loaded stream, after those already added.
    #[must_use]
    pub fn then<A: Aggregate>(mut self, loaded: &Loaded<A>, event: impl Into<Event>) -> Self {
        let stream = loaded.id.into();
        let event = event.into();
        match self.changes.iter_mut().find(|change| change.stream == stream) {
            Some(change) => change.events.push(event),
            None => self.changes.push(Change { stream, expected: loaded.version, events: vec![event] }),
        }
        self
    }

    /// Notes a stream the decision relied on.
    #[must_use]
    pub fn relying_on<A: Aggregate>(mut self, loaded: &Loaded<A>) -> Self {
        self.reads.push(Read { stream: loaded.id.into(), version: loaded.version });
        self
    }

    /// Joins another decision: both happen or neither. Changes of one stream are put one after the other.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for change in other.changes {
            match self.changes.iter_mut().find(|mine| mine.stream == change.stream) {
                Some(mine) => mine.events.extend(change.events),
                None => self.changes.push(change),
            }
        }
        self.reads.extend(other.reads);
        self
    }
}
