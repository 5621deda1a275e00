//! The registry of schemas and the AsyncAPI document, against what really happens.

use std::collections::{BTreeMap, BTreeSet};

use domain::event::Event;
use jsonschema::Validator;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Answer, Api, slot};

async fn open(api: &Api, path: &str) -> Answer {
    api.ask(Method::GET, path).send().await
}

fn validator(schema: &Value) -> Validator {
    jsonschema::options().should_validate_formats(true).build(schema).unwrap()
}

/// The published schemas by type and number.
async fn published(api: &Api) -> BTreeMap<(String, i64), Value> {
    let registry = open(api, "/v1/event-schemas").await.is(200).body;
    let mut schemas = BTreeMap::new();
    for entry in registry["data"].as_array().unwrap() {
        let url = entry["url"].as_str().unwrap();
        let document = open(api, url.strip_prefix(&api.base).unwrap()).await.is(200);
        assert_eq!(document.header("content-type"), "application/schema+json");
        assert_eq!((&document.body["$id"], &document.body["title"]), (&entry["url"], &entry["type"]));
        assert_eq!(document.body["description"], entry["description"]);
        let current = Event::types().any(|(name, schema)| entry["type"] == name && entry["schema"] == schema);
        assert_eq!(entry["current"], current, "{}", entry["type"]);
        let key = (entry["type"].as_str().unwrap().to_owned(), entry["schema"].as_i64().unwrap());
        schemas.insert(key, document.body);
    }
    schemas
}

#[tokio::test]
async fn every_event_ever_written_has_a_published_schema_that_is_kept_by_caches() {
    let api = Api::new().await;
    let schemas = published(&api).await;
    let known: BTreeSet<(String, i64)> =
        Event::shapes().map(|shape| (shape.name.into(), shape.schema.into())).collect();
    assert_eq!(schemas.keys().cloned().collect::<BTreeSet<_>>(), known);
    for schema in schemas.values() {
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(jsonschema::meta::is_valid(schema), "{}", schema["title"]);
        assert!(validator(schema).is_valid(&schema["examples"][0]), "{}", schema["title"]);
    }
    for path in ["/v1/event-schemas", "/v1/event-schemas/reservation.held/1"] {
        let first = open(&api, path).await.is(200);
        assert!(first.header("cache-control").starts_with("public"), "{}", first.header("cache-control"));
        let again = api.ask(Method::GET, path).header("if-none-match", first.header("etag")).send().await;
        assert_eq!((again.status, again.bytes.len()), (304, 0));
    }
    for path in ["reservation.held/99", "reservation.held/01", "reservation.sold/1", "reservation.held/x"] {
        open(&api, &format!("/v1/event-schemas/{path}")).await.problem(404, "object.not_found");
    }
}

#[tokio::test]
async fn what_really_happens_is_as_the_schemas_say() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(2), 60);
    body["client"] = json!({ "phone": "+221771234567", "name": "Awa" });
    let held = api.post("manager", "/v1/reservations", body).await.is(201);
    api.post("manager", &format!("/v1/reservations/{}/cancellation", held.text("/id")), json!({ "reason": "weather" }))
        .await
        .is(200);
    let schemas = published(&api).await;
    let page = api.get("auditor", "/v1/events?after=0&limit=100").await.is(200).body;
    let mut seen = BTreeSet::new();
    for event in page["data"].as_array().unwrap() {
        let key = (event["type"].as_str().unwrap().to_owned(), event["schema"].as_i64().unwrap());
        let wrong: Vec<String> =
            validator(&schemas[&key]).iter_errors(&event["data"]).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{event}: {wrong:?}");
        seen.insert(key.0);
    }
    for name in
        ["site.registered", "client.registered", "reservation.confirmed", "reservation.cancelled", "key.granted"]
    {
        assert!(seen.contains(name), "{name} did not happen: {seen:?}");
    }
}

/// Every `$ref`, with the place it stands at.
fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn members<'a>(value: &'a Value, pointer: &str) -> &'a serde_json::Map<String, Value> {
    value.pointer(pointer).and_then(Value::as_object).unwrap_or_else(|| panic!("no {pointer}"))
}

#[tokio::test]
async fn the_asyncapi_document_is_whole_and_names_every_event() {
    let api = Api::new().await;
    let answer = open(&api, "/asyncapi.json").await.is(200);
    let document = answer.body;
    assert_eq!(document["asyncapi"], "3.0.0");
    let allowed = ["asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"];
    assert!(members(&document, "").keys().all(|name| allowed.contains(&name.as_str())));
    for member in ["/info/title", "/info/version"] {
        assert!(document.pointer(member).is_some_and(Value::is_string), "{member}");
    }
    for server in members(&document, "/servers").values() {
        assert!(server["host"].is_string() && server["protocol"].is_string());
        assert!(!server["host"].as_str().unwrap().contains(['/', '@']), "{server}");
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    let schemas = published(&api).await;
    let ids: BTreeSet<&str> = schemas.values().filter_map(|schema| schema["$id"].as_str()).collect();
    for reference in &found {
        match reference.strip_prefix('#') {
            Some(pointer) => assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere"),
            None => assert!(ids.contains(reference), "{reference} leads nowhere"),
        }
    }
    let shapes: BTreeSet<String> = Event::shapes().map(|shape| format!("{}.v{}", shape.name, shape.schema)).collect();
    for (name, channel) in members(&document, "/channels") {
        assert_eq!(members(channel, "/messages").keys().cloned().collect::<BTreeSet<_>>(), shapes, "{name}");
        // A parameter stands in the address, and the other way round.
        let address = channel["address"].as_str().unwrap();
        let named: Vec<&str> = address.split('{').skip(1).map(|part| part.split('}').next().unwrap()).collect();
        let declared: Vec<&str> = channel
            .get("parameters")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(named, declared);
        assert_eq!(document["operations"][name]["channel"]["$ref"], format!("#/channels/{name}"));
        assert_eq!(document["operations"][name]["action"], "send");
    }
    for (name, message) in members(&document, "/components/messages") {
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)), "{name}");
        for member in ["name", "title", "summary", "contentType", "payload"] {
            assert!(!message[member].is_null(), "{name} lacks {member}");
        }
    }
    for (name, schema) in members(&document, "/components/schemas") {
        assert!(jsonschema::meta::is_valid(schema), "{name}");
    }
    let stream = document["channels"]["stream"]["address"].as_str().unwrap();
    assert!(::api::operations().any(|operation| operation.path == stream), "{stream}");
    let openapi = open(&api, "/openapi.json").await.is(200).body;
    assert_eq!(openapi["externalDocs"]["url"], format!("{}/asyncapi.json", api.base));
    assert!(
        openapi["paths"]["/v1/events/stream"]["get"]["responses"]["200"]["content"]["text/event-stream"].is_object()
    );
}

/// Validates what a reader got against a message of the document, its references looked up.
#[tokio::test]
async fn a_told_event_is_as_the_asyncapi_document_says() {
    let api = Api::new().await;
    api.site().await;
    let document = open(&api, "/asyncapi.json").await.is(200).body;
    let envelope = validator(&document["components"]["schemas"]["Event"]);
    let head = api.store.head().await.unwrap();
    for event in super::process::read(&api, "auditor", "?after=0").await.up_to(head).await {
        assert!(envelope.is_valid(&event), "{event}");
        let message = format!("api.{}.v{}", event["type"].as_str().unwrap(), event["schema"]);
        assert!(document["components"]["messages"][&message].is_object(), "{message}");
    }
}
