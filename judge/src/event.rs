//! The log as the judge reads it: shapes of its own, taken from the published event schemas, never from the engine.

mod client;
mod contract;
mod francs;
mod money;
mod published;
mod site;

pub use client::{CreditForfeited, Credited, FineAppealed, FineDecided, FineSettled, Fined};
pub use contract::{Contract, Flow};
pub use money::{
    OfPayment, OfRefund, PaymentDuplicated, PaymentRequested, PaymentSucceeded, RefundAllotted, RefundRequested,
    RefundSubmitted, RefundSucceeded,
};
pub use site::{ClosureLifted, ClosureScheduled, GroundSet, Pitch};

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::DeserializeOwned};
use uuid::Uuid;

use francs::{francs, some_francs};

/// An instant.
pub type Time = DateTime<Utc>;

/// One event of the log.
#[derive(Clone, Debug)]
pub struct Event {
    pub position: i64,
    pub event_id: Uuid,
    pub stream_id: Uuid,
    pub version: i32,
    /// Wire name, such as `reservation.held`.
    pub name: String,
    pub recorded_at: Time,
    pub fact: Fact,
}

/// What happened, as far as anything is judged by it.
#[derive(Clone, Debug)]
pub enum Fact {
    Held(Box<Held>),
    PaymentReceived(PaymentReceived),
    Confirmed(Box<Confirmed>),
    Expired(OfReservation),
    /// Any other event of a reservation: only its place in the state machine counts.
    OfReservation(OfReservation),
    MoneyReturned(MoneyReturned),
    Cancelled(Box<Cancelled>),
    Rescheduled(Box<Rescheduled>),
    CheckedIn(OfReservation),
    Completed(OfReservation),
    NoShow(NoShow),
    PaymentRequested(PaymentRequested),
    PaymentSucceeded(Box<PaymentSucceeded>),
    PaymentDuplicated(PaymentDuplicated),
    RefundAllotted(RefundAllotted),
    RefundReturned(RefundAllotted),
    /// Any other event of a payment: only its place in the state machine counts.
    Payment(OfPayment),
    RefundRequested(Box<RefundRequested>),
    RefundSubmitted(RefundSubmitted),
    RefundSucceeded(RefundSucceeded),
    /// Any other event of a refund.
    Refund(OfRefund),
    GroundSet(GroundSet),
    ClosureScheduled(ClosureScheduled),
    ClosureLifted(ClosureLifted),
    Credited(Credited),
    CreditSpent(Credited),
    CreditForfeited(CreditForfeited),
    Fined(Fined),
    FineAppealed(FineAppealed),
    FineDecided(Box<FineDecided>),
    FineSettled(FineSettled),
    /// A published event by which nothing is judged.
    Other,
    /// Not an event of the catalogue, or not of its shape: why.
    Unreadable(String),
}

