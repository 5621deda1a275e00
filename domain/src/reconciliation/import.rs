//! A statement is compared, and what it says is written down.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::{
    Compared, DifferenceExplained, DifferenceFound, Digest, Elsewhere, Entered, Found, How, Kind, Line, LineState,
    Matched, Movement, Object, Pair, Provider, Reconciliation, Refusal, Source, StatementImported, Status, Subject,
    Terms, Totals, begin, compare, own, state::Scope,
};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    money::{Currency, Money},
    text::Slug,
};

/// Pairs in one event.
const CHUNK: usize = 500;
/// A statement that differs in more places is another account's, or another day's.
pub const MOST_DIFFERENCES: usize = 2_000;

/// A statement and our side of it.
#[derive(Clone, Debug)]
pub struct Import {
    pub provider: Provider,
    pub account: Slug,
    pub day: NaiveDate,
    pub source: Source,
    pub digest: Digest,
    pub lines: Vec<Line>,
    /// As [`Compared::movements`].
    pub movements: Vec<Movement>,
    pub elsewhere: BTreeMap<Subject, Elsewhere>,
    pub terms: Terms,
    /// Up to which event of the log our side was taken: nothing of the day is missing in it.
    pub as_of_position: i64,
}

/// Compares and writes down what is new. The same statement again, with nothing new here, is nothing to do. `neighbours`
/// are the days before and after: what they miss and this statement lists is explained there in the same decision.
///
/// # Errors
/// [`Refusal`] when the day has not begun or is closed, or the statement cannot be this account's.
pub fn import(
    reconciliation: &Loaded<Reconciliation>,
    neighbours: &[&Loaded<Reconciliation>],
    import: &Import,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Import { provider, ref account, day, .. } = *import;
    let state = &reconciliation.state;
    let scope = Scope { provider, account: account.clone(), day };
    if state.scope.as_ref().is_some_and(|known| *known != scope) {
        return Err(Refusal::AnotherAccount);
    }
    if now < begin(day) {
        return Err(Refusal::NotBegun { day });
    }
    let Import { lines, movements, elsewhere, terms, .. } = import;
    let account_of = scope.merchant_account();
    let compared = Compared { day, account: account_of, lines, movements, elsewhere, terms: *terms };
    let lines = own::lines(&compared);
    // Money on a manager's account never was the platform's: nothing of it is entered (docs/ledger.md).
    let in_our_books = account_of.is_none();
    let outcome = compare(compared);
    if outcome.differences.len() > MOST_DIFFERENCES {
        return Err(Refusal::TooManyDifferences { found: outcome.differences.len() });
    }
    let pairs: Vec<Pair> = outcome.matched.iter().map(|matched| pair(state, matched, in_our_books)).collect();
    let (gone, new) = apart(state, &outcome.differences);
    let unchanged = gone.is_empty() && new.is_empty() && same_pairs(state, &pairs);
    // One that was asked for is an answer, whatever it says.
    let answers = state.wanted && state.status != Status::Closed;
    if unchanged && !answers && state.digest.as_ref() == Some(&import.digest) {
        return Ok(Decision::nothing());
    }
    if state.status == Status::Closed {
        return Err(Refusal::AlreadyClosed);
    }
    let id = reconciliation.id;
    let by_itself = |found: &Found| found.kind == Kind::DayDiffers;
    let mut decision = Decision::nothing().then(
        reconciliation,
        StatementImported {
            reconciliation_id: id,
            provider,
            account: account.clone(),
            day,
            source: import.source,
            digest: import.digest.clone(),
            lines: u32::try_from(lines.len()).unwrap_or(u32::MAX),
            totals: totals(&lines)?,
            found: u32::try_from(new.iter().filter(|found| !by_itself(found)).count()).unwrap_or(u32::MAX),
            as_of_position: import.as_of_position,
            entered: if in_our_books { taken_back(state, &pairs) } else { Vec::new() },
            by,
            at: now,
        },
    );
    for chunk in pairs.chunks(CHUNK) {
        decision = decision.then(reconciliation, Matched { reconciliation_id: id, pairs: chunk.to_vec(), at: now });
    }
    let explained = |number, how, entered| DifferenceExplained {
        reconciliation_id: id,
        number,
        how,
        note: None,
        by: Actor::SYSTEM,
        proposed_by: None,
        entered,
        at: now,
    };
    for difference in gone {
        let undone = difference.entered.map(Entered::undone).filter(|entered| !entered.is_nothing());
        decision = decision.then(reconciliation, explained(difference.number, How::Superseded, undone));
    }
    let before = u32::try_from(state.differences.len()).unwrap_or(u32::MAX);
    for (number, found) in (before.saturating_add(1)..).zip(new) {
        let entered = at_once(found, &outcome.differences, &pairs).filter(|_| in_our_books);
        decision = decision.then(
            reconciliation,
            DifferenceFound {
                reconciliation_id: id,
                number,
                kind: found.kind,
                here: found.here.clone(),
                there: found.there.clone(),
                other_day: found.other_day,
                agreed_fee: found.agreed_fee.map(|fee| fee.0),
                stake: found.stake(),
                entered,
                at: now,
            },
        );
        if by_itself(found) {
            decision = decision.then(reconciliation, explained(number, How::BookedNextDay, None));
        }
    }
    for neighbour in neighbours {
        decision = explain_there(decision, neighbour, &outcome.differences, now).relying_on(neighbour);
    }
    decision.reads.retain(|read| decision.changes.iter().all(|change| change.stream != read.stream));
    Ok(decision)
}

