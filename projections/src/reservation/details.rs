//! A reservation as its events tell it: everything the API shows of it. People are ids here; names and numbers are
//! sealed in `read.clients`.

use chrono::NaiveDate;
use chrono_tz::Tz;
use domain::{
    Timestamp,
    actor::Actor,
    ids::{CellId, ClientId, PaymentId, PitchId, ReservationId, SiteId},
    interval::Interval,
    money::{Money, MoneyError},
    policy::Policy,
    quote::Price,
    reservation::{
        CancelReason, Channel, Code, Confirmed, Event as ReservationEvent, Grounds, Held, NoShow, Purpose, RefundShare,
        Rescheduled, Slot,
    },
    text::Note,
};
use serde::{Deserialize, Serialize};

use crate::{Position, engine::Entry};

/// Where a reservation is in its life (domain.md, Reservation).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Held,
    Confirmed,
    CheckedIn,
    Completed,
    NoShow,
    Expired,
    Cancelled,
}

impl Status {
    pub const ALL: [Self; 7] =
        [Self::Held, Self::Confirmed, Self::CheckedIn, Self::Completed, Self::NoShow, Self::Expired, Self::Cancelled];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::CheckedIn => "checked_in",
            Self::Completed => "completed",
            Self::NoShow => "no_show",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it is still meant to be played, or is being played.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed | Self::CheckedIn)
    }
}

/// Money received for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub payment_id: PaymentId,
    pub purpose: Purpose,
    pub amount: Money,
    pub at: Timestamp,
}

/// How it was called off.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cancellation {
    pub reason: CancelReason,
    pub note: Option<Note>,
    pub by: Actor,
    pub at: Timestamp,
}

/// Who let them in, and what was still to pay then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Arrival {
    pub by: Actor,
    pub balance_due: Money,
    pub at: Timestamp,
}

/// A reservation as its own events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Details {
    pub reservation_id: ReservationId,
    pub site_id: SiteId,
    pub pitch_id: PitchId,
    pub cells: Vec<CellId>,
    /// The time played.
    pub during: Interval,
    /// The time claimed: played plus the buffer.
    pub claims: Interval,
    pub time_zone: Tz,
    pub client_id: Option<ClientId>,
    pub channel: Channel,
    pub placed_by: Actor,
    pub status: Status,
    pub code: Code,
    pub price: Price,
    /// The terms it was made on.
    pub policy: Policy,
    pub hold_expires_at: Timestamp,
    pub held_on: NaiveDate,
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub grounds: Option<Grounds>,
    /// The money came after the hold had ended and the cells were still free.
    pub late: bool,
    pub receipts: Vec<Receipt>,
    /// Money on its way back, or back: each share is a refund of its own.
    pub returns: Vec<RefundShare>,
    pub reschedules: u32,
    pub cancellation: Option<Cancellation>,
    pub checked_in: Option<Arrival>,
    /// When it came to its end: expired, cancelled, completed or no-show.
    pub ended_at: Option<Timestamp>,
    /// What the site keeps of a reservation that was not played.
    pub kept: Option<Money>,
    pub fine: Option<Money>,
    /// Version of its stream.
    pub version: i32,
    /// The last event that is in here.
    pub position: Position,
    pub created_position: Position,
}

impl Details {
    pub(super) fn held(held: &Held, entry: &Entry) -> Self {
        let Slot { site_id, pitch_id, cells, during, claims, time_zone } = held.slot.clone();
        Self {
            reservation_id: held.reservation_id,
            site_id,
            pitch_id,
            cells,
            during,
            claims,
            time_zone,
            client_id: held.client_id,
            channel: held.channel,
            placed_by: held.placed_by,
            status: Status::Held,
            code: held.code.clone(),
            price: held.price.clone(),
            policy: held.policy.clone(),
            hold_expires_at: held.hold_expires_at,
            held_on: held.held_on,
            created_at: held.at,
            confirmed_at: None,
            grounds: None,
            late: false,
            receipts: Vec::new(),
            returns: Vec::new(),
            reschedules: 0,
            cancellation: None,
            checked_in: None,
            ended_at: None,
            kept: None,
            fine: None,
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        }
    }

