//! From a decision to the log: append, and on a lost race decide again.

use domain::{
    actor::Actor,
    aggregate::{Aggregate, Loaded},
    decision::{Decision, Read},
    ids::{KeyId, SiteId, StreamId},
    key::Key,
};
use eventstore::{Append, AppendError, Appended, Meta, Refusal, failpoint};
use uuid::Uuid;

use crate::{
    http::{call::Call, halt::Halt},
    problem::Problem,
};

/// How often a command is decided before the caller is told that somebody else is faster.
const TRIES: u8 = 3;

/// What became of one try.
pub enum Attempt {
    Written(Written),
    /// Something it was decided on has moved: load again and decide again.
    Moved,
    /// A guard was in the way.
    Guarded(Refusal),
}

/// A command in the log.
#[derive(Clone, Debug)]
pub struct Written {
    /// The streams it changed, in the order of its decision.
    pub ids: Vec<Uuid>,
    /// Of its last event.
    pub position: i64,
}

/// Of a command that many want at the same time.
const PATIENT_TRIES: u8 = 30;

/// Counts the tries of one command.
pub struct Tries {
    left: u8,
}

impl Default for Tries {
    fn default() -> Self {
        Self { left: TRIES }
    }
}

impl Tries {
    /// For something that a crowd wants: each time somebody else gets it, it is decided again.
    pub const fn patient() -> Self {
        Self { left: PATIENT_TRIES }
    }

    /// # Errors
    /// `version.conflict` after the last one.
    pub fn again(&mut self) -> Result<(), Problem> {
        self.left = self.left.saturating_sub(1);
        if self.left > 0 { Ok(()) } else { Err(Problem::new("version.conflict").retry_after(1)) }
    }
}

impl Call {
    fn meta(&self, actor: Actor, site: Option<SiteId>) -> Meta {
        Meta {
            actor,
            site_id: site,
            request: Some(self.request_id.clone()),
            causation: None,
            correlation: None,
            traceparent: self.traceparent.clone(),
        }
    }

    /// Tries to write a decision. It relies on the caller's key or session, too: a key revoked meanwhile writes nothing, nor
    /// does a session that has ended.
    ///
    /// # Errors
    /// [`Halt::Before`] when the request's key was used before; a problem when the lane refuses the request as such.
    pub async fn append(&self, decision: Decision, site: Option<SiteId>) -> Result<Attempt, Halt> {
        self.append_as(self.actor(), decision, site).await
    }

    /// The same, by somebody who is about to be signed in.
    ///
    /// # Errors
    /// As [`Call::append`].
    pub async fn append_as(&self, actor: Actor, mut decision: Decision, site: Option<SiteId>) -> Result<Attempt, Halt> {
        let ids: Vec<Uuid> = decision.changes.iter().map(|change| change.stream.uuid()).collect();
        let key = self.caller.key().map(|key| Read { stream: StreamId::from(key.id), version: key.version });
        if let Some(read) = key
            && !ids.contains(&read.stream.uuid())
        {
            decision.reads.push(read);
        }
        let account =
            self.caller.account().map(|account| Read { stream: StreamId::from(account.id), version: account.version });
        if let Some(read) = account
            && !ids.contains(&read.stream.uuid())
        {
            decision.reads.push(read);
        }
        let append = Append {
            decision,
            meta: self.meta(actor, site),
            idempotency: self.key.as_ref().map(super::idempotency::Scoped::for_lane),
            fence: self.caller.session().map(|session| session.fence.clone()),
        };
        match self.app.store.append(append).await {
            Ok(Appended::Applied { last, .. }) => {
                failpoint("api.written");
                Ok(Attempt::Written(Written { ids, position: last }))
            }
            Ok(Appended::Duplicate(record)) => Err(Halt::Before(Box::new(record))),
            Err(AppendError::Conflict { stream, .. }) if key.is_some_and(|key| key.stream.uuid() == stream) => {
                self.app.keys.forget_all();
                let now = self.app.store.load::<Key>(KeyId::new(stream)).await?;
                // It has another secret, and this one may open still: who asks again is asked anew.
                Err(if now.state.revoked {
                    Problem::new("auth.invalid").into()
                } else {
                    Problem::new("version.conflict").retry_after(1).into()
                })
            }
            // Their account has moved: suspended, or another role.
            Err(AppendError::Conflict { stream, .. }) if account.is_some_and(|read| read.stream.uuid() == stream) => {
                self.app.keys.forget_all();
                Err(Problem::new("account.changed").retry_after(1).into())
            }
            Err(AppendError::StaleFence) if self.caller.session().is_some() => {
                Err(Problem::new("session.ended").into())
            }
            Err(AppendError::Conflict { .. }) => Ok(Attempt::Moved),
            Err(AppendError::Refused(refusal)) => Ok(Attempt::Guarded(refusal)),
            Err(error) => Err(Problem::from(error).into()),
        }
    }

    /// Writes a decision that no guard can refuse; `None` when it has to be decided again.
    ///
    /// # Errors
    /// As [`Call::append`]; a guard that refuses all the same becomes its problem.
    pub async fn write(&self, decision: Decision, site: Option<SiteId>) -> Result<Option<Written>, Halt> {
        match self.append(decision, site).await? {
            Attempt::Written(written) => Ok(Some(written)),
            Attempt::Moved => Ok(None),
            Attempt::Guarded(refusal) => Err(Halt::refused(refusal)),
        }
    }

    /// A stream as it was at a position: what a repeated request is answered from.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn load_at<A: Aggregate>(&self, id: A::Id, position: i64) -> Result<Loaded<A>, Problem> {
        let mut loaded = Loaded::new(id);
        let stream: StreamId = id.into();
        for recorded in self.app.store.read_stream(stream.uuid(), 0, i64::MAX).await? {
            if recorded.position > position {
                break;
            }
            let event = recorded.event().map_err(eventstore::ReadError::from)?;
            if let Some(event) = A::select(event) {
                loaded.apply(event);
            }
        }
        Ok(loaded)
    }
}

/// A stream as a decision leaves it: what a first request is answered from, without asking the log.
pub fn after<A: Aggregate>(mut before: Loaded<A>, decision: &Decision) -> Loaded<A> {
    let stream: StreamId = before.id.into();
    for change in decision.changes.iter().filter(|change| change.stream == stream) {
        for event in change.events.iter().cloned().filter_map(A::select) {
            before.apply(event);
        }
    }
    before
}
