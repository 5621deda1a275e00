//! Move a reservation: old cells freed and new ones taken in one step.

use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    decision::Read,
    ids::{PitchId, StreamId},
    interval::Interval,
    reservation::{Reschedule, Reservation},
    site::{self, Site},
};
use eventstore::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{BOOKS, ReservationBody, Wish, alternatives::slot_taken, cancel};
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Attempt, Tries, after},
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Instant, Money},
};

pub const RESCHEDULE: Operation = Operation {
    id: "reservation.reschedule",
    path: "/v1/reservations/{id}/reschedule",
    class: Class::Cancel,
    summary: "Move a reservation",
    about: "Within its site, to another time or pitch. The deposit follows; a lower price gives the difference back, a \
            higher one is added to the balance. With `preview=true` only the money is shown.",
    authz: BOOKS,
    query: &[Param::new("preview", Kind::Flag, "Only show the money.", "true")],
    body: Some(Shape::of::<Move>()),
    success: Success {
        shape: Some(Shape::of::<ReservationBody>()),
        preview: Some(Shape::of::<ReschedulePreview>()),
        about: "The reservation; for a preview, `object` is `reschedule_preview`.",
        ..Operation::READ.success
    },
    refusals: &[
        "reservation.slot_taken",
        "reservation.not_confirmed",
        "reservation.too_late_to_reschedule",
        "reservation.reschedules_used",
        "site.not_open",
        "quote.no_tariff",
    ],
    run: |call| Box::pin(reschedule(call)),
    ..Operation::WRITE
};

/// Where to; what is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Move {
    #[schema(value_type = String, format = DateTime)]
    starts_at: Instant,
    minutes: Option<u32>,
    /// Id or slug.
    pitch_id: Option<String>,
}

impl Exemplary for Move {
    fn example() -> Value {
        json!({ "starts_at": "2026-11-29T18:00:00Z" })
    }
}

/// What the move would mean, in money.
#[derive(Serialize, ToSchema)]
pub struct ReschedulePreview {
    object: &'static str,
    reservation_id: Uuid,
    /// The new price.
    total: Money,
    /// Received above the new price: goes back.
    refund: Money,
    /// What the new price adds to what is still to pay.
    difference: Money,
}

impl Exemplary for ReschedulePreview {
    fn example() -> Value {
        json!({
            "object": "reschedule_preview", "reservation_id": "019ab2c4-5f00-7000-8000-000000000003",
            "total": { "amount": 35000, "currency": "XOF" }, "refund": { "amount": 0, "currency": "XOF" },
            "difference": { "amount": 5000, "currency": "XOF" },
        })
    }
}

async fn reschedule(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        let reservation = call.own_reservation().await?;
        let reservation: Loaded<Reservation> = call.load_at(reservation.id, record.last).await?;
        return cancel::shown(&call, &reservation, record.last).await;
    }
    let body: Move = call.body()?;
    let mut tries = Tries::default();
    loop {
        let reservation = call.own_reservation().await?;
        call.precondition.check(reservation.version)?;
        let terms = reservation.state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        // Loaded afresh: a move is rare, and a refusal must be of the site as it is.
        let site: Loaded<Site> = call.app.store.load(terms.slot.site_id).await?;
        let (pitch, during) = target(&body, &site, terms.slot.pitch_id, terms.slot.during)?;
        let (to, price) = site::offer(&site, pitch, during, call.channel(), call.now())?;
        let payments = call.paying(&reservation.state).await?;
        let sources = call.sources(&payments);
        let wish = Reschedule {
            reservation: &reservation,
            to,
            price,
            site: Read { stream: StreamId::from(site.id), version: site.version },
            sources: &sources,
            by: call.actor(),
            now: call.now(),
        };
        if call.query.flag("preview") {
            let preview = wish.preview()?;
            let body = ReschedulePreview {
                object: "reschedule_preview",
                reservation_id: reservation.id.uuid(),
                total: preview.total.into(),
                refund: preview.refund.into(),
                difference: preview.difference.into(),
            };
            return Ok(Reply::json(StatusCode::OK, &body)?.derived());
        }
        let decision = wish.decide()?;
        match call.append(decision.clone(), Some(site.id)).await? {
            Attempt::Written(written) => {
                return cancel::shown(&call, &after(reservation.clone(), &decision), written.position).await;
            }
            Attempt::Moved => tries.again()?,
            Attempt::Guarded(Refusal::SlotTaken { .. }) => {
                return Err(Halt::refused(slot_taken(&call, &site, pitch, during).await));
            }
            Attempt::Guarded(refusal) => return Err(Halt::refused(refusal)),
        }
    }
}

fn target(body: &Move, site: &Loaded<Site>, pitch: PitchId, now: Interval) -> Result<(PitchId, Interval), Problem> {
    let minutes = body.minutes.or(u32::try_from(now.minutes()).ok()).unwrap_or_default();
    let during = Interval::lasting(body.starts_at.0, minutes)
        .map_err(|error| Problem::new("request.invalid_field").at("/minutes", error.to_string()))?;
    let Some(name) = &body.pitch_id else { return Ok((pitch, during)) };
    let wish = Wish { pitch: Some(name), format: None, during };
    let named = wish.pitches(&site.state)?.first().copied();
    Ok((named.unwrap_or(pitch), during))
}
