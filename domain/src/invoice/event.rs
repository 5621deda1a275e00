//! What can happen to an invoice.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    event::events,
    ids::{InvoiceId, SiteId},
    money::Money,
    text::{Note, Text},
};

events! { "invoice" {
    Issued = "invoice.issued" v 1,
    BecameOverdue = "invoice.became_overdue" v 1,
    Paid = "invoice.paid" v 1,
    Cancelled = "invoice.cancelled" v 1,
} }

/// Commission is asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Issued {
    pub invoice_id: InvoiceId,
    pub site_id: SiteId,
    /// The invoice of this site before it, whatever became of that; `None` for the first.
    pub follows: Option<InvoiceId>,
    /// Of this site, from 1 on.
    pub number: u32,
    /// Everything that was entered before this instant counts.
    pub to: Timestamp,
    /// The last position before it.
    pub up_to_position: i64,
    /// All the commission that reservations of this site have owed up to there.
    pub commission: Money,
    /// Of it, on earlier invoices that were not cancelled.
    pub invoiced: Money,
    /// What is asked for: the rest.
    pub amount: Money,
    pub due_at: Timestamp,
    pub by: Actor,
    pub at: Timestamp,
}

/// It was not paid in time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BecameOverdue {
    pub invoice_id: InvoiceId,
    pub site_id: SiteId,
    pub at: Timestamp,
}

/// The money is on the platform's account at a bank: a person saw it there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Paid {
    pub invoice_id: InvoiceId,
    pub site_id: SiteId,
    pub amount: Money,
    /// The bank's.
    pub reference: Text<60>,
    pub by: Actor,
    pub at: Timestamp,
}

/// It was wrong. What it asked for is on the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cancelled {
    pub invoice_id: InvoiceId,
    pub site_id: SiteId,
    pub reason: Note,
    pub by: Actor,
    pub at: Timestamp,
}
