//! How sending went.

use eventstore::webhook_out::{self, Delivery};
use projections::page::{ListError, Page};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::OWNERS;
use crate::{
    http::{
        call::Call,
        halt::Halt,
        list::List,
        operation::{Exemplary, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::utc_text,
};

pub const LIST: Operation = Operation {
    id: "endpoint.deliveries",
    path: "/v1/endpoints/{id}/deliveries",
    summary: "What was sent to an endpoint, and how it went",
    about: "The newest first, with every try. Kept for 30 days after it is over.",
    authz: OWNERS,
    query: &[Param::limit("Deliveries on a page; 20 when left out."), Param::CURSOR],
    success: Success {
        shape: Some(Shape::of::<List<DeliveryBody>>()),
        about: "A page of deliveries.",
        ..Operation::READ.success
    },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

/// One event, or a ping, for one endpoint.
#[derive(Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryBody {
    object: &'static str,
    /// The `webhook-id`: the same however often it is sent.
    message_id: String,
    /// Of the event; null for a ping.
    position: Option<i64>,
    #[serde(rename = "type")]
    kind: String,
    /// `waiting`, `delivered`, or `dropped`.
    status: String,
    /// Why it was dropped.
    reason: Option<String>,
    created_at: String,
    finished_at: Option<String>,
    attempts: Vec<AttemptBody>,
}

/// One try.
#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryAttempt)]
pub struct AttemptBody {
    at: String,
    /// How long it took.
    milliseconds: i64,
    /// HTTP; null when there was no answer.
    response_status: Option<i16>,
    /// The first 500 bytes of the answer, or why there was none.
    response: String,
}

impl From<Delivery> for DeliveryBody {
    fn from(delivery: Delivery) -> Self {
        let attempts = delivery.attempts.into_iter().map(|attempt| AttemptBody {
            at: utc_text(attempt.at),
            milliseconds: attempt.ms,
            response_status: attempt.status,
            response: attempt.answer,
        });
        Self {
            object: "delivery",
            message_id: delivery.message_id,
            position: delivery.position,
            kind: delivery.name,
            status: delivery.state,
            reason: delivery.note,
            created_at: utc_text(delivery.created_at),
            finished_at: delivery.finished_at.map(utc_text),
            attempts: attempts.collect(),
        }
    }
}

impl Exemplary for DeliveryBody {
    fn example() -> Value {
        json!({
            "object": "delivery", "message_id": "evt_019ab2c4-5f00-7000-8000-0000000000aa", "position": 42,
            "type": "reservation.held", "status": "delivered", "reason": null, "created_at": "2026-11-28T12:00:00Z",
            "finished_at": "2026-11-28T12:00:00Z",
            "attempts": [
                { "at": "2026-11-28T12:00:00Z", "milliseconds": 41, "response_status": 204, "response": "" },
            ],
        })
    }
}

async fn list(call: Call) -> Result<Reply, Halt> {
    let (endpoint, _) = call.own_endpoint().await?;
    let before = match call.cursor() {
        Some(text) => Some(text.parse().map_err(|_| Problem::from(ListError::Cursor))?),
        None => None,
    };
    let (store, limit) = (&call.app.store, call.limit());
    let as_of = store.head().await.map_err(Problem::from)?;
    let found = webhook_out::deliveries(store.pool(), endpoint.id.uuid(), before, i64::from(limit) + 1).await;
    let mut found = found.map_err(Problem::from)?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    let next = found.last().filter(|_| more).map(|last| last.id.to_string());
    let page = Page { as_of, items: Vec::<()>::new(), next };
    Reply::list(&call, &page, found.into_iter().map(DeliveryBody::from))
}
