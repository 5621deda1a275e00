//! The ticket of a confirmed reservation: a signed text for a QR, checked offline with the published key.

use adapters::{
    qr,
    signing::{PublicKey, Signer},
    ticket::Ticket,
};
use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    reservation::{Reservation, Status},
};
use eventstore::Keyring;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::READS;
use crate::{
    http::{
        admission::Class,
        call::Call,
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, local_text},
};

/// Pixels per module of the picture: legible on a cheap telephone.
const MODULE: usize = 8;

pub const SHOW: Operation = Operation {
    id: "reservation.ticket",
    path: "/v1/reservations/{id}/ticket",
    class: Class::CheckIn,
    summary: "The ticket",
    about: "Signed with Ed25519 and checked offline with `GET /v1/ticket-keys`; at most 140 bytes before base45. A moved \
            reservation has a new ticket.",
    authz: READS,
    success: Success { shape: Some(Shape::of::<TicketBody>()), about: "The ticket.", ..Operation::READ.success },
    refusals: &["reservation.not_confirmed"],
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

pub const PNG: Operation = Operation {
    id: "reservation.ticket_png",
    path: "/v1/reservations/{id}/ticket.png",
    class: Class::CheckIn,
    summary: "The ticket as a QR picture",
    success: Success { shape: None, media: "image/png", about: "The picture.", ..Operation::READ.success },
    run: |call| Box::pin(picture(call)),
    ..SHOW
};

pub const KEYS: Operation = Operation {
    id: "reservation.ticket_keys",
    path: "/v1/ticket-keys",
    class: Class::CheckIn,
    summary: "Keys that tickets are checked with",
    about: "A JSON Web Key Set (RFC 8037): what a gate without a network needs.",
    authz: Authz::Anyone,
    success: Success { about: "The keys.", ..Operation::READ.success },
    run: |call| Box::pin(async move { Ok(Reply::json(StatusCode::OK, &call.app.ticket_keys.published())?) }),
    ..Operation::READ
};

/// The key that signs tickets of this log.
pub struct TicketKeys {
    signer: Signer,
}

impl TicketKeys {
    /// Derived from the secret outside the database: every process of the log signs alike.
    pub fn of(keyring: &Keyring, log: Uuid) -> Self {
        Self { signer: Signer::from_seed(&keyring.hash("ticket signing key v1", log.as_bytes())) }
    }

    fn public(&self) -> [PublicKey; 1] {
        [self.signer.public().clone()]
    }

    fn published(&self) -> Value {
        json!({ "keys": self.public().map(|key| key.jwk()) })
    }
}

/// The ticket of a reservation as it is now; after a move there is another.
#[derive(Serialize, ToSchema)]
#[schema(as = Ticket)]
pub struct TicketBody {
    object: &'static str,
    reservation_id: Uuid,
    /// The text of the QR.
    payload: String,
    /// The same as a picture.
    png_url: String,
    /// What to say when there is no picture.
    code: String,
    starts_at: String,
    ends_at: String,
    /// Still to pay at the gate.
    balance_due: Money,
    status: &'static str,
}

impl Exemplary for TicketBody {
    fn example() -> Value {
        json!({
            "object": "ticket", "reservation_id": "019ab2c4-5f00-7000-8000-0000000000b1", "payload": "1C0B…",
            "png_url": "https://kalel.example/v1/reservations/019ab2c4-5f00-7000-8000-0000000000b1/ticket.png",
            "code": "K7M2QX", "starts_at": "2026-11-28T18:00:00Z", "ends_at": "2026-11-28T19:00:00Z",
            "balance_due": { "amount": 21000, "currency": "XOF" }, "status": "confirmed",
        })
    }
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let reservation = call.own_reservation().await?;
    let payload = payload(&call, &reservation)?;
    let terms = reservation.state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let zone = terms.slot.time_zone;
    let body = TicketBody {
        object: "ticket",
        reservation_id: reservation.id.uuid(),
        payload,
        png_url: format!("{}/v1/reservations/{}/ticket.png", call.app.settings.public_url, reservation.id),
        code: terms.code.0.clone(),
        starts_at: local_text(terms.slot.during.from(), zone),
        ends_at: local_text(terms.slot.during.to(), zone),
        balance_due: reservation.state.balance_due().into(),
        status: reservation.state.status.as_str(),
    };
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(reservation.version, &[&reply.body]);
    Ok(reply.etag(tag))
}

async fn picture(call: Call) -> Result<Reply, Halt> {
    let reservation = call.own_reservation().await?;
    let png = qr::png(&payload(&call, &reservation)?, MODULE).map_err(|error| {
        tracing::error!(%error, "a ticket could not be drawn");
        Problem::new("server.error")
    })?;
    let tag = etag::of(reservation.version, &[&png]);
    Ok(Reply::bytes(StatusCode::OK, "image/png", png).etag(tag))
}

fn payload(call: &Call, reservation: &Loaded<Reservation>) -> Result<String, Problem> {
    match reservation.state.status {
        Status::Confirmed | Status::CheckedIn | Status::Completed => {}
        status => return Err(Problem::from(domain::reservation::Refusal::NotConfirmed { status })),
    }
    let ticket = expected(reservation).ok_or_else(|| Problem::new("object.not_found"))?;
    ticket.sign(&call.app.ticket_keys.signer).map_err(|_| Problem::new("server.error"))
}

/// The ticket that is good for a reservation as it is now.
fn expected(reservation: &Loaded<Reservation>) -> Option<Ticket> {
    let slot = &reservation.state.terms.as_ref()?.slot;
    Some(Ticket {
        reservation: reservation.id,
        pitch: slot.pitch_id,
        from: slot.during.from(),
        until: slot.during.to(),
        revision: reservation.state.reschedules,
    })
}

/// Reads a ticket that we signed.
///
/// # Errors
/// `ticket.invalid`.
pub fn read(call: &Call, text: &str) -> Result<Ticket, Problem> {
    Ticket::verify(text, &call.app.ticket_keys.public())
        .map_err(|error| Problem::new("ticket.invalid").member("reason", error.to_string()))
}

/// Whether a ticket is the one that is good for this reservation now.
///
/// # Errors
/// `ticket.invalid` for another reservation's, a forged one, or one from before a move.
pub fn shown_for(call: &Call, text: &str, reservation: &Loaded<Reservation>) -> Result<(), Problem> {
    let ticket = read(call, text)?;
    if expected(reservation).is_some_and(|good| good == ticket) {
        Ok(())
    } else {
        Err(Problem::new("ticket.invalid").member("reason", "the reservation was moved, or it is another one"))
    }
}
