//! What we owe the world after something happened to an invoice.

use super::Event;
use crate::reaction::{Notice, Reaction, Whom};

/// Reactions to one event. Pure.
pub fn react(event: &Event) -> Vec<Reaction> {
    let tell = |whom, notice| Reaction::Tell { whom, notice };
    match event {
        Event::Issued(issued) => {
            let invoice_id = issued.invoice_id;
            vec![
                Reaction::InvoiceDue { invoice_id, at: issued.due_at },
                tell(Whom::ManagerOf(issued.site_id), Notice::Invoiced { invoice_id }),
            ]
        }
        Event::BecameOverdue(overdue) => {
            let notice = Notice::InvoiceOverdue { invoice_id: overdue.invoice_id };
            vec![tell(Whom::ManagerOf(overdue.site_id), notice), tell(Whom::Finance, notice)]
        }
        Event::Paid(_) | Event::Cancelled(_) => Vec::new(),
    }
}
