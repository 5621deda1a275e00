//! Reservations and their money, at one position: payments and refunds move with the same checkpoint, so that what is
//! received, refunded and due never contradict each other.

mod details;
mod rows;
mod search;

pub use details::{Arrival, Cancellation, Details, Status};
pub use rows::{Reservation, find, find_by_code, find_many};
pub use search::{AHEAD, Filter, Sort, Whose, list};

use crate::engine::{Poison, Projector};

/// Fills `read.reservations`, `read.payments` and `read.refunds`.
pub static PROJECTOR: Projector = Projector {
    name: "reservation",
    version: 2,
    poison: Poison::Stop,
    kinds: &["reservation", "payment", "refund"],
    tables: &["reservations", "payments", "refunds"],
    apply: |connection, entries| {
        Box::pin(async move {
            rows::apply(connection, entries).await?;
            crate::payment::apply(connection, entries).await?;
            crate::refund::apply(connection, entries).await
        })
    },
};
