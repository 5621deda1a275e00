//! Money that moves for no reservation: what such an event does to the ledger is a function of the event alone.

use super::{
    Account, Entry, LedgerError,
    entry::{credit, debit},
};
use crate::{
    client::{self, Verdict},
    event::Event,
    ids::ClientId,
    money::Money,
};

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
        Event::Client(client::Event::Fined(fined)) => owed(fined.client_id, fined.amount),
        Event::Client(client::Event::FineDecided(decided)) => match decided.verdict {
            Verdict::Uphold => Ok(Entry::nothing()),
            Verdict::Waive => owed(decided.client_id, minus(decided.amount)),
        },
        // The money itself came by the payment.
        Event::Client(client::Event::FineSettled(settled)) => owed(settled.client_id, minus(settled.amount)),
        _ => Ok(Entry::nothing()),
    }
}

/// So much more is owed, or less.
fn owed(client_id: ClientId, amount: Money) -> Result<Entry, LedgerError> {
    Entry::new([debit(Account::ClientDebt(client_id), amount), credit(Account::FinesUnpaid, amount)])
}

const fn minus(amount: Money) -> Money {
    Money::new(-amount.amount, amount.currency)
}
