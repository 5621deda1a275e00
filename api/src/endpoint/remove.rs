//! Take an endpoint away.

use axum::http::{Method, StatusCode};
use domain::endpoint;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::OWNERS;
use crate::http::{
    call::Call,
    command::Tries,
    halt::Halt,
    operation::{Exemplary, Operation, Shape, Success},
    reply::Reply,
};

pub const REMOVE: Operation = Operation {
    id: "endpoint.remove",
    method: Method::DELETE,
    path: "/v1/endpoints/{id}",
    summary: "Take an endpoint away",
    about: "For good: nothing is sent there any more, not even what waits. Its secrets are forgotten.",
    authz: OWNERS,
    idempotent: false,
    success: Success { shape: Some(Shape::of::<RemovedEndpoint>()), about: "It is gone.", ..Operation::READ.success },
    run: |call| Box::pin(remove(call)),
    ..Operation::WRITE
};

/// What is left of it.
#[derive(Serialize, ToSchema)]
pub struct RemovedEndpoint {
    object: &'static str,
    id: Uuid,
    removed: bool,
}

impl Exemplary for RemovedEndpoint {
    fn example() -> Value {
        json!({ "object": "endpoint", "id": "019ab2c4-5f00-7000-8000-0000000000e1", "removed": true })
    }
}

async fn remove(call: Call) -> Result<Reply, Halt> {
    let mut tries = Tries::default();
    loop {
        let (known, _) = call.own_endpoint().await?;
        call.precondition.check(known.version)?;
        let decision = endpoint::remove(&known, call.actor(), call.now())?;
        if let Some(written) = call.write(decision, None).await? {
            let body = RemovedEndpoint { object: "endpoint", id: known.id.uuid(), removed: true };
            return Ok(Reply::json(StatusCode::OK, &body)?.position(written.position));
        }
        tries.again()?;
    }
}
