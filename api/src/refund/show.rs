//! One refund.

use axum::http::StatusCode;
use domain::{aggregate::Loaded, ids::RefundId, reservation::Reservation};

use projections::past;

use super::RefundBody;
use crate::{
    http::{
        admission::Class,
        as_of::{AS_OF, untold},
        call::Call,
        etag,
        halt::Halt,
        operation::{Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const SHOW: Operation = Operation {
    id: "refund.show",
    path: "/v1/refunds/{id}",
    class: Class::Cancel,
    summary: "One refund",
    about: "`unknown` means that nobody can tell at the moment: the provider is being asked.",
    authz: crate::payment::READS,
    query: &[AS_OF],
    refusals: &["position.before_start", "position.beyond_head"],
    success: Success { shape: Some(Shape::of::<RefundBody>()), about: "The refund.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn show(call: Call) -> Result<Reply, Halt> {
    let id = RefundId::new(call.uuid("id")?);
    let found = projections::refund::find(call.app.store.pool(), id).await.map_err(Problem::from)?;
    let refund = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    let reservation: Loaded<Reservation> = call.app.store.load(refund.reservation_id).await?;
    call.may_touch(&call.object_of(&reservation).await?)?;
    if let Some(then) = call.as_of().await? {
        let found = past::refund(&call.app.store, refund.reservation_id, id, then.position).await.map_err(untold)?;
        let refund = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
        return Ok(Reply::json(StatusCode::OK, &RefundBody::viewed(&refund))?.position(found.as_of));
    }
    let reply = Reply::json(StatusCode::OK, &RefundBody::viewed(&refund))?;
    let tag = etag::of(refund.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}
