//! The frozen schemas in `domain/schemas` are what the payload structs say, and what the samples are.
//!
//! A new event: `echo '{}' > domain/schemas/<type>.v<n>.json`, so that it compiles, then
//! `KALEL_FREEZE=1 cargo test --workspace --lib frozen` writes the schema. The same rewrites descriptions, and nothing else:
//! a shipped shape does not change.

use std::{collections::BTreeSet, fs};

use jsonschema::Validator;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{folder, shapes::WITHHELD, trial};
use crate::event::{Event, Shape, withheld};

/// The schema of a payload, as serde writes it.
pub fn derive<T: JsonSchema>(name: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = json!(name);
    plain(&mut schema);
    schema
}

/// Words for readers outside: no link into the code, no page that they cannot open.
fn plain(schema: &mut Value) {
    match schema {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| match value {
            Value::String(words) if name == "description" => {
                *words = words.replace("[`", "`").replace("`]", "`").replace('\n', " ");
                while let Some((before, rest)) = words.split_once(" (")
                    && let Some((inside, after)) = rest.split_once(')')
                    && inside.contains(".md")
                {
                    *words = format!("{before}{after}");
                }
            }
            other => plain(other),
        }),
        Value::Array(values) => values.iter_mut().for_each(plain),
        _ => {}
    }
}

/// A schema without its words: what a program goes by.
fn wordless(schema: &Value) -> Value {
    match schema {
        Value::Object(members) => {
            let told = |(name, value): &(&String, &Value)| *name != "description" || !value.is_string();
            let members: Map<String, Value> =
                members.iter().filter(told).map(|(name, value)| (name.clone(), wordless(value))).collect();
            match choices(&members) {
                Some(choices) => json!({ "type": "string", "enum": choices }),
                None => Value::Object(members),
            }
        }
        Value::Array(values) => values.iter().map(wordless).collect(),
        other => other.clone(),
    }
}

/// What a plain enumeration may be. With a description of one variant it is written as `oneOf`, without any as `enum`.
fn choices(members: &Map<String, Value>) -> Option<BTreeSet<String>> {
    let names = |member: &Value| match member {
        Value::String(name) => Some(name.clone()),
        _ => None,
    };
    if members.keys().any(|name| !["type", "enum", "const", "oneOf"].contains(&name.as_str())) {
        return None;
    }
    if let Some(Value::Array(parts)) = members.get("oneOf") {
        let parts: Option<Vec<_>> = parts.iter().map(|part| choices(part.as_object()?)).collect();
        return parts.map(|parts| parts.into_iter().flatten().collect());
    }
    match (members.get("type"), members.get("enum"), members.get("const")) {
        (Some(kind), Some(Value::Array(names_of)), None) if kind == "string" => names_of.iter().map(names).collect(),
        (Some(kind), None, Some(name)) if kind == "string" => names(name).map(|name| [name].into()),
        _ => None,
    }
}

/// Compares the schema of a payload with the frozen one; writes it when it is new, or when only the words differ.
fn check(folder: &std::path::Path, name: &str, schema: i16, derived: &Value) {
    let path = folder.join(format!("{name}.v{schema}.json"));
    let frozen: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let new = frozen == json!({});
    assert!(
        new || wordless(&frozen) == wordless(derived),
        "{name} v{schema} is no longer what {} says. What was written stays as it is: raise the schema number and write an \
         upcaster (docs/events.md).\n{derived:#}",
        path.display()
    );
    if frozen != *derived {
        assert!(std::env::var_os("KALEL_FREEZE").is_some(), "{}: words have changed; see schemas.rs", path.display());
        fs::write(&path, format!("{derived:#}\n")).unwrap();
    }
}

#[test]
fn every_payload_is_as_its_frozen_schema_says() {
    for (name, schema, derived) in Event::derived() {
        check(&folder("schemas"), name, schema, &derived);
    }
    for (name, schema, derived) in trial::Event::derived() {
        check(&folder("src/event/tests/trial/schemas"), name, schema, &derived);
    }
}

