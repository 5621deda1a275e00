//! Process managers: fold the log and write down what the world is owed, in the transaction of their checkpoint.
//!
//! What follows from an event is the domain's to say ([`domain::reaction`]); here it becomes an effect with a key made
//! of the event, so that reading an event twice owes nothing twice. A new process manager starts at the head: the past
//! was dealt with, or never will be.

mod payments;

use domain::reaction::{Reaction, Whom, react};
use eventstore::{Recorded, failpoint};
use sqlx::PgConnection;

use crate::{
    context::Context,
    effect::{Intent, Letter, Work, intend},
    runtime::{Progress, Step, StepError},
    webhook_out,
};

pub use payments::{by_provider_id, open_of};

/// Events read at a time.
const BATCH: i64 = 256;
/// How long a failed way of paying back rests before the next is tried.
const RETRY_REFUND_S: i64 = 30;

/// One process manager.
#[derive(Clone, Copy, Debug)]
pub struct Manager {
    /// Name of its checkpoint.
    pub name: &'static str,
    wants: fn(&Reaction) -> bool,
    /// Whether it keeps [`payments`].
    keeps_payments: bool,
}

/// Every process manager there is. One that is added starts at the head of a log that has events.
pub const MANAGERS: [Manager; 3] = [
    Manager { name: "money", wants: is_about_money, keeps_payments: true },
    Manager { name: "timers", wants: is_a_timer, keeps_payments: false },
    Manager { name: "messages", wants: is_a_message, keeps_payments: false },
];

const fn is_a_message(reaction: &Reaction) -> bool {
    matches!(reaction, Reaction::Tell { .. } | Reaction::Invite { .. })
}

const fn is_a_timer(reaction: &Reaction) -> bool {
    matches!(
        reaction,
        Reaction::Wake { .. }
            | Reaction::PreparePayout { .. }
            | Reaction::IssueInvoice { .. }
            | Reaction::InvoiceDue { .. }
            | Reaction::ChangeNumber { .. }
    )
}

const fn is_about_money(reaction: &Reaction) -> bool {
    match reaction {
        Reaction::OpenCheckout { .. }
        | Reaction::CloseCheckout { .. }
        | Reaction::CloseCheckouts { .. }
        | Reaction::Ask(_)
        | Reaction::SubmitRefund { .. }
        | Reaction::RetryRefund { .. }
        | Reaction::SubmitPayout { .. }
        | Reaction::ReturnMoney { .. }
        | Reaction::FetchStatement { .. }
        | Reaction::ObserveRefund { .. }
        | Reaction::ReleaseDiscount { .. } => true,
        Reaction::Wake { .. }
        | Reaction::PreparePayout { .. }
        | Reaction::IssueInvoice { .. }
        | Reaction::InvoiceDue { .. }
        | Reaction::ChangeNumber { .. }
        | Reaction::Invite { .. }
        | Reaction::Tell { .. } => false,
    }
}

/// Enters every process manager that is not there yet, at the head of the log. Before the first command is taken in,
/// or what it owes is lost. One that is there is only looked at: to insert it would wait for whoever is just moving it
/// on, for as long as that process hangs.
///
/// # Errors
/// The database's.
pub async fn enrol(ctx: &Context) -> Result<(), StepError> {
    let head = ctx.store.head().await?;
    for name in MANAGERS.iter().map(|manager| manager.name).chain([webhook_out::PROCESS]) {
        sqlx::query!(
            "INSERT INTO work.checkpoints (process, position)
             SELECT $1, $2 WHERE NOT EXISTS (SELECT FROM work.checkpoints WHERE process = $1)
             ON CONFLICT (process) DO NOTHING",
            name,
            head
        )
        .execute(ctx.store.pool())
        .await?;
    }
    Ok(())
}

/// The loop of one process manager.
#[derive(Debug)]
pub struct Process {
    ctx: Context,
    manager: Manager,
}

impl Process {
    pub const fn new(ctx: Context, manager: Manager) -> Self {
        Self { ctx, manager }
    }

