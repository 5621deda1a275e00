//! The schedule: what stands on each cell, and when. Advice for whoever looks; the lane decides.

mod claims;
mod days;

pub use claims::{Standing, hits, of_cells, of_site};
pub use days::version;

use crate::engine::{Poison, Projector};

/// Fills `read.schedule` and `read.schedule_days`.
pub static PROJECTOR: Projector = Projector {
    name: "schedule",
    version: 1,
    poison: Poison::Stop,
    kinds: &["site", "reservation", "payment"],
    tables: &["schedule", "schedule_days"],
    apply: |connection, entries| Box::pin(claims::apply(connection, entries)),
};