fn validator(shape: &Shape) -> Validator {
    let schema: Value = serde_json::from_str(shape.document).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema", "{}", shape.name);
    assert_eq!(schema["title"], shape.name);
    jsonschema::options().should_validate_formats(true).build(&schema).unwrap()
}

fn sample(shape: &Shape) -> Value {
    serde_json::from_str(shape.sample).unwrap()
}

#[test]
fn every_sample_is_as_its_schema_says_and_a_wrong_one_is_not() {
    for shape in Event::shapes() {
        let (validator, sample) = (validator(shape), sample(shape));
        let wrong: Vec<String> = validator.iter_errors(&sample).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{} v{}: {wrong:?}", shape.name, shape.schema);
        let members = sample.as_object().unwrap();
        for member in members.keys() {
            let mut without = members.clone();
            without.remove(member);
            assert!(!validator.is_valid(&Value::Object(without)), "{} without {member}", shape.name);
            let mut other = members.clone();
            // No payload has a member that may be a list of booleans.
            other.insert(member.clone(), json!([true]));
            assert!(!validator.is_valid(&Value::Object(other)), "{} with another {member}", shape.name);
        }
        assert!(!validator.is_valid(&json!([])));
    }
}

#[test]
fn what_is_withheld_is_what_the_types_say() {
    for shape in Event::shapes() {
        let schema: Value = serde_json::from_str(shape.document).unwrap();
        let mut marked = Vec::new();
        for (member, described) in schema["properties"].as_object().unwrap() {
            if described.to_string().contains(WITHHELD) {
                marked.push(member.as_str());
            }
        }
        // Withheld at the first level, so nothing of the kind may lie deeper.
        assert_eq!(shape.document.matches(WITHHELD).count(), marked.len(), "{}", shape.name);
        let known: Vec<&str> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .filter(|member| withheld(shape.name).contains(member))
            .collect();
        // What opens a door is withheld, too; nobody is in it.
        let secret = match shape.name {
            "reservation.held" => Some("code"),
            "payment.opened" => Some("checkout_url"),
            // By which a telephone could be known again elsewhere.
            "client.device_bound" | "client.recovery_begun" => Some("device_key"),
            "endpoint.added" | "endpoint.changed" => Some("url"),
            _ => None,
        };
        let said: BTreeSet<&str> = marked.into_iter().chain(secret).collect();
        assert_eq!(said, known.into_iter().collect(), "{} v{}", shape.name, shape.schema);
    }
}

#[test]
fn a_published_schema_describes_what_is_published() {
    for shape in Event::shapes() {
        let published = shape.published("https://kalel.example");
        let id = format!("https://kalel.example/v1/event-schemas/{}/{}", shape.name, shape.schema);
        assert_eq!(published["$id"], json!(id));
        let validator = jsonschema::options().should_validate_formats(true).build(&published).unwrap();
        let example = &published["examples"][0];
        assert!(validator.is_valid(example), "{}: {example}", shape.name);
        assert!(!published.to_string().contains(WITHHELD), "{}", shape.name);
        for member in withheld(shape.name) {
            assert!(example.get(member).is_none() && published["properties"].get(member).is_none());
        }
    }
}

#[test]
fn words_may_change_and_shapes_may_not() {
    let told = json!({ "type": "object", "properties": { "a": { "oneOf": [
        { "type": "string", "const": "x", "description": "the first" }, { "type": "string", "enum": ["y"] } ] } } });
    let bare = json!({ "type": "object", "properties": { "a": { "type": "string", "enum": ["y", "x"] } } });
    assert_eq!(wordless(&told), wordless(&bare));
    for other in [
        json!({ "type": "object", "properties": { "a": { "type": "string", "enum": ["x"] } } }),
        json!({ "type": "object", "properties": { "a": { "type": "string" } } }),
        json!({ "type": "object", "properties": { "description": { "type": "string" } } }),
        json!({ "type": "object", "properties": {} }),
    ] {
        assert_ne!(wordless(&other), wordless(&bare), "{other}");
    }
}
