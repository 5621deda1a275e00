//! The events of one stream.

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{EventBody, READS, list};
use crate::{
    http::{
        admission::Class,
        call::Call,
        etag,
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const STREAM: Operation = Operation {
    id: "event.stream",
    path: "/v1/streams/{id}/events",
    class: Class::Analytics,
    summary: "The events of one stream",
    about: "A stream is a site, a reservation, a payment, a refund, a client or a key, by its id.",
    authz: READS,
    query: &[
        Param::new("after_version", Kind::Integer { min: 0, max: 2_147_483_647 }, "Only later ones.", "0"),
        Param::new("limit", Kind::Integer { min: 1, max: 100 }, "Events on a page; 100 when left out.", "100"),
    ],
    success: Success { shape: Some(Shape::of::<StreamEvents>()), about: "Its events.", ..Operation::READ.success },
    run: |call| Box::pin(stream(call)),
    ..Operation::READ
};

/// Events of one stream that the caller may see.
#[derive(Serialize, ToSchema)]
pub struct StreamEvents {
    object: &'static str,
    data: Vec<EventBody>,
    has_more: bool,
}

impl Exemplary for StreamEvents {
    fn example() -> Value {
        json!({ "object": "list", "data": [EventBody::example()], "has_more": false })
    }
}

async fn stream(call: Call) -> Result<Reply, Halt> {
    let id = call.uuid("id")?;
    let after = call.query.integer("after_version").and_then(|version| i32::try_from(version).ok()).unwrap_or(0);
    let limit = call.query.integer("limit").unwrap_or(100);
    let mut recorded = call.app.store.read_stream(id, after, limit + 1).await.map_err(Problem::from)?;
    let has_more = i64::try_from(recorded.len()).is_ok_and(|found| found > limit);
    recorded.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut data = Vec::new();
    for event in &recorded {
        if list::sees(&call, event).await? {
            data.push(EventBody::of(event)?);
        }
    }
    // A stream of somebody else does not exist, and neither does one without events.
    if data.is_empty() && (after == 0 || !recorded.is_empty()) {
        return Err(Problem::new("object.not_found").into());
    }
    let version = recorded.last().map_or(after, |last| last.version);
    let reply = Reply::json(StatusCode::OK, &StreamEvents { object: "list", data, has_more })?;
    let tag = etag::of(version, &[&reply.body]);
    Ok(reply.etag(tag))
}
