//! What is sent is what the owner may read at the moment of sending, and nothing of anybody.

use domain::{actor::Role, aggregate::Loaded, ids::KeyId, key::Key};
use eventstore::{Append, Meta};
use serde_json::{Value, json};

use super::line::{Line, path};
use crate::api::{ground, slot};

#[tokio::test]
async fn events_of_others_are_never_sent() {
    let mut line = Line::new().await;
    let elsewhere = line.api.post("other_manager", "/v1/sites", ground("hooks-elsewhere", json!({}))).await.is(201);
    let elsewhere = elsewhere.text("/id").to_owned();
    line.api.grant("nowhere", Role::Service, None).await;
    let all = json!({ "url": line.url("all") });
    let mut secrets = Vec::new();
    for (who, hook) in [("shop", "shop"), ("manager", "manager"), ("nowhere", "nowhere"), ("admin", "admin")] {
        let mut wanted = all.clone();
        wanted["url"] = json!(line.url(hook));
        secrets.push(line.api.post(who, "/v1/endpoints", wanted).await.is(201).text("/secret").to_owned());
    }
    line.know(&secrets.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let from = line.api.store.head().await.unwrap();
    line.game().await;
    let theirs = slot(&elsewhere, "nord", line.api.midday(3), 60);
    line.api.post("other_manager", "/v1/reservations", theirs).await.is(201);
    line.pump().await;
    let sites = async |path: &str| -> Vec<Value> {
        line.arrived(path).await.iter().map(|message| message["body"]["siteid"].clone()).collect()
    };
    for hook in ["shop", "manager"] {
        let seen = sites(hook).await;
        assert!(!seen.is_empty() && seen.iter().all(|site| *site == line.site), "{hook}: {seen:?}");
    }
    assert!(sites("nowhere").await.is_empty(), "a key that names no site works nowhere");
    let all: Vec<i64> = (from + 1..=line.api.store.head().await.unwrap()).collect();
    let admin = line.positions("admin").await;
    assert!(all.iter().all(|position| admin.contains(position)), "{admin:?}");
    // As in the feed.
    let feed = line.api.get("shop", &format!("/v1/events?after={from}")).await.is(200);
    let feed: Vec<i64> =
        feed.body["data"].as_array().unwrap().iter().map(|event| event["position"].as_i64().unwrap()).collect();
    assert_eq!(line.positions("shop").await, feed);
}

#[tokio::test]
async fn a_revoked_key_is_told_nothing_more() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.game().await;
    line.pump().await;
    let before = line.arrived("a").await.len();
    assert!(before > 0);
    // What is written down already, as well as what happens next.
    line.fail(json!({ "call": "a", "how": "status", "status": 500, "times": 1 })).await;
    line.game().await;
    line.pump().await;
    let added = line.api.store.read_stream(endpoint.text("/id").parse().unwrap(), 0, 1).await.unwrap().remove(0);
    let data: Value = serde_json::from_str(&added.data).unwrap();
    let id = KeyId::new(data["key_id"].as_str().unwrap().parse().unwrap());
    let key: Loaded<Key> = line.api.store.load(id).await.unwrap();
    let now = line.api.store.clock().now();
    let decision = domain::key::revoke(&key, domain::actor::Actor::SYSTEM, now).unwrap();
    line.api.store.append(Append::new(decision, Meta::system())).await.unwrap();
    line.game().await;
    line.pass(100_000).await;
    assert_eq!(line.arrived("a").await.len(), before);
    assert_eq!(line.history(&endpoint).await, ["endpoint.added", "endpoint.disabled"]);
    assert_eq!(line.show("admin", &endpoint).await.is(200).text("/disabled_reason"), "key_revoked");
}

