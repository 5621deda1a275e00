//! Reporting back: what was learnt outside becomes a command, once, and only while the lease is ours.

use domain::{actor::Actor, actor::Role, decision::Decision, ids::SiteId};
use eventstore::{Append, AppendError, Fence, Idempotency, Keep, Meta, failpoint};
use uuid::Uuid;

use super::TurnError;
use crate::{context::Context, effect::Taken};

/// On whose behalf something is reported.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The effect's key, or the webhook's.
    key: String,
    fence: Option<Fence>,
    correlation: Option<Uuid>,
}

impl From<&Taken> for Report {
    fn from(taken: &Taken) -> Self {
        // The key begins with the id of the causing event.
        let cause = taken.key.split(':').next().and_then(|id| id.parse().ok());
        Self { key: taken.key.clone(), fence: Some(taken.fence.clone()), correlation: cause }
    }
}

impl Report {
    /// On behalf of a webhook: its events are applied by anybody, any number of times.
    pub(crate) fn of_webhook(id: Uuid) -> Self {
        Self { key: format!("inbox:{id}"), fence: None, correlation: None }
    }

    /// Writes a decision. `what` tells the commands of one effect apart. Answers whether anything was written now.
    pub(crate) async fn write(
        &self,
        ctx: &Context,
        decision: Decision,
        what: &str,
        site: Option<SiteId>,
    ) -> Result<bool, AppendError> {
        if decision.is_nothing() {
            return Ok(false);
        }
        let answers = ctx.store.answers();
        let key = format!("{}:{what}", self.key);
        let once = Idempotency {
            key: answers.key("effect", &key),
            fingerprint: answers.fingerprint(key.as_bytes()),
            keep: Keep::ForEver,
        };
        let meta = Meta { site_id: site, causation: self.correlation, correlation: self.correlation, ..Meta::system() };
        let append = Append { decision, meta, idempotency: Some(once), fence: self.fence.clone() };
        let appended = ctx.store.append(append).await?;
        failpoint("effect.reported");
        ctx.bells.log.ring();
        Ok(matches!(appended, eventstore::Appended::Applied { .. }))
    }
}

/// Whose word it is when a provider has answered our question.
pub(crate) const PROVIDER: Actor = Actor { role: Role::Provider, id: None };

/// Loads, decides and writes, again when a stream moved in between.
macro_rules! decide {
    ($ctx:expr, $report:expr, $what:expr, $site:expr, $decision:expr) => {{
        let mut tries = 0;
        loop {
            let decision = $decision;
            match $report.write($ctx, decision, $what, $site).await {
                Err(eventstore::AppendError::Conflict { .. }) if tries < $crate::act::report::TRIES => tries += 1,
                Err(eventstore::AppendError::Conflict { .. }) => break Err($crate::act::TurnError::Contended),
                Err(error) => break Err($crate::act::TurnError::from(error)),
                Ok(written) => break Ok(written),
            }
        }
    }};
}
pub(crate) use decide;

/// How often a decision is made again because a stream moved.
pub(crate) const TRIES: u32 = 16;

impl From<&domain::payment::Refusal> for TurnError {
    fn from(refusal: &domain::payment::Refusal) -> Self {
        Self::refused(refusal)
    }
}

impl From<&domain::invoice::Refusal> for TurnError {
    fn from(refusal: &domain::invoice::Refusal) -> Self {
        Self::refused(refusal)
    }
}

impl From<&domain::payout::Refusal> for TurnError {
    fn from(refusal: &domain::payout::Refusal) -> Self {
        Self::refused(refusal)
    }
}

impl From<&domain::refund::Refusal> for TurnError {
    fn from(refusal: &domain::refund::Refusal) -> Self {
        Self::refused(refusal)
    }
}

impl From<&domain::client::Refusal> for TurnError {
    fn from(refusal: &domain::client::Refusal) -> Self {
        Self::refused(refusal)
    }
}

impl From<&domain::promotion::Refusal> for TurnError {
    fn from(refusal: &domain::promotion::Refusal) -> Self {
        Self::refused(refusal)
    }
}

impl From<&domain::reservation::Refusal> for TurnError {
    fn from(refusal: &domain::reservation::Refusal) -> Self {
        Self::refused(refusal)
    }
}
