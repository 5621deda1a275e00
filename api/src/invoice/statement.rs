//! What an invoice is made of, as JSON, CSV, XLSX and PDF: one reading of the ledger, so one sum.

use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    ids::InvoiceId,
    invoice::{Invoice, Issued},
    money::Money,
    site::Site,
};
use projections::invoice::{Earned, statement};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{READS, page};
use crate::{
    http::{
        admission::Class,
        call::Call,
        document::{Form, attached},
        halt::Halt,
        limits::Purpose,
        operation::{Exemplary, Operation, Shape, Success},
        position::reached,
        reply::Reply,
    },
    problem::Problem,
    shape::{SignedMoney, local_text, utc_text},
};

pub const STATEMENT: Operation = Operation {
    id: "invoice.statement",
    path: "/v1/invoices/{id}/statement",
    class: Class::Analytics,
    summary: "What an invoice is made of",
    about: "Each reservation whose commission was entered since the invoice before. `opening` and every `commission` add up to \
            `amount`, by the ledger. The same as CSV, XLSX and PDF, in the language of `Accept-Language`.",
    authz: READS,
    refusals: &["projection_behind"],
    success: Success { shape: Some(Shape::of::<StatementBody>()), about: "The statement.", ..Operation::READ.success },
    run: |call| Box::pin(json_of(call)),
    ..Operation::READ
};

pub const CSV: Operation = Operation {
    id: "invoice.statement_csv",
    path: "/v1/invoices/{id}/statement.csv",
    class: Class::Export,
    summary: "The statement as CSV",
    success: Success { shape: None, media: Form::Csv.media(), about: "The table.", ..Operation::READ.success },
    limit: Purpose::Export,
    run: |call| Box::pin(file(call, Form::Csv)),
    ..STATEMENT
};

pub const XLSX: Operation = Operation {
    id: "invoice.statement_xlsx",
    path: "/v1/invoices/{id}/statement.xlsx",
    class: Class::Export,
    summary: "The statement as a workbook",
    success: Success { shape: None, media: Form::Xlsx.media(), about: "The workbook.", ..Operation::READ.success },
    limit: Purpose::Export,
    run: |call| Box::pin(file(call, Form::Xlsx)),
    ..STATEMENT
};

pub const PDF: Operation = Operation {
    id: "invoice.statement_pdf",
    path: "/v1/invoices/{id}/statement.pdf",
    class: Class::Export,
    summary: "The invoice to print",
    success: Success { shape: None, media: Form::Pdf.media(), about: "The pages.", ..Operation::READ.success },
    run: |call| Box::pin(file(call, Form::Pdf)),
    ..STATEMENT
};

/// From what no invoice had asked for to what this one asks for.
#[derive(Serialize, ToSchema)]
#[schema(as = InvoiceStatement)]
pub struct StatementBody {
    object: &'static str,
    invoice_id: Uuid,
    site_id: Uuid,
    /// Of the time before, and on no invoice that stood: too little to ask for, or on one that was cancelled.
    opening: SignedMoney,
    data: Vec<RowBody>,
    /// What is asked for.
    amount: SignedMoney,
    /// Up to which event the ledger was read.
    as_of_position: i64,
}

/// Commission on a reservation.
#[derive(Serialize, ToSchema)]
#[schema(as = InvoiceStatementRow)]
pub struct RowBody {
    object: &'static str,
    reservation_id: Uuid,
    code: Option<String>,
    starts_at: Option<String>,
    /// The event that moved it last in the period.
    event: String,
    at: String,
    /// Less than nothing when money of an earlier period went back.
    commission: SignedMoney,
}

impl Exemplary for StatementBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "invoice_statement", "invoice_id": "019ab2c4-5f00-7000-8000-0000000000e1", "opening": money(0),
            "data": [{
                "object": "invoice_statement_row", "reservation_id": "019ab2c4-5f00-7000-8000-000000000003",
                "code": "K7M2QX", "commission": money(4_000),
            }],
            "amount": money(4_000), "as_of_position": 42,
        })
    }
}

/// An invoice with its statement.
pub(super) struct Told {
    pub(super) id: InvoiceId,
    pub(super) invoice: Invoice,
    pub(super) issued: Issued,
    pub(super) site: Loaded<Site>,
    pub(super) opening: Money,
    pub(super) rows: Vec<Earned>,
}

async fn told(call: &Call) -> Result<Told, Problem> {
    let (invoice, site) = call.own_invoice().await?;
    let issued = invoice.state.issued.clone().ok_or_else(|| Problem::new("object.not_found"))?;
    reached(&call.app, issued.up_to_position).await?;
    let after = match issued.follows {
        Some(before) => {
            let before: Loaded<Invoice> = call.app.store.load(before).await?;
            before.state.issued.map_or(0, |issued| issued.up_to_position)
        }
        None => 0,
    };
    let range = (after, issued.up_to_position);
    let read = statement(call.app.store.pool(), site.id, issued.amount.currency, range).await?;
    let opening = read.before.minus(issued.invoiced).map_err(|_| Problem::new("server.error"))?;
    let sum = Money::sum(opening.currency, std::iter::once(opening).chain(read.rows.iter().map(|row| row.commission)));
    if sum != Ok(issued.amount) {
        // Never, while the ledger is the function of the log that it is.
        tracing::error!(invoice = %invoice.id, ?sum, amount = %issued.amount, "a statement differs");
        return Err(Problem::new("server.error"));
    }
    Ok(Told { id: invoice.id, invoice: invoice.state, issued, site, opening, rows: read.rows })
}

async fn json_of(call: Call) -> Result<Reply, Halt> {
    let told = told(&call).await?;
    let zone = told.site.state.identity.as_ref().map_or(chrono_tz::UTC, |identity| identity.time_zone);
    let row = |row: &Earned| RowBody {
        object: "invoice_statement_row",
        reservation_id: row.reservation_id.uuid(),
        code: row.code.clone(),
        starts_at: row.starts_at.map(|at| local_text(at, zone)),
        event: row.event.clone(),
        at: utc_text(row.at),
        commission: row.commission.into(),
    };
    let body = StatementBody {
        object: "invoice_statement",
        invoice_id: told.id.uuid(),
        site_id: told.site.id.uuid(),
        opening: told.opening.into(),
        data: told.rows.iter().map(row).collect(),
        amount: told.issued.amount.into(),
        as_of_position: told.issued.up_to_position,
    };
    Ok(Reply::json(StatusCode::OK, &body)?.position(told.issued.up_to_position))
}

async fn file(call: Call, form: Form) -> Result<Reply, Halt> {
    let told = told(&call).await?;
    Ok(attached(&format!("invoice-{}", told.id), form, &page::table(&told, call.language)?)?)
}
