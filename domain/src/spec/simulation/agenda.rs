//! What happens next: a binary heap by time. What is due at the same millisecond comes in an order drawn by the seed, so that
//! every order of a tie is tried in some world.

use std::{cmp::Ordering, collections::BinaryHeap};

use super::{
    deeds::Deed,
    effects::EffectId,
    inbox::{Hook, MessageId},
    known::ChargeId,
    provider::Movement,
    turn::{Resume, Turn},
};
use crate::{
    Timestamp,
    ids::{RefundId, ReservationId},
    payment::Method,
};

pub(super) enum Happening {
    /// Somebody wants a slot.
    Somebody,
    Do(ReservationId, Deed),
    /// An effect is due, or the lease of whoever has it is over.
    Due(EffectId),
    /// A call of a worker arrives at its provider, or does not.
    Arrives(Box<(Turn, Resume)>),
    /// Its answer arrives at the worker.
    Answered(Box<(Turn, Resume)>),
    /// A process that died is back.
    WorkerIsBack,
    /// A webhook reaches our endpoint.
    Hook(Box<Hook>),
    /// A message that was stored is due.
    Message(MessageId),
    /// Something moves at a provider by itself.
    Moves(Method, Movement),
    /// Two minutes after its end, whether the hold still blocks anybody.
    HoldIsOver(ReservationId),
    /// A quarter of an hour after a charge, whether it is at rest.
    IsItOver(ChargeId),
    /// A quarter of an hour after a refund was approved, whether it is paid.
    IsPaidBack(RefundId),
    /// Whether everything about it is over.
    MayRetire(ReservationId),
}

struct Item {
    at: Timestamp,
    tie: (u32, u64),
    what: Happening,
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Item {}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    /// The earliest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.tie).cmp(&(self.at, self.tie))
    }
}

#[derive(Default)]
pub(super) struct Agenda {
    heap: BinaryHeap<Item>,
    count: u64,
}

impl Agenda {
    pub(super) fn put(&mut self, at: Timestamp, draw: u64, what: Happening) {
        self.count += 1;
        self.heap.push(Item { at, tie: ((draw >> 32) as u32, self.count), what });
    }

    pub(super) fn next(&mut self) -> Option<(Timestamp, Happening)> {
        self.heap.pop().map(|item| (item.at, item.what))
    }

    pub(super) fn next_at(&self) -> Option<Timestamp> {
        self.heap.peek().map(|item| item.at)
    }
}
