//! The schedule: what stands on each cell, and when. Advice for whoever looks; the lane decides.

mod claims;
mod days;
mod standing;

pub use days::version;
pub use standing::{Standing, hits, of_cells, of_site, of_sites};

use sqlx::PgConnection;

use crate::engine::{Applying, Bulk, Changes, Entry, Kept, Poison, Projector};

/// Fills `read.schedule` and `read.schedule_days`.
pub static PROJECTOR: Projector = Projector {
    name: "schedule",
    version: 1,
    poison: Poison::Stop,
    kinds: &["site", "reservation", "payment"],
    tables: &["schedule", "schedule_days"],
    apply: |connection, entries| Box::pin(claims::apply(connection, entries)),
    bulk: Some(|| Box::<Many>::default()),
};

/// Rows of both tables, for a shadow.
#[derive(Default)]
struct Many {
    held: Kept<claims::Held>,
    touched: days::Touched,
}

impl Bulk for Many {
    fn fold<'a>(&'a mut self, connection: &'a mut PgConnection, entries: &'a [Entry]) -> Applying<'a> {
        Box::pin(claims::fold(&mut self.held, &mut self.touched, connection, entries))
    }

    fn changed(&self) -> usize {
        self.held.count()
    }

    fn take(&mut self) -> Vec<Box<dyn Changes>> {
        vec![self.held.take(), Box::new(std::mem::take(&mut self.touched))]
    }
}
