//! How an invoice ends: paid, or cancelled; and what happens when it does not.

use super::{BecameOverdue, Cancelled, Invoice, Issued, Paid, Refusal, Status, issue::finance};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    text::{Note, Text},
};

/// Somebody of finance has seen the money on the platform's account, in time or late.
///
/// # Errors
/// [`Refusal`] for who may not, and an invoice that does not wait for money.
pub fn pay(invoice: &Loaded<Invoice>, reference: Text<60>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let issued = issued(invoice)?;
    finance(by)?;
    match invoice.state.status {
        status if status.is_open() => {
            let (invoice_id, site_id, amount) = (invoice.id, issued.site_id, issued.amount);
            Ok(Decision::default().then(invoice, Paid { invoice_id, site_id, amount, reference, by, at: now }))
        }
        Status::Paid if invoice.state.reference.as_deref() == Some(reference.as_str()) => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

/// The day on which it had to be paid is over. Before that, or when it ended, nothing happens.
///
/// # Errors
/// [`Refusal::NotFound`] when it was never issued.
pub fn become_overdue(invoice: &Loaded<Invoice>, now: Timestamp) -> Result<Decision, Refusal> {
    let issued = issued(invoice)?;
    if invoice.state.status != Status::Issued || now < issued.due_at {
        return Ok(Decision::nothing());
    }
    let overdue = BecameOverdue { invoice_id: invoice.id, site_id: issued.site_id, at: now };
    Ok(Decision::default().then(invoice, overdue))
}

/// It was wrong. What it asked for is on the next one, as far as it is due.
///
/// # Errors
/// [`Refusal`] for who may not, and an invoice that does not wait for money.
pub fn cancel(invoice: &Loaded<Invoice>, reason: Note, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let issued = issued(invoice)?;
    finance(by)?;
    match invoice.state.status {
        status if status.is_open() => {
            let (invoice_id, site_id) = (invoice.id, issued.site_id);
            Ok(Decision::default().then(invoice, Cancelled { invoice_id, site_id, reason, by, at: now }))
        }
        Status::Cancelled => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

fn issued(invoice: &Loaded<Invoice>) -> Result<&Issued, Refusal> {
    invoice.state.issued.as_ref().ok_or(Refusal::NotFound)
}
