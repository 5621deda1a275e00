//! The OpenAPI 3.1 document, made from the same rows as the router: the two cannot disagree.

use std::collections::BTreeMap;

use domain::actor::Role;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::{
    http::{
        limits::{Purpose, TOO_MANY},
        operation::{Authz, IfMatch, Kind, Operation, Over, Param},
        reply::EVENT_STREAM,
    },
    problem::{self, ProblemDocument},
};

/// Codes that any operation can answer with.
const USUAL: &[&str] = &[
    "request.malformed_json",
    "request.invalid_parameter",
    "request.invalid_header",
    "request.timeout",
    "server.error",
    "server.overloaded",
    "server.outcome_unknown",
];

/// The whole document.
pub fn document<'a>(operations: impl Iterator<Item = &'a Operation> + Clone, version: &str, base_url: &str) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations.clone() {
        paths
            .entry(operation.path)
            .or_default()
            .insert(operation.method.as_str().to_ascii_lowercase(), describe(operation));
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Kalel",
            "version": version,
            "description": "Booking of football pitches: find a free one near you, hold it, pay the deposit, play. \
                Every write is an event; every refusal says which rule, its value and its version.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "tags": tags(operations.clone()),
        "components": {
            "schemas": schemas(operations),
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "kk_test_… or kk_live_…",
                    "description": "An API key. A key of the other mode is refused.",
                },
            },
        },
    });
    if !base_url.is_empty()
        && let Some(members) = document.as_object_mut()
    {
        members.insert("servers".to_owned(), json!([{ "url": base_url }]));
        let events = json!({ "description": "Events: AsyncAPI 3", "url": format!("{base_url}/asyncapi.json") });
        members.insert("externalDocs".to_owned(), events);
    }
    document
}

fn tags<'a>(operations: impl Iterator<Item = &'a Operation>) -> Value {
    let mut nouns: Vec<&str> = operations.map(noun).collect();
    nouns.sort_unstable();
    nouns.dedup();
    nouns.into_iter().map(|noun| json!({ "name": noun })).collect()
}

fn noun(operation: &Operation) -> &'static str {
    operation.id.split('.').next().unwrap_or_default()
}

fn schemas<'a>(operations: impl Iterator<Item = &'a Operation>) -> BTreeMap<String, Value> {
    let mut found = vec![(ProblemDocument::name().into_owned(), ProblemDocument::schema())];
    ProblemDocument::schemas(&mut found);
    for shape in operations.flat_map(|operation| [operation.body, operation.success.shape]).flatten() {
        found.push(((shape.name)().into_owned(), (shape.schema)()));
        (shape.parts)(&mut found);
    }
    found.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())).collect()
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn describe(operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [noun(operation)],
        "summary": operation.summary,
        "description": operation.about,
        "parameters": parameters(operation),
        "responses": responses(operation),
        "security": match operation.authz {
            Authz::Keys { scope, .. } => json!([{ "key": [scope] }]),
            Authz::Session { .. } => json!([{ "key": [] }]),
            Authz::Anyone => json!([{}, { "key": [] }]),
            Authz::Signature | Authz::Undeclared => json!([]),
        },
        "x-authz": authz(operation.authz),
        "x-step-up": operation.step_up,
        "x-limit": operation.limit.as_str(),
        "x-class": operation.class.as_str(),
    });
    let body = match (operation.body, operation.upload, operation.raw_body) {
        (None, Some(upload), _) => Some(json!({
            "required": true,
            "description": upload.about,
            "content": { upload.media: { "schema": { "type": "string" }, "example": upload.example } },
        })),
        (Some(shape), ..) => Some(json!({
            "required": true,
            "content": { "application/json": { "schema": reference(&(shape.name)()), "example": (shape.example)() } },
        })),
        (None, None, true) => Some(json!({
            "required": true,
            "description": "As the provider sends it; the exact bytes are verified.",
            "content": { "*/*": { "schema": {} } },
        })),
        (None, None, false) => None,
    };
    if let (Some(body), Some(members)) = (body, described.as_object_mut()) {
        members.insert("requestBody".to_owned(), body);
    }
    described
}

fn authz(authz: Authz) -> Value {
    match authz {
        Authz::Undeclared => Value::Null,
        Authz::Anyone => json!({ "anyone": true }),
        Authz::Signature => json!({ "signature": true }),
        Authz::Keys { scope, roles } => json!({ "scope": scope, "roles": table(roles) }),
        Authz::Session { roles } => json!({ "session": true, "roles": table(roles) }),
    }
}

fn table(roles: &[(Role, Over)]) -> Map<String, Value> {
    roles.iter().map(|(role, over)| (role.as_str().to_owned(), json!(over.as_str()))).collect()
}

