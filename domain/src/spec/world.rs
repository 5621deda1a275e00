//! A log in memory with the rules of the lane: versions, reads, guards, lapsing holds. Lets the rulebooks and the
//! property tests of several nouns play whole stories, in the order in which the real lane would write them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Duration, TimeZone, Utc};
use uuid::Uuid;

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::{Aggregate, Loaded},
    decision::{Change, Decision, Read},
    event::Event,
    guard::{self, Claim, Op},
    ids::{ClientId, PaymentId, PrincipalId, RefundId, ReservationId, SiteId, StreamId},
    payment::Method,
    refund::Ways,
    refusal::Refused,
};

/// Why the lane did not write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum No {
    /// A rule refused: its stable code.
    Refused(&'static str),
    SlotTaken,
    NotUnique,
    Limit,
    Conflict,
}

/// The names of the events that were written.
pub type Written = Result<Vec<&'static str>, No>;

#[derive(Clone, Default)]
struct Guards {
    open: Vec<Claim>,
    names: BTreeMap<(&'static str, String), Uuid>,
    scopes: BTreeMap<String, BTreeSet<Uuid>>,
}

#[derive(Clone)]
pub struct World {
    pub now: Timestamp,
    pub log: Vec<(StreamId, Event)>,
    guards: Guards,
    ids: u128,
    /// What the provider of every payment can do for a refund.
    pub ways: Ways,
    /// Other providers that a refund may go by.
    pub other_rails: Vec<Method>,
}

/// What Wave can do for a refund: everything.
pub const WAVE: Ways = Ways { whole: true, payout: true };

pub const SITE: SiteId = SiteId::new(Uuid::from_u128(0x517E));
pub const CLIENT: ClientId = ClientId::new(Uuid::from_u128(0xC11E));

pub fn person(role: Role, number: u128) -> Actor {
    Actor::new(role, PrincipalId::new(Uuid::from_u128(0xFACE_0000 + number)))
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    /// A Monday morning, long before the slots of the tests.
    pub fn new() -> Self {
        let now = Utc.with_ymd_and_hms(2026, 11, 23, 9, 0, 0).single().unwrap();
        Self { now, log: Vec::new(), guards: Guards::default(), ids: 0xA000, ways: WAVE, other_rails: Vec::new() }
    }

    pub fn pass(&mut self, minutes: i64) {
        self.now += Duration::minutes(minutes);
    }

    pub fn id(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(self.ids)
    }

    pub fn load<A: Aggregate>(&self, id: A::Id) -> Loaded<A> {
        let stream = id.into();
        super::load(id, self.log.iter().filter(|(of, _)| *of == stream).map(|(_, event)| event.clone()))
    }

    pub fn reservation(&self, id: ReservationId) -> crate::reservation::Reservation {
        self.load::<crate::reservation::Reservation>(id).state
    }

    /// The reservation a payment is for.
    pub fn paid_by(&self, id: PaymentId) -> Loaded<crate::reservation::Reservation> {
        self.load(self.payment(id).request.unwrap().reservation_id)
    }

    pub fn payment(&self, id: PaymentId) -> crate::payment::Payment {
        self.load::<crate::payment::Payment>(id).state
    }

    pub fn refund(&self, id: RefundId) -> crate::refund::Refund {
        self.load::<crate::refund::Refund>(id).state
    }

    pub fn version(&self, stream: StreamId) -> i32 {
        i32::try_from(self.log.iter().filter(|(of, _)| *of == stream).count()).unwrap()
    }

    pub fn names(&self) -> Vec<&'static str> {
        self.log.iter().map(|(_, event)| event.name()).collect()
    }

    /// Holders of open claims that block now.
    pub fn blocking(&self) -> BTreeSet<Uuid> {
        let blocks = |claim: &&Claim| guard::blocks(claim.releasable_at, self.now);
        self.guards.open.iter().filter(blocks).map(|claim| claim.holder).collect()
    }

    /// The open claims as a reader of the guard tables sees them: one a cell, lapsed holds included.
    pub fn open_claims(&self) -> Vec<guard::OpenClaim> {
        let rows = |claim: &Claim| {
            let Claim { holder, during, releasable_at, .. } = *claim;
            claim.cells.clone().into_iter().map(move |cell| guard::OpenClaim { cell, during, holder, releasable_at })
        };
        self.guards.open.iter().flat_map(rows).collect()
    }

