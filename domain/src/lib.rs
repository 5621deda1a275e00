//! The rules of Kalel, pure: what may happen (`decide`), what it means (`evolve`), what it costs, what it blocks.
//!
//! Nothing here does IO, awaits, reads a clock or draws a random number: time, ids and codes are passed in.
//! One module per noun of domain.md; one file per verb.

pub mod account;
pub mod actor;
pub mod aggregate;
pub mod client;
pub mod contract;
pub mod decision;
pub mod endpoint;
pub mod event;
pub mod guard;
pub mod ids;
pub mod interval;
pub mod invoice;
pub mod key;
pub mod ledger;
pub mod money;
pub mod payment;
pub mod payout;
pub mod phone;
pub mod place;
pub mod policy;
pub mod promotion;
pub mod quote;
pub mod reaction;
pub mod reconciliation;
pub mod refund;
pub mod refusal;
pub mod reservation;
pub mod sealed;
pub mod sign_in;
pub mod site;
#[cfg(test)]
pub mod spec;
pub mod text;
pub mod till;

/// An instant in UTC. Bounded by [`interval::Interval`] wherever it is an input.
pub type Timestamp = chrono::DateTime<chrono::Utc>;
