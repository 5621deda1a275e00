//! Cells are closed for a time: maintenance, weather, a power cut.
//!
//! The manager first sees which reservations a closure hits; accepting it cancels those and takes the cells in one
//! decision. A reservation made in between is still in the way, so the lane refuses and the list is shown again.

use crate::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    ids::{CellId, ClosureId, ReservationId, StreamId},
    interval::Interval,
    text::Note,
};

use super::{ClosureReason, ClosureScheduled, Invalid, Refusal, Site, invalid::distinct};

/// Reservations one closure may cancel (design.md §2).
pub const MOST_HITS: usize = 100;

/// What is to be closed, when and why.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedClosure {
    pub closure_id: ClosureId,
    pub cells: Vec<CellId>,
    pub during: Interval,
    pub reason: ClosureReason,
    pub note: Option<Note>,
}

/// A reservation in the way, with the decision that cancels it (made by `reservation::cancel`).
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    pub reservation_id: ReservationId,
    pub cancellation: Decision,
}

/// Closes cells and calls off what they held, all or nothing.
///
/// # Errors
/// [`Refusal`] when a cell is not the site's, the time is over, another closure stands there, or too many are hit.
/// The same closure again is nothing to do.
pub fn schedule_closure(
    site: &Loaded<Site>,
    closure: PlannedClosure,
    hits: Vec<Hit>,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if let Some(known) = site.state.closures.get(&closure.closure_id) {
        let same = known.cells == closure.cells && known.during == closure.during && known.reason == closure.reason;
        let version = known.version;
        let closure_id = closure.closure_id;
        return if same { Ok(Decision::nothing()) } else { Err(Refusal::Closed { closure_id, version }) };
    }
    check_closure(&site.state, &closure, now)?;
    // Somebody may have called one off since the list was shown: nothing to cancel, nothing hit.
    let hits: Vec<Hit> = hits.into_iter().filter(|hit| !hit.cancellation.is_nothing()).collect();
    if hits.len() > MOST_HITS {
        return Err(Refusal::TooManyHits { hits: hits.len(), most: MOST_HITS });
    }
    distinct("reservation", hits.iter().map(|hit| StreamId::from(hit.reservation_id)))?;
    let PlannedClosure { closure_id, cells, during, reason, note } = closure;
    let named = hits.iter().map(|hit| hit.reservation_id).collect();
    let scheduled = ClosureScheduled { site_id: site.id, closure_id, cells, during, reason, note, hits: named };
    // Cancellations first: they free the cells that the closure takes.
    let cancelled = hits.into_iter().fold(Decision::nothing(), |all, hit| all.and(hit.cancellation));
    Ok(cancelled.then(site, scheduled))
}

fn check_closure(site: &Site, closure: &PlannedClosure, now: Timestamp) -> Result<(), Refusal> {
    if closure.cells.is_empty() {
        return Err(Invalid::NoCells.into());
    }
    distinct("cell", closure.cells.iter().copied())?;
    if let Some(cell) = closure.cells.iter().find(|cell| !site.cells.iter().any(|known| known.id == **cell)) {
        return Err(Invalid::UnknownCell(*cell).into());
    }
    if closure.during.to() <= now {
        return Err(Refusal::ClosureEnded { closure_id: closure.closure_id });
    }
    let other = site.closures.iter().find(|(_, other)| {
        other.during.overlaps(closure.during) && other.cells.iter().any(|cell| closure.cells.contains(cell))
    });
    match other {
        Some((closure_id, other)) => Err(Refusal::Closed { closure_id: *closure_id, version: other.version }),
        None => Ok(()),
    }
}
