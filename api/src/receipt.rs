//! The receipt of a reservation: what was paid for it, numbered by the site, and proven to be in the log. As JSON, and on paper.

mod paper;
mod proven;

use axum::http::{StatusCode, header};
use chrono_tz::Tz;
use domain::{actor::Role, aggregate::Loaded, key::Scope, money::Money as Francs, reservation::Reservation};
use projections::receipt::{self, Receipt};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    audit::CheckpointBody,
    http::{
        call::Call,
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    quote::PriceBody,
    shape::{Money, local_text},
};

use proven::Proven;

pub const OPERATIONS: &[&Operation] = &[&SHOW, &PAPER];

/// Who sees payments, and the reservation.
const READS: Authz = Authz::Keys {
    scope: Scope::PaymentsRead,
    roles: &[
        (Role::Client, Over::Own),
        (Role::Cashier, Over::Sites),
        (Role::Manager, Over::Sites),
        (Role::Service, Over::MadeOrSites),
        (Role::Support, Over::All),
        (Role::Finance, Over::All),
        (Role::Admin, Over::All),
        (Role::Auditor, Over::All),
    ],
};

const SHOW: Operation = Operation {
    id: "reservation.receipt",
    path: "/v1/reservations/{id}/receipt",
    summary: "What was paid for it",
    about: "Each payment that came has a number, 1, 2, 3… of its site without a gap, and the proof that its event is in the \
            log (RFC 6962 §2.1.1, under `checkpoint`). With `Accept: application/pdf` the same on paper, in French or English; \
            `GET …/proof` proves all that happened to the reservation.",
    authz: READS,
    success: Success {
        shape: Some(Shape::of::<ReceiptBody>()),
        about: "The receipt; a PDF for `Accept: application/pdf`.",
        ..Operation::READ.success
    },
    refusals: &["receipt.nothing_received", "audit.not_sealed_yet", "projection_behind"],
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

const PAPER: Operation = Operation {
    id: "reservation.receipt_pdf",
    path: "/v1/reservations/{id}/receipt.pdf",
    summary: "What was paid for it, on paper",
    success: Success { shape: None, media: adapters::document::PDF, about: "The document.", ..Operation::READ.success },
    run: |call| Box::pin(async move { pdf(&call, &told(&call).await?) }),
    ..SHOW
};

/// What was paid for a reservation.
#[derive(Serialize, ToSchema)]
#[schema(as = PaidReceipt)]
pub struct ReceiptBody {
    object: &'static str,
    reservation_id: Uuid,
    code: String,
    site_id: Uuid,
    site: String,
    pitch: String,
    starts_at: String,
    ends_at: String,
    status: &'static str,
    price: PriceBody,
    /// Of the price.
    paid: Money,
    /// What went, or is on its way, back.
    refunded: Money,
    balance_due: Money,
    receipts: Vec<OneBody>,
    checkpoint: CheckpointBody,
    /// Everything that happened to it, as a file that proves itself.
    proof_url: String,
    as_of_position: i64,
}

/// Money that came once.
#[derive(Serialize, ToSchema)]
#[schema(as = PaidReceiptLine)]
struct OneBody {
    /// Of its site.
    number: i64,
    payment_id: Uuid,
    method: String,
    /// The provider's, or ours for cash.
    transaction: String,
    amount: Money,
    /// Paid a second time: it goes back.
    duplicate: bool,
    at: String,
    /// Of its event. The leaf is number `position - 1`, counted from 0.
    position: i64,
    /// Base64.
    leaf_hash: String,
    /// The data of the leaf.
    line: Option<String>,
    /// Base64 each, from the leaf to the root.
    proof: Vec<String>,
}

impl Exemplary for ReceiptBody {
    fn example() -> Value {
        let hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        json!({
            "object": "receipt", "reservation_id": "019ab2c4-5f00-7000-8000-0000000000b1", "code": "K7M2QX",
            "site": "Fara Foot", "pitch": "Nord", "paid": { "amount": 18000, "currency": "XOF" },
            "receipts": [{
                "number": 117, "method": "wave", "transaction": "pt-1h8k3kbv8r4gc", "position": 42, "leaf_hash": hash,
                "amount": { "amount": 18000, "currency": "XOF" }, "duplicate": false, "at": "2026-11-27T18:00:00Z",
                "line": "{\"v\":1,\"position\":42,…}", "proof": [hash],
            }],
            "checkpoint": CheckpointBody::example(), "as_of_position": 57,
        })
    }
}

/// What both forms tell.
struct Told {
    reservation: Loaded<Reservation>,
    site: String,
    pitch: String,
    zone: Tz,
    paid: Francs,
    rows: Vec<(Receipt, Proven)>,
    checkpoint: CheckpointBody,
}

async fn told(call: &Call) -> Result<Told, Halt> {
    let reservation = call.own_reservation().await?;
    let terms = reservation.state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let site = call.remembered_site(terms.slot.site_id).await?;
    let store = &call.app.store;
    let rows = receipt::of_reservation(store.pool(), reservation.id).await.map_err(Problem::from)?;
    let paid = reservation.state.received();
    let Some(last) = rows.last() else {
        // The view may be a moment old.
        let code = if paid.is_zero() { "receipt.nothing_received" } else { "projection_behind" };
        return Err(Problem::new(code).into());
    };
    let sealed = store.sealed(last.position).await.map_err(Problem::from)?;
    let mut proven = Vec::with_capacity(rows.len());
    for row in rows {
        let proof = Proven::of(store, row.position, &sealed).await?;
        proven.push((row, proof));
    }
    Ok(Told {
        site: site.state.identity.as_ref().map(|identity| identity.profile.name.to_string()).unwrap_or_default(),
        pitch: site.state.pitch(terms.slot.pitch_id).map(|pitch| pitch.name.to_string()).unwrap_or_default(),
        zone: terms.slot.time_zone,
        paid,
        rows: proven,
        checkpoint: CheckpointBody::of(&sealed)?,
        reservation,
    })
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let told = told(&call).await?;
    if wants_paper(&call) {
        return pdf(&call, &told);
    }
    let state = &told.reservation.state;
    let terms = state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let (zone, currency) = (told.zone, terms.price.total.currency);
    let body = ReceiptBody {
        object: "receipt",
        reservation_id: told.reservation.id.uuid(),
        code: terms.code.0.clone(),
        site_id: terms.slot.site_id.uuid(),
        site: told.site,
        pitch: told.pitch,
        starts_at: local_text(terms.slot.during.from(), zone),
        ends_at: local_text(terms.slot.during.to(), zone),
        status: state.status.as_str(),
        price: PriceBody::of(&terms.price, zone),
        paid: told.paid.into(),
        refunded: state.refunded().into(),
        balance_due: state.owed().1.into(),
        receipts: told
            .rows
            .into_iter()
            .map(|(row, proven)| OneBody {
                number: row.number,
                payment_id: row.payment_id,
                method: row.method,
                transaction: row.transaction,
                amount: Francs::new(row.amount, currency).into(),
                duplicate: row.duplicate,
                at: local_text(row.at, zone),
                position: row.position,
                leaf_hash: proven.leaf_hash,
                line: proven.line,
                proof: proven.proof,
            })
            .collect(),
        as_of_position: told.checkpoint.size(),
        checkpoint: told.checkpoint,
        proof_url: format!("{}/v1/reservations/{}/proof", call.app.settings.public_url, told.reservation.id),
    };
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(told.reservation.version, &[&reply.body]);
    Ok(reply.etag(tag).header(header::VARY, "Accept"))
}

/// A PDF is asked for by name and JSON is not: whoever takes anything gets JSON.
fn wants_paper(call: &Call) -> bool {
    let names = |media: &str| {
        let mut wishes = call.headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        wishes.any(|wish| wish.split(',').any(|range| range.split(';').next().map(str::trim) == Some(media)))
    };
    names(adapters::document::PDF) && !names("application/json")
}

fn pdf(call: &Call, told: &Told) -> Result<Reply, Halt> {
    let terms = told.reservation.state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let paper = adapters::document::pdf(&paper::table(told, terms, call.language)).map_err(|error| {
        tracing::error!(%error, "a receipt could not be printed");
        Problem::new("server.error")
    })?;
    let tag = etag::of(told.reservation.version, &[&paper]);
    let name = format!("inline; filename=\"{}.pdf\"", terms.code.0);
    let reply = Reply::bytes(StatusCode::OK, adapters::document::PDF, paper).etag(tag);
    Ok(reply.header(header::CONTENT_DISPOSITION, name).header(header::VARY, "Accept, Accept-Language"))
}
