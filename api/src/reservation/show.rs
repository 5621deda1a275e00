//! One reservation with its money.

use axum::http::StatusCode;
use domain::{actor::Role, ids::ReservationId, site::Site};
use projections::{past, reservation};

use super::{READS, ReservationBody};
use crate::{
    client,
    http::{
        admission::Class,
        as_of::{AS_OF, untold},
        call::{Call, Object},
        etag,
        halt::Halt,
        operation::{Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    payment,
    problem::Problem,
};

pub const EXPAND: Param =
    Param::new("expand[]", Kind::Many(&["client"]), "`client`: name and number, for whoever may know them.", "client");

pub const SHOW: Operation = Operation {
    id: "reservation.show",
    path: "/v1/reservations/{id}",
    class: Class::Hold,
    summary: "One reservation",
    about: "With its payments and refunds.",
    authz: READS,
    query: &[EXPAND, AS_OF],
    success: Success {
        shape: Some(Shape::of::<ReservationBody>()),
        about: "The reservation.",
        ..Operation::READ.success
    },
    refusals: &["position.before_start", "position.beyond_head"],
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn show(call: Call) -> Result<Reply, Halt> {
    let id = ReservationId::new(call.uuid("id")?);
    let then = call.as_of().await?;
    let found = match then {
        None => reservation::find(call.app.store.pool(), id).await.map_err(Problem::from)?,
        Some(then) => past::reservation(&call.app.store, id, then.position).await.map_err(untold)?,
    };
    let row = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    call.may_touch(&object(&call, &row).await?)?;
    let mut body = shown(&call, &row).await?;
    if then.is_none() && body.awaits_money() {
        body.payment_methods = Some(payment::ways(&call, id).await?);
    }
    let reply = Reply::json(StatusCode::OK, &body)?;
    if then.is_some() {
        return Ok(reply.position(found.as_of));
    }
    let role = call.caller.role().map_or("", Role::as_str);
    let tag = etag::of(body.version(), &[&reply.body, role.as_bytes(), call.language.tag().as_bytes()]);
    Ok(reply.etag(tag).position(found.as_of))
}

/// Whose a reservation of the views is.
///
/// # Errors
/// When the log cannot be read.
pub async fn object(call: &Call, row: &reservation::Reservation) -> Result<Object, Problem> {
    let details = &row.details;
    let site = call.app.store.recall::<Site>(details.site_id).await?;
    Ok(Object {
        client: details.client_id.map(|client| client.uuid()),
        made_by: details.placed_by.id.map(|principal| principal.uuid()),
        today: crate::site::is_of_today(&site, details.during, call.now()),
        ..crate::site::object(&site)
    })
}

/// The body for this caller; the person is opened only when asked for, and only for whoever may know them.
///
/// # Errors
/// When the person's key cannot be read.
pub async fn shown(call: &Call, row: &reservation::Reservation) -> Result<ReservationBody, Problem> {
    let mut body = ReservationBody::viewed(&call.app, row);
    let knows = matches!(
        call.caller.role(),
        Some(Role::Client | Role::Manager | Role::Service | Role::Gatekeeper | Role::Cashier)
    );
    let masked = call.caller.role() == Some(Role::Support);
    if let (true, true, Some(id)) = (knows || masked, call.expands("client"), row.details.client_id) {
        let person = client::shown(call, id).await?;
        body.client = Some(if masked { person.masked() } else { person });
    }
    Ok(body)
}
