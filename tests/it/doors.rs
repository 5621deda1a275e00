//! Every door: knocked on without a key, with a key of the other mode, and compared with what the document promises.

use std::collections::BTreeSet;

use ::api::http::operation::{Authz, Operation};
use domain::actor::Role;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, fresh_key, slot};

/// A path with its segments filled in.
fn filled(operation: &Operation) -> String {
    operation.path_names().fold(operation.path.to_owned(), |path, name| {
        path.replace(&format!("{{{name}}}"), "019ab2c4-5f00-7000-8000-000000000001")
    })
}

fn method(operation: &Operation) -> Method {
    Method::from_bytes(operation.method.as_str().as_bytes()).unwrap()
}

#[tokio::test]
async fn every_operation_without_a_key_is_refused_unless_it_says_otherwise() {
    let api = Api::new().await;
    let mut guarded = 0;
    for operation in ::api::operations() {
        let path = filled(operation);
        let ask = api.ask(method(operation), &path).key(&fresh_key()).json(&serde_json::json!({}));
        let answer = ask.send().await;
        match operation.authz {
            Authz::Keys { .. } => {
                guarded += 1;
                answer.problem(401, "auth.missing");
                let live = api.ask(method(operation), &path).bearer("kk_live_whatever").send().await;
                live.problem(401, "auth.other_mode");
                let unknown = api.ask(method(operation), &path).bearer("kk_test_whatever").send().await;
                unknown.problem(401, "auth.invalid");
            }
            Authz::Session { .. } => {
                guarded += 1;
                answer.problem(401, "auth.missing");
                let by_key = api.ask(method(operation), &path).role("client").send().await;
                by_key.problem(403, "session.required");
                let ended = api.ask(method(operation), &path).bearer("ks_test_whatever").send().await;
                ended.problem(401, "session.ended");
            }
            Authz::Undeclared => panic!("{path} does not say who may call it"),
            // It needs no key, but a token of its own.
            Authz::Anyone if matches!(operation.id, "session.refresh" | "session.open_staff") => {
                answer.problem(400, "request.invalid_field");
            }
            Authz::Anyone => assert_ne!(answer.status, 401, "{path}"),
            // What does not prove its origin is no provider.
            Authz::Signature => assert!(matches!(answer.status, 401 | 404), "{path}: {}", answer.status),
        }
    }
    assert!(guarded > 20, "only {guarded} doors are guarded");
}

#[tokio::test]
async fn every_role_gets_403_where_the_table_does_not_name_it() {
    let api = Api::new().await;
    for operation in ::api::operations() {
        let Authz::Keys { roles, .. } = operation.authz else { continue };
        for name in ["admin", "manager", "client", "service", "auditor", "finance", "support"] {
            let named = roles.iter().any(|(role, _)| role.as_str() == name);
            let ask = api.ask(method(operation), &filled(operation)).role(name).key(&fresh_key());
            let answer = ask.json(&serde_json::json!({})).send().await;
            if named {
                assert_ne!(answer.status, 401, "{name} at {}", operation.id);
                assert_ne!(answer.body["code"], "auth.role_forbidden", "{name} at {}", operation.id);
            } else {
                answer.problem(403, "auth.role_forbidden");
            }
        }
    }
}

#[tokio::test]
async fn the_auditor_writes_nothing() {
    for operation in ::api::operations() {
        let Authz::Keys { roles, .. } = operation.authz else { continue };
        if operation.method != axum::http::Method::GET {
            assert!(!roles.iter().any(|(role, _)| role.as_str() == "auditor"), "{}", operation.id);
        }
    }
}

#[tokio::test]
async fn a_key_that_names_sites_does_nothing_that_belongs_to_no_site() {
    let mut api = Api::new().await;
    let site = api.site().await.0.parse().unwrap();
    for (name, role) in [("admin_of_a_site", Role::Admin), ("support_of_a_site", Role::Support)] {
        api.grant(name, role, Some(vec![site])).await;
    }
    let client = api.principal("client");
    let mut body = slot(&site.to_string(), "nord", api.midday(3), 60);
    body["client"] = json!({ "phone": "77 123 45 67" });
    api.post("client", "/v1/reservations", body).await.is(201);
    let head = api.store.head().await.unwrap();
    // Such a key would make itself one without a limit.
    let wish = json!({ "label": "all", "role": "admin" });
    api.post("admin_of_a_site", "/v1/keys", wish.clone()).await.problem(404, "object.not_found");
    let other = api.post("admin", "/v1/keys", wish).await.is(201).text("/id").to_owned();
    let revoke = api.ask(Method::DELETE, &format!("/v1/keys/{other}")).role("admin_of_a_site").key(&fresh_key());
    revoke.send().await.problem(404, "object.not_found");
    for path in ["/v1/keys".to_owned(), format!("/v1/keys/{other}")] {
        api.get("admin_of_a_site", &path).await.problem(404, "object.not_found");
    }
    // The answer of a rotation is a secret.
    let rotate = api.post("admin_of_a_site", &format!("/v1/keys/{other}/rotation"), json!({})).await;
    rotate.problem(404, "object.not_found");
    let ahead = api.post("admin_of_a_site", "/v1/test-clock", json!({ "seconds": 60 })).await;
    ahead.problem(404, "object.not_found");
    let balance = format!("/v1/clients/{client}/balance");
    for role in ["admin_of_a_site", "support_of_a_site"] {
        api.get(role, &balance).await.problem(404, "object.not_found");
    }
    api.get("support", &balance).await.is(200);
    assert_eq!(api.store.head().await.unwrap(), head + 1, "only the admin's key was granted");
}