/// What the day before or after misses, and this statement lists.
fn explain_there(
    mut decision: Decision,
    neighbour: &Loaded<Reconciliation>,
    differences: &[Found],
    now: Timestamp,
) -> Decision {
    let listed = |found: &Found| {
        let subject = found.here.as_ref().map(|here| here.subject);
        let here = |other: &&Found| other.kind == Kind::DayDiffers && other.there.is_some();
        differences.iter().filter(here).any(|other| other.here.as_ref().map(|here| here.subject) == subject)
    };
    for missed in neighbour.state.unexplained() {
        if missed.found.kind == Kind::MissingAtProvider && listed(&missed.found) {
            decision = decision.then(
                neighbour,
                DifferenceExplained {
                    reconciliation_id: neighbour.id,
                    number: missed.number,
                    how: How::BookedNextDay,
                    note: None,
                    by: Actor::SYSTEM,
                    proposed_by: None,
                    entered: None,
                    at: now,
                },
            );
        }
    }
    decision
}

/// The differences that are not shown any more, and those that were not shown before. Two alike count as two.
fn apart<'a>(state: &'a Reconciliation, shown: &'a [Found]) -> (Vec<&'a super::Difference>, Vec<&'a Found>) {
    let mut new: Vec<&Found> = shown.iter().collect();
    let mut gone = Vec::new();
    for difference in state.differences.iter().filter(|difference| difference.is_current()) {
        // A file is in a canonical order, so a search among a few is enough.
        match new.iter().position(|found| **found == difference.found) {
            Some(index) => {
                new.remove(index);
            }
            None => gone.push(difference),
        }
    }
    (gone, new)
}

fn pair(state: &Reconciliation, matched: &super::Match, in_our_books: bool) -> Pair {
    let there = &matched.there;
    // What did not move cost nothing.
    let stands = there.state == LineState::Succeeded;
    let none = Money::zero(there.amount.0.currency);
    let fee = if stands { there.fee.0 } else { none };
    let before = state.pairs.get(&there.key()).map_or(none, |pair| pair.fee);
    let enters = in_our_books && !tells_its_fee(matched.subject);
    Pair {
        subject: matched.subject,
        transaction: there.transaction.clone(),
        method: there.method,
        state: there.state,
        amount: there.amount.0,
        fee,
        fee_entered: if enters { fee.minus(before).unwrap_or(fee) } else { none },
    }
}

