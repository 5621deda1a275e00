//! The drawers of sites: their sessions, and the cash that moved.

mod movements;
mod sessions;

pub use movements::{Movement, movements, takings};
pub use sessions::{Count, Moved, Session, current, list};

use crate::engine::{Poison, Projector};

/// Fills `read.till_sessions`, `read.till_movements` and `read.till_sources`.
pub static PROJECTOR: Projector = Projector {
    name: "till",
    version: 1,
    poison: Poison::Stop,
    kinds: &["till", "payment", "refund"],
    tables: &["till_sessions", "till_movements", "till_sources"],
    apply: |connection, entries| {
        Box::pin(async move {
            movements::apply(connection, entries).await?;
            sessions::apply(connection, entries).await
        })
    },
    bulk: None,
};
