//! The registry of event schemas: what `data` of each event looks like, in every version that was ever written.

use axum::http::{StatusCode, header};
use domain::event::{Event, Shape as Written};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    App,
    http::{
        admission::Class,
        call::Call,
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

/// A schema that was published never changes but for its words.
const KEPT: &str = "public, max-age=3600";

pub const SCHEMAS: Operation = Operation {
    id: "event.schemas",
    path: "/v1/event-schemas",
    class: Class::Analytics,
    summary: "The schemas of all events",
    about: "Every event type with every schema number it was ever written in, and where its JSON Schema is.",
    authz: Authz::Anyone,
    success: Success { shape: Some(Shape::of::<EventSchemas>()), about: "The registry.", ..Operation::READ.success },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

pub const SCHEMA: Operation = Operation {
    id: "event.schema",
    path: "/v1/event-schemas/{type}/{schema}",
    class: Class::Analytics,
    summary: "The schema of one event",
    about: "JSON Schema (draft 2020-12) of the `data` of an event, as readers outside are given it, with a sample. It never \
            changes: another shape has another number. `dataschema` of a CloudEvent is the address of this document.",
    authz: Authz::Anyone,
    success: Success { media: "application/schema+json", about: "A JSON Schema.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

/// All schemas there are.
#[derive(Serialize, ToSchema)]
pub struct EventSchemas {
    object: &'static str,
    data: Vec<EventSchema>,
}

/// One schema of one event type.
#[derive(Serialize, ToSchema)]
pub struct EventSchema {
    object: &'static str,
    /// Such as `reservation.held`.
    #[serde(rename = "type")]
    kind: &'static str,
    schema: i16,
    /// Whether it is written today; older ones are only read.
    current: bool,
    description: String,
    url: String,
}

impl EventSchema {
    fn of(shape: &Written, app: &App) -> Self {
        let document: Value = serde_json::from_str(shape.document).unwrap_or_default();
        Self {
            object: "event_schema",
            kind: shape.name,
            schema: shape.schema,
            current: Event::types().any(|known| known == (shape.name, shape.schema)),
            description: document["description"].as_str().unwrap_or_default().to_owned(),
            url: shape.address(&app.settings.public_url),
        }
    }
}

impl Exemplary for EventSchemas {
    fn example() -> Value {
        json!({ "object": "list", "data": [{
            "object": "event_schema", "type": "reservation.held", "schema": 2, "current": true,
            "description": "The cells are taken and nothing is paid yet.",
            "url": "https://api.example/v1/event-schemas/reservation.held/2",
        }] })
    }
}

async fn list(call: Call) -> Result<Reply, Halt> {
    let data = Event::shapes().map(|shape| EventSchema::of(shape, &call.app)).collect();
    Ok(kept(Reply::json(StatusCode::OK, &EventSchemas { object: "list", data })?))
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let (name, schema) = (call.segment("type"), call.segment("schema"));
    let shape = Event::shapes()
        .find(|shape| shape.name == name && shape.schema.to_string() == schema)
        .ok_or_else(|| Problem::new("object.not_found"))?;
    let document = shape.published(&call.app.settings.public_url).to_string();
    Ok(kept(Reply::bytes(StatusCode::OK, "application/schema+json", document)))
}

fn kept(reply: Reply) -> Reply {
    let tag = etag::of(0, &[&reply.body]);
    reply.etag(tag).header(header::CACHE_CONTROL, KEPT)
}
