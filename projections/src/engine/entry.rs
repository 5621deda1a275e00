//! An event as a projector sees it.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    event::{DecodeError, Event},
};
use eventstore::Recorded;
use uuid::Uuid;

use super::{ApplyError, Projector};
use crate::Position;

/// A decoded event with its place in the log and in its stream.
#[derive(Clone, Debug)]
pub struct Entry {
    pub position: Position,
    pub stream_id: Uuid,
    /// Version of the stream after this event; its first event makes it 1.
    pub version: i32,
    pub recorded_at: Timestamp,
    pub event: Event,
}

/// An event that was read: decoded when the projector wants its noun, and known in any case.
pub(super) struct Read {
    pub recorded: Recorded,
    pub entry: Result<Option<Entry>, DecodeError>,
}

impl Read {
    /// Decodes what the projector wants. A type that this version does not know is an error even for projectors that
    /// would not want it: only a newer binary can tell (R9).
    pub(super) fn of(projector: &Projector, recorded: Recorded) -> Self {
        let kind = recorded.name.split('.').next().unwrap_or_default();
        let entry = if projector.kinds.contains(&kind) {
            recorded.event().map(|event| Some(entry(&recorded, event)))
        } else if Event::reads(&recorded.name, recorded.schema) {
            Ok(None)
        } else {
            Err(DecodeError::Unknown { name: recorded.name.clone(), schema: recorded.schema })
        };
        Self { recorded, entry }
    }
}

fn entry(recorded: &Recorded, event: Event) -> Entry {
    Entry {
        position: recorded.position,
        stream_id: recorded.stream_id,
        version: recorded.version,
        recorded_at: recorded.recorded_at,
        event,
    }
}

impl Entry {
    /// The streams of these events that may have a row already: not those whose first event is among them.
    pub(crate) fn with_a_past<'a>(entries: impl Iterator<Item = &'a Self>) -> Vec<Uuid> {
        let mut first: BTreeMap<Uuid, i32> = BTreeMap::new();
        for entry in entries {
            first.entry(entry.stream_id).or_insert(entry.version);
        }
        first.into_iter().filter(|(_, version)| *version > 1).map(|(stream, _)| stream).collect()
    }

    /// The error of an event whose row is not there.
    pub(crate) fn without_a_row(&self) -> ApplyError {
        ApplyError::Missing { stream_id: self.stream_id, event: self.event.name(), position: self.position }
    }

    /// The error of an event that does not go with those before it.
    pub(crate) fn contradiction(&self, why: &impl std::fmt::Display) -> ApplyError {
        ApplyError::Contradiction { event: self.event.name(), position: self.position, why: why.to_string() }
    }
}
