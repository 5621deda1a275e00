//! Close ground for a time. `preview=true` first lists whose games it hits; the closure then cancels them, money back.

use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    decision::Decision,
    ids::{CellId, ClosureId, PaymentId, RefundId, ReservationId},
    interval::Interval,
    payment::Payment,
    reservation::{Cancel, CancelReason, Reservation, Source},
    site::{self, ClosureReason, Hit, PlannedClosure, Site},
    text::Note,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::CONFIGURES;
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Attempt, Tries},
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::{Money, Span, local_text},
};

pub const CLOSE: Operation = Operation {
    id: "site.close",
    path: "/v1/sites/{id}/closures",
    class: Class::Cancel,
    summary: "Close ground for a time",
    about: "Maintenance, weather, a power cut. With `preview=true` nothing is written: the answer lists the reservations \
            it would hit. Without, those are cancelled with everything back, and the cells are taken, in one step.",
    authz: CONFIGURES,
    query: &[Param::new("preview", Kind::Flag, "Only list what it would hit.", "true")],
    body: Some(Shape::of::<Close>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<Closure>()),
        about: "The closure; 200 for a preview.",
        ..Operation::READ.success
    },
    refusals: &["reservation.slot_taken"],
    run: |call| Box::pin(close(call)),
    ..Operation::WRITE
};

/// Ground to be closed, when and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Close {
    /// Ids or slugs of cells; all of the site's when left out.
    cells: Option<Vec<String>>,
    during: Span,
    #[schema(value_type = String, example = "maintenance")]
    reason: ClosureReason,
    #[schema(value_type = Option<String>, max_length = 500)]
    note: Option<Note>,
}

impl Exemplary for Close {
    fn example() -> Value {
        json!({
            "during": { "from": "2026-11-28T08:00:00Z", "to": "2026-11-28T12:00:00Z" }, "reason": "maintenance",
            "note": "Nouveau gazon",
        })
    }
}

/// A closure, or what it would hit.
#[derive(Serialize, ToSchema)]
#[schema(as = ClosureWithHits)]
pub struct Closure {
    object: &'static str,
    /// Null in a preview.
    id: Option<Uuid>,
    site_id: Uuid,
    cells: Vec<Uuid>,
    from: String,
    to: String,
    #[schema(value_type = String)]
    reason: ClosureReason,
    preview: bool,
    /// Reservations that it cancels.
    hits: Vec<HitBody>,
}

#[derive(Serialize, ToSchema)]
struct HitBody {
    reservation_id: Uuid,
    starts_at: String,
    ends_at: String,
    /// What goes back to the client.
    refund: Money,
}

impl Exemplary for Closure {
    fn example() -> Value {
        json!({
            "object": "closure", "id": "019ab2c4-5f00-7000-8000-0000000000c1",
            "site_id": "019ab2c4-5f00-7000-8000-000000000001", "cells": ["019ab2c4-5f00-7000-8000-000000000003"],
            "from": "2026-11-28T08:00:00Z", "to": "2026-11-28T12:00:00Z", "reason": "maintenance", "preview": false,
            "hits": [],
        })
    }
}

async fn close(call: Call) -> Result<Reply, Halt> {
    let body: Close = call.body()?;
    let preview = call.query.flag("preview");
    if let Some(record) = &call.resumed {
        // The closure cannot be told from its stream's ids alone: it is the last event of the site at that position.
        let site = call.own_site().await?;
        let site: Loaded<Site> = call.load_at(site.id, record.last).await?;
        let newest = site.state.closures.iter().max_by_key(|(_, closure)| closure.version);
        let (id, closure) = newest.ok_or_else(|| Problem::new("object.not_found"))?;
        let planned = PlannedClosure {
            closure_id: *id,
            cells: closure.cells.clone(),
            during: closure.during,
            reason: closure.reason,
            note: closure.note.clone(),
        };
        return Ok(shown(&site, &planned, Some(*id), Vec::new(), StatusCode::CREATED)?.position(record.last));
    }
    let during = body
        .during
        .interval()
        .map_err(|error| Problem::new("request.invalid_field").at("/during", error.to_string()))?;
    let closure_id = ClosureId::new(call.new_id());
    let mut tries = Tries::default();
    loop {
        let site = call.own_site().await?;
        call.precondition.check(site.version)?;
        let cells = cells(&site, body.cells.as_deref())?;
        let planned =
            PlannedClosure { closure_id, cells: cells.clone(), during, reason: body.reason, note: body.note.clone() };
        let (hits, bodies) = hits(&call, &site, &cells, during, &body).await?;
        let decision = site::schedule_closure(&site, planned.clone(), hits, call.now())?;
        if preview {
            return shown(&site, &planned, None, bodies, StatusCode::OK);
        }
        match call.append(decision, Some(site.id)).await? {
            Attempt::Written(written) => {
                let reply = shown(&site, &planned, Some(closure_id), bodies, StatusCode::CREATED)?;
                return Ok(reply.position(written.position));
            }
            // Somebody booked or cancelled in between: list again.
            Attempt::Moved | Attempt::Guarded(_) => tries.again()?,
        }
    }
}

