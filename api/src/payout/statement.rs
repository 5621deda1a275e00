//! What a payout is made of, as JSON, CSV, XLSX and PDF: one reading of the ledger, so one sum.

use axum::http::StatusCode;
use domain::{aggregate::Loaded, payout::Payout, site::Site};
use projections::payout::{Played, Statement, statement};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{READS, page, prepared};
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
    shape::{Money, SignedMoney, local_text, utc_text},
};

pub const STATEMENT: Operation = Operation {
    id: "payout.statement",
    path: "/v1/payouts/{id}/statement",
    class: Class::Analytics,
    summary: "What a payout is made of",
    about: "Each reservation whose money became the site's in the period: received, kept, commission, net. `opening` and \
            every `net` add up to `payable`, which is what the ledger said; less `taken_back`, `at_site` and `held` it is `amount`. The \
            same as CSV, XLSX and PDF, in the language of `Accept-Language`.",
    authz: READS,
    refusals: &["projection_behind"],
    success: Success { shape: Some(Shape::of::<StatementBody>()), about: "The statement.", ..Operation::READ.success },
    run: |call| Box::pin(json_of(call)),
    ..Operation::READ
};

pub const CSV: Operation = Operation {
    id: "payout.statement_csv",
    path: "/v1/payouts/{id}/statement.csv",
    class: Class::Export,
    summary: "The statement as CSV",
    success: Success { shape: None, media: Form::Csv.media(), about: "The table.", ..Operation::READ.success },
    limit: Purpose::Export,
    run: |call| Box::pin(file(call, Form::Csv)),
    ..STATEMENT
};

pub const XLSX: Operation = Operation {
    id: "payout.statement_xlsx",
    path: "/v1/payouts/{id}/statement.xlsx",
    class: Class::Export,
    summary: "The statement as a workbook",
    success: Success { shape: None, media: Form::Xlsx.media(), about: "The workbook.", ..Operation::READ.success },
    limit: Purpose::Export,
    run: |call| Box::pin(file(call, Form::Xlsx)),
    ..STATEMENT
};

pub const PDF: Operation = Operation {
    id: "payout.statement_pdf",
    path: "/v1/payouts/{id}/statement.pdf",
    class: Class::Export,
    summary: "The statement to print",
    success: Success { shape: None, media: Form::Pdf.media(), about: "The pages.", ..Operation::READ.success },
    run: |call| Box::pin(file(call, Form::Pdf)),
    ..STATEMENT
};

/// From what was owed before to what is paid.
#[derive(Serialize, ToSchema)]
#[schema(as = PayoutStatement)]
pub struct StatementBody {
    object: &'static str,
    payout_id: Uuid,
    site_id: Uuid,
    /// Owed before the period: carried over.
    opening: SignedMoney,
    data: Vec<RowBody>,
    /// Owed at the end of it.
    payable: SignedMoney,
    taken_back: Money,
    at_site: Money,
    held: Money,
    amount: Money,
    /// Up to which event the ledger was read.
    as_of_position: i64,
}

/// A reservation, or a movement that is of none.
#[derive(Serialize, ToSchema)]
#[schema(as = PayoutStatementRow)]
pub struct RowBody {
    object: &'static str,
    /// Null for a payout before this one that came to nothing, and the like.
    reservation_id: Option<Uuid>,
    code: Option<String>,
    starts_at: Option<String>,
    /// The event that moved its money last in the period.
    event: String,
    at: String,
    /// For it, less what was paid back, in all.
    received: SignedMoney,
    /// In the period; less than nothing when more went back.
    kept: SignedMoney,
    commission: SignedMoney,
    net: SignedMoney,
}

impl Exemplary for StatementBody {
    fn example() -> Value {
        let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
        json!({
            "object": "payout_statement", "payout_id": "019ab2c4-5f00-7000-8000-0000000000f1", "opening": money(0),
            "data": [{
                "object": "payout_statement_row", "reservation_id": "019ab2c4-5f00-7000-8000-000000000003",
                "code": "K7M2QX", "received": money(40_000), "kept": money(40_000), "commission": money(4_000),
                "net": money(36_000),
            }],
            "payable": money(36_000), "taken_back": money(0), "at_site": money(0), "held": money(0), "amount": money(36_000),
            "as_of_position": 42,
        })
    }
}

/// A payout with its statement.
pub(super) struct Told {
    pub(super) payout: Loaded<Payout>,
    pub(super) site: Loaded<Site>,
    pub(super) statement: Statement,
}

async fn told(call: &Call) -> Result<Told, Problem> {
    let (payout, site) = call.own_payout().await?;
    let was = prepared(&payout)?;
    reached(&call.app, was.up_to_position).await?;
    let range = (was.after_position, was.up_to_position);
    let read = statement(call.app.store.pool(), site.id, was.amount.currency, range).await?;
    if read.closing != was.payable {
        // Never, while the ledger is the function of the log that it is.
        tracing::error!(payout = %payout.id, closing = %read.closing, payable = %was.payable, "a statement differs");
        return Err(Problem::new("payout.lines_changed"));
    }
    Ok(Told { payout, site, statement: read })
}

async fn json_of(call: Call) -> Result<Reply, Halt> {
    let told = told(&call).await?;
    let was = prepared(&told.payout)?;
    let zone = told.site.state.identity.as_ref().map_or(chrono_tz::UTC, |identity| identity.time_zone);
    let row = |row: &Played| RowBody {
        object: "payout_statement_row",
        reservation_id: row.reservation_id.map(|id| id.uuid()),
        code: row.code.clone(),
        starts_at: row.starts_at.map(|at| local_text(at, zone)),
        event: row.event.clone(),
        at: utc_text(row.at),
        received: row.received.into(),
        kept: row.kept.into(),
        commission: row.commission.into(),
        net: row.net.into(),
    };
    let body = StatementBody {
        object: "payout_statement",
        payout_id: told.payout.id.uuid(),
        site_id: told.site.id.uuid(),
        opening: told.statement.opening.into(),
        data: told.statement.rows.iter().map(row).collect(),
        payable: told.statement.closing.into(),
        taken_back: was.taken_back.into(),
        at_site: was.at_site.into(),
        held: was.held.into(),
        amount: was.amount.into(),
        as_of_position: was.up_to_position,
    };
    Ok(Reply::json(StatusCode::OK, &body)?.position(was.up_to_position))
}

async fn file(call: Call, form: Form) -> Result<Reply, Halt> {
    let told = told(&call).await?;
    Ok(attached(&format!("payout-{}", told.payout.id), form, &page::table(&told, call.language)?)?)
}
