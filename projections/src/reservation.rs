//! Reservations and their money, at one position: payments and refunds move with the same checkpoint, so that what is
//! received, refunded and due never contradict each other.

mod details;
mod rows;
mod search;

pub use details::{Arrival, Cancellation, Details, Status};
pub use rows::{Reservation, find, find_by_code, find_many};
pub use search::{AHEAD, Filter, Sort, Whose, list};

use sqlx::PgConnection;

use crate::{
    engine::{Applying, Bulk, Changes, Entry, Kept, Poison, Projector},
    payment::Payment,
    refund::Refund,
};

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
    bulk: Some(|| Box::<Many>::default()),
};

/// Rows of the three tables, for a shadow.
#[derive(Default)]
struct Many {
    reservations: Kept<details::Doc>,
    payments: Kept<Payment>,
    refunds: Kept<Refund>,
}

impl Bulk for Many {
    fn fold<'a>(&'a mut self, connection: &'a mut PgConnection, entries: &'a [Entry]) -> Applying<'a> {
        Box::pin(async move {
            rows::fold(&mut self.reservations, connection, entries).await?;
            crate::payment::fold(&mut self.payments, connection, entries).await?;
            crate::refund::fold(&mut self.refunds, connection, entries).await
        })
    }

    fn changed(&self) -> usize {
        self.reservations.count() + self.payments.count() + self.refunds.count()
    }

    fn take(&mut self) -> Vec<Box<dyn Changes>> {
        vec![self.reservations.take(), self.payments.take(), self.refunds.take()]
    }
}
