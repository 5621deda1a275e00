//! What can happen to a refund.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Timestamp,
    actor::Actor,
    event::{Members, events, one_more_choice},
    ids::{ClientId, PaymentId, RefundId, ReservationId, SiteId},
    money::Money,
    payment::{Method, ProviderId, Reference},
    text::Note,
};

events! { "refund" {
    Requested = "refund.requested" v 3 from [1 => one_more_choice, 2 => one_more_choice],
    Approved = "refund.approved" v 1,
    Declined = "refund.declined" v 1,
    Submitted = "refund.submitted" v 3 from [1 => by_its_own_rail, 2 => one_more_choice],
    Pending = "refund.pending" v 1,
    BecameUnknown = "refund.became_unknown" v 1,
    OutcomeStated = "refund.outcome_stated" v 1,
    Succeeded = "refund.succeeded" v 3 from [1 => by_its_own_rail, 2 => one_more_choice],
    Failed = "refund.failed" v 1,
    Reversed = "refund.reversed" v 1,
} }

/// Until then money went back by the way it had come, or not by a provider.
fn by_its_own_rail(mut data: Members) -> Members {
    data.insert("method".into(), Value::Null);
    data
}

/// Why money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The reservation was cancelled; the policy says how much.
    Cancellation,
    /// It landed after the slot was sold to somebody else.
    Orphaned,
    /// A second success for the same thing.
    Duplicate,
    /// More was received than was due and there is no client to credit.
    Overpayment,
    /// Too little was received and the hold ended.
    Underpayment,
    /// The new price after a reschedule is lower.
    Reschedule,
    /// The balance of somebody who did not come.
    NoShow,
    /// A person asked for it.
    Goodwill,
    /// It was made at the provider without us, and seen there.
    External,
}

/// How the money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Route {
    /// The whole transaction is reversed at its provider.
    WholeTransaction,
    /// A payout of part of it to the payer's number.
    Payout,
    /// Out of the till, against signature.
    Cash,
    /// By bank transfer, made by a person.
    Transfer,
    /// Nowhere yet: we owe it to the client as credit. What was paid with credit goes back so at once.
    Credit,
}

/// Somebody, or the policy, wants money to go back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Requested {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    pub method: Method,
    pub route: Route,
    /// The transaction whose money it is.
    pub transaction: ProviderId,
    /// The provider's id of the checkout it was paid in, where there is one.
    pub provider_id: Option<ProviderId>,
    /// What the client gets back; of the money of `transaction`.
    pub amount: Money,
    pub reason: Reason,
    pub note: Option<Note>,
    pub by: Actor,
    /// Whether a second person must approve (only refunds a person asks for, above the limit of the policy).
    pub needs_approval: bool,
    pub at: Timestamp,
}

/// It may be paid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Approved {
    pub refund_id: RefundId,
    pub by: Actor,
    pub at: Timestamp,
}

/// The second person said no.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Declined {
    pub refund_id: RefundId,
    pub by: Actor,
    pub note: Note,
    pub at: Timestamp,
}

/// The provider is about to be asked: written before the call. The key never changes while an outcome is unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Submitted {
    pub refund_id: RefundId,
    pub route: Route,
    /// The provider that pays, when it is another one than the payment's.
    pub method: Option<Method>,
    pub reference: Reference,
    /// 1 for the first group of tries; a new group only after a final failure.
    pub attempt: u16,
    pub at: Timestamp,
}

/// The provider took it and is working.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pending {
    pub refund_id: RefundId,
    /// The provider's id of the movement.
    pub provider_id: ProviderId,
    pub at: Timestamp,
}

/// Nobody can tell; the provider is asked until it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BecameUnknown {
    pub refund_id: RefundId,
    pub why: Note,
    pub at: Timestamp,
}

/// What somebody has seen of it at the provider.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Stated {
    /// Whether the client has the money.
    pub paid: bool,
    /// The provider's id of the movement, where it was seen.
    pub provider_id: Option<ProviderId>,
    /// Where it was looked for, and what was found.
    pub note: Note,
}

/// No provider tells: a person of finance has looked. It counts when a second one says the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct OutcomeStated {
    pub refund_id: RefundId,
    pub stated: Stated,
    pub by: Actor,
    pub at: Timestamp,
}

/// The client has the money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Succeeded {
    pub refund_id: RefundId,
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub client_id: Option<ClientId>,
    pub amount: Money,
    pub route: Route,
    /// The provider that paid, when it is another one than the payment's.
    pub method: Option<Method>,
    pub provider_id: Option<ProviderId>,
    pub by: Actor,
    pub at: Timestamp,
}

/// This way did not work. The debt stays; another way follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Failed {
    pub refund_id: RefundId,
    pub reason: Note,
    pub at: Timestamp,
}

/// The provider took a paid refund back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Reversed {
    pub refund_id: RefundId,
    pub reason: Note,
    pub at: Timestamp,
}
