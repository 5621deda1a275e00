//! The answers of an operation: what comes back when all is well, and every problem by its status, with an example of each.

use std::collections::BTreeMap;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::{links, reference};
use crate::{
    http::{
        limits::{Purpose, TOO_MANY},
        operation::{Authz, IfMatch, Kind, Operation, Success},
        reply::EVENT_STREAM,
    },
    problem,
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

/// Problems that come with the seconds after which to try again.
const AGAIN: [u16; 3] = [409, 429, 503];

/// Headers of answers, by the name of their component.
pub fn headers() -> Value {
    let header = |about: &str, schema: Value| json!({ "description": about, "schema": schema });
    let text = || json!({ "type": "string" });
    json!({
        "Request-Id": header("Yours when it is one, else made here; in problems and log lines, too.", text()),
        "ETag": header("For `If-None-Match`, and for `If-Match` of a write.", json!({ "type": "string", "pattern": "^\"v[0-9]+\\.[0-9a-f]+\"$" })),
        "Link": header("`rel=\"next\"`: the next page (RFC 8288).", text()),
        "Location": header("Where it is.", json!({ "type": "string", "format": "uri-reference" })),
        "Kalel-Position": header(
            "Of a write, its place in the log, for `Kalel-Min-Position`; of a read, up to where it counts.",
            json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        ),
        "Idempotent-Replayed": header("`true`: this key was used before, and this is the answer of then.", json!({ "const": "true" })),
        "Retry-After": header("Seconds after which to try again.", json!({ "type": "integer", "minimum": 1 })),
        "RateLimit-Policy": header(
            "What the call was counted under: `\"name\";q=calls;w=seconds`. Absent where nothing is limited.",
            text(),
        ),
        "RateLimit": header("`\"name\";r=calls left at once;t=seconds until all, or the next one, are there again`.", text()),
        "WWW-Authenticate": header("How to say who you are.", text()),
        "Content-Language": header("Of the words: `fr`, `en` or `wo`.", json!({ "enum": ["fr", "en", "wo"] })),
        "Content-Disposition": header("The name of the file.", text()),
        "Deprecation": header("Since when nobody should begin to use it (RFC 9745).", text()),
        "Sunset": header("When it may be gone (RFC 8594).", text()),
    })
}

/// One example for every code there is, by the code.
pub fn examples<'a>(operations: impl Iterator<Item = &'a Operation>, base_url: &str) -> BTreeMap<String, Value> {
    let codes: Vec<&str> = operations.flat_map(codes).collect();
    let example = |code: &str| {
        let entry = problem::catalogue::find(code);
        json!({ "summary": entry.title.en, "value": problem::example(code, base_url) })
    };
    codes.into_iter().map(|code| (code.to_owned(), example(code))).collect()
}

/// All answers of one operation.
pub fn of<'a>(operation: &Operation, all: impl Iterator<Item = &'a Operation> + Clone) -> Value {
    let mut answers = Map::new();
    answers.insert(operation.success.status.to_string(), answered(operation, all.clone()));
    // Besides what is made: what would be, or what is there already.
    let besides = match operation.query.iter().any(|param| param.name == "preview") {
        true => Some("What it would be."),
        false if operation.id == "reservation.put" => Some("The reservation that is there already."),
        false => None,
    };
    if let (Some(about), 201) = (besides, operation.success.status) {
        let shape = operation.success.preview.or(operation.success.shape);
        let success = Success { status: 200, about, shape, preview: None, ..operation.success };
        let previewed = Operation { success, ..operation.clone() };
        answers.insert("200".to_owned(), answered(&previewed, all.clone()));
    }
    if is_tagged(operation) {
        answers.insert(
            "304".to_owned(),
            json!({ "description": "What you have is what there is.", "headers": head(operation, &["ETag"]) }),
        );
    }
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for code in codes(operation) {
        by_status.entry(problem::catalogue::find(code).status).or_default().push(code);
    }
    for (status, codes) in by_status {
        answers.insert(status.to_string(), refused(operation, status, codes));
    }
    Value::Object(answers)
}

fn is_tagged(operation: &Operation) -> bool {
    operation.method == Method::GET && operation.success.media != EVENT_STREAM
}

