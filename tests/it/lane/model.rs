//! What the guards must say, naively: a list of who stands where on three cells, compared with everything each time.

mod steps;

use std::ops::RangeInclusive;

use domain::{
    aggregate::Version,
    ids::{CellId, ClientId, ClosureId, StreamId},
    interval::Interval,
    reservation::Slot,
};
use eventstore::{AppendError, Clock, Refusal};
use kalel::bench::sample::{self, Ground, Wish};
use uuid::Uuid;

pub use steps::{Command, Step, a_step};
use steps::{Part, Spot};

/// Two halves, the whole pitch that they make, one beside it, and all the ground.
const PITCHES: [&[usize]; 5] = [&[0], &[1], &[0, 1], &[2], &[0, 1, 2]];
const CLIENTS: usize = 3;
/// Low, so that clients get there: unpaid holds at once, and those of a day that ended unpaid.
const AT_ONCE: u32 = 2;
const PER_DAY: u32 = 3;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    New,
    Held,
    Paid,
    /// Ended unpaid.
    Lapsed,
    CalledOff,
}

#[derive(Clone, Debug)]
struct Known {
    wish: Wish,
    version: Version,
    stage: Stage,
}

#[derive(Clone, Debug)]
struct Closure {
    stream: StreamId,
    id: ClosureId,
    version: Version,
}

/// A cell taken; `from` and `to` count half hours, `since` and `until` positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub cell: CellId,
    pub during: Interval,
    pub owner: Uuid,
    pub since: i64,
    pub until: Option<i64>,
    firm: bool,
    over: bool,
}

/// Why not.
#[derive(Clone, Debug, PartialEq)]
pub enum No {
    Conflict,
    Limit(u32),
    Named(Uuid),
    Taken(Row),
}

#[derive(Clone, Debug)]
pub struct Model {
    ground: Ground,
    clients: Vec<ClientId>,
    known: Vec<Known>,
    closures: Vec<Closure>,
    rows: Vec<Row>,
    names: Vec<(String, Uuid)>,
    /// Positions at which several holds ended before one command: which of them was the first is nobody's business.
    together: Vec<RangeInclusive<i64>>,
    pub head: i64,
}