fn cells(site: &Loaded<Site>, names: Option<&[String]>) -> Result<Vec<CellId>, Problem> {
    let Some(names) = names else { return Ok(site.state.cells.iter().map(|cell| cell.id).collect()) };
    names
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let id = Uuid::try_parse(name).ok();
            let cell = site.state.cells.iter().find(|cell| Some(cell.id.uuid()) == id || cell.slug.as_str() == name);
            cell.map(|cell| cell.id).ok_or_else(|| {
                Problem::new("request.invalid_field").at(format!("/cells/{index}"), "is not a cell of the site")
            })
        })
        .collect()
}

/// The reservations in the way, from the guard itself, each with the decision that cancels it.
async fn hits(
    call: &Call,
    site: &Loaded<Site>,
    cells: &[CellId],
    during: Interval,
    body: &Close,
) -> Result<(Vec<Hit>, Vec<HitBody>), Halt> {
    let mut holders: Vec<Uuid> = Vec::new();
    for claim in call.app.store.claims(cells, during).await? {
        let is_closure = site.state.closures.keys().any(|id| id.uuid() == claim.holder);
        if !is_closure && !holders.contains(&claim.holder) {
            holders.push(claim.holder);
        }
    }
    let (mut hits, mut bodies) = (Vec::new(), Vec::new());
    for holder in holders {
        let (hit, body) = cancelled(call, ReservationId::new(holder), body).await?;
        hits.push(hit);
        bodies.extend(body);
    }
    Ok((hits, bodies))
}

async fn cancelled(call: &Call, id: ReservationId, body: &Close) -> Result<(Hit, Option<HitBody>), Halt> {
    let reservation: Loaded<Reservation> = call.app.store.load(id).await?;
    let mut payments: Vec<Loaded<Payment>> = Vec::new();
    for payment in reservation.state.paying() {
        payments.push(call.app.store.load::<Payment>(PaymentId::new(payment.uuid())).await?);
    }
    let sources: Vec<Source<'_>> =
        payments.iter().map(|payment| Source { payment, refund_id: RefundId::new(call.new_id()) }).collect();
    let cancel = Cancel {
        reservation: &reservation,
        sources: &sources,
        reason: CancelReason::Closure,
        note: body.note.clone(),
        by: call.actor(),
        now: call.now(),
    };
    let shown = match (&reservation.state.terms, cancel.preview()) {
        (Some(terms), Ok(preview)) => Some(HitBody {
            reservation_id: id.uuid(),
            starts_at: local_text(terms.slot.during.from(), terms.slot.time_zone),
            ends_at: local_text(terms.slot.during.to(), terms.slot.time_zone),
            refund: preview.refund.into(),
        }),
        _ => None,
    };
    let cancellation: Decision = cancel.decide()?;
    Ok((Hit { reservation_id: id, cancellation }, shown))
}

fn shown(
    site: &Loaded<Site>,
    planned: &PlannedClosure,
    id: Option<ClosureId>,
    hits: Vec<HitBody>,
    status: StatusCode,
) -> Result<Reply, Halt> {
    let zone = site.state.identity.as_ref().map_or(chrono_tz::UTC, |identity| identity.time_zone);
    let closure = Closure {
        object: "closure",
        id: id.map(ClosureId::uuid),
        site_id: site.id.uuid(),
        cells: planned.cells.iter().map(|cell| cell.uuid()).collect(),
        from: local_text(planned.during.from(), zone),
        to: local_text(planned.during.to(), zone),
        reason: planned.reason,
        preview: id.is_none(),
        hits,
    };
    Ok(Reply::json(status, &closure)?)
}