#[tokio::test]
async fn nothing_of_a_person_is_sent() {
    let line = Line::new().await;
    let mut secrets = Vec::new();
    for who in ["admin", "shop", "manager"] {
        let wanted = json!({ "url": line.url(who) });
        secrets.push(line.api.post(who, "/v1/endpoints", wanted).await.is(201).text("/secret").to_owned());
    }
    line.know(&secrets.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut body = slot(&line.site, "nord", line.api.midday(4), 60);
    body["client"] = json!({ "phone": "77 123 45 67", "name": "Awa Canari" });
    body["payment"] = json!({ "method": "wave", "pays": "deposit" });
    let made = line.api.post("manager", "/v1/reservations", body).await.is(201);
    let code = made.body["code"].as_str().map(str::to_owned);
    line.pump().await;
    let ledger = line.receiver.get("/__ledger").await.to_string();
    for kind in ["client.registered", "reservation.held", "endpoint.added", "payment.requested"] {
        assert!(ledger.contains(kind), "{kind} was not sent, so that nothing is proven");
    }
    for word in ["771234567", "Canari", "phone_hash", "secret_hash", "\"url\"", "\"phone\"", "checkout_url"] {
        assert!(!ledger.contains(word), "{word}");
    }
    assert!(code.is_none_or(|code| !ledger.contains(&code)), "what is said at the gate");
    let stored: Vec<String> =
        sqlx::query_scalar("SELECT d::text FROM work.deliveries AS d").fetch_all(line.api.store.pool()).await.unwrap();
    assert!(!stored.is_empty() && stored.iter().all(|row| !row.contains("Canari") && !row.contains("771234567")));
}

#[tokio::test]
async fn somebody_elses_endpoint_does_not_exist() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    for who in ["other_service", "manager"] {
        for rest in ["", "/deliveries"] {
            line.api.get(who, &path(&endpoint, rest)).await.problem(404, "object.not_found");
        }
        for rest in ["/ping", "/replay", "/secret-rotation"] {
            let body = match rest {
                "/replay" => json!({ "from": 1, "to": 1 }),
                "/secret-rotation" => json!({ "overlap_hours": 1 }),
                _ => Value::Null,
            };
            line.api.post(who, &path(&endpoint, rest), body).await.problem(404, "object.not_found");
        }
        line.delete(who, &endpoint).await.problem(404, "object.not_found");
        let tag = line.show("shop", &endpoint).await.header("etag").to_owned();
        let body = json!({ "url": "https://evil.sn/" });
        line.api.put(who, &path(&endpoint, ""), &tag, body).await.problem(404, "object.not_found");
        let mine = line.api.get(who, "/v1/endpoints").await.is(200);
        assert_eq!(mine.body["data"], json!([]));
    }
    // An admin changes it, and it is still sent what its owner may see.
    let tag = line.show("admin", &endpoint).await.is(200).header("etag").to_owned();
    let body = json!({ "url": line.url("b") });
    line.api.put("admin", &path(&endpoint, ""), &tag, body).await.is(200);
    let elsewhere = line.api.post("other_manager", "/v1/sites", ground("hooks-not-theirs", json!({}))).await.is(201);
    let theirs = slot(elsewhere.text("/id"), "nord", line.api.midday(3), 60);
    line.api.post("other_manager", "/v1/reservations", theirs).await.is(201);
    line.game().await;
    line.pump().await;
    let seen = line.arrived("b").await;
    assert!(!seen.is_empty() && seen.iter().all(|message| message["body"]["siteid"] == line.site), "{seen:?}");
}

#[tokio::test]
async fn whoever_may_not_read_events_may_not_have_them_sent() {
    let line = Line::new().await;
    let wanted = json!({ "label": "envois", "role": "service", "scopes": ["webhooks:write"], "sites": [line.site] });
    let key = line.api.post("admin", "/v1/keys", wanted).await.is(201);
    let body = json!({ "url": line.url("a") });
    let ask = line.api.ask(reqwest::Method::POST, "/v1/endpoints").bearer(key.text("/secret")).json(&body);
    ask.send().await.problem(403, "endpoint.may_not_read");
    let client = line.api.post("client", "/v1/endpoints", body).await;
    client.problem(403, "auth.role_forbidden");
}
