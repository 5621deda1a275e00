//! What statements of providers do to the ledger: fees, and money that nobody can place. The event says what it enters; a
//! person's explanation is the only thing that ever writes something off.

use std::collections::BTreeMap;

use super::{Account, Entry, LedgerError, Posting};
use crate::{
    money::{Currency, Money},
    payment::Method,
    reconciliation::{Entered, Event},
};

/// Whether it enters anything.
pub(super) fn moves(event: &Event) -> bool {
    match event {
        Event::StatementImported(imported) => !imported.entered.is_empty(),
        Event::Matched(matched) => matched.pairs.iter().any(|pair| !pair.fee_entered.is_zero()),
        Event::DifferenceFound(found) => found.entered.is_some(),
        Event::DifferenceExplained(explained) => explained.entered.is_some(),
        Event::ImportRequested(_) | Event::ExplanationProposed(_) | Event::Closed(_) => false,
    }
}

/// Its entry.
pub(super) fn entry(event: &Event) -> Result<Entry, LedgerError> {
    match event {
        Event::StatementImported(imported) => of(&imported.entered),
        // One posting for all fees of an event: which transaction bore which is in the event.
        Event::Matched(matched) => {
            let mut fees: BTreeMap<(Method, &str), (Currency, i64)> = BTreeMap::new();
            for pair in &matched.pairs {
                let fee = pair.fee_entered;
                let sum = fees.entry((pair.method, fee.currency.code())).or_insert((fee.currency, 0));
                sum.1 = Money::new(sum.1, fee.currency).plus(fee)?.amount;
            }
            let entered: Vec<Entered> = fees
                .into_iter()
                .map(|((method, _), (currency, sum))| Entered {
                    method,
                    clearing: Money::new(sum.saturating_neg(), currency),
                    suspense: Money::zero(currency),
                    fees: Money::new(sum, currency),
                })
                .collect();
            of(&entered)
        }
        Event::DifferenceFound(found) => of(found.entered.as_slice()),
        Event::DifferenceExplained(explained) => of(explained.entered.as_slice()),
        Event::ImportRequested(_) | Event::ExplanationProposed(_) | Event::Closed(_) => Ok(Entry::nothing()),
    }
}

fn of(entered: &[Entered]) -> Result<Entry, LedgerError> {
    let mut postings = Vec::new();
    for entered in entered {
        let clearing = Account::at_provider(entered.method).ok_or(LedgerError::NoMoney)?;
        postings.push(Posting { account: clearing, amount: entered.clearing });
        postings.push(Posting { account: Account::Suspense, amount: entered.suspense });
        postings.push(Posting { account: Account::ProviderFees, amount: entered.fees });
    }
    Entry::of_currencies(postings)
}
