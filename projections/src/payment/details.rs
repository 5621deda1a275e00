//! A payment as its events tell it: one movement of money in, as the API shows it.

use domain::{
    Timestamp,
    actor::Actor,
    ids::{ClientId, PaymentId, ReservationId, SiteId},
    money::{Money, MoneyError},
    payment::{Event as PaymentEvent, Method, ProviderId, Reference, Requested, Succeeded},
    reservation::Purpose,
    text::{Note, Text},
};
use serde::{Deserialize, Serialize};

use crate::{Position, engine::Entry};

/// Where a payment is in its life (domain.md, Payment).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Requested,
    Pending,
    Unknown,
    Succeeded,
    Failed,
    Expired,
    /// Somebody vouches for it; no money moved.
    OnAccount,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::OnAccount => "on_account",
        }
    }
}

/// A second success for the same thing; it goes back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Duplicate {
    pub transaction: ProviderId,
    pub received: Money,
    pub at: Timestamp,
}

/// A payment as its events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    pub payment_id: PaymentId,
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    pub method: Method,
    pub purpose: Purpose,
    pub status: Status,
    /// What was asked for.
    pub amount: Money,
    /// Ours, at the provider.
    pub reference: Reference,
    pub by: Actor,
    pub created_at: Timestamp,
    /// When the hold it pays for ends; `None` for a balance.
    pub hold_expires_at: Option<Timestamp>,
    /// The provider's id of the checkout.
    pub provider_id: Option<ProviderId>,
    /// Where the client pays; of use while it is pending.
    pub checkout_url: Option<Text<500>>,
    /// When the provider closes it by itself, as it said.
    pub checkout_expires_at: Option<Timestamp>,
    /// The provider's, once money arrived.
    pub transaction: Option<ProviderId>,
    /// What really came.
    pub received: Option<Money>,
    /// Of it, what the reservation needed.
    pub allocated: Option<Money>,
    pub succeeded_at: Option<Timestamp>,
    pub duplicates: Vec<Duplicate>,
    /// Claimed by refunds that have not failed.
    pub refund_allotted: Money,
    /// Why it failed, or why nobody can tell.
    pub why: Option<Note>,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

impl Payment {
    pub(super) fn requested(requested: &Requested, entry: &Entry) -> Self {
        Self {
            payment_id: requested.payment_id,
            reservation_id: requested.reservation_id,
            site_id: requested.site_id,
            client_id: requested.client_id,
            method: requested.method,
            purpose: requested.purpose,
            status: Status::Requested,
            amount: requested.amount,
            reference: requested.reference.clone(),
            by: requested.by,
            created_at: requested.at,
            hold_expires_at: requested.hold_expires_at,
            provider_id: None,
            checkout_url: None,
            checkout_expires_at: None,
            transaction: None,
            received: None,
            allocated: None,
            succeeded_at: None,
            duplicates: Vec::new(),
            refund_allotted: Money::zero(requested.amount.currency),
            why: None,
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        }
    }

    pub(super) fn evolve(&mut self, event: &PaymentEvent) -> Result<(), MoneyError> {
        match event {
            PaymentEvent::Requested(_) => {}
            PaymentEvent::Opened(opened) => {
                self.status = Status::Pending;
                self.provider_id = Some(opened.provider_id.clone());
                self.checkout_url = Some(opened.checkout_url.clone());
                self.checkout_expires_at = opened.expires_at;
                self.why = None;
            }
            PaymentEvent::BecameUnknown(unknown) => {
                self.status = Status::Unknown;
                self.why = Some(unknown.why.clone());
            }
            PaymentEvent::Succeeded(succeeded) => self.succeeded(succeeded),
            PaymentEvent::Duplicated(again) => self.duplicates.push(Duplicate {
                transaction: again.transaction.clone(),
                received: again.received,
                at: again.at,
            }),
            PaymentEvent::Failed(failed) => {
                self.status = Status::Failed;
                self.why = Some(failed.reason.clone());
            }
            PaymentEvent::Expired(_) => self.status = Status::Expired,
            PaymentEvent::PutOnAccount(_) => self.status = Status::OnAccount,
            PaymentEvent::RefundAllotted(allotted) => {
                self.refund_allotted = self.refund_allotted.plus(allotted.amount)?;
            }
            PaymentEvent::RefundReturned(returned) => {
                self.refund_allotted = self.refund_allotted.minus(returned.amount)?;
            }
        }
        Ok(())
    }

    fn succeeded(&mut self, succeeded: &Succeeded) {
        self.status = Status::Succeeded;
        self.transaction = Some(succeeded.transaction.clone());
        self.received = Some(succeeded.received);
        self.allocated = Some(succeeded.allocated);
        self.succeeded_at = Some(succeeded.at);
        self.why = None;
    }
}
