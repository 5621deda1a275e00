//! Events after a position, in order: how an integrator follows along.

use axum::http::{StatusCode, header};
use domain::event::{Event, Reader};
use eventstore::Recorded;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{EventBody, READS, filter::Filter};
use crate::{
    http::{
        admission::Class,
        call::Call,
        halt::Halt,
        operation::{Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const LIST: Operation = Operation {
    id: "event.list",
    path: "/v1/events",
    class: Class::Analytics,
    summary: "Events after a position",
    about: "In the order of commit, never a gap. Ask again with `after` = `next_after`. A manager and a service see the \
            events of their sites; then, or with `type`, a page may hold fewer than `limit` and still have more.",
    authz: READS,
    query: &[
        Param::new("after", Kind::Integer { min: 0, max: i64::MAX }, "Position; 0 for the beginning.", "0"),
        Param::new("limit", Kind::Integer { min: 1, max: 100 }, "Events on a page; 100 when left out.", "100"),
        TYPE,
    ],
    success: Success { shape: Some(Shape::of::<EventList>()), about: "Events.", ..Operation::READ.success },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

/// Which events are wanted.
pub const TYPE: Param =
    Param::new("type", Kind::Many(Event::CHOICES), "Only these; all of a noun by `<noun>.*`. May be repeated.", "");

/// A page of the log. `has_more` says whether the log goes on, not whether the caller sees more of it.
#[derive(Serialize, ToSchema)]
pub struct EventList {
    object: &'static str,
    data: Vec<EventBody>,
    has_more: bool,
    /// Go on from here.
    next_after: i64,
    /// The last position there is.
    head: i64,
}

impl Exemplary for EventList {
    fn example() -> Value {
        json!({ "object": "list", "data": [EventBody::example()], "has_more": false, "next_after": 42, "head": 42 })
    }
}

/// Rounds of looking for events of the caller's sites before a page is given as it is.
const ROUNDS: usize = 10;
const BATCH: i64 = 500;

async fn list(call: Call) -> Result<Reply, Halt> {
    let mut after = call.query.integer("after").unwrap_or(0);
    let limit = call.query.integer("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(100);
    let wanted = Filter::of(&call.query);
    let head = call.app.store.head().await.map_err(Problem::from)?;
    let mut data = Vec::new();
    'looking: for _ in 0..ROUNDS {
        let batch = call.app.store.read_after(after, BATCH).await.map_err(Problem::from)?;
        if batch.is_empty() {
            break;
        }
        for recorded in &batch {
            if data.len() == limit {
                break 'looking;
            }
            after = recorded.position;
            if wanted.takes(&recorded.name) && sees(&call, recorded).await? {
                data.push(EventBody::of(recorded)?);
            }
        }
    }
    let has_more = after < head;
    let list = EventList { object: "list", data, has_more, next_after: after, head };
    let reply = Reply::json(StatusCode::OK, &list)?.position(head);
    Ok(if has_more {
        let same: String = wanted.names().map(|name| format!("&type={name}")).collect();
        reply.header(header::LINK, format!("</v1/events?after={after}&limit={limit}{same}>; rel=\"next\""))
    } else {
        reply
    })
}

/// Whether the caller may see this event: as it is for streams, and for what is sent to endpoints.
///
/// # Errors
/// When the log cannot be read.
pub async fn sees(call: &Call, recorded: &Recorded) -> Result<bool, Problem> {
    let (Some(role), Some(principal)) = (call.caller.role(), call.caller.principal()) else { return Ok(false) };
    let reader = Reader { role, principal, sites: call.caller.sites() };
    Ok(call.app.store.sees(&reader, recorded).await?)
}
