//! Carrying out effects: take one, act, report back to the log, put it down.

mod ask;
mod checkout;
mod invoice;
pub(crate) mod learn;
mod month;
mod number;
pub(crate) mod observe;
mod order;
mod payout;
mod refund;
mod report;
mod settle;
mod statement;
mod timer;

use std::time::Duration;

use chrono::TimeDelta;
use domain::{
    Timestamp,
    reaction::{Alarm, Reaction},
};
use thiserror::Error;

pub(crate) use checkout::{account, asked, call, rail};
pub(crate) use learn::{Learned, learn};
pub(crate) use report::Report;
pub(crate) use settle::settle;

use crate::{
    context::Context,
    effect::{self, Outcome, Taken, Work},
    message,
    runtime::{Progress, Step, StepError},
};

const BACKOFF: Duration = Duration::from_secs(1);
const BACKOFF_CAP: Duration = Duration::from_secs(300);

/// A turn did not come to an end; the effect is tried again.
#[derive(Debug, Error)]
pub(crate) enum TurnError {
    /// Somebody else has it: leave everything to them.
    #[error("the lease was lost")]
    Lost,
    #[error(transparent)]
    Load(#[from] eventstore::LoadError),
    #[error(transparent)]
    Append(eventstore::AppendError),
    #[error("a personal field cannot be opened")]
    Subject(#[from] eventstore::SubjectError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    #[error("the stream moved too often")]
    Contended,
    /// The domain said no where it should not: somebody must look.
    #[error("{code}: {why}")]
    Refused { code: &'static str, why: String },
    #[error("no answer within the lease")]
    Hung,
}

impl From<eventstore::AppendError> for TurnError {
    fn from(error: eventstore::AppendError) -> Self {
        match error {
            eventstore::AppendError::StaleFence => Self::Lost,
            other => Self::Append(other),
        }
    }
}

impl TurnError {
    fn refused(refusal: &impl domain::refusal::Refused) -> Self {
        Self::Refused { code: refusal.code(), why: refusal.to_string() }
    }
}

/// One worker of effects; a process has several.
#[derive(Debug)]
pub struct Worker {
    ctx: Context,
}

impl Worker {
    pub const fn new(ctx: Context) -> Self {
        Self { ctx }
    }

    async fn turn(&self, taken: &Taken) -> Result<Outcome, TurnError> {
        // Long enough for a provider, and shorter than the lease: what is late must not meet its successor.
        let most = self.ctx.config.lease.mul_f64(0.9);
        tokio::time::timeout(most, act(&self.ctx, taken)).await.map_err(|_| TurnError::Hung)?
    }
}

impl Step for Worker {
    fn name(&self) -> String {
        "effects".to_owned()
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let ctx = &self.ctx;
        let (pool, clock) = (ctx.store.pool(), ctx.store.clock());
        let Some(taken) = effect::take(pool, clock.now(), ctx.config.lease).await? else { return Ok(Progress::Idle) };
        let kind = taken.work.kind();
        let outcome = match self.turn(&taken).await {
            Ok(outcome) => outcome,
            Err(TurnError::Lost) => return Ok(Progress::Busy),
            Err(error) => {
                tracing::warn!(effect = taken.key, kind, error = &error as &dyn std::error::Error, "an effect failed");
                again(ctx, &taken, error.to_string())
            }
        };
        count(kind, &outcome);
        if let Outcome::Failed(why) | Outcome::Unknown(why) = &outcome {
            tracing::error!(effect = taken.key, kind, why, "an effect needs somebody");
        }
        effect::finish(pool, &taken, &outcome, clock.now()).await?;
        Ok(Progress::Busy)
    }
}

fn count(kind: &'static str, outcome: &Outcome) {
    let label = match outcome {
        Outcome::Done => "done",
        Outcome::Dropped(_) => "dropped",
        Outcome::Failed(_) => "failed",
        Outcome::Unknown(_) => "unknown",
        Outcome::Later { .. } => "later",
    };
    metrics::counter!("kalel_effects_total", "kind" => kind, "outcome" => label).increment(1);
}

/// Once more after a while that grows with each time, spread at random.
pub(crate) fn again(ctx: &Context, taken: &Taken, why: impl Into<String>) -> Outcome {
    let wait = ctx.random.backoff(taken.attempts, BACKOFF, BACKOFF_CAP);
    Outcome::Later { due_at: after(ctx, wait), work: None, why: Some(why.into()) }
}

/// Once more at a time that was named.
pub(crate) fn at(due_at: Timestamp) -> Outcome {
    Outcome::Later { due_at, work: None, why: None }
}

/// As [`again`], or as long as the provider asked for.
pub(crate) fn busy(ctx: &Context, taken: &Taken, wait: Option<Duration>) -> Outcome {
    match wait {
        Some(wait) => Outcome::Later { due_at: after(ctx, wait), work: None, why: Some("asked to come later".into()) },
        None => again(ctx, taken, "asked to come later"),
    }
}

fn after(ctx: &Context, wait: Duration) -> Timestamp {
    ctx.store.clock().now() + TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX)
}

/// Carries out one effect.
async fn act(ctx: &Context, taken: &Taken) -> Result<Outcome, TurnError> {
    let reaction = match taken.work {
        Work::Act(act) => act.reaction,
        Work::SendSms(letter) => return message::send_sms(ctx, taken, letter).await,
        Work::SendEmail(letter) => return message::send_email(ctx, taken, letter).await,
        Work::SendCode(code) => return message::send_code(ctx, taken, code.challenge_id).await,
    };
    match reaction {
        Reaction::OpenCheckout { payment_id } => checkout::open(ctx, taken, payment_id).await,
        Reaction::CloseCheckout { payment_id, .. } => checkout::close(ctx, taken, payment_id).await,
        Reaction::Ask(question) => ask::ask(ctx, taken, question).await,
        Reaction::SubmitRefund { refund_id } => refund::submit(ctx, taken, refund_id).await,
        Reaction::RetryRefund { refund_id } => refund::retry(ctx, taken, refund_id).await,
        Reaction::SubmitPayout { payout_id } => payout::submit(ctx, taken, payout_id).await,
        Reaction::PreparePayout { site_id, since, at } => payout::prepare(ctx, taken, site_id, since, at).await,
        Reaction::IssueInvoice { site_id, since, at } => invoice::issue(ctx, taken, site_id, since, at).await,
        Reaction::InvoiceDue { invoice_id, .. } => invoice::become_overdue(ctx, taken, invoice_id).await,
        Reaction::ChangeNumber { client_id, change_id, .. } => number::change(ctx, taken, client_id, change_id).await,
        Reaction::Invite { account_id } => message::invite(ctx, taken, account_id).await,
        Reaction::ReturnMoney { reservation_id } => timer::return_money(ctx, taken, reservation_id).await,
        Reaction::ReleaseDiscount { reservation_id } => timer::release_discount(ctx, taken, reservation_id).await,
        Reaction::FetchStatement { reconciliation_id } => statement::fetch(ctx, taken, reconciliation_id).await,
        Reaction::ObserveRefund { reconciliation_id, number } => {
            observe::listed(ctx, taken, reconciliation_id, number).await
        }
        Reaction::Wake { reservation_id, alarm, .. } => match alarm {
            Alarm::HoldEnds => timer::expire_hold(ctx, taken, reservation_id).await,
            Alarm::Finish => timer::finish(ctx, taken, reservation_id).await,
            Alarm::Remind { starts_at } => timer::remind(ctx, taken, reservation_id, starts_at).await,
            Alarm::AppealUndecided { client_id } => timer::waive_undecided(ctx, taken, client_id, reservation_id).await,
        },
        // The process manager resolves these two.
        Reaction::CloseCheckouts { .. } | Reaction::Tell { .. } => Ok(Outcome::Dropped("not an act".into())),
    }
}
