//! A reconciliation and its differences as their events tell them.

use chrono::NaiveDate;
use domain::{
    Timestamp,
    actor::Actor,
    ids::ReconciliationId,
    money::Money,
    reconciliation::{
        DifferenceFound, Digest, Event, Here, How, Kind, Listing, Provider, Source, Standing, Status, Totals,
    },
    text::{Note, Slug},
};
use serde::{Deserialize, Serialize};

use crate::{Position, engine::Entry};

/// A reconciliation as its events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reconciliation {
    pub reconciliation_id: ReconciliationId,
    pub provider: Provider,
    pub account: Slug,
    pub day: NaiveDate,
    pub status: Status,
    /// Whether the provider was asked for its statement and it has not come.
    pub wanted: bool,
    pub statement: Option<Statement>,
    pub matched: u32,
    /// Of those that a comparison still shows, how many; and of them, how many nobody has explained.
    pub differences: u32,
    pub unexplained: u32,
    pub closed_by: Option<Actor>,
    pub closed_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

/// The statement that counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    pub source: Source,
    pub digest: Digest,
    pub lines: u32,
    pub totals: Vec<Totals>,
    pub as_of_position: Position,
    pub imported_by: Actor,
    pub imported_at: Timestamp,
}

/// A difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    pub number: u32,
    pub kind: Kind,
    pub standing: Standing,
    pub here: Option<Here>,
    pub there: Option<Listing>,
    pub other_day: Option<NaiveDate>,
    pub agreed_fee: Option<Money>,
    pub stake: Money,
    pub how: Option<How>,
    pub note: Option<Note>,
    pub explained_by: Option<Actor>,
    pub explained_at: Option<Timestamp>,
    /// Who said so first, where it takes two.
    pub proposed_by: Option<Actor>,
    pub found_at: Timestamp,
}

impl Reconciliation {
    /// The row of a stream that begins; `None` for an event that begins none.
    pub(super) fn begun(event: &Event, entry: &Entry) -> Option<Self> {
        let (id, provider, account, day, at) = match event {
            Event::ImportRequested(it) => (it.reconciliation_id, it.provider, &it.account, it.day, it.at),
            Event::StatementImported(it) => (it.reconciliation_id, it.provider, &it.account, it.day, it.at),
            _ => return None,
        };
        Some(Self {
            reconciliation_id: id,
            provider,
            account: account.clone(),
            day,
            status: Status::Awaited,
            wanted: false,
            statement: None,
            matched: 0,
            differences: 0,
            unexplained: 0,
            closed_by: None,
            closed_at: None,
            created_at: at,
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        })
    }

    pub(super) fn evolve(&mut self, event: &Event) {
        match event {
            Event::ImportRequested(_) => self.wanted = true,
            Event::StatementImported(it) => {
                self.wanted = false;
                self.status = Status::Open;
                self.matched = 0;
                self.statement = Some(Statement {
                    source: it.source,
                    digest: it.digest.clone(),
                    lines: it.lines,
                    totals: it.totals.clone(),
                    as_of_position: it.as_of_position,
                    imported_by: it.by,
                    imported_at: it.at,
                });
            }
            Event::Matched(it) => {
                self.matched = self.matched.saturating_add(u32::try_from(it.pairs.len()).unwrap_or(u32::MAX));
            }
            Event::Closed(it) => {
                self.status = Status::Closed;
                self.closed_by = Some(it.by);
                self.closed_at = Some(it.at);
            }
            Event::DifferenceFound(_) | Event::ExplanationProposed(_) | Event::DifferenceExplained(_) => {}
        }
    }
}

impl Difference {
    pub(super) fn found(found: &DifferenceFound) -> Self {
        Self {
            number: found.number,
            kind: found.kind,
            standing: Standing::Unexplained,
            here: found.here.clone(),
            there: found.there.clone(),
            other_day: found.other_day,
            agreed_fee: found.agreed_fee,
            stake: found.stake,
            how: None,
            note: None,
            explained_by: None,
            explained_at: None,
            proposed_by: None,
            found_at: found.at,
        }
    }

    /// Whether a comparison still shows it.
    pub fn is_current(&self) -> bool {
        self.how != Some(How::Superseded)
    }

    pub(super) fn evolve(&mut self, event: &Event) {
        match event {
            Event::ExplanationProposed(it) => {
                self.standing = Standing::Proposed;
                self.how = Some(it.how);
                self.note = it.note.clone();
                self.proposed_by = Some(it.by);
            }
            Event::DifferenceExplained(it) => {
                self.standing = if it.how == How::Wait { Standing::Waiting } else { Standing::Explained };
                self.how = Some(it.how);
                self.note = it.note.clone();
                self.explained_by = Some(it.by);
                self.explained_at = Some(it.at);
                self.proposed_by = it.proposed_by;
            }
            _ => {}
        }
    }
}
