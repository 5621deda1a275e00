//! The ledger: where every franc is, in double entry (domain.md, Ledger).
//!
//! Each event that moves money becomes one entry, by a pure function of the event and of the [`Book`] of its reservation,
//! so the whole ledger can be made again from the log. The postings of an entry add up to nothing, or there is no entry.
//! What is not money yet (a request, a promise on account) posts nothing.
//!
//! The contract frozen on a reservation says whose hands its money is in, and what of it is the platform's: a commission on
//! what is earned, never on what is not paid or goes back.

mod account;
mod alone;
mod book;
mod entry;
mod reconciled;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_commission;

pub use account::{Account, AccountError};
pub use alone::alone;
pub use book::{Book, Concern, LedgerError, Owed, concern};
pub use entry::{Entry, Posting};

/// Of the function that makes entries of events: raised when it would make others of the same events.
pub const VERSION: i32 = 3;
