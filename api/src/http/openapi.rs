//! The OpenAPI 3.1 document, made from the same rows as the router: the two cannot disagree.

mod answers;
pub mod beside;
mod links;
mod parameters;
mod whole;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::Role;
use serde_json::{Map, Value, json};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, schema::Schema},
};

use crate::{
    http::operation::{Authz, Operation, Over},
    problem::ProblemDocument,
};

/// The whole document.
pub fn document<'a>(operations: impl Iterator<Item = &'a Operation> + Clone, version: &str, base_url: &str) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations.clone() {
        let described = describe(operation, operations.clone());
        paths.entry(operation.path).or_default().insert(operation.method.as_str().to_ascii_lowercase(), described);
    }
    for route in beside::ROUTES {
        paths.entry(route.path).or_default().insert(route.method.to_owned(), route.describe());
    }
    let shared = share(&mut paths);
    let here = if base_url.is_empty() { "/" } else { base_url };
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Kalel",
            "version": version,
            "description": "Booking of football pitches: find a free one near you, hold it, pay the deposit, play. \
                Every write is an event; every refusal says which rule, its value and its version. \
                `x-authz` says who may call an operation, `x-limit` what its calls are counted as, `x-checked` what a \
                value is checked against beyond its form. An integer is written without a fraction.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": here, "description": "This installation." }],
        "externalDocs": { "description": "Events: AsyncAPI 3", "url": format!("{base_url}/asyncapi.json") },
        "paths": paths,
        "tags": tags(operations.clone()),
        "components": {
            "schemas": schemas(operations.clone()),
            "parameters": parameters::shared(),
            "responses": shared,
            "headers": answers::headers(),
            "examples": answers::examples(operations, base_url),
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
    whole::fill(&mut document);
    document
}

/// Answers that many operations give word for word are written once: of each status the commonest problem.
fn share(paths: &mut BTreeMap<&str, Map<String, Value>>) -> BTreeMap<String, Value> {
    let problems = |paths: &mut BTreeMap<&str, Map<String, Value>>, each: &mut dyn FnMut(&str, &mut Value)| {
        let operations = paths.values_mut().flat_map(|item| item.values_mut());
        for answers in operations.filter_map(|operation| operation["responses"].as_object_mut()) {
            for (status, answer) in answers.iter_mut().filter(|(status, _)| status.as_str() >= "400") {
                each(status, answer);
            }
        }
    };
    let mut times: BTreeMap<(String, String), usize> = BTreeMap::new();
    problems(paths, &mut |status, answer| *times.entry((status.to_owned(), answer.to_string())).or_default() += 1);
    let mut commonest: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for ((status, text), times) in times.into_iter().filter(|(_, times)| *times > 1) {
        let best = commonest.entry(status).or_default();
        if times > best.0 {
            *best = (times, text);
        }
    }
    let mut shared = BTreeMap::new();
    problems(paths, &mut |status, answer| {
        let text = answer.to_string();
        if commonest.get(status).is_some_and(|(_, best)| *best == text) {
            let name = format!("Problem{status}");
            let answer = std::mem::replace(answer, reference("responses", &name));
            shared.insert(name, answer);
        }
    });
    shared
}

fn tags<'a>(operations: impl Iterator<Item = &'a Operation>) -> Value {
    let beside = beside::ROUTES.iter().map(|route| route.id);
    let ids = operations.map(|operation| operation.id).chain(beside);
    let nouns: BTreeSet<&str> = ids.map(noun).collect();
    nouns.into_iter().map(|noun| json!({ "name": noun })).collect()
}

fn noun(id: &str) -> &str {
    id.split('.').next().unwrap_or_default()
}

type Named = Vec<(String, RefOr<Schema>)>;

/// The schemas of bodies that are answered, and of those that are sent.
fn named<'a>(operations: impl Iterator<Item = &'a Operation>) -> (Named, Named) {
    let mut found = vec![(ProblemDocument::name().into_owned(), ProblemDocument::schema())];
    ProblemDocument::schemas(&mut found);
    let mut sent = Vec::new();
    for operation in operations {
        if let Some(shape) = operation.body {
            sent.push(((shape.name)().into_owned(), (shape.schema)()));
            (shape.parts)(&mut sent);
        }
        for shape in [operation.success.shape, operation.success.preview].into_iter().flatten() {
            found.push(((shape.name)().into_owned(), (shape.schema)()));
            (shape.parts)(&mut found);
        }
    }
    (found, sent)
}

