//! Who has which cells until when, counted from the events alone.

use super::guards::Map;
use crate::{
    Timestamp,
    ids::{CellId, ReservationId},
    interval::Interval,
    reservation::Slot,
};

struct Taken {
    by: ReservationId,
    during: Interval,
    /// For good, when there is none.
    until: Option<Timestamp>,
}

#[derive(Default)]
pub(super) struct Cells {
    taken: Map<CellId, Vec<Taken>>,
    of: Map<ReservationId, Vec<CellId>>,
}

impl Cells {
    /// Takes the cells of a slot; whoever has one of them at this moment.
    pub(super) fn take(
        &mut self,
        by: ReservationId,
        slot: &Slot,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<ReservationId> {
        let mut other = None;
        for cell in &slot.cells {
            let taken = self.taken.entry(*cell).or_default();
            let blocks = |other: &&Taken| {
                let alive = other.until.is_none_or(|until| now < until);
                alive && other.by != by && other.during.overlaps(slot.claims)
            };
            other = other.or_else(|| taken.iter().find(blocks).map(|taken| taken.by));
            taken.push(Taken { by, during: slot.claims, until });
        }
        self.of.insert(by, slot.cells.clone());
        other
    }

    pub(super) fn until(&mut self, by: ReservationId, until: Option<Timestamp>) {
        for cell in self.of.get(&by).into_iter().flatten() {
            for taken in self.taken.get_mut(cell).into_iter().flatten().filter(|taken| taken.by == by) {
                taken.until = until;
            }
        }
    }

    /// An open checkout moves the end of a hold; of what is firm nothing moves.
    pub(super) fn extend(&mut self, by: ReservationId, until: Option<Timestamp>) {
        let Some(until) = until else { return };
        for cell in self.of.get(&by).into_iter().flatten() {
            let taken = self.taken.get_mut(cell).into_iter().flatten();
            for taken in taken.filter(|taken| taken.by == by && taken.until.is_some()) {
                taken.until = Some(until);
            }
        }
    }

    pub(super) fn free(&mut self, by: ReservationId) {
        for cell in self.of.remove(&by).unwrap_or_default() {
            self.taken.entry(cell).or_default().retain(|taken| taken.by != by);
        }
    }

    /// Whether it still has its cells.
    pub(super) fn blocks(&self, by: ReservationId, now: Timestamp) -> bool {
        let cells = self.of.get(&by).into_iter().flatten().filter_map(|cell| self.taken.get(cell));
        cells.flatten().any(|taken| taken.by == by && taken.until.is_none_or(|until| now < until))
    }
}
