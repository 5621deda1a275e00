//! What a payment is, folded from its events.

use serde::Serialize;

use super::{Event, Opened, ProviderId, Requested};
use crate::{
    Timestamp,
    aggregate::Aggregate,
    event,
    ids::{PaymentId, RefundId},
    money::{Currency, Money},
    refund::Reason,
};

/// Where a payment stands; the diagram is on top of the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not asked for: the stream is empty.
    #[default]
    Absent,
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
            Self::Absent => "absent",
            Self::Requested => "requested",
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::OnAccount => "on_account",
        }
    }

    /// Whether the provider may still say something that changes it before its end.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Requested | Self::Pending | Self::Unknown)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Money of one transaction that landed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capture {
    pub transaction: ProviderId,
    pub received: Money,
    /// What the reservation needed of it.
    pub allocated: Money,
    /// What became the client's credit of it: no longer the payment's to refund.
    pub credited: Money,
    pub at: Timestamp,
}

/// What was paid in the last second is known at the provider by then (domain.md: hold expiry + 2 min).
const AFTER_THE_END: chrono::Duration = chrono::Duration::minutes(2);

/// A refund's part of a capture. Stays with the refund while the debt lives, also when one way of paying it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allotment {
    pub refund_id: RefundId,
    pub transaction: ProviderId,
    pub amount: Money,
    pub reason: Reason,
}

/// A payment as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Payment {
    pub status: Status,
    /// What was asked for; `None` only while absent.
    pub request: Option<Requested>,
    /// The checkout at the provider, once it is known.
    pub checkout: Option<Opened>,
    /// The provider's id of the checkout the money came through.
    pub paid_in: Option<ProviderId>,
    pub captures: Vec<Capture>,
    pub allotments: Vec<Allotment>,
}

impl Aggregate for Payment {
    type Id = PaymentId;
    type Event = Event;

    fn select(event: event::Event) -> Option<Event> {
        match event {
            event::Event::Payment(event) => Some(event),
            event::Event::Site(_)
            | event::Event::Reservation(_)
            | event::Event::Refund(_)
            | event::Event::Client(_)
            | event::Event::Reconciliation(_)
            | event::Event::Payout(_)
            | event::Event::Invoice(_)
            | event::Event::Key(_)
            | event::Event::Account(_)
            | event::Event::Endpoint(_)
            | event::Event::Promotion(_)
            | event::Event::Till(_) => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Requested(requested) => {
                self.status = Status::Requested;
                self.request = Some(requested);
            }
            Event::Opened(opened) => {
                self.status = Status::Pending;
                self.checkout = Some(opened);
            }
            Event::BecameUnknown(_) => self.status = Status::Unknown,
            Event::Succeeded(succeeded) => {
                self.status = Status::Succeeded;
                self.paid_in = succeeded.provider_id;
                self.captures.push(Capture {
                    transaction: succeeded.transaction,
                    received: succeeded.received,
                    allocated: succeeded.allocated,
                    credited: succeeded.credited,
                    at: succeeded.at,
                });
            }
            Event::Duplicated(duplicated) => self.captures.push(Capture {
                transaction: duplicated.transaction,
                received: duplicated.received,
                allocated: Money::zero(duplicated.received.currency),
                credited: Money::zero(duplicated.received.currency),
                at: duplicated.at,
            }),
            Event::PutOnAccount(_) => self.status = Status::OnAccount,
            Event::Failed(_) => self.status = Status::Failed,
            Event::Expired(_) => self.status = Status::Expired,
            Event::RefundAllotted(allotted) => self.allotments.push(Allotment {
                refund_id: allotted.refund_id,
                transaction: allotted.transaction,
                amount: allotted.amount,
                reason: allotted.reason,
            }),
            Event::RefundReturned(returned) => {
                self.allotments.retain(|allotment| allotment.refund_id != returned.refund_id);
            }
        }
    }
}

impl Payment {
    pub fn currency(&self) -> Currency {
        self.request.as_ref().map_or(Currency::Xof, |request| request.amount.currency)
    }

    fn sum(&self, amounts: impl Iterator<Item = Money>) -> Money {
        Money::new(amounts.map(|money| money.amount).fold(0, i64::saturating_add), self.currency())
    }

    /// Everything that landed, of all transactions.
    pub fn captured(&self) -> Money {
        self.sum(self.captures.iter().map(|capture| capture.received))
    }

    /// Everything that refunds have a claim on.
    pub fn allotted(&self) -> Money {
        self.sum(self.allotments.iter().map(|allotment| allotment.amount))
    }

    /// The provider's id of the checkout, whichever way it became known.
    pub fn provider_id(&self) -> Option<&ProviderId> {
        self.paid_in.as_ref().or(self.checkout.as_ref().map(|checkout| &checkout.provider_id))
    }

    pub fn capture(&self, transaction: &ProviderId) -> Option<&Capture> {
        self.captures.iter().find(|capture| capture.transaction == *transaction)
    }

    /// What refunds have a claim on, of one transaction.
    pub fn allotted_of(&self, transaction: &ProviderId) -> Money {
        let of = self.allotments.iter().filter(|allotment| allotment.transaction == *transaction);
        self.sum(of.map(|allotment| allotment.amount))
    }

    /// What may still be refunded of one transaction: Σ refunds ≤ Σ captured is this. Credit was given away already.
    pub fn refundable_of(&self, transaction: &ProviderId) -> Money {
        let own = |capture: &Capture| capture.received.amount.saturating_sub(capture.credited.amount);
        let own = self.capture(transaction).map_or(0, own);
        Money::new(own.saturating_sub(self.allotted_of(transaction).amount).max(0), self.currency())
    }

    /// From when on a checkout that its provider cannot close counts as ended, if nobody has paid by then: its own end, or
    /// when we would have closed it; and two minutes. `None` while neither is known.
    pub fn ends_by_itself(&self) -> Option<Timestamp> {
        let checkout = self.checkout.as_ref()?;
        checkout.expires_at.or(checkout.close_at).map(|end| end + AFTER_THE_END)
    }

    /// Whether it may be paid at its provider although we consider it ended: nobody there closes it or tells when it
    /// ends. It is asked about on.
    pub fn lingers(&self) -> bool {
        let endless = self.checkout.as_ref().is_some_and(|checkout| checkout.expires_at.is_none());
        endless && self.status == Status::Expired
    }

    /// Until when an open checkout keeps the cells at `now`; `None` when it keeps none. `fence` is the end of the grace of
    /// the hold as it is now: it may have been prolonged since the checkout was opened.
    pub fn keeps_cells_until(&self, fence: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let until = match (&self.checkout, &self.request) {
            (Some(checkout), _) => checkout.blocks_until,
            // Asked for and never answered: it may be open over there.
            (None, Some(request)) if self.status == Status::Unknown => request.blocks_until,
            (None, _) => None,
        };
        until.map(|until| until.max(fence)).filter(|until| self.status.is_open() && now < *until)
    }
}