fn answered<'a>(operation: &Operation, all: impl Iterator<Item = &'a Operation> + Clone) -> Value {
    let success = &operation.success;
    let mut content = Map::new();
    if let Some(shape) = success.shape {
        let schema = reference("schemas", &(shape.name)());
        let shown = if success.media == EVENT_STREAM {
            json!({ "schema": {
                "type": "object",
                "description": "One event of the stream.",
                "properties": {
                    "id": { "type": "string", "description": "Its position, for `Last-Event-ID`." },
                    "event": { "type": "string", "description": "Its type." },
                    "data": { "type": "string", "contentMediaType": "application/json", "contentSchema": schema },
                },
            } })
        } else {
            let schema = match success.preview {
                Some(preview) => json!({ "anyOf": [schema, reference("schemas", &(preview.name)())] }),
                None => schema,
            };
            json!({ "schema": schema, "example": (shape.example)() })
        };
        content.insert(success.media.to_owned(), shown);
    } else if success.status != 204 {
        let schema = match success.media {
            "application/json" => json!({}),
            media if media.starts_with("text/") => json!({ "type": "string" }),
            media if media.ends_with("json") => json!({ "type": "object" }),
            _ => json!({ "type": "string", "format": "binary" }),
        };
        content.insert(success.media.to_owned(), json!({ "schema": schema }));
    }
    let mut names = vec!["Kalel-Position"];
    if success.shape.is_some() || is_tagged(operation) {
        names.push("ETag");
    }
    if operation.query.iter().any(|param| param.name == "cursor") {
        names.push("Link");
    }
    if success.status == 201 {
        names.push("Location");
    }
    if operation.idempotent {
        names.push("Idempotent-Replayed");
    }
    if !success.media.starts_with("application/json") && success.media != EVENT_STREAM {
        names.push("Content-Disposition");
    }
    let mut answer = json!({ "description": success.about, "headers": head(operation, &names) });
    if !content.is_empty() {
        answer["content"] = Value::Object(content);
    }
    let links = links::of(operation, all);
    if !links.is_empty() {
        answer["links"] = Value::Object(links);
    }
    answer
}

/// A status, and the codes that come with it.
fn refused(operation: &Operation, status: u16, mut codes: Vec<&str>) -> Value {
    codes.sort_unstable();
    codes.dedup();
    let mut names = vec!["Content-Language"];
    if AGAIN.contains(&status) {
        names.push("Retry-After");
    }
    if status == 401 {
        names.push("WWW-Authenticate");
    }
    let examples: Map<String, Value> =
        codes.iter().map(|code| ((*code).to_owned(), reference("examples", code))).collect();
    json!({
        "description": format!("`code`: {}", codes.join(", ")),
        "headers": head(operation, &names),
        "content": { "application/problem+json": { "schema": reference("schemas", "Problem"), "examples": examples } },
    })
}

/// Those headers, and those that every answer of the operation has.
fn head(operation: &Operation, names: &[&str]) -> Value {
    let mut all = vec!["Request-Id"];
    // What every answer says of the limits (draft-ietf-httpapi-ratelimit-headers).
    if operation.limit != Purpose::Webhook {
        all.extend(["RateLimit-Policy", "RateLimit"]);
    }
    if operation.deprecated.is_some() {
        all.extend(["Deprecation", "Sunset", "Link"]);
    }
    all.extend(names);
    let all: BTreeMap<&str, Value> = all.into_iter().map(|name| (name, reference("headers", name))).collect();
    json!(all)
}

/// Every code the operation can answer with.
pub fn codes(operation: &Operation) -> Vec<&'static str> {
    let mut codes = USUAL.to_vec();
    codes.extend(operation.refusals);
    match operation.authz {
        Authz::Keys { .. } => codes.extend([
            "auth.missing",
            "auth.invalid",
            "auth.other_mode",
            "auth.scope_missing",
            "auth.role_forbidden",
            "session.ended",
        ]),
        Authz::Session { .. } => codes.extend([
            "auth.missing",
            "auth.invalid",
            "auth.other_mode",
            "auth.role_forbidden",
            "session.ended",
            "session.required",
        ]),
        Authz::Anyone => codes.extend(["auth.invalid", "auth.other_mode", "session.ended"]),
        Authz::Signature | Authz::Undeclared => {}
    }
    if operation.step_up || !operation.step_up_of.is_empty() {
        codes.extend(["session.step_up_required", "session.required"]);
    }
    if operation.method != Method::GET && matches!(operation.authz, Authz::Keys { .. } | Authz::Session { .. }) {
        codes.push("account.changed");
    }
    if operation.method != Method::GET {
        codes.push("log.is_a_fork");
    }
    if operation.limit != Purpose::Webhook {
        codes.push(TOO_MANY);
    }
    let names_something = |kind: Kind| matches!(kind, Kind::Name | Kind::Id);
    if operation.path.contains('{') || operation.query.iter().any(|param| names_something(param.kind)) {
        codes.push("object.not_found");
    }
    if operation.body.is_some() {
        codes.extend(["request.invalid_field", "object.not_found"]);
    }
    if operation.body.is_some() || operation.upload.is_some() {
        codes.extend(["request.too_large", "request.unsupported_media_type"]);
    }
    if operation.raw_body {
        codes.push("request.too_large");
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
        IfMatch::Required => codes.extend(["precondition.required", "precondition.failed", "version.conflict"]),
        IfMatch::Optional => codes.extend(["precondition.failed", "version.conflict"]),
        IfMatch::Ignored => codes.extend(["position.beyond_head", "projection_behind"]),
    }
    codes
}
