//! Send a part of the log once more.

use axum::http::StatusCode;
use eventstore::webhook_out;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::OWNERS;
use crate::{
    http::{
        call::Call,
        halt::Halt,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const REPLAY: Operation = Operation {
    id: "endpoint.replay",
    path: "/v1/endpoints/{id}/replay",
    summary: "Send events once more",
    about: "Those between two positions, both included, that the endpoint asks for and may see now: after what waits, in their \
            order, under the same `webhook-id` as the first time.",
    authz: OWNERS,
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<WantedReplay>()),
    success: Success {
        status: 202,
        shape: Some(Shape::of::<ReplayBody>()),
        about: "They will be sent.",
        ..Operation::READ.success
    },
    refusals: &["endpoint.replay_running", "endpoint.disabled", "endpoint.replay_range", "position.beyond_head"],
    run: |call| Box::pin(replay(call)),
    ..Operation::WRITE
};

/// Events sent again by one request.
const MOST: i64 = 100_000;

/// Which events.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WantedReplay {
    /// The first position.
    #[schema(minimum = 1)]
    from: i64,
    /// The last one; at most 100 000 positions.
    to: i64,
}

impl Exemplary for WantedReplay {
    fn example() -> Value {
        json!({ "from": 1, "to": 2 })
    }
}

/// A replay on its way.
#[derive(Serialize, ToSchema)]
#[schema(as = Replay)]
pub struct ReplayBody {
    object: &'static str,
    id: Uuid,
    endpoint_id: Uuid,
    from: i64,
    to: i64,
}

impl Exemplary for ReplayBody {
    fn example() -> Value {
        json!({
            "object": "replay", "id": "019ab2c4-5f00-7000-8000-0000000000e2",
            "endpoint_id": "019ab2c4-5f00-7000-8000-0000000000e1", "from": 1, "to": 2,
        })
    }
}

async fn replay(call: Call) -> Result<Reply, Halt> {
    let (endpoint, _) = call.own_endpoint().await?;
    let WantedReplay { from, to } = call.body()?;
    if from < 1 || to < from || to - from >= MOST {
        return Err(Problem::new("endpoint.replay_range").with("value", MOST).into());
    }
    let store = &call.app.store;
    let head = store.head().await.map_err(Problem::from)?;
    if to > head {
        return Err(Problem::new("position.beyond_head").member("head", head).into());
    }
    if endpoint.state.open().is_none() {
        return Err(Problem::new("endpoint.disabled").into());
    }
    let endpoint_id = endpoint.id.uuid();
    let id = webhook_out::replay(store, endpoint_id, from, to).await.map_err(Problem::from)?;
    let id = id.ok_or_else(|| Problem::new("endpoint.replay_running").retry_after(5))?;
    Ok(Reply::json(StatusCode::ACCEPTED, &ReplayBody { object: "replay", id, endpoint_id, from, to })?)
}
