//! One payout.

use axum::http::StatusCode;
use domain::{ids::PayoutId, site::Site};

use super::{PayoutBody, READS};
use crate::{
    http::{
        admission::Class,
        call::Call,
        etag,
        halt::Halt,
        operation::{Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    site,
};

pub const SHOW: Operation = Operation {
    id: "payout.show",
    path: "/v1/payouts/{id}",
    class: Class::Analytics,
    summary: "One payout",
    about: "`unknown` means that nobody can tell at the moment: the provider is being asked.",
    authz: READS,
    success: Success { shape: Some(Shape::of::<PayoutBody>()), about: "The payout.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn show(call: Call) -> Result<Reply, Halt> {
    let id = PayoutId::new(call.uuid("id")?);
    let found = projections::payout::find(call.app.store.pool(), id).await.map_err(Problem::from)?;
    let row = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    call.may_touch(&site::object(&*call.app.store.recall::<Site>(row.site_id).await?))?;
    let body = PayoutBody::of(id, &row.state, row.version).ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(row.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}
