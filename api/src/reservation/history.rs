//! What happened to a reservation, readable: its events, in order.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::READS;
use crate::{
    event::EventBody,
    http::{
        admission::Class,
        call::Call,
        etag,
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const HISTORY: Operation = Operation {
    id: "reservation.history",
    path: "/v1/reservations/{id}/history",
    class: Class::Analytics,
    summary: "What happened to a reservation",
    about: "Its events with who did it, in order. People are ids.",
    authz: READS,
    success: Success { shape: Some(Shape::of::<History>()), about: "Its events.", ..Operation::READ.success },
    run: |call| Box::pin(history(call)),
    ..Operation::READ
};

/// What happened to a reservation, the oldest first.
#[derive(Serialize, ToSchema)]
pub struct History {
    object: &'static str,
    data: Vec<EventBody>,
}

impl Exemplary for History {
    fn example() -> Value {
        json!({ "object": "list", "data": [EventBody::example()] })
    }
}

async fn history(call: Call) -> Result<Reply, Halt> {
    let reservation = call.own_reservation().await?;
    let recorded = call.app.store.read_stream(reservation.id.uuid(), 0, i64::MAX).await.map_err(Problem::from)?;
    let data: Vec<EventBody> = recorded.iter().map(EventBody::of).collect::<Result<_, _>>()?;
    let reply = Reply::json(StatusCode::OK, &History { object: "list", data })?;
    let tag = etag::of(reservation.version, &[&reply.body]);
    Ok(reply.etag(tag))
}
