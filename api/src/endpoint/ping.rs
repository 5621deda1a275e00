//! See whether an endpoint listens.

use axum::http::StatusCode;
use eventstore::webhook_out;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::OWNERS;
use crate::{
    http::{
        call::Call,
        halt::Halt,
        limits::TOO_MANY,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const PING: Operation = Operation {
    id: "endpoint.ping",
    path: "/v1/endpoints/{id}/ping",
    summary: "See whether an endpoint listens",
    about: "Sends a signed message of the type `ping` once, after what waits; and what waits to be tried again is tried at \
            once. How it went is among the deliveries. Every ten seconds at most, and while one waits it is that one that is \
            answered with.",
    authz: OWNERS,
    idempotent: false,
    if_match: IfMatch::Ignored,
    success: Success {
        status: 202,
        shape: Some(Shape::of::<PingBody>()),
        about: "It will be sent.",
        ..Operation::READ.success
    },
    refusals: &["endpoint.disabled"],
    run: |call| Box::pin(ping(call)),
    ..Operation::WRITE
};

/// A ping on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = Ping)]
pub struct PingBody {
    object: &'static str,
    /// The `webhook-id` it is sent with.
    message_id: String,
    endpoint_id: Uuid,
}

impl Exemplary for PingBody {
    fn example() -> Value {
        json!({
            "object": "ping", "message_id": "ping_019ab2c4-5f00-7000-8000-0000000000e3",
            "endpoint_id": "019ab2c4-5f00-7000-8000-0000000000e1",
        })
    }
}

async fn ping(call: Call) -> Result<Reply, Halt> {
    let (endpoint, _) = call.own_endpoint().await?;
    if endpoint.state.open().is_none() {
        return Err(Problem::new("endpoint.disabled").into());
    }
    let endpoint_id = endpoint.id.uuid();
    let pinged = webhook_out::ping(&call.app.store, endpoint_id).await.map_err(Problem::from)?;
    let message_id = pinged.map_err(|again| {
        let wait = call.seconds_until(again);
        Problem::new(TOO_MANY).with("seconds", wait).retry_after(wait)
    })?;
    Ok(Reply::json(StatusCode::ACCEPTED, &PingBody { object: "ping", message_id, endpoint_id })?)
}