impl Model {
    pub fn new(clock: &Clock, head: i64) -> Self {
        let clients = (0..CLIENTS).map(|_| clock.new_id().into()).collect();
        let (known, closures, rows, names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { ground: Ground::new(clock, 3), clients, known, closures, rows, names, together: Vec::new(), head }
    }

    pub fn cells(&self) -> Vec<Uuid> {
        self.ground.cells.iter().map(|cell| cell.uuid()).collect()
    }

    pub fn rows(&self) -> Vec<Row> {
        self.rows.clone()
    }

    /// A position, or the last of those among which the order is nobody's business.
    pub fn about(&self, position: i64) -> i64 {
        self.together.iter().find(|together| together.contains(&position)).map_or(position, |together| *together.end())
    }

    /// Who is counted where, as the guard tables name it.
    pub fn counted(&self) -> Vec<(String, Uuid)> {
        let mut counted = Vec::new();
        for Known { wish, stage, .. } in &self.known {
            let client = wish.client_id;
            match stage {
                Stage::Held => counted.push((format!("client:{client}:unpaid_holds"), wish.reservation_id.uuid())),
                Stage::Lapsed => {
                    let scope = format!("client:{client}:lapsed_holds:{}", sample::day());
                    counted.push((scope, wish.reservation_id.uuid()));
                }
                Stage::New | Stage::Paid | Stage::CalledOff => {}
            }
        }
        counted.sort();
        counted
    }

    pub fn people(&self) -> Vec<Uuid> {
        self.known.iter().map(|known| known.wish.reservation_id.uuid()).collect()
    }

    fn slot(&self, (pitch, from, length): Spot) -> Slot {
        let slot = self.ground.only(PITCHES[pitch]).slot(from).unwrap();
        let during = Interval::lasting(slot.during.from(), 30 * length).unwrap();
        Slot { during, claims: during, ..slot }
    }

    /// What the lane must answer: the positions of the events, having noted them, or the reasons against, any of which
    /// may be given.
    pub fn submit(&mut self, command: &Command) -> Result<(i64, i64), Vec<No>> {
        let stale = |(stream, expected)| self.version(stream) != expected;
        if command.decision.changes.iter().map(|change| (change.stream, change.expected)).any(stale) {
            return Err(vec![No::Conflict]);
        }
        let mut after = self.clone();
        let ended: Vec<Uuid> = command.parts.iter().filter_map(|part| self.ends(*part)).collect();
        // Holds whose time is up end before what needs their ground.
        for part in &command.parts {
            for row in self.wants(*part).into_iter().flat_map(|slot| self.in_the_way(&slot)) {
                if row.over && !ended.contains(&row.owner) {
                    after.lapse(row.owner);
                }
            }
        }
        after.together.push(self.head + 1..=after.head);
        let first = after.head + 1;
        for owner in ended {
            after.free(owner, first);
        }
        for part in &command.parts {
            after.head += 1;
            let against = after.carry_out(*part);
            if !against.is_empty() {
                return Err(against);
            }
        }
        *self = after;
        Ok((first, self.head))
    }

    fn version(&self, stream: StreamId) -> Version {
        let of = self.known.iter().find(|known| StreamId::from(known.wish.reservation_id) == stream);
        let closed = self.closures.iter().find(|closure| closure.stream == stream);
        of.map(|known| known.version).or(closed.map(|closure| closure.version)).unwrap_or(0)
    }

    fn ends(&self, part: Part) -> Option<Uuid> {
        match part {
            Part::Cancel(n) | Part::Expire(n) | Part::Move(n, _) => Some(self.known[n].wish.reservation_id.uuid()),
            Part::Lift(n) => Some(self.closures[n].id.uuid()),
            Part::Hold(_) | Part::Confirm(_) | Part::Reclaim(_) | Part::Prolong(..) | Part::Close(..) => None,
        }
    }

    fn wants(&self, part: Part) -> Option<Slot> {
        match part {
            Part::Hold(n) | Part::Reclaim(n) => Some(self.known[n].wish.slot.clone()),
            Part::Move(_, at) | Part::Close(_, at) => Some(self.slot(at)),
            Part::Confirm(_) | Part::Cancel(_) | Part::Expire(_) | Part::Prolong(..) | Part::Lift(_) => None,
        }
    }

    fn in_the_way(&self, slot: &Slot) -> Vec<Row> {
        let meets = |row: &&Row| {
            let (one, two) = (row.during, slot.claims);
            row.until.is_none() && slot.cells.contains(&row.cell) && one.from() < two.to() && two.from() < one.to()
        };
        self.rows.iter().filter(meets).cloned().collect()
    }

    fn free(&mut self, owner: Uuid, position: i64) {
        for row in self.rows.iter_mut().filter(|row| row.owner == owner && row.until.is_none()) {
            row.until = Some(position);
        }
    }

    fn lapse(&mut self, owner: Uuid) {
        let known = self.known.iter_mut().find(|known| known.wish.reservation_id.uuid() == owner).unwrap();
        if known.stage == Stage::Held {
            (known.stage, known.version) = (Stage::Lapsed, known.version + 1);
            self.head += 1;
            self.free(owner, self.head);
        }
    }

    /// Nothing but a list of what is against it, or done.
    fn carry_out(&mut self, part: Part) -> Vec<No> {
        let mut against = Vec::new();
        if let Part::Hold(n) = part {
            against.extend(self.limits(n));
            let (code, owner) = (self.known[n].wish.held.code.0.clone(), self.known[n].wish.reservation_id.uuid());
            against.extend(self.names.iter().find(|(name, _)| *name == code).map(|(_, other)| No::Named(*other)));
            self.names.push((code, owner));
        }
        if let Some(slot) = self.wants(part) {
            against.extend(self.in_the_way(&slot).into_iter().map(No::Taken));
            self.take(part, &slot);
        }
        let (n, stage) = match part {
            Part::Hold(n) => (n, Stage::Held),
            Part::Confirm(n) | Part::Reclaim(n) | Part::Move(n, _) => (n, Stage::Paid),
            Part::Cancel(n) => (n, Stage::CalledOff),
            Part::Expire(n) => (n, Stage::Lapsed),
            Part::Prolong(n, alive) => {
                let owner = self.known[n].wish.reservation_id.uuid();
                self.rows.iter_mut().filter(|row| row.owner == owner && !row.firm).for_each(|row| row.over = !alive);
                return against;
            }
            Part::Close(n, _) | Part::Lift(n) => {
                self.closures[n].version += 1;
                return against;
            }
        };
        let Known { wish, version, stage: before } = &mut self.known[n];
        (*version, *before) = (*version + 1, stage);
        if let Part::Confirm(_) = part {
            let owner = wish.reservation_id.uuid();
            let mine = self.rows.iter_mut().filter(|row| row.owner == owner);
            mine.for_each(|row| (row.firm, row.over) = (true, false));
        }
        against
    }

    fn take(&mut self, part: Part, slot: &Slot) {
        let (owner, over) = match part {
            Part::Close(n, _) => (self.closures[n].id.uuid(), false),
            Part::Hold(n) | Part::Reclaim(n) | Part::Move(n, _) => {
                let wish = &mut self.known[n].wish;
                wish.slot = slot.clone();
                let over = wish.held.hold_expires_at <= wish.held.at;
                (wish.reservation_id.uuid(), over && matches!(part, Part::Hold(_)))
            }
            _ => return,
        };
        let (firm, since) = (!matches!(part, Part::Hold(_)), self.head);
        for cell in &slot.cells {
            self.rows.push(Row { cell: *cell, during: slot.claims, owner, since, until: None, firm, over });
        }
    }

    /// Limits that the client has reached. Who holds for nothing any more does not count as holding.
    fn limits(&self, n: usize) -> Vec<No> {
        let client = self.known[n].wish.client_id;
        let live = |known: &&Known| {
            let owner = known.wish.reservation_id.uuid();
            let over = self.rows.iter().any(|row| row.owner == owner && row.until.is_none() && row.over);
            known.stage == Stage::Held && !over
        };
        let mine = || self.known.iter().filter(move |known| known.wish.client_id == client);
        let held = mine().filter(live).count() >= AT_ONCE as usize;
        let lapsed = mine().filter(|known| known.stage == Stage::Lapsed).count() >= PER_DAY as usize;
        held.then_some(No::Limit(AT_ONCE)).into_iter().chain(lapsed.then_some(No::Limit(PER_DAY))).collect()
    }
}

/// Whether what the lane said is one of the reasons, to the detail.
pub fn says(error: &AppendError, reasons: &[No]) -> bool {
    reasons.iter().any(|reason| match (error, reason) {
        (AppendError::Conflict { .. }, No::Conflict) => true,
        (AppendError::Refused(Refusal::LimitReached { max, .. }), No::Limit(limit)) => max == limit,
        (AppendError::Refused(Refusal::NotUnique { holder, .. }), No::Named(owner)) => holder == owner,
        (AppendError::Refused(Refusal::SlotTaken { cell, during, holder, releasable_at }), No::Taken(row)) => {
            (*cell, *during, *holder) == (row.cell, row.during, row.owner) && releasable_at.is_none() == row.firm
        }
        _ => false,
    })
}
