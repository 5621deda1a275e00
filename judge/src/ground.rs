//! Who stands on which cell: half-open intervals, folded event by event.

use std::collections::{BTreeMap, HashMap};

use uuid::Uuid;

use crate::{
    event::{Event, Fact, Interval, Slot, Time},
    input::Claim,
};

#[derive(Clone, Copy, Debug)]
struct Taken {
    to: Time,
    position: i64,
    firm: bool,
}

/// All cells at one position of the log.
#[derive(Debug, Default)]
pub struct Ground {
    cells: HashMap<Uuid, BTreeMap<(Time, Uuid), Taken>>,
    /// What each holder has taken: cell and beginning.
    holders: HashMap<Uuid, Vec<(Uuid, Time)>>,
}

/// Two at once on one cell.
#[derive(Debug)]
pub struct Clash {
    pub cell: Uuid,
    pub holder: Uuid,
    pub other: Uuid,
    /// From when both stand there.
    pub from: Time,
}

impl Ground {
    /// What an event takes and frees. A hold takes its cells and loses them when it ends; a confirmation makes them its
    /// own, again when the hold had ended; a move frees the old ones and takes the new ones in one step; what is over or
    /// called off frees them; a closure takes them like a reservation.
    pub fn fold(&mut self, event: &Event) -> Vec<Clash> {
        match &event.fact {
            Fact::Held(held) => self.take_slot(held.reservation_id, &held.slot, event.position, false),
            Fact::Confirmed(confirmed) => match &confirmed.reclaims {
                Some(slot) => self.take_slot(confirmed.reservation_id, slot, event.position, true),
                None => {
                    self.make_firm(confirmed.reservation_id);
                    Vec::new()
                }
            },
            Fact::Expired(of) | Fact::Completed(of) => self.free(of.reservation_id),
            Fact::Cancelled(cancelled) => self.free(cancelled.reservation_id),
            Fact::NoShow(no_show) => self.free(no_show.reservation_id),
            Fact::Rescheduled(moved) => {
                self.free(moved.reservation_id);
                self.take_slot(moved.reservation_id, &moved.to, event.position, true)
            }
            Fact::ClosureScheduled(closure) => {
                self.take(closure.closure_id, &closure.cells, closure.during, event.position, true)
            }
            Fact::ClosureLifted(lifted) => self.free(lifted.closure_id),
            _ => Vec::new(),
        }
    }

    fn take_slot(&mut self, holder: Uuid, slot: &Slot, position: i64, firm: bool) -> Vec<Clash> {
        self.take(holder, &slot.cells, slot.claims, position, firm)
    }

    fn take(&mut self, holder: Uuid, cells: &[Uuid], time: Interval, position: i64, firm: bool) -> Vec<Clash> {
        let mut clashes = Vec::new();
        for cell in cells {
            let taken = self.cells.entry(*cell).or_default();
            // As long as nobody overlapped before, only the last one to begin before this ends can reach into it.
            let before = taken.range(..(time.to, Uuid::nil())).next_back();
            if let Some(((from, other), claim)) = before
                && claim.to > time.from
            {
                clashes.push(Clash { cell: *cell, holder, other: *other, from: time.from.max(*from) });
            }
            taken.insert((time.from, holder), Taken { to: time.to, position, firm });
            self.holders.entry(holder).or_default().push((*cell, time.from));
        }
        clashes
    }

    fn free(&mut self, holder: Uuid) -> Vec<Clash> {
        for (cell, from) in self.holders.remove(&holder).unwrap_or_default() {
            if let Some(taken) = self.cells.get_mut(&cell) {
                taken.remove(&(from, holder));
            }
        }
        Vec::new()
    }

    fn make_firm(&mut self, holder: Uuid) {
        for (cell, from) in self.holders.get(&holder).map(Vec::as_slice).unwrap_or_default() {
            if let Some(taken) = self.cells.get_mut(cell).and_then(|taken| taken.get_mut(&(*from, holder))) {
                taken.firm = true;
            }
        }
    }

    /// Everything that is taken now, in order.
    pub fn claims(&self) -> Vec<Claim> {
        let all = self.cells.iter().flat_map(|(cell, taken)| {
            taken.iter().map(|((from, holder), claim)| {
                let Taken { to, position, firm } = *claim;
                Claim { cell: *cell, from: *from, to, holder: *holder, position, firm }
            })
        });
        let mut all: Vec<Claim> = all.collect();
        all.sort_unstable();
        all
    }
}
