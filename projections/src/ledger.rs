//! The ledger: where every franc is, and was at any position. Entries are made by the domain's own function of the events.

mod books;
mod lines;
mod payable;
mod search;
mod statement;

pub use lines::Line;
pub use payable::payable;
pub use search::{Balance, Filter, list, trial_balance};
pub use statement::{Asked, Stated, Statement, statement};

use sqlx::PgConnection;

use crate::engine::{Applying, Bulk, Changes, Entry, Kept, Poison, Projector};

/// Fills `read.ledger_entries`, and the books that entries are made from.
pub static PROJECTOR: Projector = Projector {
    name: "ledger",
    version: domain::ledger::VERSION,
    poison: Poison::Stop,
    kinds: &["reservation", "payment", "refund", "client", "reconciliation", "payout", "invoice", "till"],
    tables: &["ledger_books", "ledger_refunds", "ledger_entries"],
    apply: |connection, entries| {
        Box::pin(async move {
            let mut many = Many::default();
            books::fold(&mut many, connection, entries).await?;
            books::save(&many, connection).await?;
            many.lines.insert(connection).await
        })
    },
    bulk: Some(|| Box::<Many>::default()),
};

/// Rows of the three tables.
#[derive(Default)]
struct Many {
    books: Kept<books::Stored>,
    refunds: Kept<books::Link>,
    lines: lines::Lines,
}

impl Bulk for Many {
    fn fold<'a>(&'a mut self, connection: &'a mut PgConnection, entries: &'a [Entry]) -> Applying<'a> {
        Box::pin(books::fold(self, connection, entries))
    }

    fn changed(&self) -> usize {
        self.books.count() + self.refunds.count() + self.lines.count()
    }

    fn take(&mut self) -> Vec<Box<dyn Changes>> {
        vec![self.books.take(), self.refunds.take(), Box::new(std::mem::take(&mut self.lines))]
    }
}
