//! One day.

use axum::http::StatusCode;

use super::{Day, account::ACCOUNT, body::ReconciliationBody};
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
};

pub const SHOW: Operation = Operation {
    id: "reconciliation.show",
    path: "/v1/reconciliations/{provider}/{day}",
    class: Class::Analytics,
    summary: "How a day stands",
    about: "One day of the account at a provider: what statement counts, how much of it agrees, what is left to explain.",
    authz: super::READS,
    query: &[ACCOUNT],
    success: Success {
        shape: Some(Shape::of::<ReconciliationBody>()),
        about: "The reconciliation.",
        ..Operation::READ.success
    },
    refusals: &["reconciliation.unknown_account"],
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn show(call: Call) -> Result<Reply, Halt> {
    let day = Day::of(&call).await?;
    let found = projections::reconciliation::find(call.app.store.pool(), day.id).await.map_err(Problem::from)?;
    let row = found.row.ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(StatusCode::OK, &ReconciliationBody::viewed(&row))?;
    let tag = etag::of(row.version, &[&reply.body]);
    Ok(reply.etag(tag).position(found.as_of))
}
