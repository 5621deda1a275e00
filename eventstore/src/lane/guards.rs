//! The guard tables in memory: what the database holds plus what the batch does, with a way back for a refused command.

use std::collections::{HashMap, HashSet};

use domain::{
    Timestamp,
    guard::{self, Claim, Lapse, Op},
    interval::Interval,
};
use uuid::Uuid;

use super::{facts::OpenClaim, overlay::cells};
use crate::append::Refusal;

/// A claim, of the database or of the batch. Positions count from the head.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) cell: Uuid,
    pub(crate) during: Interval,
    pub(crate) holder: Uuid,
    pub(crate) releasable_at: Option<Timestamp>,
    pub(crate) lapse: Option<Lapse>,
    /// Already in the database.
    pub(crate) stored: bool,
    pub(crate) from: i64,
    pub(crate) to: Option<i64>,
}

type Name = (String, String);

#[derive(Debug)]
pub(crate) struct Guards {
    now: Timestamp,
    pub(crate) claims: Vec<Held>,
    by_cell: HashMap<Uuid, Vec<usize>>,
    by_holder: HashMap<Uuid, Vec<usize>>,
    /// Holders whose claims in the database are closed, and where.
    pub(crate) released: HashMap<Uuid, i64>,
    /// Holders whose claims in the database lapse at another time; `None` for never.
    pub(crate) moved: HashMap<Uuid, Option<Timestamp>>,
    stored_uniques: HashMap<Name, Uuid>,
    pub(crate) uniques: HashMap<Name, Option<(Uuid, i64)>>,
    stored_holdings: HashMap<String, HashSet<Uuid>>,
    pub(crate) holdings: HashMap<String, HashMap<Uuid, Option<i64>>>,
    journal: Vec<Undo>,
    /// Some: nothing was asked of the database yet. Holds the most that each limited scope may count there.
    pub(crate) most: Option<HashMap<String, i64>>,
    /// A hopeful batch that only the facts can decide.
    pub(crate) uncertain: bool,
    took: bool,
    freed: bool,
}

/// How to take back one step.
#[derive(Debug)]
enum Undo {
    Added,
    Changed { index: usize, releasable_at: Option<Timestamp>, to: Option<i64> },
    Released(Uuid),
    Moved(Uuid, Option<Option<Timestamp>>),
    Unique(Name, Option<Option<(Uuid, i64)>>),
    Holding(String, Uuid, Option<Option<i64>>),
}

impl Guards {
    pub(crate) fn on(
        now: Timestamp,
        open: Vec<OpenClaim>,
        uniques: HashMap<Name, Uuid>,
        holdings: HashMap<String, HashSet<Uuid>>,
    ) -> Self {
        let mut guards = Self {
            now,
            claims: Vec::with_capacity(open.len()),
            by_cell: HashMap::new(),
            by_holder: HashMap::new(),
            released: HashMap::new(),
            moved: HashMap::new(),
            stored_uniques: uniques,
            uniques: HashMap::new(),
            stored_holdings: holdings,
            holdings: HashMap::new(),
            journal: Vec::new(),
            most: None,
            uncertain: false,
            took: false,
            freed: false,
        };
        for OpenClaim { cell, during, holder, releasable_at, lapse } in open {
            guards.add(Held { cell, during, holder, releasable_at, lapse, stored: true, from: 0, to: None });
        }
        guards
    }

    /// Takes for granted that nothing is in the way.
    pub(crate) fn hope(&mut self) {
        self.most = Some(HashMap::new());
    }

    /// Whether what was taken for granted can be checked in one go. A slot freed in the batch cannot: whether it was
    /// free when somebody else took it depends on the order.
    pub(crate) fn can_be_checked(&self) -> bool {
        !(self.uncertain || self.took && self.freed)
    }

    pub(crate) fn mark(&self) -> usize {
        self.journal.len()
    }

