//! The one way in: a decision becomes events, or is refused.

use std::{sync::Arc, time::Duration};

use domain::{Timestamp, aggregate::Version, decision::Decision, ids::CellId, interval::Interval};
use thiserror::Error;
use uuid::Uuid;

use crate::{
    Store,
    answers::{Idempotency, Record},
    fence::Fence,
    lane::{Command, Verdict},
    meta::Meta,
    recorded::Position,
    subjects::SubjectError,
};

/// A decision with what is recorded beside it: one atomic unit.
#[derive(Clone, Debug)]
pub struct Append {
    pub decision: Decision,
    pub meta: Meta,
    pub idempotency: Option<Idempotency>,
    pub fence: Option<Fence>,
}

impl Append {
    pub const fn new(decision: Decision, meta: Meta) -> Self {
        Self { decision, meta, idempotency: None, fence: None }
    }

    /// At most once, however often it is sent.
    #[must_use]
    pub fn once(mut self, idempotency: Idempotency) -> Self {
        self.idempotency = Some(idempotency);
        self
    }

    /// Only while the lease is still ours.
    #[must_use]
    pub fn fenced(mut self, fence: Fence) -> Self {
        self.fence = Some(fence);
        self
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Appended {
    /// It is recorded, and on disk.
    Applied {
        /// Position of its first event. When there was nothing to do, one more than `last`.
        first: Position,
        /// Position of its last event; for a command with nothing to do, the head of the log.
        last: Position,
        recorded_at: Timestamp,
        /// The new version of every stream it changed, in the order of the decision.
        versions: Vec<(Uuid, Version)>,
    },
    /// The same command was recorded before.
    Duplicate(Record),
}

impl Appended {
    /// The position a reader must have reached to see it.
    pub const fn position(&self) -> Position {
        match self {
            Self::Applied { last, .. } => *last,
            Self::Duplicate(record) => record.last,
        }
    }
}

/// What a guard said no to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    #[error("a cell is taken")]
    SlotTaken {
        cell: CellId,
        /// What is taken, not what was asked.
        during: Interval,
        holder: Uuid,
        /// When the claim may lapse; `None` when it is firm.
        releasable_at: Option<Timestamp>,
    },
    #[error("{scope} is taken")]
    NotUnique { scope: String, key: String, holder: Uuid },
    #[error("{scope} already counts {max}")]
    LimitReached { scope: String, max: u32 },
}

/// Why a decision was not recorded. Nothing of it was, but for [`AppendError::Unknown`].
#[derive(Clone, Debug, Error)]
pub enum AppendError {
    /// A stream has moved since it was loaded: load, decide and try again.
    #[error("stream {stream} is at version {actual}, not {expected}")]
    Conflict { stream: Uuid, expected: Version, actual: Version },
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nothing is ever written to a copy of the past.
    #[error("this is a copy of the past, up to position {until}: nothing is written to it")]
    Fork { until: Position },
    /// The lease this was done under has another owner.
    #[error("the lease was lost")]
    StaleFence,
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used with another request")]
    KeyReused,
    #[error("more is waiting than can be written in time")]
    Overloaded { retry_after: Duration },
    /// The connection broke while committing and the database cannot be asked. The same idempotency key is safe.
    #[error("whether it was recorded is not known yet")]
    Unknown,
    #[error("an event has no JSON form")]
    Encode(#[source] Arc<serde_json::Error>),
    #[error("the log cannot be written")]
    Database(#[source] Arc<sqlx::Error>),
    /// It is a repetition, and the first answer cannot be opened.
    #[error("the first answer cannot be read")]
    FirstAnswer(#[source] Arc<SubjectError>),
}

impl Store {
    /// Records a decision, or says why not. An `Ok` is a commit that is on disk: the only acknowledgement there is.
    ///
    /// # Errors
    /// [`AppendError`].
    pub async fn append(&self, append: Append) -> Result<Appended, AppendError> {
        if let Some(until) = self.log().fork {
            return Err(AppendError::Fork { until });
        }
        if append.decision.is_nothing() && append.idempotency.is_none() && append.fence.is_none() {
            return self.nothing().await;
        }
        let command = Command::prepare(append, self.clock())?;
        let (changed, relied_on) = (command.changes.len(), command.streams().collect::<Vec<Uuid>>());
        let verdict = self.lane().submit(command).await;
        match verdict {
            // What it only relied on is as it was remembered: the lane has just said so.
            Ok(Verdict::Applied { .. }) => self.cache().forget(relied_on.into_iter().take(changed)),
            Ok(Verdict::Conflict { .. }) | Err(AppendError::Unknown) => self.cache().forget(relied_on.into_iter()),
            _ => {}
        }
        match verdict? {
            Verdict::Applied { first, last, recorded_at, versions } => {
                self.tell();
                Ok(Appended::Applied { first, last, recorded_at, versions })
            }
            Verdict::Duplicate(record) => {
                let record = self.answers().open(record).await;
                Ok(Appended::Duplicate(record.map_err(|error| AppendError::FirstAnswer(Arc::new(error)))?))
            }
            Verdict::Conflict { stream, expected, actual } => Err(AppendError::Conflict { stream, expected, actual }),
            Verdict::Refused(refusal) => Err(refusal.into()),
            Verdict::StaleFence => Err(AppendError::StaleFence),
            Verdict::KeyReused => Err(AppendError::KeyReused),
        }
    }

    /// There is nothing to write and nothing to remember: no reason to queue.
    async fn nothing(&self) -> Result<Appended, AppendError> {
        let head = sqlx::query!(r#"SELECT head AS "head!", at AS "at!" FROM event_log.head()"#)
            .fetch_one(self.pool())
            .await
            .map_err(|error| AppendError::Database(Arc::new(error)))?;
        Ok(Appended::Applied { first: head.head + 1, last: head.head, recorded_at: head.at, versions: Vec::new() })
    }
}
