//! An event as it is shown: exactly what was written, but the keyed hash and the ciphertext of personal fields.

use eventstore::Recorded;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{http::operation::Exemplary, problem::Problem, shape::utc_text};

/// Something that happened.
#[derive(Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventBody {
    object: &'static str,
    /// 1, 2, 3… in the order of commit.
    pub position: i64,
    id: Uuid,
    stream_id: Uuid,
    version: i32,
    /// Such as `reservation.held`.
    #[serde(rename = "type")]
    kind: String,
    schema: i16,
    /// As its schema at `/v1/event-schemas/{type}/{schema}` says.
    #[schema(value_type = Object)]
    data: Box<RawValue>,
    /// Who did it: a role, and a pseudonymous id.
    #[schema(value_type = Object)]
    actor: domain::actor::Actor,
    site_id: Option<Uuid>,
    request_id: Option<String>,
    causation: Option<Uuid>,
    correlation: Option<Uuid>,
    recorded_at: String,
}

impl EventBody {
    /// # Errors
    /// `server.error` when the stored data are not JSON.
    pub fn of(recorded: &Recorded) -> Result<Self, Problem> {
        let data = domain::event::outside(&recorded.name, &recorded.data);
        let data = data.and_then(|data| RawValue::from_string(data.into_owned()));
        let data = data.map_err(|_| Problem::new("server.error"))?;
        Ok(Self {
            object: "event",
            position: recorded.position,
            id: recorded.event_id,
            stream_id: recorded.stream_id,
            version: recorded.version,
            kind: recorded.name.clone(),
            schema: recorded.schema,
            data,
            actor: recorded.meta.actor,
            site_id: recorded.meta.site_id.map(|site| site.uuid()),
            request_id: recorded.meta.request.clone(),
            causation: recorded.meta.causation,
            correlation: recorded.meta.correlation,
            recorded_at: utc_text(recorded.recorded_at),
        })
    }
}

impl Exemplary for EventBody {
    fn example() -> Value {
        json!({
            "object": "event", "position": 42, "id": "019ab2c4-5f00-7000-8000-0000000000aa",
            "stream_id": "019ab2c4-5f00-7000-8000-0000000000b1", "version": 1, "type": "reservation.held", "schema": 1,
            "data": {}, "actor": { "role": "client", "id": "019ab2c4-5f00-7000-8000-0000000000c9" },
            "recorded_at": "2026-11-28T12:00:00Z",
        })
    }
}