    async fn position(&self) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar!("SELECT position FROM work.checkpoints WHERE process = $1", self.manager.name)
            .fetch_optional(self.ctx.store.pool())
            .await
    }

    /// The checkpoint under its row lock; `None` when somebody else is at it.
    async fn lock(&self, tx: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar!(
            "SELECT position FROM work.checkpoints WHERE process = $1 FOR UPDATE SKIP LOCKED",
            self.manager.name
        )
        .fetch_optional(tx)
        .await
    }

    async fn fold(&self, tx: &mut PgConnection, recorded: &Recorded) -> Result<(), StepError> {
        // An event of a newer version of Kalel: stop, never skip (reliability.md R9).
        let event = recorded.event().map_err(|error| StepError::Stopped(error.to_string()))?;
        if self.manager.keeps_payments {
            payments::keep(tx, &event).await?;
        }
        for (nth, reaction) in
            react(&event).into_iter().enumerate().filter(|(_, reaction)| (self.manager.wants)(reaction))
        {
            for (kth, work) in self.works(tx, reaction, recorded).await?.into_iter().enumerate() {
                let due_at = match reaction {
                    Reaction::RetryRefund { .. } => recorded.recorded_at + chrono::TimeDelta::seconds(RETRY_REFUND_S),
                    reaction => reaction.due().unwrap_or(recorded.recorded_at),
                };
                let key = format!("{}:{nth}.{kth}:{}", recorded.event_id, work.kind());
                if let Reaction::Ask(_) = reaction {
                    supersede(tx, &work).await?;
                }
                intend(tx, &Intent { key, work, due_at }, recorded.position, recorded.recorded_at).await?;
            }
        }
        Ok(())
    }

    async fn works(
        &self,
        tx: &mut PgConnection,
        reaction: Reaction,
        recorded: &Recorded,
    ) -> Result<Vec<Work>, sqlx::Error> {
        Ok(match reaction {
            Reaction::CloseCheckouts { reservation_id } => payments::open_in(tx, reservation_id)
                .await?
                .into_iter()
                .map(|payment_id| Reaction::CloseCheckout { payment_id, at: recorded.recorded_at }.into())
                .collect(),
            Reaction::Tell { whom, notice } => {
                let letter = Letter { whom, notice };
                match whom {
                    Whom::Client(_) => vec![Work::SendSms(letter)],
                    Whom::ManagerOf(_) => vec![Work::SendSms(letter), Work::SendEmail(letter)],
                    Whom::Finance => vec![Work::SendEmail(letter)],
                }
            }
            other => vec![other.into()],
        })
    }
}

/// A new series of questions about a movement takes the place of the one before.
async fn supersede(tx: &mut PgConnection, work: &Work) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE work.effects SET state = 'dropped', last_error = 'asked anew', finished_at = created_at
         WHERE group_key = $1 AND kind = $2 AND state = 'ready'",
        work.group(),
        work.kind()
    )
    .execute(tx)
    .await
    .map(drop)
}

impl Step for Process {
    fn name(&self) -> String {
        format!("process manager {}", self.manager.name)
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let Some(position) = self.position().await? else {
            enrol(&self.ctx).await?;
            return Ok(Progress::Busy);
        };
        let events = self.ctx.store.read_after(position, BATCH).await?;
        let Some(last) = events.last() else { return Ok(Progress::Idle) };
        let mut tx = self.ctx.store.pool().begin().await?;
        match self.lock(&mut tx).await? {
            None => return Ok(Progress::Idle),
            // Another process was faster.
            Some(found) if found != position => return Ok(Progress::Busy),
            Some(_) => {}
        }
        for recorded in &events {
            self.fold(&mut tx, recorded).await?;
        }
        sqlx::query!("UPDATE work.checkpoints SET position = $2 WHERE process = $1", self.manager.name, last.position)
            .execute(&mut *tx)
            .await?;
        failpoint("process.before_commit");
        tx.commit().await?;
        failpoint("process.after_commit");
        self.ctx.bells.effects.ring();
        Ok(Progress::Busy)
    }
}
