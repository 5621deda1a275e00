//! Effects: intents to act outside the log, durable before anything is called (reliability.md R5).
//!
//! Rows of `work.effects` hold ids only. One effect of a group (a payment, a refund, a reservation, a conversation)
//! runs at a time: a unique index says so, not a hope. Whoever takes one gets a fencing token that the append lane and
//! every later statement check.

mod store;

use domain::{
    Timestamp,
    reaction::{About, Alarm, Notice, Reaction, Whom},
};
use eventstore::Fence;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use store::*;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "work", rename_all = "snake_case")]
pub enum Work {
    Act(Act),
    SendSms(Letter),
    SendEmail(Letter),
    SendCode(Code),
}

/// A reaction of the domain, anything but telling somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    pub reaction: Reaction,
}

/// A code for whoever signs in. Whose it is stands with the challenge, and the code is made at the moment of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    pub challenge_id: Uuid,
}

/// To whom, about what. The words are made at the moment of sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    pub whom: Whom,
    pub notice: Notice,
}

impl From<Reaction> for Work {
    fn from(reaction: Reaction) -> Self {
        Self::Act(Act { reaction })
    }
}

impl Work {
    /// The kind of effect, as operators and metrics know it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Act(act) => match act.reaction {
                Reaction::OpenCheckout { .. } => "open_checkout",
                Reaction::CloseCheckout { .. } | Reaction::CloseCheckouts { .. } => "expire_checkout",
                Reaction::Ask(ask) => match ask.about {
                    About::Payment(_) => "query_payment",
                    About::Listed(_) => "query_listed",
                    About::Refund(_) => "query_refund",
                    About::Payout(_) => "query_payout",
                },
                Reaction::SubmitRefund { .. } => "submit_refund",
                Reaction::RetryRefund { .. } => "retry_refund",
                Reaction::SubmitPayout { .. } => "submit_payout",
                Reaction::PreparePayout { .. } => "prepare_payout",
                Reaction::IssueInvoice { .. } => "issue_invoice",
                Reaction::InvoiceDue { .. } => "invoice_due",
                Reaction::Invite { .. } => "invite",
                Reaction::ChangeNumber { .. } => "change_number",
                Reaction::ReturnMoney { .. } => "return_money",
                Reaction::FetchStatement { .. } => "fetch_statement",
                Reaction::ObserveRefund { .. } => "observe_refund",
                Reaction::ReleaseDiscount { .. } => "release_discount",
                Reaction::Wake { alarm: Alarm::HoldEnds, .. } => "expire_hold",
                Reaction::Wake { alarm: Alarm::Finish, .. } => "complete_or_no_show",
                Reaction::Wake { alarm: Alarm::Remind { .. }, .. } => "remind",
                Reaction::Wake { alarm: Alarm::AppealUndecided { .. }, .. } => "waive_undecided",
                Reaction::Tell { .. } => "tell",
            },
            Self::SendSms(_) => "send_sms",
            Self::SendEmail(_) => "send_email",
            Self::SendCode(_) => "send_code",
        }
    }

    /// What runs one at a time: the calls of one payment or refund, the timers of one reservation, the letters to one
    /// addressee (so that they arrive in order, and a slow message gateway delays no timer).
    pub fn group(&self) -> Uuid {
        match self {
            Self::Act(act) => match act.reaction {
                Reaction::OpenCheckout { payment_id } | Reaction::CloseCheckout { payment_id, .. } => payment_id.uuid(),
                Reaction::Ask(ask) => match ask.about {
                    About::Payment(payment_id) | About::Listed(payment_id) => payment_id.uuid(),
                    About::Refund(refund_id) => refund_id.uuid(),
                    About::Payout(payout_id) => payout_id.uuid(),
                },
                Reaction::SubmitRefund { refund_id } | Reaction::RetryRefund { refund_id } => refund_id.uuid(),
                Reaction::SubmitPayout { payout_id } => payout_id.uuid(),
                Reaction::InvoiceDue { invoice_id, .. } => invoice_id.uuid(),
                // Beside the letters to the manager of the site.
                Reaction::PreparePayout { site_id, .. } | Reaction::IssueInvoice { site_id, .. } => {
                    Uuid::from_u128(site_id.uuid().as_u128() ^ (1 << 77))
                }
                Reaction::CloseCheckouts { reservation_id }
                | Reaction::ReturnMoney { reservation_id }
                | Reaction::ReleaseDiscount { reservation_id }
                | Reaction::Wake { reservation_id, .. } => reservation_id.uuid(),
                Reaction::FetchStatement { reconciliation_id } | Reaction::ObserveRefund { reconciliation_id, .. } => {
                    reconciliation_id.uuid()
                }
                Reaction::Invite { account_id } => account_id.uuid(),
                // Beside the letters to the client.
                Reaction::ChangeNumber { client_id, .. } => beside(client_id.uuid()),
                Reaction::Tell { whom, .. } => addressee(whom),
            },
            Self::SendSms(letter) => addressee(letter.whom),
            Self::SendEmail(letter) => beside(addressee(letter.whom)),
            Self::SendCode(code) => code.challenge_id,
        }
    }
}

fn addressee(whom: Whom) -> Uuid {
    match whom {
        Whom::Client(client_id) => client_id.uuid(),
        Whom::ManagerOf(site_id) => site_id.uuid(),
        Whom::Finance => Uuid::nil(),
    }
}

/// Another group for the same somebody.
fn beside(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ (1 << 76))
}

/// What a process manager wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Unique per causing event: `<event id>:<which of its reactions>:<kind>`.
    pub key: String,
    pub work: Work,
    /// By the engine's clock, which a test log can set.
    pub due_at: Timestamp,
}

/// An effect that this worker has, until its lease ends.
#[derive(Clone, Debug)]
pub struct Taken {
    pub id: i64,
    pub key: String,
    pub work: Work,
    pub due_at: Timestamp,
    /// How often it was taken, this time included.
    pub attempts: u32,
    /// When somebody called the provider who may not have been able to say so.
    pub called_at: Option<Timestamp>,
    /// Position of the event that caused it.
    pub cause: i64,
    pub created_at: Timestamp,
    /// What a report must carry to be taken: the lease on its group.
    pub fence: Fence,
}

/// How a turn with an effect ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// It is no longer wanted: why.
    Dropped(String),
    /// It will never work: why. Somebody is told.
    Failed(String),
    /// Nobody can say whether it happened, and nobody may try again.
    Unknown(String),
    /// Come again, perhaps with the next question of a series.
    Later { due_at: Timestamp, work: Option<Work>, why: Option<String> },
}

impl Outcome {
    /// The next step of a series.
    pub fn next(work: impl Into<Work>, due_at: Timestamp) -> Self {
        Self::Later { due_at, work: Some(work.into()), why: None }
    }
}
