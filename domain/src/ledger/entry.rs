//! Entries: postings that add up to nothing.

use super::{Account, LedgerError};
use crate::money::{Currency, Money};

/// One side of an entry. Positive is a debit: money came there, or a debt became smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posting {
    pub account: Account,
    pub amount: Money,
}

/// What one event does to the ledger. Its postings add up to nothing in each currency; an entry without postings moves
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    postings: Vec<Posting>,
}

impl Entry {
    /// Nothing is moved.
    pub const fn nothing() -> Self {
        Self { postings: Vec::new() }
    }

    /// Debits and credits, those of nothing left out.
    ///
    /// # Errors
    /// [`LedgerError::Unbalanced`] unless they add up to nothing, [`LedgerError::Money`] when currencies are mixed.
    pub fn new(postings: impl IntoIterator<Item = Posting>) -> Result<Self, LedgerError> {
        let postings: Vec<Posting> = postings.into_iter().filter(|posting| !posting.amount.is_zero()).collect();
        let Some(first) = postings.first() else { return Ok(Self::nothing()) };
        let sum = Money::sum(first.amount.currency, postings.iter().map(|posting| posting.amount))?;
        if sum.is_zero() { Ok(Self { postings }) } else { Err(LedgerError::Unbalanced { sum }) }
    }

    /// As [`Entry::new`], of an event that moves money in several currencies: balanced in each.
    ///
    /// # Errors
    /// As [`Entry::new`].
    pub fn of_currencies(postings: impl IntoIterator<Item = Posting>) -> Result<Self, LedgerError> {
        let postings: Vec<Posting> = postings.into_iter().collect();
        let mut all = Vec::new();
        for currency in Currency::ALL {
            let of = postings.iter().copied().filter(|posting| posting.amount.currency == currency);
            all.extend(Self::new(of)?.postings);
        }
        Ok(Self { postings: all })
    }

    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }
}

/// Money comes to an account.
pub(super) const fn debit(account: Account, amount: Money) -> Posting {
    Posting { account, amount }
}

/// Money leaves an account, or is owed by it.
pub(super) const fn credit(account: Account, amount: Money) -> Posting {
    Posting { account, amount: Money::new(-amount.amount, amount.currency) }
}
