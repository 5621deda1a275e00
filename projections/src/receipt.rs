//! Receipts: money that came for a reservation, numbered.

mod rows;

pub use rows::{Receipt, of_reservation};

use crate::engine::{Poison, Projector};

/// Fills `read.receipts` and `read.receipt_sites`. A number is a function of the log alone: the how-manieth money it was that
/// came at its site. So it never changes, and there is no gap; a newer version of this projector must number alike.
pub static PROJECTOR: Projector = Projector {
    name: "receipt",
    version: 1,
    poison: Poison::Stop,
    kinds: &["payment"],
    tables: &["receipts", "receipt_sites"],
    apply: |connection, entries| Box::pin(rows::apply(connection, entries)),
    bulk: None,
};
