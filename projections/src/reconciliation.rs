//! Reconciliations, and our side of them: every movement of money by a provider, found by day and by whatever a statement
//! may call it.

mod accounts;
mod details;
mod movements;
mod pairs;
mod rows;
mod search;

pub use accounts::is_known;
pub use details::{Difference, Reconciliation, Statement};
pub use movements::{Sides, sides};
pub use rows::find;
pub use search::{Filter, differences, list};

use domain::event::Event;

use crate::engine::{Poison, Projector};

/// Fills the five tables. Stops on poison: a movement not applied would be a franc that nobody can explain.
pub static PROJECTOR: Projector = Projector {
    name: "reconciliation",
    version: 3,
    poison: Poison::Stop,
    kinds: &["reservation", "payment", "refund", "payout", "reconciliation"],
    tables: &[
        "movements",
        "reconciliations",
        "reconciliation_differences",
        "reconciliation_pairs",
        "reservation_accounts",
    ],
    apply: |connection, entries| {
        Box::pin(async move {
            accounts::apply(connection, entries).await?;
            movements::apply(connection, entries).await?;
            if !entries.iter().any(|entry| matches!(entry.event, Event::Reconciliation(_))) {
                return Ok(());
            }
            rows::apply(connection, entries).await?;
            pairs::apply(connection, entries).await
        })
    },
    bulk: None,
};