fn schemas<'a>(operations: impl Iterator<Item = &'a Operation>) -> BTreeMap<String, Value> {
    let (mut found, sent) = named(operations);
    let sent_names: BTreeSet<String> = sent.iter().map(|(name, _)| name.clone()).collect();
    found.extend(sent);
    let mut schemas: BTreeMap<String, Value> =
        found.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default())).collect();
    for name in sent_names {
        if let Some(schema) = schemas.get_mut(&name) {
            words::fill(&name, schema);
        }
    }
    words::borrow(&mut schemas);
    schemas
}

/// A reference to a component.
fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

fn describe<'a>(operation: &Operation, all: impl Iterator<Item = &'a Operation> + Clone) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "tags": [noun(operation.id)],
        "summary": operation.summary,
        "description": operation.about,
        "parameters": parameters::of(operation),
        "responses": answers::of(operation, all),
        "security": match operation.authz {
            Authz::Keys { scope, .. } => json!([{ "key": [scope] }]),
            Authz::Session { .. } => json!([{ "key": [] }]),
            Authz::Anyone => json!([{}, { "key": [] }]),
            Authz::Signature | Authz::Undeclared => json!([]),
        },
        "x-authz": authz(operation),
        "x-step-up": operation.step_up,
        "x-limit": operation.limit.as_str(),
        "x-class": operation.class.as_str(),
    });
    if let Some(body) = body(operation) {
        described["requestBody"] = body;
    }
    if let Some(deprecated) = operation.deprecated {
        described["deprecated"] = json!(true);
        described["x-sunset"] = json!(deprecated.sunset);
        described["description"] = json!(format!(
            "{} Going away: since {} nobody should begin to use it, from {} on it may be gone; `{}` does it now.",
            operation.about, deprecated.since, deprecated.sunset, deprecated.instead
        ));
    }
    described
}

fn body(operation: &Operation) -> Option<Value> {
    match (operation.body, operation.upload, operation.raw_body) {
        (None, Some(upload), _) => Some(json!({
            "required": true,
            "description": upload.about,
            "content": { upload.media: { "schema": { "type": "string" }, "example": upload.example } },
        })),
        (Some(shape), ..) => Some(json!({
            "required": true,
            "content": { "application/json": {
                "schema": reference("schemas", &(shape.name)()), "example": (shape.example)(),
            } },
        })),
        (None, None, true) => Some(json!({
            "required": true,
            "description": "As the provider sends it; the exact bytes are verified.",
            "content": { "*/*": { "schema": {} } },
        })),
        (None, None, false) => None,
    }
}

fn authz(operation: &Operation) -> Value {
    match operation.authz {
        Authz::Undeclared => Value::Null,
        Authz::Anyone => json!({ "anyone": true }),
        Authz::Signature => json!({ "signature": true }),
        Authz::Keys { scope, roles } => {
            json!({ "scope": scope, "roles": table(roles), "step_up": stepping_up(operation, roles) })
        }
        Authz::Session { roles } => {
            json!({ "session": true, "roles": table(roles), "step_up": stepping_up(operation, roles) })
        }
    }
}

/// Of which roles somebody has to have proven themselves a moment ago.
fn stepping_up(operation: &Operation, roles: &[(Role, Over)]) -> Vec<&'static str> {
    roles.iter().map(|(role, _)| *role).filter(|role| operation.steps_up(*role)).map(Role::as_str).collect()
}

fn table(roles: &[(Role, Over)]) -> Map<String, Value> {
    roles.iter().map(|(role, over)| (role.as_str().to_owned(), json!(over.as_str()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_that_of_one_schema() {
        let (answered, sent) = named(crate::operations());
        let mut known: BTreeMap<String, Value> = BTreeMap::new();
        for (name, schema) in answered.into_iter().chain(sent) {
            let schema = serde_json::to_value(schema).unwrap();
            let first = known.entry(name.clone()).or_insert_with(|| schema.clone());
            assert_eq!(*first, schema, "two schemas are called {name}");
        }
        assert!(known.len() > 80);
    }

    const OLD: Operation = Operation {
        id: "thing.show",
        path: "/v1/things/{id}",
        summary: "A thing",
        about: "As it is.",
        authz: Authz::Anyone,
        deprecated: Some(crate::http::deprecated::Deprecated {
            since: "2026-11-28",
            sunset: "2027-06-01",
            instead: "/v1/newer",
        }),
        ..Operation::READ
    };

    #[test]
    fn what_goes_away_is_marked() {
        let document = document([&OLD].into_iter(), "1", "https://k.example");
        let shown = &document["paths"]["/v1/things/{id}"]["get"];
        assert_eq!(shown["deprecated"], true);
        assert!(shown["description"].as_str().unwrap().contains("/v1/newer"));
        for header in ["Deprecation", "Sunset"] {
            assert!(shown["responses"]["200"]["headers"].get(header).is_some(), "{header}");
        }
    }
}
