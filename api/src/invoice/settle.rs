//! An invoice ends: its money came, or it was wrong.

use axum::http::StatusCode;
use domain::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    ids::InvoiceId,
    invoice::{Invoice, Refusal, cancel, pay},
    text::{Note, Text},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{InvoiceBody, SETTLES};
use crate::{
    http::{
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

const INVOICE: Success =
    Success { shape: Some(Shape::of::<InvoiceBody>()), about: "The invoice.", ..Operation::READ.success };

pub const RECORD_PAYMENT: Operation = Operation {
    id: "invoice.record_payment",
    path: "/v1/invoices/{id}/payment",
    summary: "Record that an invoice was paid",
    about: "Somebody of finance saw the whole amount on the platform's account at a bank.",
    authz: SETTLES,
    step_up: true,
    body: Some(Shape::of::<Received>()),
    success: INVOICE,
    refusals: &["invoice.wrong_status"],
    run: |call| Box::pin(record_payment(call)),
    ..Operation::WRITE
};

pub const CANCEL: Operation = Operation {
    id: "invoice.cancel",
    path: "/v1/invoices/{id}/cancellation",
    summary: "Cancel an invoice",
    about: "What it asked for is on the next one, as far as it is due.",
    authz: SETTLES,
    step_up: true,
    body: Some(Shape::of::<Cancellation>()),
    success: INVOICE,
    refusals: &["invoice.wrong_status"],
    run: |call| Box::pin(call_off(call)),
    ..Operation::WRITE
};

/// The money that came.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Received {
    /// The bank's.
    #[schema(value_type = String, max_length = 60)]
    reference: Text<60>,
}

impl Exemplary for Received {
    fn example() -> Value {
        json!({ "reference": "VIR-2026-1212-3" })
    }
}

/// Why it was wrong.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InvoiceCancellation)]
pub struct Cancellation {
    #[schema(value_type = String, max_length = 500)]
    reason: Note,
}

impl Exemplary for Cancellation {
    fn example() -> Value {
        json!({ "reason": "Contrat mal saisi" })
    }
}

async fn record_payment(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        return resumed(&call, record.last).await;
    }
    let body: Received = call.body()?;
    let actor = call.actor();
    decided(&call, |invoice, now| pay(invoice, body.reference.clone(), actor, now)).await
}

async fn call_off(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        return resumed(&call, record.last).await;
    }
    let body: Cancellation = call.body()?;
    let actor = call.actor();
    decided(&call, |invoice, now| cancel(invoice, body.reason.clone(), actor, now)).await
}

async fn decided(
    call: &Call,
    decide: impl Fn(&Loaded<Invoice>, Timestamp) -> Result<Decision, Refusal> + Send,
) -> Result<Reply, Halt> {
    let mut tries = Tries::default();
    loop {
        let (invoice, site) = call.own_invoice().await?;
        call.precondition.check(invoice.version)?;
        let decision = decide(&invoice, call.now())?;
        if let Some(written) = call.write(decision.clone(), Some(site.id)).await? {
            return answer(&after(invoice, &decision), written.position);
        }
        tries.again()?;
    }
}

/// The answer to a request that was carried out before.
async fn resumed(call: &Call, position: i64) -> Result<Reply, Halt> {
    let invoice: Loaded<Invoice> = call.load_at(InvoiceId::new(call.uuid("id")?), position).await?;
    answer(&invoice, position)
}

fn answer(invoice: &Loaded<Invoice>, position: i64) -> Result<Reply, Halt> {
    let body =
        InvoiceBody::of(invoice.id, &invoice.state, invoice.version).ok_or_else(|| Problem::new("object.not_found"))?;
    Ok(Reply::json(StatusCode::OK, &body)?.position(position).derived())
}