#[tokio::test]
async fn an_id_of_something_else_or_of_nothing_names_no_site() {
    let api = Api::new().await;
    let site = api.site().await.0;
    let booked = api.post("service", "/v1/reservations", slot(&site, "nord", api.midday(3), 60)).await.is(201);
    let nothing = api.store.clock().new_id().to_string();
    for id in [booked.text("/id"), nothing.as_str()] {
        let path = |what: &str| format!("/v1/sites/{id}/{what}");
        for what in ["contract", "till", "payout-account"] {
            api.get("admin", &path(what)).await.problem(404, "object.not_found");
        }
        let account = json!({ "method": "wave", "account": "77 123 45 67" });
        api.put("admin", &path("payout-account"), "*", account).await.problem(404, "object.not_found");
        let contract = json!({ "flow": "manager_collects", "commission_basis_points": 1_000 });
        api.put("admin", &path("contract"), "*", contract).await.problem(404, "object.not_found");
        let during = json!({ "from": api.midday(8).to_rfc3339(), "to": api.midday(9).to_rfc3339() });
        let closure = json!({ "during": during, "reason": "maintenance" });
        api.post("admin", &path("closures"), closure).await.problem(404, "object.not_found");
        let at = slot(id, "nord", api.midday(4), 60);
        api.post("client", "/v1/reservations", at).await.problem(404, "object.not_found");
    }
}

#[tokio::test]
async fn the_document_and_the_router_agree_and_the_document_is_whole() {
    let api = Api::new().await;
    let document = api.ask(Method::GET, "/openapi.json").send().await.is(200).body;
    assert_eq!(document["openapi"], "3.1.0");
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((method.to_uppercase(), path.clone()));
            for member in ["operationId", "summary", "description", "responses", "x-authz"] {
                assert!(!operation[member].is_null(), "{method} {path} lacks {member}");
            }
            assert!(!operation["summary"].as_str().unwrap().is_empty(), "{method} {path}");
        }
    }
    let beside = ::api::http::openapi::beside::ROUTES;
    let routed: BTreeSet<_> = ::api::operations()
        .map(|operation| (operation.method.as_str().to_owned(), operation.path.to_owned()))
        .chain(beside.iter().map(|route| (route.method.to_uppercase(), route.path.to_owned())))
        .collect();
    assert_eq!(described, routed);
    for route in beside {
        let path = route.path.replace("{code}", "object.not_found").replace("{token}", "nobody-s");
        let answer = api.ask(Method::from_bytes(route.method.to_uppercase().as_bytes()).unwrap(), &path).send().await;
        let known = route.answers.iter().any(|(status, ..)| *status == answer.status.to_string());
        assert!(known, "{} {path}: {} is not in the document", route.method, answer.status);
        assert_ne!(answer.body["code"], "request.no_such_route", "{path}");
    }
    let names: BTreeSet<_> = ::api::operations().map(|operation| operation.id).collect();
    assert_eq!(names.len(), ::api::operations().count(), "an operationId is there twice");
    every_reference_leads_somewhere(&document, &document);
}

/// What is routed by hand, and not from the rows, is in the document, too.
#[test]
fn what_is_routed_beside_the_rows_is_in_the_document() {
    let mut routes = 0;
    for file in ["../api/src/router.rs", "../api/src/payment/page.rs"] {
        let text = std::fs::read_to_string(file).unwrap();
        for path in text.split("\"/").skip(1).filter_map(|rest| rest.split('"').next()) {
            let path = format!("/{path}");
            // For a browser; what it loads is nobody's contract.
            if path == "/docs" || path.contains(' ') || path.contains('<') {
                continue;
            }
            let known = ::api::http::openapi::beside::ROUTES.iter().any(|route| route.path == path);
            assert!(
                known || !text.contains(&format!(".route(\"{path}\"")) && path != "/problems/{code}",
                "{file}: {path}"
            );
            routes += usize::from(known);
        }
    }
    assert!(routes >= 8, "only {routes} routes were found");
}

fn every_reference_leads_somewhere(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
            }
            members.values().for_each(|value| every_reference_leads_somewhere(document, value));
        }
        Value::Array(values) => values.iter().for_each(|value| every_reference_leads_somewhere(document, value)),
        _ => {}
    }
}

#[tokio::test]
async fn the_type_of_a_problem_is_the_address_of_its_page() {
    let api = Api::new().await;
    let problem = api.ask(Method::GET, "/v1/nothing").send().await.problem(404, "request.no_such_route");
    let page = api.http.get(problem.text("/type")).send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("request.no_such_route"));
    assert_eq!(api.ask(Method::GET, "/problems/nobody.uses_this").send().await.status, 404);
}

#[tokio::test]
async fn health_metrics_and_docs_are_served_without_a_key_or_a_network() {
    let api = Api::new().await;
    for path in ["/livez", "/readyz", "/metrics", "/docs/"] {
        assert_eq!(api.ask(Method::GET, path).send().await.status, 200, "{path}");
    }
    let docs = String::from_utf8(api.ask(Method::GET, "/docs/").send().await.bytes).unwrap();
    assert!(!docs.contains("http://") && !docs.contains("https://"), "the docs page loads something from outside");
}
