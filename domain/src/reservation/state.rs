//! What a reservation is, folded from its events.

use serde::{Deserialize, Serialize};

use super::{CancelReason, Event, Grounds, Held, PaymentReceived, Purpose, RefundShare, Shares};
use crate::{
    Timestamp,
    aggregate::{Aggregate, Version},
    event,
    ids::{PaymentId, ReservationId, ShareId},
    money::{Currency, Money},
    refund::Reason,
};

/// Where a reservation stands; the diagram is on top of the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not placed: the stream is empty.
    #[default]
    Absent,
    Held,
    Confirmed,
    CheckedIn,
    Completed,
    NoShow,
    Expired,
    Cancelled,
}

impl Status {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::CheckedIn => "checked_in",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the reservation takes its cells.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed | Self::CheckedIn)
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Money of one payment that was allocated to the reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    pub payment_id: PaymentId,
    /// The share it pays, of a price that was split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_id: Option<ShareId>,
    pub purpose: Purpose,
    pub amount: Money,
}

/// Money of one payment that went, or is on its way, back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Return {
    pub share: RefundShare,
    pub reason: Reason,
}

/// A reservation as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reservation {
    pub status: Status,
    /// What was agreed: slot, price, policy, code. A reschedule changes slot and price, a paid share when the hold ends.
    /// `None` only while absent.
    pub terms: Option<Held>,
    /// Version of the site the policy snapshot was taken from.
    pub policy_version: Version,
    pub receipts: Vec<Receipt>,
    pub returns: Vec<Return>,
    pub grounds: Option<Grounds>,
    /// How often the client moved it; a manager's moves do not count.
    pub reschedules: u32,
    /// By how much reschedules raised the price, as far as it is not paid.
    pub raised: i64,
    pub checked_in_at: Option<Timestamp>,
    /// Why and when it was called off.
    pub cancelled: Option<(CancelReason, Timestamp)>,
    /// How what is due was split, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Shares>,
}

impl Aggregate for Reservation {
    type Id = ReservationId;
    type Event = Event;

    fn select(event: event::Event) -> Option<Event> {
        match event {
            event::Event::Reservation(event) => Some(event),
            event::Event::Site(_)
            | event::Event::Payment(_)
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
            Event::Held(held) => {
                self.status = Status::Held;
                self.policy_version = held.price.site_version;
                self.terms = Some(held);
            }
            Event::SplitUp(split) => self.split = Some(Shares::of(split)),
            Event::HoldProlonged(prolonged) => {
                if let (Some(terms), Some(split)) = (&mut self.terms, &mut self.split) {
                    terms.hold_expires_at = prolonged.until;
                    split.pledged = true;
                }
            }
            Event::PaymentReceived(received) => self.receive(&received),
            Event::Confirmed(confirmed) => {
                self.status = Status::Confirmed;
                self.grounds = Some(confirmed.grounds);
            }
            Event::Expired(_) => self.status = Status::Expired,
            Event::MoneyReturned(returned) => self.give_back(&returned.refunds, returned.reason),
            Event::Cancelled(cancelled) => {
                self.status = Status::Cancelled;
                self.cancelled = Some((cancelled.reason, cancelled.at));
                self.give_back(&cancelled.refunds, Reason::Cancellation);
            }
            Event::Rescheduled(moved) => {
                // Whoever runs the site may always move it: that does not use up the client's moves.
                self.reschedules += u32::from(moved.by.role != crate::actor::Role::Manager);
                if let Some(terms) = &mut self.terms {
                    self.raised = (self.raised + moved.price.total.amount - terms.price.total.amount).max(0);
                    terms.slot = moved.to;
                    terms.price = moved.price;
                }
                self.give_back(&moved.refunds, Reason::Reschedule);
            }
            Event::CheckedIn(checked_in) => {
                self.status = Status::CheckedIn;
                self.checked_in_at = Some(checked_in.at);
            }
            Event::Completed(_) => self.status = Status::Completed,
            Event::NoShow(no_show) => {
                self.status = Status::NoShow;
                self.give_back(&no_show.refunds, Reason::NoShow);
            }
        }
    }
}

