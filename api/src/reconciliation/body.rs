//! A reconciliation and its differences as they are shown. Nobody's number is in them: it is not in the log.

use domain::{
    actor::Actor,
    aggregate::Loaded,
    money,
    reconciliation::{Here, Kind, Listing, Reconciliation, Standing, StatementImported, Totals, needs_second},
};
use projections::reconciliation as views;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::operation::Exemplary,
    shape::{Money, SignedMoney, utc_text},
};

/// One day of one account at a provider.
#[derive(Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub struct ReconciliationBody {
    object: &'static str,
    pub id: Uuid,
    /// `wave`, `sonatel`, `paytech` or `paydunya`.
    provider: &'static str,
    /// `main`, the platform's, or the name of a manager's own.
    account: String,
    /// In UTC, the time of Dakar.
    day: String,
    /// `awaited`, `open` or `closed`.
    status: &'static str,
    /// Whether the provider was asked for its statement and it has not come.
    requested: bool,
    statement: Option<StatementBody>,
    /// Lines that agree.
    matched: usize,
    /// Differences that the last comparison shows.
    differences: usize,
    /// Of them, those that keep the day open.
    unexplained: usize,
    version: i32,
}

/// The statement that counts.
#[derive(Serialize, ToSchema)]
#[schema(as = Statement)]
pub struct StatementBody {
    /// `api` or `csv`.
    source: &'static str,
    /// SHA-256, in hex.
    digest: String,
    lines: u32,
    /// One for each currency, of what succeeded.
    totals: Vec<StatementTotals>,
    /// Up to which event of the log our side was taken.
    as_of_position: i64,
    imported_at: String,
}

/// Sums of a statement.
#[derive(Serialize, ToSchema)]
pub struct StatementTotals {
    came: Money,
    went: Money,
    /// What the provider kept; below zero when it gave more back.
    fees: SignedMoney,
}

impl From<&Totals> for StatementTotals {
    fn from(totals: &Totals) -> Self {
        Self { came: totals.came.into(), went: totals.went.into(), fees: totals.fees.into() }
    }
}

impl ReconciliationBody {
    /// From its stream; `None` before anything happened.
    pub fn folded(of: &Loaded<Reconciliation>) -> Option<Self> {
        let scope = of.state.scope.as_ref()?;
        Some(Self {
            object: "reconciliation",
            id: of.id.uuid(),
            provider: scope.provider.as_str(),
            account: scope.account.to_string(),
            day: scope.day.to_string(),
            status: of.state.status.as_str(),
            requested: of.state.wanted,
            statement: of.state.statement.as_ref().map(StatementBody::folded),
            matched: of.state.pairs.len(),
            differences: of.state.differences.iter().filter(|difference| difference.is_current()).count(),
            unexplained: of.state.unexplained().count(),
            version: of.version,
        })
    }

    /// From the views.
    pub fn viewed(row: &views::Reconciliation) -> Self {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            object: "reconciliation",
            id: row.reconciliation_id.uuid(),
            provider: row.provider.as_str(),
            account: row.account.to_string(),
            day: row.day.to_string(),
            status: row.status.as_str(),
            requested: row.wanted,
            statement: row.statement.as_ref().map(StatementBody::viewed),
            matched: count(row.matched),
            differences: count(row.differences),
            unexplained: count(row.unexplained),
            version: row.version,
        }
    }
}

impl StatementBody {
    fn folded(of: &StatementImported) -> Self {
        Self {
            source: of.source.as_str(),
            digest: of.digest.to_string(),
            lines: of.lines,
            totals: of.totals.iter().map(StatementTotals::from).collect(),
            as_of_position: of.as_of_position,
            imported_at: utc_text(of.at),
        }
    }

    fn viewed(row: &views::Statement) -> Self {
        Self {
            source: row.source.as_str(),
            digest: row.digest.to_string(),
            lines: row.lines,
            totals: row.totals.iter().map(StatementTotals::from).collect(),
            as_of_position: row.as_of_position,
            imported_at: utc_text(row.imported_at),
        }
    }
}

impl Exemplary for ReconciliationBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "reconciliation", "id": "019ab2c4-5f00-7000-8000-000000000031", "provider": "wave",
            "account": "main", "day": "2026-11-28", "status": "open", "requested": false,
            "statement": {
                "source": "csv", "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "lines": 2,
                "totals": [{ "came": money(75_000), "went": money(0), "fees": money(750) }],
                "as_of_position": 42, "imported_at": "2026-11-29T02:30:00Z",
            },
            "matched": 1, "differences": 1, "unexplained": 1, "version": 3,
        })
    }
}

