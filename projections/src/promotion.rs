//! Promo codes, and what is left of each.

mod details;
mod search;

pub use details::{Promotion, find};
pub use search::{Whose, list};

use crate::engine::{Poison, Projector};

/// Fills `read.promotions`.
pub static PROJECTOR: Projector = Projector {
    name: "promotion",
    version: 1,
    poison: Poison::Park,
    kinds: &["promotion"],
    tables: &["promotions"],
    apply: |connection, entries| Box::pin(details::apply(connection, entries)),
    bulk: None,
};
