//! What a site that collects by itself owes the platform: the commission on what it has earned, month by month.
//!
//! ```text
//! issued → overdue → paid | cancelled;   issued → paid | cancelled
//! ```
//!
//! Nothing is asked for twice: an invoice is for all the commission that was entered up to a position, less what was asked for
//! by the invoices before it that were not cancelled, paid or not. They are a chain as payouts are.

mod event;
mod issue;
mod reactions;
mod refusal;
mod settle;
mod state;
#[cfg(test)]
mod tests;

pub use event::*;
pub use issue::{DAYS_TO_PAY, Due, MINIMUM, Plan, Previous, issue, plan};
pub use reactions::react;
pub use refusal::Refusal;
pub use settle::{become_overdue, cancel, pay};
pub use state::{Invoice, Status};

use crate::guard::Op;

/// Scope of the unique claim on coming after an invoice, or on being the first of a site.
pub const FOLLOWS: &str = "invoice.follows";

/// Each invoice has one that follows it, and a site one that is its first: for ever.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Issued(issued) => {
            let before = issued.follows.map_or(issued.site_id.uuid(), |before| before.uuid());
            vec![Op::Unique { scope: FOLLOWS, key: before.to_string(), holder: issued.invoice_id.uuid() }]
        }
        Event::Paid(_) | Event::BecameOverdue(_) | Event::Cancelled(_) => Vec::new(),
    }
}
