//! An event as it is shown: exactly what was written, but the keyed hash and the ciphertext of personal fields.

use eventstore::Recorded;
use serde::Serialize;
use serde_json::{Value, json};
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
    #[schema(value_type = Object)]
    data: Value,
    /// Who did it: a role, and a pseudonymous id.
    #[schema(value_type = Object)]
    actor: domain::actor::Actor,
    site_id: Option<Uuid>,
    request_id: Option<String>,
    causation: Option<Uuid>,
    correlation: Option<Uuid>,
    recorded_at: String,
}

/// Fields that could lead back to a person or a key, even as ciphertext or hash.
const WITHHELD: [&str; 5] = ["phone", "phone_hash", "name", "email", "secret_hash"];

/// Whether events of this type hold such fields.
pub fn is_personal(name: &str) -> bool {
    name.starts_with("client.") || name.starts_with("key.") || name == "site.contact_set"
}

impl EventBody {
    /// # Errors
    /// `server.error` when the stored data are not JSON.
    pub fn of(recorded: &Recorded) -> Result<Self, Problem> {
        let mut data: Value = serde_json::from_str(&recorded.data).map_err(|_| Problem::new("server.error"))?;
        if let (true, Some(members)) = (is_personal(&recorded.name), data.as_object_mut()) {
            members.retain(|name, _| !WITHHELD.contains(&name.as_str()));
        }
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
