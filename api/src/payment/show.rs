//! One payment.

use axum::http::StatusCode;
use domain::{actor::Role, ids::PaymentId, key::Scope, site::Site};

use projections::past;

use super::PaymentBody;
use crate::{
    http::{
        admission::Class,
        as_of::{AS_OF, untold},
        call::{Call, Object},
        etag,
        halt::Halt,
        operation::{Authz, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

/// Who reads payments and refunds.
pub const READS: Authz = Authz::Keys {
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

pub const SHOW: Operation = Operation {
    id: "payment.show",
    path: "/v1/payments/{id}",
    class: Class::Hold,
    summary: "One payment",
    about: "`unknown` means that nobody can tell at the moment: the provider is being asked.",
    authz: READS,
    query: &[AS_OF],
    refusals: &["position.before_start", "position.beyond_head"],
    success: Success { shape: Some(Shape::of::<PaymentBody>()), about: "The payment.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn show(call: Call) -> Result<Reply, Halt> {
    let id = PaymentId::new(call.uuid("id")?);
    let found = projections::payment::find(call.app.store.pool(), id).await.map_err(Problem::from)?;
    let payment = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    let site = call.app.store.recall::<Site>(payment.site_id).await?;
    call.may_touch(&Object {
        client: payment.client_id.map(|client| client.uuid()),
        made_by: payment.by.id.map(|principal| principal.uuid()),
        ..crate::site::object(&site)
    })?;
    if let Some(then) = call.as_of().await? {
        let found = past::payment(&call.app.store, payment.reservation_id, id, then.position).await.map_err(untold)?;
        let payment = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
        let body = PaymentBody::viewed(&call.app, &payment);
        return Ok(Reply::json(StatusCode::OK, &body)?.position(found.as_of));
    }
    let reply = Reply::json(StatusCode::OK, &PaymentBody::viewed(&call.app, &payment))?;
    let tag = etag::of(payment.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}
