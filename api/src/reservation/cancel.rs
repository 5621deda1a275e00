//! Call a reservation off. `preview=true` shows the money first and writes nothing.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    reservation::{Cancel, CancelReason, Reservation},
    text::Note,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{BOOKS, ReservationBody, place};
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    shape::{Money, utc_text},
};

pub const CANCEL: Operation = Operation {
    id: "reservation.cancel",
    path: "/v1/reservations/{id}/cancellation",
    class: Class::Cancel,
    summary: "Call a reservation off",
    about: "By the terms it was made on: what goes back and what is kept. With `preview=true` only the money is shown. \
            A manager says why; then everything goes back.",
    authz: BOOKS,
    query: &[Param::new("preview", Kind::Flag, "Only show the money.", "true")],
    body: Some(Shape::of::<CancelReservation>()),
    success: Success {
        shape: Some(Shape::of::<ReservationBody>()),
        preview: Some(Shape::of::<CancellationPreview>()),
        about: "The reservation; for a preview, `object` is `cancellation_preview`.",
        ..Operation::READ.success
    },
    refusals: &["reservation.not_confirmed", "reservation.over", "reservation.reason_required"],
    run: |call| Box::pin(cancel(call)),
    ..Operation::WRITE
};

/// Why. An empty object is a client's wish.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CancelReservation {
    /// `client`, `manager`, `weather` or `power_cut`; your own wish when left out.
    #[schema(value_type = Option<String>)]
    reason: Option<CancelReason>,
    /// Compulsory with `manager`.
    #[schema(value_type = Option<String>, max_length = 500)]
    note: Option<Note>,
}

impl Exemplary for CancelReservation {
    fn example() -> Value {
        json!({ "reason": "weather", "note": "Orage" })
    }
}

/// What calling it off now would mean, in money.
#[derive(Serialize, ToSchema)]
pub struct CancellationPreview {
    object: &'static str,
    reservation_id: Uuid,
    /// Goes back to the client.
    refund: Money,
    /// Stays with the site.
    kept: Money,
    /// Until when the client gets everything back.
    free_until: String,
}

impl Exemplary for CancellationPreview {
    fn example() -> Value {
        json!({
            "object": "cancellation_preview", "reservation_id": "019ab2c4-5f00-7000-8000-000000000003",
            "refund": { "amount": 10500, "currency": "XOF" }, "kept": { "amount": 0, "currency": "XOF" },
            "free_until": "2026-11-28T06:00:00Z",
        })
    }
}

async fn cancel(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        let reservation = call.own_reservation().await?;
        let reservation: Loaded<Reservation> = call.load_at(reservation.id, record.last).await?;
        return shown(&call, &reservation, record.last).await;
    }
    let body: CancelReservation = call.body()?;
    let mut tries = Tries::default();
    loop {
        let reservation = call.own_reservation().await?;
        call.precondition.check(reservation.version)?;
        let site = reservation.state.terms.as_ref().map(|terms| terms.slot.site_id);
        let payments = call.paying(&reservation.state).await?;
        let sources = call.sources(&payments);
        let wish = match call.caller.role() {
            Some(Role::Manager) => CancelReason::Manager,
            _ => CancelReason::Client,
        };
        let cancel = Cancel {
            reservation: &reservation,
            sources: &sources,
            reason: body.reason.unwrap_or(wish),
            note: body.note.clone(),
            by: call.actor(),
            now: call.now(),
        };
        if call.query.flag("preview") {
            let preview = cancel.preview()?;
            let body = CancellationPreview {
                object: "cancellation_preview",
                reservation_id: reservation.id.uuid(),
                refund: preview.refund.into(),
                kept: preview.kept.into(),
                free_until: utc_text(preview.free_until),
            };
            return Ok(Reply::json(StatusCode::OK, &body)?.derived());
        }
        let decision = cancel.decide()?;
        if let Some(written) = call.write(decision.clone(), site).await? {
            return shown(&call, &after(reservation, &decision), written.position).await;
        }
        tries.again()?;
    }
}

/// A reservation as the answer to a change of it.
///
/// # Errors
/// When the log cannot be read.
pub async fn shown(call: &Call, reservation: &Loaded<Reservation>, position: i64) -> Result<Reply, Halt> {
    let mut payments = Vec::new();
    for id in reservation.state.paying() {
        payments.push(call.load_at(id, position).await?);
    }
    let body = ReservationBody::folded(&call.app, reservation, &payments)?;
    Ok(place::reply(&body, StatusCode::OK, Some(position))?.derived())
}
