//! Endpoints without their secrets.

use axum::http::StatusCode;
use domain::{
    aggregate::Loaded,
    endpoint::{self, Endpoint},
    ids::{EndpointId, PrincipalId},
};
use eventstore::webhook_out;
use projections::page::Page;

use super::{OWNERS, body::EndpointBody};
use crate::{
    http::{
        call::Call,
        etag,
        halt::Halt,
        list::List,
        operation::{Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const LIST: Operation = Operation {
    id: "endpoint.list",
    path: "/v1/endpoints",
    summary: "Your endpoints",
    about: "Those that whoever asks has added, the oldest first: 10 at most, so that they are always on one page.",
    authz: OWNERS,
    success: Success {
        shape: Some(Shape::of::<List<EndpointBody>>()),
        about: "The endpoints.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

pub const SHOW: Operation = Operation {
    id: "endpoint.show",
    path: "/v1/endpoints/{id}",
    summary: "An endpoint",
    about: "Without its secret.",
    authz: OWNERS,
    success: Success { shape: Some(Shape::of::<EndpointBody>()), about: "The endpoint.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

async fn list(call: Call) -> Result<Reply, Halt> {
    let me = call.caller.principal().ok_or_else(|| Problem::new("auth.missing"))?;
    let store = &call.app.store;
    let scope = endpoint::scope_of(PrincipalId::new(me));
    let mut items = Vec::new();
    for id in webhook_out::endpoints_of(store, &scope).await.map_err(Problem::from)? {
        let endpoint: Loaded<Endpoint> = store.load(EndpointId::new(id)).await?;
        items.extend(EndpointBody::of(&endpoint, None));
    }
    let as_of = store.head().await.map_err(Problem::from)?;
    let page = Page { as_of, items: Vec::<()>::new(), next: None };
    Reply::list(&call, &page, items)
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let (endpoint, _) = call.own_endpoint().await?;
    answer(&endpoint)
}

/// An endpoint as the log has it, with the tag that changes must name.
pub(super) fn answer(endpoint: &Loaded<Endpoint>) -> Result<Reply, Halt> {
    let body = EndpointBody::of(endpoint, None).ok_or_else(|| Problem::new("object.not_found"))?;
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(body.version, &[&reply.body]);
    Ok(reply.etag(tag))
}
