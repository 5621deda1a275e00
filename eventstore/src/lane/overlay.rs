//! Decides commands in the order in which they arrived, each on what the database said plus what the ones before it did.
//!
//! A command that is refused leaves no trace, so a neighbour never wins or loses by it. Within a command releases come
//! first: a reschedule frees and takes in one step.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
};

use domain::{
    Timestamp,
    aggregate::Version,
    guard::{self, Claim, Lapse, Op},
    ids::SiteId,
};
use uuid::Uuid;

use super::{
    command::Command,
    facts::Facts,
    guards::Guards,
    verdict::{Draft, Verdict},
};
use crate::{answers::StoredRecord, append::Refusal, clock::Clock, meta::Meta};

/// An event to be written.
#[derive(Debug)]
pub(crate) struct Row<'a> {
    pub(crate) id: Uuid,
    pub(crate) stream: Uuid,
    pub(crate) version: Version,
    pub(crate) name: &'static str,
    pub(crate) schema: i16,
    pub(crate) data: Cow<'a, str>,
    pub(crate) meta: Cow<'a, str>,
}

/// An idempotency record to be written, positions relative to the head.
#[derive(Debug)]
pub(crate) struct Once {
    pub(crate) record: StoredRecord,
    pub(crate) expires_at: Option<Timestamp>,
}

#[derive(Debug)]
pub(crate) struct Overlay<'a> {
    pub(crate) now: Timestamp,
    pub(crate) rows: Vec<Row<'a>>,
    pub(crate) once: Vec<Once>,
    pub(crate) guards: Guards,
    versions: HashMap<Uuid, Version>,
    /// What the versions were before each step of the command that is being decided.
    before: Vec<(Uuid, Version)>,
    records: HashMap<Vec<u8>, StoredRecord>,
    fences: HashMap<String, i64>,
    /// Nothing was asked yet: what a command expects is taken to be so, and noted in `assumed`.
    hopeful: bool,
    pub(crate) assumed: Assumed,
    clock: &'a Clock,
}

/// What a hopeful batch takes for granted; the database checks it.
#[derive(Debug, Default)]
pub(crate) struct Assumed {
    pub(crate) versions: Vec<(Uuid, Version)>,
    pub(crate) fences: Vec<(String, i64)>,
}

impl<'a> Overlay<'a> {
    /// On what the database said.
    pub(crate) fn on(facts: Facts, clock: &'a Clock) -> Self {
        Self {
            now: facts.now,
            rows: Vec::new(),
            once: Vec::new(),
            guards: Guards::on(facts.now, facts.claims, facts.uniques, facts.holdings),
            versions: facts.versions,
            before: Vec::new(),
            records: facts.records,
            fences: facts.fences,
            hopeful: false,
            assumed: Assumed::default(),
            clock,
        }
    }

    /// On the hope that nothing is in the way.
    pub(crate) fn hopeful(now: Timestamp, clock: &'a Clock) -> Self {
        let mut overlay = Self::on(Facts { now, ..Facts::default() }, clock);
        overlay.hopeful = true;
        overlay.guards.hope();
        overlay
    }

    /// Decides the next command.
    pub(crate) fn decide(&mut self, command: &'a Command) -> Draft {
        if let Some(once) = &command.idempotency
            && let Some(first) = self.records.get(once.key.0.as_slice())
        {
            if first.fingerprint != once.fingerprint.0 {
                return Verdict::KeyReused.into();
            }
            let relative = self.once.iter().any(|new| new.record.key == first.key);
            return Draft { verdict: Verdict::Duplicate(first.clone()), relative };
        }
        if !self.owns_lease(command) {
            return Verdict::StaleFence.into();
        }
        for (stream, expected) in command.expectations() {
            let actual = self.version(stream, expected);
            if actual != expected {
                return Verdict::Conflict { stream, expected, actual }.into();
            }
        }
        let (rows, mark) = (self.rows.len(), self.guards.mark());
        self.before.clear();
        match self.carry_out(command) {
            Ok(first) => Draft { verdict: self.applied(command, first), relative: true },
            Err(refusal) => {
                self.guards.undo(mark);
                self.rows.truncate(rows);
                for (stream, version) in self.before.drain(..).rev() {
                    self.versions.insert(stream, version);
                }
                Verdict::Refused(refusal).into()
            }
        }
    }

    fn owns_lease(&mut self, command: &Command) -> bool {
        let Some(fence) = &command.fence else { return true };
        if self.hopeful && !self.fences.contains_key(&fence.key) {
            self.fences.insert(fence.key.clone(), fence.token.0);
            self.assumed.fences.push((fence.key.clone(), fence.token.0));
        }
        self.fences.get(&fence.key) == Some(&fence.token.0)
    }