impl Reservation {
    fn receive(&mut self, received: &PaymentReceived) {
        let PaymentReceived { payment_id, share_id, purpose, amount, .. } = *received;
        if purpose == Purpose::Difference {
            self.raised = (self.raised - amount.amount).max(0);
        }
        self.receipts.push(Receipt { payment_id, share_id, purpose, amount });
    }

    fn give_back(&mut self, shares: &[RefundShare], reason: Reason) {
        self.returns.extend(shares.iter().map(|share| Return { share: *share, reason }));
    }

    pub fn currency(&self) -> Currency {
        self.terms.as_ref().map_or(Currency::Xof, |terms| terms.price.total.currency)
    }

    pub(super) fn money(&self, amount: i64) -> Money {
        Money::new(amount.max(0), self.currency())
    }

    /// Everything allocated to it so far.
    pub fn received(&self) -> Money {
        self.money(self.receipts.iter().map(|receipt| receipt.amount.amount).fold(0, i64::saturating_add))
    }

    /// Of it, what went or is on its way back.
    pub fn refunded(&self) -> Money {
        self.money(self.returns.iter().map(|given| given.share.amount.amount).fold(0, i64::saturating_add))
    }

    /// Received and not given back. Once the reservation has ended: what the site keeps.
    pub fn held_money(&self) -> Money {
        self.money(self.received().amount.saturating_sub(self.refunded().amount))
    }

    /// Of one payment: allocated and not given back.
    pub fn held_of(&self, payment: PaymentId) -> Money {
        let paid = self.receipts.iter().filter(|receipt| receipt.payment_id == payment);
        let back = self.returns.iter().filter(|given| given.share.payment_id == payment);
        let paid = paid.map(|receipt| receipt.amount.amount).fold(0, i64::saturating_add);
        self.money(paid.saturating_sub(back.map(|given| given.share.amount.amount).fold(0, i64::saturating_add)))
    }

    /// The payments with money in it, the first received first.
    pub fn paying(&self) -> Vec<PaymentId> {
        let mut payments = Vec::new();
        for receipt in &self.receipts {
            if !payments.contains(&receipt.payment_id) {
                payments.push(receipt.payment_id);
            }
        }
        payments
    }

    /// Given back after it was confirmed, because a person granted it: not owed again.
    fn forgiven(&self) -> i64 {
        let granted = self.returns.iter().filter(|given| self.forgives(given));
        granted.map(|given| given.share.amount.amount).fold(0, i64::saturating_add)
    }

    pub(super) fn forgives(&self, given: &Return) -> bool {
        matches!(self.status, Status::Confirmed | Status::CheckedIn | Status::Completed)
            && matches!(given.reason, Reason::Goodwill | Reason::External)
    }

    fn still_due(&self, asked: Option<i64>) -> Money {
        let settled = self.held_money().amount.saturating_add(self.forgiven());
        self.money(asked.unwrap_or(0).saturating_sub(settled))
    }

    /// Still missing before it can be confirmed (or, on account, of the deposit).
    pub fn deposit_due(&self) -> Money {
        self.still_due(self.terms.as_ref().map(|terms| terms.price.deposit.amount))
    }

    /// Still missing of the whole price.
    pub fn balance_due(&self) -> Money {
        self.still_due(self.terms.as_ref().map(|terms| terms.price.total.amount))
    }

    /// What somebody still has to pay of the deposit and in all. Nothing once it ended without being played, though money
    /// that lands late is still measured against [`Reservation::deposit_due`].
    pub fn owed(&self) -> (Money, Money) {
        match self.status {
            Status::Held | Status::Confirmed | Status::CheckedIn | Status::Completed => {
                (self.deposit_due(), self.balance_due())
            }
            Status::Absent | Status::Expired | Status::Cancelled | Status::NoShow => (self.money(0), self.money(0)),
        }
    }

    /// Of the balance, what a reschedule to a dearer slot added.
    pub fn difference_due(&self) -> Money {
        self.money(self.raised.min(self.balance_due().amount))
    }

    /// What a payment for this purpose would have to be.
    pub fn due(&self, purpose: Purpose) -> Money {
        match purpose {
            Purpose::Deposit => self.deposit_due(),
            Purpose::Balance | Purpose::Full => self.balance_due(),
            Purpose::Difference => self.difference_due(),
            Purpose::Debt => self.money(0),
        }
    }
}