    pub(super) fn evolve(&mut self, event: &ReservationEvent) {
        match event {
            ReservationEvent::Held(_) => {}
            ReservationEvent::PaymentReceived(received) => self.receipts.push(Receipt {
                payment_id: received.payment_id,
                purpose: received.purpose,
                amount: received.amount,
                at: received.at,
            }),
            ReservationEvent::MoneyReturned(returned) => self.returns.extend(&returned.refunds),
            ReservationEvent::Confirmed(confirmed) => self.confirmed(confirmed),
            ReservationEvent::Expired(expired) => self.ended(Status::Expired, expired.at),
            ReservationEvent::Cancelled(cancelled) => {
                self.ended(Status::Cancelled, cancelled.at);
                self.returns.extend(&cancelled.refunds);
                self.kept = Some(cancelled.kept);
                self.cancellation = Some(Cancellation {
                    reason: cancelled.reason,
                    note: cancelled.note.clone(),
                    by: cancelled.by,
                    at: cancelled.at,
                });
            }
            ReservationEvent::Rescheduled(moved) => self.rescheduled(moved),
            ReservationEvent::CheckedIn(arrived) => {
                self.status = Status::CheckedIn;
                self.checked_in = Some(Arrival { by: arrived.by, balance_due: arrived.balance_due, at: arrived.at });
            }
            ReservationEvent::Completed(completed) => self.ended(Status::Completed, completed.at),
            ReservationEvent::NoShow(absent) => self.absent(absent),
        }
    }

    fn confirmed(&mut self, confirmed: &Confirmed) {
        self.status = Status::Confirmed;
        self.confirmed_at = Some(confirmed.at);
        self.grounds = Some(confirmed.grounds.clone());
        self.ended_at = None;
        if let Some(slot) = &confirmed.reclaims {
            self.late = true;
            self.takes(slot);
        }
    }

    fn rescheduled(&mut self, moved: &Rescheduled) {
        self.takes(&moved.to);
        self.price = moved.price.clone();
        self.returns.extend(&moved.refunds);
        self.reschedules += 1;
    }

    fn absent(&mut self, absent: &NoShow) {
        self.ended(Status::NoShow, absent.at);
        self.kept = Some(absent.kept);
        self.fine = absent.fine;
        self.returns.extend(&absent.refunds);
    }

    fn takes(&mut self, slot: &Slot) {
        self.pitch_id = slot.pitch_id;
        self.cells.clone_from(&slot.cells);
        self.during = slot.during;
        self.claims = slot.claims;
    }

    fn ended(&mut self, status: Status, at: Timestamp) {
        self.status = status;
        self.ended_at = Some(at);
    }

    /// Everything received for it, also what went back since.
    ///
    /// # Errors
    /// [`MoneyError`] when currencies were mixed, which the domain never does.
    pub fn received(&self) -> Result<Money, MoneyError> {
        Money::sum(self.price.total.currency, self.receipts.iter().map(|receipt| receipt.amount))
    }

    /// Of what was received, what is not going back: what counts as paid.
    ///
    /// # Errors
    /// As [`Details::received`].
    pub fn paid(&self) -> Result<Money, MoneyError> {
        let returning = Money::sum(self.price.total.currency, self.returns.iter().map(|share| share.amount))?;
        self.received()?.minus(returning)
    }

    /// Still to pay before it is confirmed; zero once it is, and when it ended.
    ///
    /// # Errors
    /// As [`Details::received`].
    pub fn deposit_due(&self) -> Result<Money, MoneyError> {
        self.due_of(self.price.deposit, self.status == Status::Held)
    }

    /// Still to pay in all; zero when it ended without being played.
    ///
    /// # Errors
    /// As [`Details::received`].
    pub fn balance_due(&self) -> Result<Money, MoneyError> {
        self.due_of(self.price.total, self.status.is_live() || self.status == Status::Completed)
    }

    fn due_of(&self, price: Money, counts: bool) -> Result<Money, MoneyError> {
        let due = price.minus(self.paid()?)?;
        Ok(if counts && due.is_positive() { due } else { Money::zero(price.currency) })
    }
}
