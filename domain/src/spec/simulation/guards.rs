//! The guard tables of the lane, by cell and by holder, for thousands of claims at once. A decision is checked as a whole and
//! then applied, so that nothing has to be taken back. (`spec/world.rs` has the same rules for one pitch.)

use std::{
    collections::{BTreeSet, HashMap},
    hash::{BuildHasherDefault, DefaultHasher},
};

use uuid::Uuid;

use crate::{
    Timestamp,
    event::Event,
    guard::{self, Claim, Op},
    ids::{CellId, StreamId},
    spec::world::No,
};

/// A map whose order is the same in every run.
pub(super) type Map<K, V> = HashMap<K, V, BuildHasherDefault<DefaultHasher>>;

#[derive(Default)]
pub(super) struct Guards {
    claims: Map<Uuid, Claim>,
    by_cell: Map<CellId, Vec<Uuid>>,
    names: Map<(&'static str, String), Uuid>,
    scopes: Map<String, BTreeSet<Uuid>>,
}

impl Guards {
    /// What must be written before: holds that lapsed and are in the way. `taken` is not looked at by a lane that is broken.
    pub(super) fn check(&self, ops: &[Op], now: Timestamp, blind: bool) -> Result<Vec<(StreamId, Event)>, No> {
        let gone: Vec<Uuid> =
            ops.iter().filter_map(|op| if let Op::Release { holder } = op { Some(*holder) } else { None }).collect();
        let mut lapsed: Vec<(StreamId, Event)> = Vec::new();
        for op in ops {
            match op {
                Op::Claim(claim) => {
                    for other in self.in_the_way(claim) {
                        if gone.contains(&other.holder)
                            || lapsed.iter().any(|(of, _)| *of == StreamId::new(other.holder))
                        {
                            continue;
                        }
                        if guard::blocks(other.releasable_at, now) {
                            if blind {
                                continue;
                            }
                            return Err(No::SlotTaken);
                        }
                        let lapse = other.lapse.as_ref().unwrap();
                        lapsed.push((StreamId::new(other.holder), guard::lapsed(lapse, now)));
                    }
                }
                Op::Unique { scope, key, holder }
                    if self.names.get(&(*scope, key.clone())).is_some_and(|known| known != holder) =>
                {
                    return Err(No::NotUnique);
                }
                Op::Limit { scope, max } if self.scopes.get(scope).map_or(0, BTreeSet::len) >= *max as usize => {
                    return Err(No::Limit);
                }
                _ => {}
            }
        }
        Ok(lapsed)
    }

    fn in_the_way(&self, claim: &Claim) -> Vec<&Claim> {
        let mut found: Vec<&Claim> = Vec::new();
        for cell in &claim.cells {
            for holder in self.by_cell.get(cell).into_iter().flatten() {
                let other = &self.claims[holder];
                if other.during.overlaps(claim.during) && found.iter().all(|known| known.holder != other.holder) {
                    found.push(other);
                }
            }
        }
        found
    }

    /// Of a decision whose operations were checked: those that free go first.
    pub(super) fn apply(&mut self, ops: Vec<Op>) {
        let frees = |op: &Op| matches!(op, Op::Release { .. } | Op::Forget { .. } | Op::Leave { .. });
        let (frees, takes): (Vec<Op>, Vec<Op>) = ops.into_iter().partition(frees);
        for op in frees.into_iter().chain(takes) {
            match op {
                Op::Claim(claim) => {
                    for cell in &claim.cells {
                        self.by_cell.entry(*cell).or_default().push(claim.holder);
                    }
                    self.claims.insert(claim.holder, claim);
                }
                Op::Firm { holder } => {
                    if let Some(claim) = self.claims.get_mut(&holder) {
                        claim.releasable_at = None;
                    }
                }
                Op::Extend { holder, releasable_at } => {
                    if let Some(claim) = self.claims.get_mut(&holder).filter(|claim| claim.releasable_at.is_some()) {
                        claim.releasable_at = Some(releasable_at);
                    }
                }
                Op::Release { holder } => {
                    for cell in self.claims.remove(&holder).into_iter().flat_map(|claim| claim.cells) {
                        self.by_cell.entry(cell).or_default().retain(|other| *other != holder);
                    }
                }
                Op::Unique { scope, key, holder } => {
                    self.names.insert((scope, key), holder);
                }
                Op::Forget { scope, key } => {
                    self.names.remove(&(scope, key));
                }
                Op::Enter { scope, holder } => {
                    self.scopes.entry(scope).or_default().insert(holder);
                }
                Op::Leave { scope, holder } => {
                    if let Some(holders) = self.scopes.get_mut(&scope) {
                        holders.remove(&holder);
                    }
                }
                Op::Limit { .. } => {}
            }
        }
    }

    /// Until when the holder blocks its cells: `None` when it has none, `Some(None)` when for good.
    pub(super) fn blocks_until(&self, holder: Uuid) -> Option<Option<Timestamp>> {
        self.claims.get(&holder).map(|claim| claim.releasable_at)
    }

    /// Forgets the code of a reservation that is over.
    pub(super) fn forget(&mut self, code: String) {
        self.names.remove(&(crate::reservation::CODE, code));
    }
}
