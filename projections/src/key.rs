//! API keys: what authentication asks on every request.

mod lookup;
mod search;

pub use lookup::{Key, find, find_by_secret, of_principal};
pub use search::{Filter, list};

use crate::engine::{Poison, Projector};

/// Fills `read.keys`. Stops on poison: an event not applied could be a key's revocation.
pub static PROJECTOR: Projector = Projector {
    name: "key",
    version: 2,
    poison: Poison::Stop,
    kinds: &["key"],
    tables: &["keys"],
    apply: |connection, entries| Box::pin(lookup::apply(connection, entries)),
    bulk: None,
};