fn parameters(operation: &Operation) -> Vec<Value> {
    let mut parameters: Vec<Value> = operation
        .path_names()
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    parameters.extend(operation.query.iter().map(query));
    let mut header = |name: &str, required: bool, about: &str| {
        parameters.push(json!({
            "name": name, "in": "header", "required": required, "description": about, "schema": { "type": "string" },
        }));
    };
    if operation.idempotent {
        header("Idempotency-Key", true, "16–255 printable characters. The same key and body give the same answer.");
    }
    match operation.if_match {
        IfMatch::Required => header("If-Match", true, "The ETag that was read; 428 without, 412 when stale."),
        IfMatch::Optional => header("If-Match", false, "The ETag that was read; 412 when stale."),
        IfMatch::Ignored => {}
    }
    if operation.success.media == EVENT_STREAM {
        header("Last-Event-ID", false, "The position seen last; goes before `after`. 400 when it is not a number.");
    }
    if operation.method == axum::http::Method::GET && !matches!(operation.authz, Authz::Signature) {
        header("Kalel-Min-Position", false, "Waits up to 2 s until the views hold this position (read your writes).");
        header("If-None-Match", false, "An ETag that was read; 304 when nothing changed.");
    }
    header("Accept-Language", false, "fr (default), en or wo.");
    parameters
}

fn query(param: &Param) -> Value {
    let schema = match param.kind {
        Kind::Text => json!({ "type": "string", "maxLength": 1000 }),
        Kind::Integer { min, max } => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::OneOf(choices) => json!({ "type": "string", "enum": choices }),
        Kind::Many(choices) => json!({ "type": "array", "items": { "type": "string", "enum": choices } }),
    };
    let mut described = json!({
        "name": param.name, "in": "query", "required": param.required, "description": param.about, "schema": schema,
    });
    if !param.example.is_empty()
        && let Some(members) = described.as_object_mut()
    {
        members.insert("example".to_owned(), json!(param.example));
    }
    described
}

fn responses(operation: &Operation) -> Value {
    let success = &operation.success;
    let mut content = Map::new();
    if let Some(shape) = success.shape {
        content.insert(
            success.media.to_owned(),
            json!({ "schema": reference(&(shape.name)()), "example": (shape.example)() }),
        );
    } else if success.status != 204 {
        content.insert(success.media.to_owned(), json!({ "schema": {} }));
    }
    let mut headers = Map::new();
    headers.insert("Request-Id".to_owned(), json!({ "schema": { "type": "string" } }));
    let limits = limit_headers(operation);
    headers.extend(limits.clone());
    if operation.idempotent {
        headers.insert("Kalel-Position".to_owned(), json!({ "schema": { "type": "integer" } }));
        headers.insert("Idempotent-Replayed".to_owned(), json!({ "schema": { "type": "boolean" } }));
    }
    let mut responses = Map::new();
    responses.insert(
        success.status.to_string(),
        json!({ "description": success.about, "headers": headers, "content": content }),
    );
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in codes(operation) {
        by_status.entry(problem::catalogue::find(code).status).or_default().push(code);
    }
    for (status, codes) in by_status {
        let mut refused = json!({
            "description": format!("`code`: {}", codes.join(", ")),
            "content": { "application/problem+json": { "schema": reference("Problem") } },
        });
        if let (429, Some(members)) = (status, refused.as_object_mut()) {
            let mut headers = limits.clone();
            headers.insert("Retry-After".to_owned(), described("Seconds.", "integer"));
            members.insert("headers".to_owned(), Value::Object(headers));
        }
        responses.insert(status.to_string(), refused);
    }
    Value::Object(responses)
}

fn described(about: &str, kind: &str) -> Value {
    json!({ "description": about, "schema": { "type": kind } })
}

/// What every answer says of the limits (draft-ietf-httpapi-ratelimit-headers).
fn limit_headers(operation: &Operation) -> Map<String, Value> {
    if operation.limit == Purpose::Webhook {
        return Map::new();
    }
    let policy = "What the call was counted under: `\"name\";q=calls;w=seconds`. Absent where nothing is limited.";
    let limit = "`\"name\";r=calls left at once;t=seconds until all, or the next one, are there again`.";
    let headers = [("RateLimit-Policy", policy), ("RateLimit", limit)];
    headers.into_iter().map(|(name, about)| (name.to_owned(), described(about, "string"))).collect()
}

/// Every code the operation can answer with.
fn codes(operation: &Operation) -> Vec<&'static str> {
    let mut codes = USUAL.to_vec();
    codes.extend(operation.refusals);
    match operation.authz {
        Authz::Keys { .. } | Authz::Session { .. } => codes.extend([
            "auth.missing",
            "auth.invalid",
            "auth.other_mode",
            "auth.scope_missing",
            "auth.role_forbidden",
        ]),
        Authz::Anyone => codes.extend(["auth.invalid", "auth.other_mode"]),
        Authz::Signature | Authz::Undeclared => {}
    }
    if operation.limit != Purpose::Webhook {
        codes.push(TOO_MANY);
    }
    if operation.path.contains('{') {
        codes.push("object.not_found");
    }
    if operation.body.is_some() {
        codes.extend(["request.invalid_field", "request.too_large", "request.unsupported_media_type"]);
    }
    if operation.idempotent {
        codes.extend([
            "idempotency.key_missing",
            "idempotency.key_malformed",
            "idempotency.key_reused",
            "idempotency.in_progress",
            "version.conflict",
        ]);
    }
    match operation.if_match {
        IfMatch::Required => codes.extend(["precondition.required", "precondition.failed"]),
        IfMatch::Optional => codes.push("precondition.failed"),
        IfMatch::Ignored => codes.extend(["position.beyond_head", "projection_behind"]),
    }
    codes
}
