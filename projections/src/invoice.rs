//! Invoices: commission that sites are asked for.

mod chain;
mod details;
mod due;
mod statement;

pub use chain::last;
pub use details::{Row, find};
pub use due::due;
pub use statement::{Earned, Statement, statement};

use crate::engine::{Poison, Projector};

/// Fills `read.invoices`.
pub static PROJECTOR: Projector = Projector {
    name: "invoice",
    version: 2,
    poison: Poison::Stop,
    kinds: &["invoice"],
    tables: &["invoices"],
    apply: |connection, entries| Box::pin(details::apply(connection, entries)),
    bulk: None,
};
