//! Payouts: money that sites are paid.

mod chain;
mod details;
mod statement;

pub use chain::last;
pub use details::{Row, find};
pub use statement::{Played, Statement, statement};

use crate::engine::{Poison, Projector};

/// Fills `read.payouts`.
pub static PROJECTOR: Projector = Projector {
    name: "payout",
    version: 2,
    poison: Poison::Stop,
    kinds: &["payout"],
    tables: &["payouts"],
    apply: |connection, entries| Box::pin(details::apply(connection, entries)),
    bulk: None,
};
