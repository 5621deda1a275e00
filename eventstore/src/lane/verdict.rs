//! What the lane decides about a command.

use domain::{Timestamp, aggregate::Version};
use uuid::Uuid;

use crate::{
    answers::StoredRecord,
    append::{AppendError, Refusal},
    recorded::Position,
};

#[derive(Clone, Debug)]
pub(crate) enum Verdict {
    Applied { first: Position, last: Position, recorded_at: Timestamp, versions: Vec<(Uuid, Version)> },
    Duplicate(StoredRecord),
    Conflict { stream: Uuid, expected: Version, actual: Version },
    Refused(Refusal),
    StaleFence,
    KeyReused,
}

impl Verdict {
    const fn name(&self) -> &'static str {
        match self {
            Self::Applied { .. } => "applied",
            Self::Duplicate(_) => "duplicate",
            Self::Conflict { .. } => "conflict",
            Self::Refused(Refusal::SlotTaken { .. }) => "slot_taken",
            Self::Refused(Refusal::NotUnique { .. }) => "not_unique",
            Self::Refused(Refusal::LimitReached { .. }) => "limit_reached",
            Self::StaleFence => "stale_fence",
            Self::KeyReused => "key_reused",
        }
    }
}

/// A verdict of a batch whose head is not known yet. `relative` positions count from it.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) verdict: Verdict,
    pub(crate) relative: bool,
}

impl Draft {
    /// The verdict once the batch is committed behind `head`, at an instant.
    pub(crate) fn settle(self, head: Position, at: Timestamp) -> Verdict {
        match self.verdict {
            Verdict::Applied { first, last, versions, .. } if self.relative => {
                Verdict::Applied { first: head + first, last: head + last, recorded_at: at, versions }
            }
            Verdict::Duplicate(mut record) if self.relative => {
                record.first_position += head;
                record.last_position += head;
                record.recorded_at = at;
                Verdict::Duplicate(record)
            }
            verdict => verdict,
        }
    }
}

impl From<Verdict> for Draft {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, relative: false }
    }
}

/// Counts what became of a command; by guard, when one refused it. Answers how many events it recorded.
pub(crate) fn count(verdict: &Result<Verdict, AppendError>) -> u64 {
    let name = verdict.as_ref().map_or("failed", Verdict::name);
    metrics::counter!("lane_verdicts_total", "verdict" => name).increment(1);
    match verdict {
        Ok(Verdict::Applied { first, last, .. }) => u64::try_from(last - first + 1).unwrap_or(0),
        Ok(Verdict::Refused(refusal)) => {
            let guard = match refusal {
                Refusal::SlotTaken { .. } => "slot".to_owned(),
                Refusal::NotUnique { scope, .. } => scope.clone(),
                // `client:<id>:unpaid_holds`: what is counted, not whose.
                Refusal::LimitReached { scope, .. } => scope.split(':').nth(2).unwrap_or("limit").to_owned(),
            };
            metrics::counter!("lane_guard_refusals_total", "guard" => guard).increment(1);
            0
        }
        _ => 0,
    }
}
