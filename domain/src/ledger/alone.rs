//! Money that moves for no reservation: what such an event does to the ledger is a function of the event alone.

use super::{
    Account, Entry, LedgerError,
    entry::{credit, debit},
};
use crate::{client, event::Event};

/// The entry of an event that [`concern`](super::concern) says stands alone; nothing for any other.
///
/// # Errors
/// [`LedgerError`] for an event whose sums contradict each other.
pub fn alone(event: &Event) -> Result<Entry, LedgerError> {
    match event {
        Event::Client(client::Event::CreditForfeited(forfeited)) => Entry::new([
            debit(Account::ClientCredit(forfeited.client_id), forfeited.amount),
            credit(Account::Forfeited, forfeited.amount),
        ]),
        Event::Reconciliation(event) => super::reconciled::entry(event),
        _ => Ok(Entry::nothing()),
    }
}