    fn version(&mut self, stream: Uuid, expected: Version) -> Version {
        if self.hopeful && !self.versions.contains_key(&stream) {
            self.versions.insert(stream, expected);
            self.assumed.versions.push((stream, expected));
        }
        self.versions.get(&stream).copied().unwrap_or(0)
    }

    /// Writes the command's events and what they do to the guards. Answers the number of its first event.
    fn carry_out(&mut self, command: &'a Command) -> Result<i64, Refusal> {
        for lapse in self.lapsed_in_the_way(command) {
            self.expire(&lapse, command.site_id)?;
        }
        let first = self.next();
        for op in command.ops().filter(|op| matches!(op, Op::Release { .. } | Op::Forget { .. } | Op::Leave { .. })) {
            // These cannot be refused.
            let _ = self.guards.apply(op, first);
        }
        for change in &command.changes {
            for event in &change.events {
                let n = self.next();
                let version = self.bump(change.stream);
                self.rows.push(Row {
                    id: event.id,
                    stream: change.stream,
                    version,
                    name: event.name,
                    schema: event.schema,
                    data: Cow::Borrowed(&event.data),
                    meta: Cow::Borrowed(&command.meta),
                });
                event.ops.iter().try_for_each(|op| self.guards.apply(op, n))?;
            }
        }
        Ok(first)
    }

    /// Holds whose time is over and that stand where the command wants to be. Those the command itself ends are not.
    fn lapsed_in_the_way(&self, command: &Command) -> Vec<Lapse> {
        let ended: HashSet<Uuid> =
            command.ops().filter_map(|op| if let Op::Release { holder } = op { Some(*holder) } else { None }).collect();
        let wanted = command.ops().filter_map(|op| if let Op::Claim(claim) = op { Some(claim) } else { None });
        let mut lapsed: Vec<Lapse> = Vec::new();
        for claim in wanted {
            for lapse in self.guards.lapsed_under(claim, &ended) {
                if !lapsed.iter().any(|known| known.reservation_id == lapse.reservation_id) {
                    lapsed.push(lapse.clone());
                }
            }
        }
        lapsed
    }

    /// The end of a lapsed hold, recorded before what needs its slot. Its history does not name who that is.
    fn expire(&mut self, lapse: &Lapse, site_id: Option<SiteId>) -> Result<(), Refusal> {
        let event = guard::lapsed(lapse, self.now);
        let meta = Meta { site_id, ..Meta::system() };
        let (Ok(data), Ok(meta)) = (event.to_json(), serde_json::to_string(&meta)) else { return Ok(()) };
        let n = self.next();
        let stream = lapse.reservation_id.uuid();
        let version = self.bump(stream);
        self.rows.push(Row {
            id: self.clock.new_id(),
            stream,
            version,
            name: event.name(),
            schema: event.schema(),
            data: Cow::Owned(data),
            meta: Cow::Owned(meta),
        });
        guard::of(&event).iter().try_for_each(|op| self.guards.apply(op, n))
    }

    fn applied(&mut self, command: &Command, first: i64) -> Verdict {
        let last = self.next() - 1;
        let ids: Vec<Uuid> = command.changes.iter().map(|change| change.stream).collect();
        if let Some(once) = &command.idempotency {
            let record = StoredRecord {
                key: once.key.0.to_vec(),
                fingerprint: once.fingerprint.0.to_vec(),
                ids: ids.clone(),
                first_position: first,
                last_position: last,
                recorded_at: self.now,
                subject: None,
                answer: None,
            };
            self.records.insert(record.key.clone(), record.clone());
            self.once.push(Once { record, expires_at: once.expires_at(self.now) });
        }
        let versions = ids.into_iter().map(|id| (id, self.versions.get(&id).copied().unwrap_or(0))).collect();
        Verdict::Applied { first, last, recorded_at: self.now, versions }
    }

    /// The number of the next event of the batch, from 1.
    fn next(&self) -> i64 {
        i64::try_from(self.rows.len()).unwrap_or(i64::MAX) + 1
    }

    fn bump(&mut self, stream: Uuid) -> Version {
        let version = self.versions.entry(stream).or_insert(0);
        self.before.push((stream, *version));
        *version += 1;
        *version
    }
}

/// The cells of a claim, each once.
pub(crate) fn cells(claim: &Claim) -> impl Iterator<Item = Uuid> + '_ {
    claim
        .cells
        .iter()
        .enumerate()
        .filter(|(i, cell)| !claim.cells.iter().take(*i).any(|other| other == *cell))
        .map(|(_, cell)| cell.uuid())
}
