//! A person says what a difference is, under their name; above the limit a second one has to say the same.

use super::{
    Difference, DifferenceExplained, Entered, ExplanationProposed, How, Kind, LineState, Reconciliation, Refusal,
    Standing, Status, import::charged,
};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    money::{Currency, Money},
    text::Note,
};

/// What somebody says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    pub how: How,
    pub note: Option<Note>,
}

/// Above it an explanation takes two people (domain.md, Refund: the limit for what a person asks for).
const fn limit(currency: Currency) -> Money {
    match currency {
        Currency::Xof => Money::xof(50_000),
        // At the fixed rate of 655.957.
        Currency::Eur => Money::new(7_622, Currency::Eur),
    }
}

/// Whether an explanation of this much takes two people.
pub const fn needs_second(stake: Money) -> bool {
    stake.amount > limit(stake.currency).amount
}

/// Explains a difference, or proposes to. The same again by the same person is nothing to do.
///
/// # Errors
/// [`Refusal`] when it is not theirs to say, does not fit the difference, or is said already.
pub fn explain(
    reconciliation: &Loaded<Reconciliation>,
    number: u32,
    explanation: Explanation,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if by.role != Role::Finance {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    let state = &reconciliation.state;
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let difference = index.and_then(|index| state.differences.get(index)).ok_or(Refusal::NoSuchDifference)?;
    let Explanation { how, note } = explanation;
    if !fits(how, difference.found.kind) {
        return Err(Refusal::Unfit { how, kind: difference.found.kind });
    }
    match difference.explained.as_ref().map(|explained| explained.how) {
        Some(known) if known == how => return Ok(Decision::nothing()),
        // A claim comes to an end, one way or another.
        None | Some(How::Wait | How::ClaimedFromProvider) => {}
        Some(known) => return Err(Refusal::AlreadyExplained { how: known }),
    }
    // Of a closed day only what was claimed goes on, and it is not opened again by that.
    if state.status == Status::Closed && how == How::Wait {
        return Err(Refusal::AlreadyClosed);
    }
    let id = reconciliation.id;
    let first = difference.proposed.as_ref();
    if how != How::Wait && needs_second(difference.stake) {
        // A closed day has no proposal that waits, or it would have to be opened.
        if state.status == Status::Closed && difference.standing == Standing::Explained {
            return Err(Refusal::AlreadyClosed);
        }
        match first {
            Some(first) if first.how == how && first.by == by => return Ok(Decision::nothing()),
            Some(first) if first.how == how => {}
            _ => {
                let proposed = ExplanationProposed { reconciliation_id: id, number, how, note, by, at: now };
                return Ok(Decision::nothing().then(reconciliation, proposed));
            }
        }
    }
    let explained = DifferenceExplained {
        reconciliation_id: id,
        number,
        how,
        note: note.or_else(|| first.and_then(|first| first.note.clone())),
        by,
        proposed_by: first.filter(|first| first.how == how && first.by != by).map(|first| first.by),
        // What lies on a manager's account is in none of the platform's books.
        entered: entered(difference, how).filter(|_| state.is_in_our_books()),
        at: now,
    };
    Ok(Decision::nothing().then(reconciliation, explained))
}

/// Whether it can be said of such a difference.
const fn fits(how: How, kind: Kind) -> bool {
    match how {
        How::Wait | How::ClaimedFromProvider => true,
        How::BookedNextDay => matches!(kind, Kind::MissingAtProvider | Kind::MissingHere | Kind::DayDiffers),
        How::RefundedByHand => matches!(kind, Kind::MissingHere | Kind::Duplicate | Kind::AmountDiffers),
        // What is in two currencies is not written off against one.
        How::WrittenOff => !matches!(kind, Kind::CurrencyDiffers | Kind::DayDiffers),
        How::Superseded => false,
    }
}

/// What an explanation does to the ledger, after what finding it did (docs/ledger.md).
fn entered(difference: &Difference, how: How) -> Option<Entered> {
    let found = &difference.found;
    let there = found.there.as_ref().filter(|there| there.state == LineState::Succeeded);
    let here = found.here.as_ref();
    let suspended = difference.entered.map(|entered| entered.suspense).filter(|suspense| !suspense.is_zero());
    let entered = match (how, suspended, there) {
        (How::WrittenOff, Some(suspense), Some(there)) => {
            let kept = charged(there.method, there.fee.0);
            let back = Money::new(suspense.amount.saturating_neg(), suspense.currency);
            // Out of suspense to where gains and losses at providers are, and the fee of it.
            Entered { suspense: back, fees: sum(kept.fees, suspense), ..kept }
        }
        (How::RefundedByHand, Some(_), Some(there)) => charged(there.method, there.fee.0),
        (How::BookedNextDay, Some(_), _) => difference.entered?.undone(),
        (How::WrittenOff, None, Some(there)) if found.kind == Kind::FeeDiffers => {
            charged(there.method, less(there.fee.0, found.agreed_fee?.0))
        }
        (How::WrittenOff, None, Some(there)) if found.kind == Kind::AmountDiffers => {
            charged(there.method, less(here?.amount.0, there.amount.0))
        }
        // The excess went out by a line of its own, which is in suspense the other way.
        (How::RefundedByHand, None, Some(there)) if found.kind == Kind::AmountDiffers => {
            let excess = less(there.amount.0, here?.amount.0);
            let owed = Money::new(excess.amount.saturating_neg(), excess.currency);
            Entered { method: there.method, clearing: excess, suspense: owed, fees: Money::zero(excess.currency) }
        }
        // Ours to have, and not there.
        (How::WrittenOff, None, None) => charged(here?.method, here?.amount.0),
        _ => return None,
    };
    Some(entered).filter(|entered| !entered.is_nothing())
}

const fn sum(a: Money, b: Money) -> Money {
    Money::new(a.amount.saturating_add(b.amount), a.currency)
}

const fn less(a: Money, b: Money) -> Money {
    Money::new(a.amount.saturating_sub(b.amount), a.currency)
}