    /// Carries out one operation for event `n`.
    pub(crate) fn apply(&mut self, op: &Op, n: i64) -> Result<(), Refusal> {
        match op {
            Op::Claim(claim) => self.claim(claim, n),
            Op::Firm { holder } => {
                self.reschedule_lapse(*holder, None);
                Ok(())
            }
            Op::Extend { holder, releasable_at } => {
                self.reschedule_lapse(*holder, Some(*releasable_at));
                Ok(())
            }
            Op::Release { holder } => {
                self.release(*holder, n);
                Ok(())
            }
            Op::Unique { scope, key, holder } => self.name(scope, key, *holder, n),
            Op::Forget { scope, key } => {
                // Whether there is a name to give back is for the facts to say.
                self.uncertain = true;
                if self.named((*scope).to_owned(), key.clone()).is_some() {
                    self.set_name(((*scope).to_owned(), key.clone()), None);
                }
                Ok(())
            }
            Op::Limit { scope, max } => self.limit(scope, *max),
            Op::Enter { scope, holder } => {
                let stored = self.stored_holdings.get(scope).is_some_and(|holders| holders.contains(holder));
                let known = self.holdings.get(scope).and_then(|changed| changed.get(holder));
                if !known.map_or(stored, Option::is_some) {
                    self.set_holding(scope, *holder, Some(n));
                }
                Ok(())
            }
            Op::Leave { scope, holder } => {
                self.set_holding(scope, *holder, None);
                Ok(())
            }
        }
    }

    /// Holds under a claim that no longer block and that nobody in `ended` has.
    pub(crate) fn lapsed_under(&self, claim: &Claim, ended: &HashSet<Uuid>) -> Vec<&Lapse> {
        cells(claim)
            .flat_map(|cell| self.open_at(cell))
            .filter(|held| held.during.overlaps(claim.during) && !ended.contains(&held.holder))
            .filter(|held| !guard::blocks(held.releasable_at, self.now))
            .filter_map(|held| held.lapse.as_ref())
            .collect()
    }

    /// Takes everything back that happened since the mark.
    pub(crate) fn undo(&mut self, mark: usize) {
        while self.journal.len() > mark {
            match self.journal.pop() {
                None => return,
                Some(Undo::Added) => self.remove_last(),
                Some(Undo::Changed { index, releasable_at, to }) => {
                    if let Some(held) = self.claims.get_mut(index) {
                        (held.releasable_at, held.to) = (releasable_at, to);
                    }
                }
                Some(Undo::Released(holder)) => {
                    self.released.remove(&holder);
                }
                Some(Undo::Moved(holder, before)) => put_back(&mut self.moved, holder, before),
                Some(Undo::Unique(name, before)) => put_back(&mut self.uniques, name, before),
                Some(Undo::Holding(scope, holder, before)) => {
                    put_back(self.holdings.entry(scope).or_default(), holder, before);
                }
            }
        }
    }

    fn claim(&mut self, claim: &Claim, n: i64) -> Result<(), Refusal> {
        self.took = true;
        for cell in cells(claim) {
            if let Some(held) = self.open_at(cell).find(|held| held.during.overlaps(claim.during)) {
                return Err(Refusal::SlotTaken {
                    cell: cell.into(),
                    during: held.during,
                    holder: held.holder,
                    releasable_at: held.releasable_at,
                });
            }
        }
        for cell in cells(claim) {
            self.add(Held {
                cell,
                during: claim.during,
                holder: claim.holder,
                releasable_at: claim.releasable_at,
                lapse: claim.lapse.clone(),
                stored: false,
                from: n,
                to: None,
            });
            self.journal.push(Undo::Added);
        }
        Ok(())
    }

    fn reschedule_lapse(&mut self, holder: Uuid, at: Option<Timestamp>) {
        for index in self.by_holder.get(&holder).cloned().unwrap_or_default() {
            let Some(held) = self.claims.get_mut(index) else { continue };
            if held.to.is_none() && held.releasable_at.is_some() {
                self.journal.push(Undo::Changed { index, releasable_at: held.releasable_at, to: held.to });
                held.releasable_at = at;
            }
        }
        let before = self.moved.get(&holder).copied();
        // Once firm, always firm.
        if before != Some(None) {
            self.journal.push(Undo::Moved(holder, before));
            self.moved.insert(holder, at);
        }
    }

