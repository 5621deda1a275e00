//! An invoice as it is shown.

use domain::{
    ids::InvoiceId,
    invoice::{Invoice, Plan},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::operation::Exemplary,
    shape::{Money, SignedMoney, utc_text},
};

/// Commission that a site is asked for.
#[derive(Serialize, ToSchema)]
#[schema(as = Invoice)]
pub struct InvoiceBody {
    object: &'static str,
    /// Null in a preview.
    id: Option<Uuid>,
    site_id: Uuid,
    /// Of this site, from 1 on.
    number: u32,
    /// `issued`, `overdue`, `paid` or `cancelled`; `preview`. More may come.
    pub status: &'static str,
    /// What is asked for.
    amount: Money,
    /// All the commission that was entered before `to`.
    commission: SignedMoney,
    /// Of it, on earlier invoices that were not cancelled.
    invoiced: SignedMoney,
    /// Everything entered in the ledger before this instant counts.
    to: String,
    due_at: String,
    /// Who issued it; null when it was issued by itself.
    issued_by: Option<Uuid>,
    /// The bank's, once it is paid.
    reference: Option<String>,
    /// Why it was cancelled.
    reason: Option<String>,
    created_at: Option<String>,
    overdue_since: Option<String>,
    ended_at: Option<String>,
    version: i32,
}

impl InvoiceBody {
    /// `None` before it was issued.
    pub fn of(id: InvoiceId, invoice: &Invoice, version: i32) -> Option<Self> {
        let issued = invoice.issued.as_ref()?;
        Some(Self {
            id: Some(id.uuid()),
            status: invoice.status.as_str(),
            issued_by: issued.by.id.map(|id| id.uuid()),
            reference: invoice.reference.clone(),
            reason: invoice.why.as_ref().map(ToString::to_string),
            created_at: Some(utc_text(issued.at)),
            overdue_since: invoice.overdue_since.map(utc_text),
            ended_at: invoice.ended_at.map(utc_text),
            version,
            ..Self::sums(issued.site_id.uuid(), &Plan::from(issued))
        })
    }

    /// What would be asked for.
    pub(super) fn sums(site_id: Uuid, plan: &Plan) -> Self {
        Self {
            object: "invoice",
            id: None,
            site_id,
            number: plan.number,
            status: "preview",
            amount: plan.amount.into(),
            commission: plan.commission.into(),
            invoiced: plan.invoiced.into(),
            to: utc_text(plan.to),
            due_at: utc_text(plan.due_at),
            issued_by: None,
            reference: None,
            reason: None,
            created_at: None,
            overdue_since: None,
            ended_at: None,
            version: 0,
        }
    }
}

impl Exemplary for InvoiceBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "invoice", "id": "019ab2c4-5f00-7000-8000-0000000000e1",
            "site_id": "019ab2c4-5f00-7000-8000-000000000001", "number": 3, "status": "issued",
            "amount": money(41_000), "commission": money(118_000), "invoiced": money(77_000),
            "to": "2026-12-01T00:00:00Z", "due_at": "2026-12-16T06:00:00Z", "version": 1,
        })
    }
}
