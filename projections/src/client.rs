//! Clients: who they are, as ciphertext.

mod details;

pub use details::{Client, Fine, find_by_phone, find_many};

use crate::engine::{Poison, Projector};

/// Fills `read.clients`.
pub static PROJECTOR: Projector = Projector {
    name: "client",
    version: 1,
    poison: Poison::Park,
    kinds: &["client"],
    tables: &["clients"],
    apply: |connection, entries| Box::pin(details::apply(connection, entries)),
    bulk: None,
};
