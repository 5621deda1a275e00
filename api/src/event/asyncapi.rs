//! The AsyncAPI 3.0 document: where events can be read and what each looks like, made from the table of events.

use domain::event::{Event, Shape};
use serde_json::{Map, Value, json};
use url::Url;
use utoipa::PartialSchema;
use uuid::Uuid;

use super::{EventBody, follow::FOLLOW};

/// The whole document. `bus` is `host:port` of the message bus, when this process knows it.
pub fn document(version: &str, public_url: &str, bus: Option<&str>, log: Uuid) -> Value {
    let mut servers = Map::new();
    if let Some((protocol, host)) = place(public_url) {
        servers.insert(
            "api".to_owned(),
            json!({ "host": host, "protocol": protocol, "description": "The HTTP API.", "security": [reference("securitySchemes", "key")] }),
        );
    }
    if let Some(host) = bus {
        servers.insert(
            "bus".to_owned(),
            json!({ "host": host, "protocol": "nats", "description": "NATS with JetStream; a login that may read and nothing else.",
                    "security": [reference("securitySchemes", "bus")] }),
        );
    }
    let messages: Map<String, Value> =
        ["api", "bus"].into_iter().flat_map(|server| messages(server, public_url)).collect();
    let names: Vec<&str> = Event::types().map(|(name, _)| name).collect();
    let subject = json!({ "type": { "description": "The event's type.", "enum": names } });
    json!({
        "asyncapi": "3.0.0",
        "id": format!("urn:kalel:log:{log}"),
        "info": {
            "title": "Kalel: events",
            "version": version,
            "description": "Everything that happens, in the order of commit. Two ways to the same events: server-sent \
                events over HTTP, for whoever has a key, within its rights; and CloudEvents 1.0 in a JetStream stream, for \
                systems of the operator. What could lead back to a person is left out of both.",
            "license": { "name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0" },
        },
        "defaultContentType": "application/json",
        "channels": {
            "stream": channel(&servers, "api", FOLLOW.path, "Server-sent events", FOLLOW.about, None),
            "bus": channel(
                &servers,
                "bus",
                &format!("kalel.{log}.events.{{type}}"),
                "JetStream",
                &format!("The stream `KALEL_{log}`, read through its durable consumer `outside`. `Nats-Msg-Id` is the position. \
                         It is a copy: when it was lost it is filled again from the beginning, so go by `sequence` of the event."),
                Some(subject),
            ),
        },
        "operations": {
            "stream": operation("stream", json!({ "http": { "method": "GET", "bindingVersion": "0.3.0" } })),
            "bus": operation("bus", json!({})),
        },
        "servers": servers,
        "components": {
            "messages": messages,
            "schemas": { "Event": EventBody::schema(), "CloudEvent": cloud_event(log) },
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "An API key with the scope `events:read`." },
                "bus": { "type": "userPassword", "description": "A NATS login for readers; docs/events.md." },
            },
        },
    })
}

/// Scheme and authority of an address.
fn place(public_url: &str) -> Option<(String, String)> {
    let url = Url::parse(public_url).ok()?;
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    Some((url.scheme().to_owned(), host))
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// The name of a message: events are told in the shape they were written in.
fn message(shape: &Shape) -> String {
    format!("{}.v{}", shape.name, shape.schema)
}

fn channel(
    servers: &Map<String, Value>,
    server: &str,
    address: &str,
    title: &str,
    about: &str,
    parameters: Option<Value>,
) -> Value {
    let messages: Map<String, Value> = Event::shapes()
        .map(|shape| {
            let name = message(shape);
            let reference = reference("messages", &format!("{server}.{name}"));
            (name, reference)
        })
        .collect();
    let mut channel = json!({ "address": address, "title": title, "description": about, "messages": messages });
    if let Some(members) = channel.as_object_mut() {
        members.extend(parameters.map(|parameters| ("parameters".to_owned(), parameters)));
        if servers.contains_key(server) {
            members.insert("servers".to_owned(), json!([{ "$ref": format!("#/servers/{server}") }]));
        }
    }
    channel
}

/// Kalel is the one who sends.
fn operation(channel: &str, bindings: Value) -> Value {
    json!({ "action": "send", "channel": { "$ref": format!("#/channels/{channel}") }, "bindings": bindings })
}

fn messages(server: &'static str, public_url: &str) -> impl Iterator<Item = (String, Value)> {
    Event::shapes().map(move |shape| {
        let schema: Value = serde_json::from_str(shape.document).unwrap_or_default();
        let data = json!({ "$ref": shape.address(public_url) });
        let mut described = json!({
            "name": shape.name,
            "title": message(shape),
            "summary": schema["description"],
            "contentType": "application/json",
        });
        let (envelope, own) = if server == "bus" {
            described["contentType"] = json!("application/cloudevents+json");
            described["headers"] = headers();
            let own = json!({ "type": { "const": shape.name }, "dataschema": { "const": shape.address(public_url) }, "data": data });
            ("CloudEvent", own)
        } else {
            let own = json!({ "type": { "const": shape.name }, "schema": { "const": shape.schema }, "data": data });
            ("Event", own)
        };
        described["payload"] = json!({ "allOf": [reference("schemas", envelope), { "type": "object", "properties": own }] });
        (format!("{server}.{}", message(shape)), described)
    })
}

/// Of a message on the bus.
fn headers() -> Value {
    json!({
        "type": "object",
        "properties": {
            "Nats-Msg-Id": { "type": "string", "pattern": "^[1-9][0-9]*$", "description": "The position in the log." },
            "content-type": { "type": "string", "const": "application/cloudevents+json" },
        },
        "required": ["Nats-Msg-Id", "content-type"],
    })
}

/// CloudEvents 1.0, JSON format, structured mode, with the extensions that are sent.
fn cloud_event(log: Uuid) -> Value {
    let text = |about: &str| json!({ "type": "string", "description": about });
    let id = |about: &str| json!({ "type": "string", "format": "uuid", "description": about });
    json!({
        "type": "object",
        "properties": {
            "specversion": { "type": "string", "const": "1.0" },
            "id": id("Of the event: the same however often it is sent."),
            "source": { "type": "string", "const": format!("urn:kalel:log:{log}") },
            "type": text("Such as `reservation.held`."),
            "subject": id("The stream: a site, a reservation, a payment, a refund, a client or a key."),
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "type": "string", "const": "application/json" },
            "dataschema": { "type": "string", "format": "uri", "description": "Where the schema of `data` is." },
            "sequence": { "type": "string", "pattern": "^[1-9][0-9]*$", "description": "The position in the log: 1, 2, 3… without a gap." },
            "streamversion": { "type": "integer", "minimum": 1, "description": "The place in its own stream." },
            "siteid": id("The site it concerns."),
            "causationid": id("The event it follows from."),
            "correlationid": id("The same for all that followed from one wish."),
            "traceparent": text("W3C Trace Context."),
            "data": { "type": "object" },
        },
        "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema", "sequence", "streamversion", "data"],
    })
}