    fn release(&mut self, holder: Uuid, n: i64) {
        self.freed = true;
        for index in self.by_holder.get(&holder).cloned().unwrap_or_default() {
            let Some(held) = self.claims.get_mut(index) else { continue };
            if held.to.is_none() {
                self.journal.push(Undo::Changed { index, releasable_at: held.releasable_at, to: held.to });
                held.to = Some(n);
            }
        }
        if !self.released.contains_key(&holder) {
            self.journal.push(Undo::Released(holder));
            self.released.insert(holder, n);
        }
    }

    fn name(&mut self, scope: &str, key: &str, holder: Uuid, n: i64) -> Result<(), Refusal> {
        match self.named(scope.to_owned(), key.to_owned()) {
            Some(known) if known == holder => Ok(()),
            Some(holder) => Err(Refusal::NotUnique { scope: scope.to_owned(), key: key.to_owned(), holder }),
            None => {
                self.set_name((scope.to_owned(), key.to_owned()), Some((holder, n)));
                Ok(())
            }
        }
    }

    fn named(&self, scope: String, key: String) -> Option<Uuid> {
        let name = (scope, key);
        match self.uniques.get(&name) {
            Some(changed) => changed.map(|(holder, _)| holder),
            None => self.stored_uniques.get(&name).copied(),
        }
    }

    /// Whether the database has the name, whatever the batch does to it.
    pub(crate) fn stored_name(&self, name: &Name) -> bool {
        self.stored_uniques.contains_key(name)
    }

    fn set_name(&mut self, name: Name, value: Option<(Uuid, i64)>) {
        let before = self.uniques.insert(name.clone(), value);
        self.journal.push(Undo::Unique(name, before));
    }

    fn set_holding(&mut self, scope: &str, holder: Uuid, value: Option<i64>) {
        let before = self.holdings.entry(scope.to_owned()).or_default().insert(holder, value);
        self.journal.push(Undo::Holding(scope.to_owned(), holder, before));
    }

    fn limit(&mut self, scope: &str, max: u32) -> Result<(), Refusal> {
        let changed = self.holdings.get(scope);
        let entered =
            changed.into_iter().flatten().filter(|(_, position)| position.is_some()).map(|(holder, _)| *holder);
        if let Some(most) = &mut self.most {
            let room = i64::from(max) - 1 - i64::try_from(entered.count()).unwrap_or(i64::MAX);
            self.uncertain |= room < 0;
            let bound = most.entry(scope.to_owned()).or_insert(room);
            *bound = room.min(*bound);
            return Ok(());
        }
        let left = |holder: &Uuid| changed.and_then(|changed| changed.get(holder)).is_some_and(Option::is_none);
        let stored = self.stored_holdings.get(scope).into_iter().flatten().filter(|holder| !left(holder)).copied();
        let holders: HashSet<Uuid> = stored.chain(entered).collect();
        let live = holders.into_iter().filter(|holder| !self.lapsed(*holder)).count();
        if live < max as usize { Ok(()) } else { Err(Refusal::LimitReached { scope: scope.to_owned(), max }) }
    }

    fn lapsed(&self, holder: Uuid) -> bool {
        let indexes = self.by_holder.get(&holder).into_iter().flatten();
        indexes
            .filter_map(|index| self.claims.get(*index))
            .any(|held| held.to.is_none() && !guard::blocks(held.releasable_at, self.now))
    }

    fn open_at(&self, cell: Uuid) -> impl Iterator<Item = &Held> {
        let indexes = self.by_cell.get(&cell).into_iter().flatten();
        indexes.filter_map(|index| self.claims.get(*index)).filter(|held| held.to.is_none())
    }

    fn add(&mut self, held: Held) {
        let index = self.claims.len();
        self.by_cell.entry(held.cell).or_default().push(index);
        self.by_holder.entry(held.holder).or_default().push(index);
        self.claims.push(held);
    }

    fn remove_last(&mut self) {
        if let Some(held) = self.claims.pop() {
            for list in [self.by_cell.get_mut(&held.cell), self.by_holder.get_mut(&held.holder)].into_iter().flatten() {
                list.pop();
            }
        }
    }
}

fn put_back<K: std::hash::Hash + Eq, V>(map: &mut HashMap<K, V>, key: K, before: Option<V>) {
    match before {
        Some(value) => map.insert(key, value),
        None => map.remove(&key),
    };
}
