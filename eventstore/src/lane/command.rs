//! A command as the lane takes it: everything that can be done before queueing has been done.

use std::sync::Arc;

use domain::{
    aggregate::Version,
    guard::{self, Op},
    ids::SiteId,
};
use uuid::Uuid;

use crate::{
    answers::Idempotency,
    append::{Append, AppendError},
    clock::Clock,
    fence::Fence,
};

#[derive(Debug)]
pub(crate) struct Command {
    pub(crate) changes: Vec<Change>,
    pub(crate) reads: Vec<(Uuid, Version)>,
    pub(crate) idempotency: Option<Idempotency>,
    pub(crate) fence: Option<Fence>,
    /// JSON, the same for every event.
    pub(crate) meta: String,
    pub(crate) site_id: Option<SiteId>,
}

#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) stream: Uuid,
    pub(crate) expected: Version,
    pub(crate) events: Vec<Prepared>,
}

/// An event with its id (fixed before queueing: that is how it is found when a commit's answer is lost), its bytes and
/// what it does to the guards.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) id: Uuid,
    pub(crate) name: &'static str,
    pub(crate) schema: i16,
    pub(crate) data: String,
    pub(crate) ops: Vec<Op>,
}

impl Command {
    pub(crate) fn prepare(append: Append, clock: &Clock) -> Result<Self, AppendError> {
        let encode = |error| AppendError::Encode(Arc::new(error));
        let mut changes = Vec::with_capacity(append.decision.changes.len());
        let all = append.decision.changes.iter().flat_map(|change| &change.events);
        let mut ops = guard::of_command(all).into_iter();
        for change in append.decision.changes {
            let mut events = Vec::with_capacity(change.events.len());
            for event in change.events {
                events.push(Prepared {
                    id: clock.new_id(),
                    name: event.name(),
                    schema: event.schema(),
                    data: event.to_json().map_err(encode)?,
                    ops: ops.next().unwrap_or_default(),
                });
            }
            changes.push(Change { stream: change.stream.uuid(), expected: change.expected, events });
        }
        Ok(Self {
            changes,
            reads: append.decision.reads.iter().map(|read| (read.stream.uuid(), read.version)).collect(),
            idempotency: append.idempotency,
            fence: append.fence,
            meta: serde_json::to_string(&append.meta).map_err(encode)?,
            site_id: append.meta.site_id,
        })
    }

    /// Every stream it changes or relies on.
    pub(crate) fn streams(&self) -> impl Iterator<Item = Uuid> {
        self.expectations().map(|(stream, _)| stream)
    }

    /// Every stream it changes or relies on, with the version it must have.
    pub(crate) fn expectations(&self) -> impl Iterator<Item = (Uuid, Version)> {
        self.changes.iter().map(|change| (change.stream, change.expected)).chain(self.reads.iter().copied())
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &Prepared> {
        self.changes.iter().flat_map(|change| &change.events)
    }

    pub(crate) fn ops(&self) -> impl Iterator<Item = &Op> {
        self.events().flat_map(|event| &event.ops)
    }

    /// What it takes of the queue, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.events().map(|event| event.data.len() + self.meta.len() + 128).sum::<usize>() + 256
    }
}
