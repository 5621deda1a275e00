//! A reservation as its events tell it: everything the API shows of it. What counts (status, sums, dues) is the domain's
//! own fold, so that a view and a decision never disagree. People are ids; names and numbers are sealed in
//! `read.clients`.

use chrono_tz::Tz;
use domain::{
    Timestamp,
    actor::Actor,
    aggregate::Aggregate,
    ids::{CellId, ClientId, PitchId, ReservationId, SiteId},
    interval::Interval,
    money::Money,
    policy::Policy,
    quote::Price,
    reservation::{self, CancelReason, Channel, Code, Event, Grounds, Receipt, Reservation, Return, Slot},
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

    /// The domain's word for it; `None` for a reservation that is not there.
    pub(super) const fn of(status: reservation::Status) -> Option<Self> {
        Some(match status {
            reservation::Status::Absent => return None,
            reservation::Status::Held => Self::Held,
            reservation::Status::Confirmed => Self::Confirmed,
            reservation::Status::CheckedIn => Self::CheckedIn,
            reservation::Status::Completed => Self::Completed,
            reservation::Status::NoShow => Self::NoShow,
            reservation::Status::Expired => Self::Expired,
            reservation::Status::Cancelled => Self::Cancelled,
        })
    }
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

/// What its events tell beyond the state that decides: for showing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Story {
    confirmed_at: Option<Timestamp>,
    late: bool,
    cancellation: Option<Cancellation>,
    checked_in: Option<Arrival>,
    ended_at: Option<Timestamp>,
    kept: Option<Money>,
    fine: Option<Money>,
}

impl Story {
    fn goes_on(&mut self, event: &Event) {
        match event {
            Event::Held(_)
            | Event::SplitUp(_)
            | Event::HoldProlonged(_)
            | Event::PaymentReceived(_)
            | Event::MoneyReturned(_)
            | Event::Rescheduled(_) => {}
            Event::Confirmed(confirmed) => {
                self.confirmed_at = Some(confirmed.at);
                self.late = confirmed.reclaims.is_some();
                self.ended_at = None;
            }
            Event::Expired(expired) => self.ended_at = Some(expired.at),
            Event::Cancelled(cancelled) => {
                self.ended_at = Some(cancelled.at);
                self.kept = Some(cancelled.kept);
                self.cancellation = Some(Cancellation {
                    reason: cancelled.reason,
                    note: cancelled.note.clone(),
                    by: cancelled.by,
                    at: cancelled.at,
                });
            }
            Event::CheckedIn(arrived) => {
                self.checked_in = Some(Arrival { by: arrived.by, balance_due: arrived.balance_due, at: arrived.at });
            }
            Event::Completed(completed) => self.ended_at = Some(completed.at),
            Event::NoShow(absent) => {
                self.ended_at = Some(absent.at);
                self.kept = Some(absent.kept);
                self.fine = absent.fine;
            }
        }
    }
}

/// A row's document: the state as the rules fold it, and the story.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Doc {
    pub reservation: Loaded,
    pub story: Story,
    pub position: Position,
    pub created_position: Position,
}

/// The domain's loaded reservation, in a form that can be stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Loaded {
    pub id: ReservationId,
    pub version: i32,
    pub state: Reservation,
}

impl Doc {
    /// Before its first event.
    pub(super) fn new(id: ReservationId, position: Position) -> Self {
        let reservation = Loaded { id, version: 0, state: Reservation::default() };
        Self { reservation, story: Story::default(), position, created_position: position }
    }

    pub(super) fn evolve(&mut self, event: &Event, entry: &Entry) {
        self.story.goes_on(event);
        self.reservation.state.evolve(event.clone());
        self.reservation.version = entry.version;
        self.position = entry.position;
    }
}

/// A reservation as its own events tell it.
#[derive(Clone, Debug, PartialEq)]
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
    pub created_at: Timestamp,
    pub confirmed_at: Option<Timestamp>,
    pub grounds: Option<Grounds>,
    /// The money came after the hold had ended and the cells were still free.
    pub late: bool,
    pub receipts: Vec<Receipt>,
    /// Money on its way back, or back: each share is a refund of its own.
    pub returns: Vec<Return>,
    /// How often the client moved it.
    pub reschedules: u32,
    pub cancellation: Option<Cancellation>,
    pub checked_in: Option<Arrival>,
    /// When it came to its end: expired, cancelled, completed or no-show.
    pub ended_at: Option<Timestamp>,
    /// What the site keeps of a reservation that was not played.
    pub kept: Option<Money>,
    pub fine: Option<Money>,
    /// Everything received for it, also what went back since.
    pub received: Money,
    /// Of it, what went or is on its way back.
    pub returned: Money,
    /// Still to pay of the deposit; nothing once it ended without being played.
    pub deposit_due: Money,
    /// Still to pay in all; nothing once it ended without being played.
    pub balance_due: Money,
    /// Version of its stream.
    pub version: i32,
    /// The last event that is in here.
    pub position: Position,
    pub created_position: Position,
}

impl Details {
    /// Everything there is to show; `None` before the first event.
    pub(super) fn of(doc: Doc) -> Option<Self> {
        let Doc { reservation: Loaded { id, version, state }, story, position, created_position } = doc;
        let (received, returned) = (state.received(), state.refunded());
        let (deposit_due, balance_due) = state.owed();
        let terms = state.terms?;
        let Slot { site_id, pitch_id, cells, during, claims, time_zone } = terms.slot;
        Some(Self {
            reservation_id: id,
            site_id,
            pitch_id,
            cells,
            during,
            claims,
            time_zone,
            client_id: terms.client_id,
            channel: terms.channel,
            placed_by: terms.placed_by,
            status: Status::of(state.status)?,
            code: terms.code,
            price: terms.price,
            policy: terms.policy,
            hold_expires_at: terms.hold_expires_at,
            created_at: terms.at,
            confirmed_at: story.confirmed_at,
            grounds: state.grounds,
            late: story.late,
            receipts: state.receipts,
            returns: state.returns,
            reschedules: state.reschedules,
            cancellation: story.cancellation,
            checked_in: story.checked_in,
            ended_at: story.ended_at,
            kept: story.kept,
            fine: story.fine,
            received,
            returned,
            deposit_due,
            balance_due,
            version,
            position,
            created_position,
        })
    }
}
