//! What an event takes, keeps and frees: the inline projection that the append lane enforces.
//!
//! [`of`] is a pure function of the event, so the guard tables can be rebuilt from the log. The lane applies the
//! operations of one command releases first, then takes, so that a reschedule is atomic.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Timestamp,
    event::Event,
    ids::{CellId, ClientId, ReservationId},
    interval::Interval,
    reservation,
};

/// One operation on the guard tables.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Takes cells for a time: one row per cell in `slot_claims`. Refused while a claim that [`blocks`] overlaps.
    /// A claim in the way that no longer blocks is lapsed first (see [`lapsed`]).
    Claim(Claim),
    /// The holder's open claims no longer lapse: a hold became a confirmed reservation.
    Firm { holder: Uuid },
    /// Moves the moment at which the holder's open claims may lapse. Leaves firm claims alone.
    Extend { holder: Uuid, releasable_at: Timestamp },
    /// Closes the holder's open claims.
    Release { holder: Uuid },
    /// Takes a name for ever or until given back. Refused when somebody else has it.
    Unique { scope: &'static str, key: String, holder: Uuid },
    /// Gives a name back.
    Forget { scope: &'static str, key: String },
    /// Refuses the command when the scope already counts `max` live rows (rows entered by the same command included).
    Limit { scope: String, max: u32 },
    /// Counts the holder in a scope. Entering twice counts once.
    Enter { scope: String, holder: Uuid },
    /// No longer counts the holder in a scope.
    Leave { scope: String, holder: Uuid },
}

/// Cells taken for a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Claim {
    /// A reservation or a closure.
    pub holder: Uuid,
    pub cells: Vec<CellId>,
    /// The time played and the buffer after it.
    pub during: Interval,
    /// From when the claim no longer blocks; `None` when it is firm.
    pub releasable_at: Option<Timestamp>,
    /// What the lane needs to record the end of a hold it finds lapsed; `None` for firm claims.
    pub lapse: Option<Lapse>,
}

/// A claim that stands in the tables: one cell of a holder, not closed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenClaim {
    pub cell: CellId,
    pub during: Interval,
    /// A reservation or a closure.
    pub holder: Uuid,
    pub releasable_at: Option<Timestamp>,
}

/// Whether one of the open claims blocks one of the cells for a part of the time.
pub fn stands_in_the_way(open: &[OpenClaim], cells: &[CellId], during: Interval, now: Timestamp) -> bool {
    open.iter()
        .any(|claim| claim.during.overlaps(during) && cells.contains(&claim.cell) && blocks(claim.releasable_at, now))
}

/// What is kept beside a hold's claim so that whoever needs the slot can expire it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lapse {
    pub reservation_id: ReservationId,
    pub client_id: Option<ClientId>,
    /// The local day on which the hold counts when it ends unpaid; `None` for a manual one.
    pub counts_on: Option<NaiveDate>,
}

/// Whether a claim stands in the way at `now`. The one definition: the lane, the limits and the availability view use it.
///
/// A firm claim always blocks. A hold blocks until `releasable_at`: its expiry while no checkout is open; with one open,
/// the provider's terminal answer, at most two minutes after the expiry (domain.md, Payment).
pub fn blocks(releasable_at: Option<Timestamp>, now: Timestamp) -> bool {
    releasable_at.is_none_or(|instant| now < instant)
}

/// The event that ends a lapsed hold: written to the holder's stream, before the command that needed the slot.
pub fn lapsed(lapse: &Lapse, now: Timestamp) -> Event {
    reservation::Expired {
        reservation_id: lapse.reservation_id,
        client_id: lapse.client_id,
        counts_on: lapse.counts_on,
        at: now,
    }
    .into()
}

/// The operations of one command, event by event. Whoever is counted by one of its events and no longer by a later one is
/// not counted at all: the lane frees before it takes, whatever the order of the events.
pub fn of_command<'a>(events: impl IntoIterator<Item = &'a Event>) -> Vec<Vec<Op>> {
    let mut ops: Vec<Vec<Op>> = events.into_iter().map(of).collect();
    let left = |rest: &[Vec<Op>], entered: &Op| match entered {
        Op::Enter { scope, holder } => rest
            .iter()
            .flatten()
            .any(|op| matches!(op, Op::Leave { scope: other, holder: who } if other == scope && who == holder)),
        _ => false,
    };
    for n in 0..ops.len() {
        if let Some((own, rest)) = ops.get_mut(n..).and_then(<[Vec<Op>]>::split_first_mut) {
            own.retain(|op| !left(rest, op));
        }
    }
    ops
}

/// What an event takes, keeps and frees.
pub fn of(event: &Event) -> Vec<Op> {
    match event {
        Event::Site(event) => crate::site::guards(event),
        Event::Reservation(event) => crate::reservation::guards(event),
        Event::Payment(event) => crate::payment::guards(event),
        Event::Client(event) => crate::client::guards(event),
        Event::Account(event) => crate::account::guards(event),
        Event::Key(event) => crate::key::guards(event),
        Event::Endpoint(event) => crate::endpoint::guards(event),
        Event::Promotion(event) => crate::promotion::guards(event),
        Event::Payout(event) => crate::payout::guards(event),
        Event::Invoice(event) => crate::invoice::guards(event),
        Event::Till(event) => crate::till::guards(event),
        Event::Refund(_) | Event::Reconciliation(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