/// A payout enters its fee itself, as the provider told it (docs/ledger.md).
fn tells_its_fee(subject: Option<Subject>) -> bool {
    subject.is_some_and(|subject| subject.object == Object::Payout)
}

fn same_pairs(state: &Reconciliation, pairs: &[Pair]) -> bool {
    let same = |pair: &Pair| {
        let of = |pair: &Pair| (pair.subject, pair.state, pair.amount, pair.fee);
        state.pairs.get(&pair.key()).is_some_and(|known| of(known) == of(pair))
    };
    state.pairs.len() == pairs.len() && pairs.iter().all(same)
}

/// Fees of transactions that are matched no more; what a difference says of them is entered with the difference.
fn taken_back(state: &Reconciliation, pairs: &[Pair]) -> Vec<Entered> {
    let kept: BTreeSet<_> = pairs.iter().map(Pair::key).collect();
    let entered = |pair: &Pair| !pair.fee.is_zero() && !tells_its_fee(pair.subject);
    let gone = state.pairs.iter().filter(|(key, pair)| !kept.contains(key) && entered(pair));
    gone.map(|(_, pair)| charged(pair.method, pair.fee).undone()).collect()
}

/// A fee: the provider has kept it.
pub(super) fn charged(method: crate::payment::Method, fee: Money) -> Entered {
    let nothing = Money::zero(fee.currency);
    Entered { method, clearing: Money::new(fee.amount.saturating_neg(), fee.currency), suspense: nothing, fees: fee }
}

/// Money at the provider that nobody can place: in suspense, never income.
fn held(method: crate::payment::Method, amount: Money) -> Entered {
    let nothing = Money::zero(amount.currency);
    let owed = Money::new(amount.amount.saturating_neg(), amount.currency);
    Entered { method, clearing: amount, suspense: owed, fees: nothing }
}

/// What finding a difference does to the ledger.
fn at_once(found: &Found, all: &[Found], pairs: &[Pair]) -> Option<Entered> {
    let there = found.there.as_ref().filter(|there| there.state == LineState::Succeeded)?;
    let entered = match found.kind {
        Kind::MissingHere | Kind::StateDiffers => held(there.method, there.amount.0),
        // The same transaction listed twice is no money more; another transaction is.
        Kind::Duplicate => {
            let same = |other: &Found| other.there.as_ref().is_some_and(|other| other.key() == there.key());
            let listed = all.iter().filter(|other| same(other)).count();
            let paired = pairs.iter().any(|pair| pair.key() == there.key());
            if listed > 1 || paired || found.other_day.is_some() {
                return None;
            }
            held(there.method, there.amount.0)
        }
        Kind::FeeDiffers => charged(there.method, found.agreed_fee?.0),
        Kind::AmountDiffers | Kind::DayDiffers if tells_its_fee(found.here.as_ref().map(|here| here.subject)) => {
            return None;
        }
        Kind::AmountDiffers | Kind::DayDiffers => charged(there.method, there.fee.0),
        Kind::MissingAtProvider | Kind::CurrencyDiffers => return None,
    };
    Some(entered).filter(|entered| !entered.is_nothing())
}

/// In each currency, of what succeeded.
fn totals(lines: &[&Line]) -> Result<Vec<Totals>, Refusal> {
    let mut all = Vec::new();
    for currency in Currency::ALL {
        let nothing = Money::zero(currency);
        let mut totals = Totals { came: nothing, went: nothing, fees: nothing };
        let mut any = false;
        for line in lines.iter().map(|line| &line.listing).filter(|line| line.amount.0.currency == currency) {
            any = true;
            if line.state != LineState::Succeeded {
                continue;
            }
            let amount = line.amount.0;
            if amount.amount >= 0 {
                totals.came = totals.came.plus(amount)?;
            } else {
                totals.went = totals.went.minus(amount)?;
            }
            totals.fees = totals.fees.plus(line.fee.0)?;
        }
        if any {
            all.push(totals);
        }
    }
    Ok(all)
}
