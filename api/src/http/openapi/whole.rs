//! Examples of answers, whole: what a handwritten example leaves out and the schema requires is filled in.

use serde_json::{Map, Value, json};

/// As deep as an answer goes.
const DEEPEST: u8 = 6;

/// Fills in every example of an answer, and of the schemas themselves.
pub fn fill(document: &mut Value) {
    let schemas = document["components"]["schemas"].clone();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    let operations = paths.values_mut().filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    for answers in operations.filter_map(|operation| operation["responses"].as_object_mut()) {
        for content in answers.values_mut().filter_map(|answer| answer.get_mut("content")?.as_object_mut()) {
            for shown in content.values_mut().filter_map(Value::as_object_mut) {
                let schema = shown.get("schema").cloned().unwrap_or_default();
                if let Some(example) = shown.get_mut("example") {
                    complete(example, &schema, &schemas, DEEPEST);
                }
            }
        }
    }
}

fn resolved<'a>(schema: &'a Value, schemas: &'a Value) -> &'a Value {
    let named = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
    named.map_or(schema, |name| &schemas[name])
}

/// The schema of what is not null.
fn solid<'a>(schema: &'a Value, schemas: &'a Value) -> &'a Value {
    let schema = resolved(schema, schemas);
    let choices = schema.get("oneOf").or_else(|| schema.get("anyOf")).and_then(Value::as_array);
    let choice = choices.and_then(|choices| choices.iter().find(|choice| choice["type"] != "null"));
    choice.map_or(schema, |choice| resolved(choice, schemas))
}

fn complete(example: &mut Value, schema: &Value, schemas: &Value, depth: u8) {
    let schema = solid(schema, schemas);
    if depth == 0 {
        return;
    }
    match example {
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                complete(member, &schema["properties"][name], schemas, depth - 1);
            }
            for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                if !members.contains_key(name) {
                    members.insert(name.to_owned(), usual(name, &schema["properties"][name], schemas, depth - 1));
                }
            }
        }
        Value::Array(values) => {
            values.iter_mut().for_each(|value| complete(value, &schema["items"], schemas, depth - 1))
        }
        _ => {}
    }
}

/// Something that fits.
fn usual(name: &str, schema: &Value, schemas: &Value, depth: u8) -> Value {
    let schema = resolved(schema, schemas);
    let nullable = schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"));
    let perhaps = |choices: &Value| choices.as_array().is_some_and(|all| all.iter().any(|one| one["type"] == "null"));
    if nullable || perhaps(&schema["oneOf"]) || perhaps(&schema["anyOf"]) {
        return Value::Null;
    }
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    let schema = solid(schema, schemas);
    if let Some(first) = schema["enum"].get(0) {
        return first.clone();
    }
    match schema["type"].as_str() {
        Some("object") => {
            let mut example = json!({});
            complete(&mut example, schema, schemas, depth);
            example
        }
        Some("array") => json!([]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some("boolean") => json!(false),
        _ => json!(text(name, schema["format"].as_str().unwrap_or_default())),
    }
}

fn text(name: &str, format: &str) -> &'static str {
    match (name, format) {
        (_, "uuid") => "019ab2c4-5f00-7000-8000-000000000001",
        (_, "date-time") => "2026-11-28T18:00:00Z",
        (_, "date") => "2026-11-28",
        _ if name.ends_with("_at") || matches!(name, "at" | "from" | "to") => "2026-11-28T18:00:00Z",
        ("currency", _) => "XOF",
        ("time_zone", _) => "Africa/Dakar",
        ("country", _) => "SN",
        ("method", _) => "wave",
        ("purpose", _) => "deposit",
        ("event", _) => "payment.succeeded",
        ("reference", _) => "AZqyxF8AcACAAAAAAAAAAQ",
        ("opens", _) => "08:00",
        ("closes", _) => "01:00",
        ("object", _) => "object",
        _ => "…",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_required_is_there_and_what_is_written_stays() {
        let schemas = json!({
            "Money": { "type": "object", "required": ["amount", "currency"], "properties": {
                "amount": { "type": "integer", "minimum": 0 }, "currency": { "type": "string" } } },
        });
        let schema = json!({ "type": "object", "required": ["id", "due", "note", "created_at"], "properties": {
            "id": { "type": "string", "format": "uuid" }, "due": { "$ref": "#/components/schemas/Money" },
            "note": { "type": ["string", "null"] }, "created_at": { "type": "string" } } });
        let mut example = json!({ "due": { "amount": 9000 } });
        complete(&mut example, &schema, &schemas, DEEPEST);
        assert_eq!(example["due"], json!({ "amount": 9000, "currency": "XOF" }));
        assert!(example["note"].is_null() && example["id"].is_string());
        assert_eq!(example["created_at"], "2026-11-28T18:00:00Z");
    }
}