/// The two sides do not agree about something.
#[derive(Serialize, ToSchema)]
#[schema(as = Difference)]
pub struct DifferenceBody {
    object: &'static str,
    number: u32,
    /// `missing_at_provider`, `missing_here`, `amount_differs`, `fee_differs`, `duplicate`, `currency_differs`,
    /// `state_differs` or `day_differs`.
    kind: &'static str,
    /// `unexplained`, `waiting`, `proposed` (one of two people has explained it) or `explained`.
    standing: &'static str,
    here: Option<HereBody>,
    there: Option<ThereBody>,
    /// The other day whose statement lists it.
    other_day: Option<String>,
    /// What was agreed, where the fee is another.
    agreed_fee: Option<SignedMoney>,
    /// What there is to explain.
    stake: Money,
    /// Whether it takes two people.
    needs_second_person: bool,
    /// `wait`, `booked_next_day`, `claimed_from_provider`, `refunded_by_hand`, `written_off`, or `superseded` by a later
    /// statement.
    how: Option<&'static str>,
    note: Option<String>,
    /// Who explained it; null for what explained itself.
    explained_by: Option<Uuid>,
    /// Who said so first, where it takes two.
    proposed_by: Option<Uuid>,
}

/// What we know.
#[derive(Serialize, ToSchema)]
#[schema(as = DifferenceHere)]
pub struct HereBody {
    /// `payment`, `refund` or `payout`.
    object: &'static str,
    id: Uuid,
    method: &'static str,
    /// Positive came in.
    amount: SignedMoney,
    /// `succeeded`, `open`, `failed` or `reversed`.
    state: &'static str,
    at: String,
}

/// What the provider lists.
#[derive(Serialize, ToSchema)]
#[schema(as = DifferenceThere)]
pub struct ThereBody {
    transaction: String,
    reference: Option<String>,
    /// `charge`, `refund`, `payout`, `fee` or `other`.
    kind: &'static str,
    /// `succeeded`, `failed` or `reversed`.
    state: &'static str,
    method: &'static str,
    /// Before the fee; positive came in.
    amount: SignedMoney,
    fee: SignedMoney,
    at: String,
}

impl From<&Here> for HereBody {
    fn from(here: &Here) -> Self {
        Self {
            object: here.subject.object.as_str(),
            id: here.subject.id,
            method: here.method.as_str(),
            amount: here.amount.0.into(),
            state: here.state.as_str(),
            at: utc_text(here.at),
        }
    }
}

impl From<&Listing> for ThereBody {
    fn from(there: &Listing) -> Self {
        Self {
            transaction: there.transaction.to_string(),
            reference: there.reference.as_ref().map(ToString::to_string),
            kind: there.is.as_str(),
            state: there.state.as_str(),
            method: there.method.as_str(),
            amount: there.amount.0.into(),
            fee: there.fee.0.into(),
            at: utc_text(there.at),
        }
    }
}

fn person(actor: Actor) -> Option<Uuid> {
    actor.id.map(|id| id.uuid())
}

impl DifferenceBody {
    fn bare(number: u32, kind: Kind, standing: Standing, stake: money::Money) -> Self {
        Self {
            object: "difference",
            number,
            kind: kind.as_str(),
            standing: standing.as_str(),
            here: None,
            there: None,
            other_day: None,
            agreed_fee: None,
            stake: stake.into(),
            needs_second_person: needs_second(stake),
            how: None,
            note: None,
            explained_by: None,
            proposed_by: None,
        }
    }

    /// From its stream.
    pub fn folded(of: &domain::reconciliation::Difference) -> Self {
        let mut body = Self::bare(of.number, of.found.kind, of.standing, of.stake);
        body.here = of.found.here.as_ref().map(HereBody::from);
        body.there = of.found.there.as_ref().map(ThereBody::from);
        body.other_day = of.found.other_day.map(|day| day.to_string());
        body.agreed_fee = of.found.agreed_fee.map(|fee| fee.0.into());
        if let Some(explained) = &of.explained {
            body.how = Some(explained.how.as_str());
            body.note = explained.note.as_ref().map(ToString::to_string);
            body.explained_by = person(explained.by);
            body.proposed_by = explained.proposed_by.and_then(person);
        }
        if let Some(proposed) = &of.proposed {
            body.how = Some(proposed.how.as_str());
            body.note = proposed.note.as_ref().map(ToString::to_string);
            body.proposed_by = person(proposed.by);
        }
        body
    }

    /// From the views.
    pub fn viewed(row: &views::Difference) -> Self {
        let mut body = Self::bare(row.number, row.kind, row.standing, row.stake);
        body.here = row.here.as_ref().map(HereBody::from);
        body.there = row.there.as_ref().map(ThereBody::from);
        body.other_day = row.other_day.map(|day| day.to_string());
        body.agreed_fee = row.agreed_fee.map(Into::into);
        body.how = row.how.map(domain::reconciliation::How::as_str);
        body.note = row.note.as_ref().map(ToString::to_string);
        body.explained_by = row.explained_by.and_then(person);
        body.proposed_by = row.proposed_by.and_then(person);
        body
    }
}

impl Exemplary for DifferenceBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "difference", "number": 1, "kind": "missing_here", "standing": "unexplained", "here": null,
            "there": {
                "transaction": "T_GK4HQ7", "reference": "AZqyxF8AcACAAAAAAAAABQ", "kind": "charge", "state": "succeeded",
                "method": "wave", "amount": money(60_000), "fee": money(600), "at": "2026-11-28T21:10:00Z",
            },
            "other_day": null, "agreed_fee": null, "stake": money(60_000), "needs_second_person": true, "how": null,
            "note": null, "explained_by": null, "proposed_by": null,
        })
    }
}
