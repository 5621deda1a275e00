//! What a reconciliation is, folded from its events.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    DifferenceExplained, DifferenceFound, Digest, Entered, Event, ExplanationProposed, Found, How, Key, Pair, Provider,
    StatementImported, Way,
};
use crate::{aggregate::Aggregate, event, ids::ReconciliationId, money::Money, text::Slug};

/// Where a reconciliation stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// No statement was compared yet.
    #[default]
    Awaited,
    /// Compared; some differences may be open.
    Open,
    Closed,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Awaited, Self::Open, Self::Closed];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// Where a difference stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody has explained it.
    Unexplained,
    /// Somebody looks after it.
    Waiting,
    /// One person has explained it, and it takes two.
    Proposed,
    Explained,
}

impl Standing {
    pub const ALL: [Self; 4] = [Self::Unexplained, Self::Waiting, Self::Proposed, Self::Explained];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unexplained => "unexplained",
            Self::Waiting => "waiting",
            Self::Proposed => "proposed",
            Self::Explained => "explained",
        }
    }
}

/// A difference and what is known about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    pub number: u32,
    pub found: Found,
    pub stake: Money,
    pub standing: Standing,
    /// The explanation that stands.
    pub explained: Option<DifferenceExplained>,
    /// The one that waits for a second person.
    pub proposed: Option<ExplanationProposed>,
    /// Everything it has done to the ledger.
    pub entered: Option<Entered>,
}

impl Difference {
    /// Whether a comparison still shows it.
    pub fn is_current(&self) -> bool {
        self.explained.as_ref().is_none_or(|explained| explained.how != How::Superseded)
    }

    fn enter(&mut self, more: Option<Entered>) {
        self.entered = match (self.entered, more) {
            (Some(before), Some(more)) => Some(before.and(more)),
            (before, more) => before.or(more),
        };
    }
}

impl Entered {
    /// Both, of one account and currency as all of a difference is.
    fn and(self, more: Self) -> Self {
        let sum = |a: Money, b: Money| Money::new(a.amount.saturating_add(b.amount), a.currency);
        Self {
            method: self.method,
            clearing: sum(self.clearing, more.clearing),
            suspense: sum(self.suspense, more.suspense),
            fees: sum(self.fees, more.fees),
        }
    }

    /// The other way round.
    pub(super) fn undone(self) -> Self {
        let minus = |money: Money| Money::new(money.amount.saturating_neg(), money.currency);
        Self {
            method: self.method,
            clearing: minus(self.clearing),
            suspense: minus(self.suspense),
            fees: minus(self.fees),
        }
    }

    pub(super) fn is_nothing(&self) -> bool {
        self.clearing.is_zero() && self.suspense.is_zero() && self.fees.is_zero()
    }
}

impl Pair {
    pub(super) fn key(&self) -> Key {
        (self.transaction.clone(), Way::of(self.amount))
    }
}

/// What is compared: known from the first event on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    pub provider: Provider,
    pub account: Slug,
    pub day: NaiveDate,
}

impl Scope {
    /// Whose account it is: as a contract says it.
    pub fn merchant_account(&self) -> Option<&Slug> {
        super::merchant_account(&self.account)
    }
}

/// A reconciliation as it stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reconciliation {
    /// `None` only before the first event.
    pub scope: Option<Scope>,
    pub status: Status,
    /// Whether a statement was asked of the provider and has not come.
    pub wanted: bool,
    /// Of the statement that counts.
    pub digest: Option<Digest>,
    /// What was said of it when it was imported.
    pub statement: Option<StatementImported>,
    /// What agrees, by the provider's transaction.
    pub pairs: BTreeMap<Key, Pair>,
    /// All there ever were; `number` − 1 is the index.
    pub differences: Vec<Difference>,
}

impl Reconciliation {
    /// Those that keep the day open.
    pub fn unexplained(&self) -> impl Iterator<Item = &Difference> {
        self.differences.iter().filter(|difference| difference.standing != Standing::Explained)
    }

    /// Whether money on its account is the platform's. What lies on a manager's is in none of its books (docs/ledger.md).
    pub(super) fn is_in_our_books(&self) -> bool {
        self.scope.as_ref().is_some_and(|scope| scope.merchant_account().is_none())
    }

    fn numbered(&mut self, number: u32) -> Option<&mut Difference> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.differences.get_mut(index)
    }

    fn imported(&mut self, imported: StatementImported) {
        let StatementImported { provider, day, .. } = imported;
        self.scope = Some(Scope { provider, account: imported.account.clone(), day });
        self.status = Status::Open;
        self.wanted = false;
        self.digest = Some(imported.digest.clone());
        self.statement = Some(imported);
        self.pairs.clear();
    }

    fn found(&mut self, found: DifferenceFound) {
        let DifferenceFound { number, kind, here, there, other_day, agreed_fee, stake, entered, .. } = found;
        let found = Found { kind, here, there, other_day, agreed_fee: agreed_fee.map(super::Signed) };
        let standing = Standing::Unexplained;
        self.differences.push(Difference { number, found, stake, standing, explained: None, proposed: None, entered });
    }

    fn explained(&mut self, explained: DifferenceExplained) {
        let Some(difference) = self.numbered(explained.number) else { return };
        difference.standing = if explained.how == How::Wait { Standing::Waiting } else { Standing::Explained };
        difference.proposed = None;
        difference.enter(explained.entered);
        difference.explained = Some(explained);
    }
}

impl Aggregate for Reconciliation {
    type Id = ReconciliationId;
    type Event = Event;

    fn select(event: event::Event) -> Option<Event> {
        match event {
            event::Event::Reconciliation(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::ImportRequested(wanted) => {
                self.scope = Some(Scope { provider: wanted.provider, account: wanted.account, day: wanted.day });
                self.wanted = true;
            }
            Event::StatementImported(imported) => self.imported(imported),
            Event::Matched(matched) => {
                for pair in matched.pairs {
                    self.pairs.insert(pair.key(), pair);
                }
            }
            Event::DifferenceFound(found) => self.found(found),
            Event::ExplanationProposed(proposed) => {
                if let Some(difference) = self.numbered(proposed.number) {
                    difference.standing = Standing::Proposed;
                    difference.proposed = Some(proposed);
                }
            }
            Event::DifferenceExplained(explained) => self.explained(explained),
            Event::Closed(_) => self.status = Status::Closed,
        }
    }
}
