//! Money that moves for no reservation: what such an event does to the ledger is a function of the event alone.

use super::{
    Account, Entry, LedgerError,
    entry::{credit, debit},
};
use crate::{
    client::{self, Verdict},
    contract::Flow,
    event::Event,
    ids::ClientId,
    invoice,
    money::Money,
    payment::Method,
    payout, till,
};

/// The entry of an event that [`concern`](super::concern) says stands alone; nothing for any other.
///
/// Where the site collects, what is in its till is the site's own: neither a difference nor a way to the bank is ours to enter.
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
        Event::Payout(event) => of_payout(event),
        Event::Invoice(invoice::Event::Paid(paid)) => {
            Entry::new([debit(Account::Bank, paid.amount), credit(Account::CommissionDue(paid.site_id), paid.amount)])
        }
        Event::Till(till::Event::Closed(closed)) if closed.flow == Flow::PlatformCollects => Entry::new([
            debit(Account::Cash(closed.site_id), closed.variance),
            credit(Account::Variance(closed.site_id), closed.variance),
        ]),
        Event::Till(till::Event::CashMoved(moved)) if moved.flow == Flow::PlatformCollects => Entry::new([
            debit(Account::Transfer(moved.site_id), moved.amount),
            credit(Account::Cash(moved.site_id), moved.amount),
        ]),
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

/// Approved, it is on its way; then it is gone from where it left, or the site's again.
fn of_payout(event: &payout::Event) -> Result<Entry, LedgerError> {
    match event {
        payout::Event::Approved(approved) => Entry::new([
            debit(Account::SitePayable(approved.site_id), approved.amount),
            credit(Account::PayoutsPayable, approved.amount),
        ]),
        payout::Event::Succeeded(succeeded) => {
            let purse = purse(succeeded.method)?;
            let fee = succeeded.fee.unwrap_or(Money::zero(succeeded.amount.currency));
            Entry::new([
                debit(Account::PayoutsPayable, succeeded.amount),
                debit(Account::ProviderFees, fee),
                credit(purse, succeeded.amount.plus(fee)?),
            ])
        }
        payout::Event::PaidByHand(paid) => {
            Entry::new([debit(Account::PayoutsPayable, paid.amount), credit(Account::Bank, paid.amount)])
        }
        payout::Event::Failed(failed) => Entry::new([
            debit(Account::PayoutsPayable, failed.amount),
            credit(Account::SitePayable(failed.site_id), failed.amount),
        ]),
        // The fee stays with the provider until its statement says otherwise.
        payout::Event::Reversed(reversed) => Entry::new([
            debit(purse(reversed.method)?, reversed.amount),
            credit(Account::SitePayable(reversed.site_id), reversed.amount),
        ]),
        _ => Ok(Entry::nothing()),
    }
}

fn purse(method: Method) -> Result<Account, LedgerError> {
    Account::of_platform(method).ok_or(LedgerError::NoMoney)
}