    /// Who is counted, scope by scope; scopes that count nobody are left out.
    pub fn counted(&self) -> BTreeMap<String, BTreeSet<Uuid>> {
        self.guards.scopes.clone().into_iter().filter(|(_, holders)| !holders.is_empty()).collect()
    }

    /// The names taken in a scope, and by whom.
    pub fn taken(&self, scope: &'static str) -> BTreeMap<String, Uuid> {
        let names = self.guards.names.iter().filter(|((of, _), _)| *of == scope);
        names.map(|((_, key), holder)| (key.clone(), *holder)).collect()
    }

    /// Holders of open claims, lapsed or not.
    pub fn claiming(&self) -> BTreeSet<Uuid> {
        self.guards.open.iter().map(|claim| claim.holder).collect()
    }

    pub fn write<R: Refused>(&mut self, decision: Result<Decision, R>) -> Written {
        let decision = decision.map_err(|refusal| No::Refused(refusal.code()))?;
        self.append(&decision)
    }

    /// Both or neither: the decision is written, or nothing is.
    pub fn append(&mut self, decision: &Decision) -> Written {
        let (guards, written) = (self.guards.clone(), self.log.len());
        let appended = self.try_append(decision);
        if appended.is_err() {
            self.guards = guards;
            self.log.truncate(written);
        }
        appended
    }

    fn try_append(&mut self, decision: &Decision) -> Written {
        let events: Vec<Event> = decision.changes.iter().flat_map(|change| change.events.clone()).collect();
        let ops: Vec<Op> = guard::of_command(&events).into_iter().flatten().collect();
        let (frees, takes): (Vec<Op>, Vec<Op>) =
            ops.into_iter().partition(|op| matches!(op, Op::Release { .. } | Op::Forget { .. } | Op::Leave { .. }));
        for op in frees.into_iter().chain(takes) {
            self.guard(op)?;
        }
        for Read { stream, version } in &decision.reads {
            if *stream != SITE.into() && self.version(*stream) != *version {
                return Err(No::Conflict);
            }
        }
        for Change { stream, expected, events } in &decision.changes {
            if self.version(*stream) != *expected {
                return Err(No::Conflict);
            }
            self.log.extend(events.iter().map(|event| (*stream, event.clone())));
        }
        Ok(events.iter().map(Event::name).collect())
    }

    fn guard(&mut self, op: Op) -> Result<(), No> {
        match op {
            Op::Claim(claim) => return self.claim(claim),
            Op::Firm { holder } => {
                for claim in self.guards.open.iter_mut().filter(|claim| claim.holder == holder) {
                    claim.releasable_at = None;
                }
            }
            Op::Extend { holder, releasable_at } => {
                let held = |claim: &&mut Claim| claim.holder == holder && claim.releasable_at.is_some();
                for claim in self.guards.open.iter_mut().filter(held) {
                    claim.releasable_at = Some(releasable_at);
                }
            }
            Op::Release { holder } => self.guards.open.retain(|claim| claim.holder != holder),
            Op::Unique { scope, key, holder } => {
                if *self.guards.names.entry((scope, key)).or_insert(holder) != holder {
                    return Err(No::NotUnique);
                }
            }
            Op::Forget { scope, key } => {
                self.guards.names.remove(&(scope, key));
            }
            Op::Limit { scope, max } => {
                let count = self.guards.scopes.get(&scope).map_or(0, BTreeSet::len);
                if count >= max as usize {
                    return Err(No::Limit);
                }
            }
            Op::Enter { scope, holder } => {
                self.guards.scopes.entry(scope).or_default().insert(holder);
            }
            Op::Leave { scope, holder } => {
                self.guards.scopes.entry(scope).or_default().remove(&holder);
            }
        }
        Ok(())
    }

    fn claim(&mut self, claim: Claim) -> Result<(), No> {
        let meets = |other: &Claim| {
            other.during.overlaps(claim.during) && other.cells.iter().any(|cell| claim.cells.contains(cell))
        };
        let in_the_way: Vec<Claim> = self.guards.open.iter().filter(|other| meets(other)).cloned().collect();
        for other in in_the_way {
            if guard::blocks(other.releasable_at, self.now) {
                return Err(No::SlotTaken);
            }
            let lapsed = guard::lapsed(&other.lapse.unwrap(), self.now);
            for op in guard::of(&lapsed) {
                self.guard(op)?;
            }
            self.log.push((StreamId::new(other.holder), lapsed));
        }
        self.guards.open.push(claim);
        Ok(())
    }
}
