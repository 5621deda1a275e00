//! The parameters of an operation: of its path, its query, its head.

use axum::http::Method;
use serde_json::{Value, json};

use super::reference;
use crate::http::{
    operation::{Authz, IfMatch, Kind, Operation, Param},
    reply::EVENT_STREAM,
};

/// An id or a slug.
pub const NAME: &str = "^([a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$";

/// Headers that many operations read, by the name of their component.
pub fn shared() -> Value {
    let header = |name: &str, required: bool, about: &str, schema: Value| {
        json!({
            "name": name, "in": "header", "required": required, "description": about, "schema": schema,
        })
    };
    let tag = json!({
        "anyOf": [{ "enum": ["*"] }, { "type": "string", "pattern": "^\"v[0-9]{1,9}(\\.[0-9a-f]{12})?\"$" }],
    });
    let position = json!({ "type": "string", "pattern": "^[0-9]{1,18}$" });
    // A text: what a head holds is one.
    let mut min_position = header(
        "Kalel-Min-Position",
        false,
        "Waits up to 2 s until the views hold this position (read your writes). 400 beyond the end of the log.",
        position.clone(),
    );
    min_position["x-checked"] = json!("where the log ends");
    json!({
        "IdempotencyKey": header(
            "Idempotency-Key",
            true,
            "16–255 printable ASCII characters, new for each thing wanted. The same key and body give the same answer.",
            json!({ "type": "string", "pattern": "^[!-~][ -~]{14,253}[!-~]$" }),
        ),
        "IfMatchRequired": header("If-Match", true, "The ETag that was read, or `*`; 428 without, 412 when stale.", tag.clone()),
        "IfMatch": header("If-Match", false, "The ETag that was read, or `*`; 412 when stale.", tag),
        "LastEventId": header(
            "Last-Event-ID",
            false,
            "The position seen last; goes before `after`. 400 when it is not a number; empty, nothing was seen.",
            json!({ "type": "string", "pattern": "^[0-9]{0,18}$" }),
        ),
        "KalelMinPosition": min_position,
        "IfNoneMatch": header(
            "If-None-Match",
            false,
            "ETags that were read; 304 when nothing changed.",
            json!({ "type": "string" }),
        ),
        "AcceptLanguage": header(
            "Accept-Language",
            false,
            "`fr` (default), `en` or `wo`: the words of a problem, of names of methods.",
            json!({ "type": "string", "default": "fr" }),
        ),
    })
}

/// Those of one operation.
pub fn of(operation: &Operation) -> Vec<Value> {
    let mut parameters: Vec<Value> = operation.path_names().map(|name| segment(operation.path, name)).collect();
    if let ("reservation.put", Some(id)) = (operation.id, parameters.first_mut()) {
        id["x-checked"] = json!("its version, which is 7: a UUID that you made now");
    }
    parameters.extend(operation.query.iter().map(query));
    let mut header = |name: &str| parameters.push(reference("parameters", name));
    if operation.idempotent {
        header("IdempotencyKey");
    }
    match operation.if_match {
        IfMatch::Required => header("IfMatchRequired"),
        IfMatch::Optional => header("IfMatch"),
        IfMatch::Ignored => {}
    }
    if operation.success.media == EVENT_STREAM {
        header("LastEventId");
    }
    if operation.method == Method::GET && !matches!(operation.authz, Authz::Signature) {
        header("KalelMinPosition");
        header("IfNoneMatch");
    }
    header("AcceptLanguage");
    parameters
}

/// A `{name}` of a path. What does not have its form names nothing: 404, or 400 for a date.
pub fn segment(path: &str, name: &str) -> Value {
    let schema = match name {
        "id" if path.starts_with("/v1/sites/") => json!({ "type": "string", "pattern": NAME }),
        "date" | "day" => json!({ "type": "string", "format": "date" }),
        "position" => json!({ "type": "integer", "format": "int64", "minimum": 0 }),
        "number" => json!({ "type": "integer", "format": "int32", "minimum": 1 }),
        "schema" => json!({ "type": "integer", "format": "int32", "minimum": 1, "maximum": 32767 }),
        "type" => json!({ "type": "string", "pattern": "^[a-z_]+\\.[a-z_]+$" }),
        "code" => json!({ "type": "string", "pattern": "^[a-z_.]+$" }),
        "token" => json!({ "type": "string", "pattern": "^[A-Za-z0-9_.~-]+$" }),
        "provider" if path.starts_with("/v1/provider-webhooks/") => {
            json!({ "type": "string", "enum": ["wave", "sonatel", "webpay", "paytech", "paydunya"] })
        }
        "provider" => json!({ "type": "string", "enum": ["wave", "sonatel", "paytech", "paydunya"] }),
        "account" => json!({ "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?$" }),
        _ => json!({ "type": "string", "format": "uuid" }),
    };
    let about = match name {
        "id" if path.starts_with("/v1/sites/") => "Id or slug.",
        "id" => "Its id.",
        "date" | "day" => "A date at the site.",
        "position" => "A place in the log.",
        "number" => "Which of the day.",
        "schema" => "Number of the schema.",
        "type" => "Type of the event.",
        "code" => "`code` of a problem.",
        "token" => "What the link carries.",
        "provider" => "Who moves the money.",
        "account" => "Name of a merchant account.",
        _ => "Its id.",
    };
    json!({ "name": name, "in": "path", "required": true, "description": about, "schema": schema })
}

fn query(param: &Param) -> Value {
    let schema = match param.kind {
        // Without control characters.
        Kind::Text => json!({
            "type": "string", "minLength": 1, "maxLength": param.longest, "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]+$",
        }),
        Kind::Id => json!({ "type": "string", "format": "uuid" }),
        Kind::Name => json!({ "type": "string", "pattern": NAME }),
        Kind::Moment => json!({
            "anyOf": [{ "type": "integer", "format": "int64", "minimum": 0 }, { "type": "string", "format": "date-time" }],
        }),
        Kind::Point => json!({
            "type": "string",
            "pattern": "^-?(90|[1-8]?[0-9](\\.[0-9]{1,12})?),-?(180|(1[0-7][0-9]|[1-9]?[0-9])(\\.[0-9]{1,12})?)$",
        }),
        Kind::Some(choices) => {
            let one = choices.join("|");
            json!({ "type": "string", "pattern": format!("^({one})(,({one}))*$") })
        }
        Kind::Integer { min, max } => json!({ "type": "integer", "format": "int64", "minimum": min, "maximum": max }),
        Kind::Time => json!({ "type": "string", "format": "date-time" }),
        Kind::Date => json!({ "type": "string", "format": "date" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::OneOf(choices) => json!({ "type": "string", "enum": choices }),
        Kind::Many(choices) => json!({ "type": "array", "items": { "type": "string", "enum": choices } }),
    };
    let mut described = json!({
        "name": param.name, "in": "query", "required": param.required, "description": param.about, "schema": schema,
    });
    if !param.example.is_empty() {
        // As it is typed: a number is one.
        let typed = match param.kind {
            Kind::Integer { .. } => param.example.parse::<i64>().ok().map(Value::from),
            Kind::Flag => param.example.parse::<bool>().ok().map(Value::from),
            Kind::Many(_) => Some(json!([param.example])),
            _ => None,
        };
        described["example"] = typed.unwrap_or_else(|| json!(param.example));
    }
    if !param.checked.is_empty() {
        described["x-checked"] = json!(param.checked);
    }
    described
}