/// Half-open: `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Interval {
    pub from: Time,
    pub to: Time,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Slot {
    pub site_id: Uuid,
    pub pitch_id: Uuid,
    pub cells: Vec<Uuid>,
    pub during: Interval,
    pub claims: Interval,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Actor {
    pub role: String,
    pub id: Option<Uuid>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Price {
    #[serde(deserialize_with = "francs")]
    pub total: i64,
    #[serde(deserialize_with = "francs")]
    pub deposit: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Policy {
    pub free_cancellation_minutes: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Held {
    pub reservation_id: Uuid,
    /// `None`: somebody without a telephone.
    #[serde(default)]
    pub client_id: Option<Uuid>,
    #[serde(default)]
    pub channel: String,
    pub slot: Slot,
    pub placed_by: Actor,
    pub price: Price,
    pub policy: Policy,
    /// Nothing else had been agreed before there were contracts.
    #[serde(default)]
    pub contract: Contract,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PaymentReceived {
    pub reservation_id: Uuid,
    pub payment_id: Uuid,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Confirmed {
    pub reservation_id: Uuid,
    pub grounds: Grounds,
    pub reclaims: Option<Slot>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Grounds {
    pub kind: String,
    pub by: Option<Actor>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct OfReservation {
    pub reservation_id: Uuid,
}

/// Money of one payment that goes back.
#[derive(Clone, Debug, Deserialize)]
pub struct Share {
    pub payment_id: Uuid,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct MoneyReturned {
    pub reservation_id: Uuid,
    pub refunds: Vec<Share>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Cancelled {
    pub reservation_id: Uuid,
    pub reason: String,
    pub by: Actor,
    pub refunds: Vec<Share>,
    #[serde(deserialize_with = "francs")]
    pub kept: i64,
    pub at: Time,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Rescheduled {
    pub reservation_id: Uuid,
    pub from: Slot,
    pub to: Slot,
    pub price: Price,
    pub refunds: Vec<Share>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct NoShow {
    pub reservation_id: Uuid,
    pub refunds: Vec<Share>,
    #[serde(deserialize_with = "francs")]
    pub kept: i64,
    #[serde(default, deserialize_with = "some_francs")]
    pub fine: Option<i64>,
}

impl Fact {
    /// What an event of this name and schema number says.
    pub fn read(name: &str, schema: i16, data: &str) -> Self {
        let newest = published::newest(name);
        if !(1..=newest).contains(&schema) {
            return Self::Unreadable(format!("{name} v{schema} is not published"));
        }
        Self::parse(name, data).unwrap_or_else(|why| Self::Unreadable(format!("{name}: {why}")))
    }

    fn parse(name: &str, data: &str) -> Result<Self, String> {
        fn of<T: DeserializeOwned>(data: &str) -> Result<T, String> {
            serde_json::from_str(data).map_err(|error| error.to_string())
        }
        Ok(match name {
            "reservation.held" => Self::Held(of(data)?),
            "reservation.payment_received" => Self::PaymentReceived(of(data)?),
            "reservation.confirmed" => Self::Confirmed(of(data)?),
            "reservation.split" | "reservation.hold_prolonged" => Self::OfReservation(of(data)?),
            "reservation.expired" => Self::Expired(of(data)?),
            "reservation.money_returned" => Self::MoneyReturned(of(data)?),
            "reservation.cancelled" => Self::Cancelled(of(data)?),
            "reservation.rescheduled" => Self::Rescheduled(of(data)?),
            "reservation.checked_in" => Self::CheckedIn(of(data)?),
            "reservation.completed" => Self::Completed(of(data)?),
            "reservation.no_show" => Self::NoShow(of(data)?),
            "payment.requested" => Self::PaymentRequested(of(data)?),
            "payment.succeeded" => Self::PaymentSucceeded(of(data)?),
            "payment.duplicated" => Self::PaymentDuplicated(of(data)?),
            "payment.refund_allotted" => Self::RefundAllotted(of(data)?),
            "payment.refund_returned" => Self::RefundReturned(of(data)?),
            "payment.opened"
            | "payment.became_unknown"
            | "payment.put_on_account"
            | "payment.failed"
            | "payment.expired" => Self::Payment(of(data)?),
            "refund.requested" => Self::RefundRequested(of(data)?),
            "refund.submitted" => Self::RefundSubmitted(of(data)?),
            "refund.succeeded" => Self::RefundSucceeded(of(data)?),
            "refund.approved"
            | "refund.declined"
            | "refund.pending"
            | "refund.became_unknown"
            | "refund.outcome_stated"
            | "refund.failed"
            | "refund.reversed" => Self::Refund(of(data)?),
            "site.ground_set" => Self::GroundSet(of(data)?),
            "site.closure_scheduled" => Self::ClosureScheduled(of(data)?),
            "site.closure_lifted" => Self::ClosureLifted(of(data)?),
            "client.credited" => Self::Credited(of(data)?),
            "client.credit_spent" => Self::CreditSpent(of(data)?),
            "client.credit_forfeited" => Self::CreditForfeited(of(data)?),
            "client.fined" => Self::Fined(of(data)?),
            "client.fine_appealed" => Self::FineAppealed(of(data)?),
            "client.fine_decided" => Self::FineDecided(of(data)?),
            "client.fine_settled" => Self::FineSettled(of(data)?),
            _ if published::is_not_judged(name) => Self::Other,
            _ => return Err("not in the catalogue".to_owned()),
        })
    }

    /// The stream it belongs to by what it says.
    pub fn stream(&self) -> Option<Uuid> {
        match self {
            Self::Held(held) => Some(held.reservation_id),
            Self::PaymentReceived(received) => Some(received.reservation_id),
            Self::Confirmed(confirmed) => Some(confirmed.reservation_id),
            Self::Expired(of) | Self::OfReservation(of) | Self::CheckedIn(of) | Self::Completed(of) => {
                Some(of.reservation_id)
            }
            Self::MoneyReturned(returned) => Some(returned.reservation_id),
            Self::Cancelled(cancelled) => Some(cancelled.reservation_id),
            Self::Rescheduled(moved) => Some(moved.reservation_id),
            Self::NoShow(no_show) => Some(no_show.reservation_id),
            Self::PaymentRequested(requested) => Some(requested.payment_id),
            Self::PaymentSucceeded(succeeded) => Some(succeeded.payment_id),
            Self::PaymentDuplicated(duplicated) => Some(duplicated.payment_id),
            Self::RefundAllotted(allotted) | Self::RefundReturned(allotted) => Some(allotted.payment_id),
            Self::Payment(of) => Some(of.payment_id),
            Self::RefundRequested(requested) => Some(requested.refund_id),
            Self::RefundSubmitted(submitted) => Some(submitted.refund_id),
            Self::RefundSucceeded(succeeded) => Some(succeeded.refund_id),
            Self::Refund(of) => Some(of.refund_id),
            Self::GroundSet(ground) => Some(ground.site_id),
            Self::ClosureScheduled(closure) => Some(closure.site_id),
            Self::ClosureLifted(lifted) => Some(lifted.site_id),
            Self::Credited(credited) | Self::CreditSpent(credited) => Some(credited.client_id),
            Self::CreditForfeited(forfeited) => Some(forfeited.client_id),
            Self::Fined(fined) => Some(fined.client_id),
            Self::FineAppealed(appealed) => Some(appealed.client_id),
            Self::FineDecided(decided) => Some(decided.client_id),
            Self::FineSettled(settled) => Some(settled.client_id),
            Self::Other | Self::Unreadable(_) => None,
        }
    }
}

#[cfg(test)]
mod tests;
