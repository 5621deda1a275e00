//! API keys over HTTP: listed without secrets, given another one, revoked.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Answer, Api, fresh_key, slot};

async fn asks_with(api: &Api, secret: &str) -> u16 {
    let list = api.ask(Method::GET, "/v1/reservations?limit=1").bearer(secret).send().await;
    list.status
}

async fn rotate(api: &Api, id: &str, hours: u16) -> Answer {
    api.post("admin", &format!("/v1/keys/{id}/rotation"), json!({ "overlap_hours": hours })).await
}

#[tokio::test]
async fn a_key_gets_another_secret_while_the_one_before_still_opens() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let granted = api.post("admin", "/v1/keys", json!({ "label": "site web", "role": "service" })).await.is(201);
    let (id, first) = (granted.text("/id").to_owned(), granted.text("/secret").to_owned());
    assert_eq!(asks_with(&api, &first).await, 200);
    let rotated = rotate(&api, &id, 24).await.is(201);
    let second = rotated.text("/secret").to_owned();
    assert_ne!(first, second);
    assert!(rotated.body["older_secret_until"].is_string() && rotated.body["rotated_at"].is_string());
    assert_eq!(rotated.header("cache-control"), "no-store");
    for secret in [&first, &second] {
        let place = api.ask(Method::POST, "/v1/reservations").bearer(secret).key(&fresh_key());
        let hour = if *secret == first { 4 } else { 5 };
        place.json(&slot(&site, "nord", api.midday(hour), 60)).send().await.is(201);
    }
    api.store.clock().advance(Duration::from_secs(24 * 3_600)).await.unwrap();
    assert_eq!((asks_with(&api, &first).await, asks_with(&api, &second).await), (401, 200));
    // Without an overlap it ends at once.
    let third = rotate(&api, &id, 0).await.is(201).text("/secret").to_owned();
    assert_eq!((asks_with(&api, &second).await, asks_with(&api, &third).await), (401, 200));
    rotate(&api, &id, 169).await.problem(422, "key.overlap_too_long");
    for stranger in ["service", "manager", "finance", "auditor"] {
        let path = format!("/v1/keys/{id}/rotation");
        api.post(stranger, &path, json!({ "overlap_hours": 1 })).await.problem(403, "auth.role_forbidden");
    }
    api.ask(Method::DELETE, &format!("/v1/keys/{id}")).role("admin").send().await.is(200);
    assert_eq!(asks_with(&api, &third).await, 401);
    rotate(&api, &id, 1).await.problem(422, "key.revoked");
    rotate(&api, &api.store.clock().new_id().to_string(), 1).await.problem(404, "object.not_found");
}

#[tokio::test]
async fn keys_are_listed_without_their_secrets() {
    let api = Api::new().await;
    let mut made = Vec::new();
    for label in ["un", "deux", "trois"] {
        let wish = json!({ "label": label, "role": "gatekeeper" });
        made.push(api.post("admin", "/v1/keys", wish).await.is(201));
    }
    rotate(&api, made[1].text("/id"), 24).await.is(201);
    api.ask(Method::DELETE, &format!("/v1/keys/{}", made[2].text("/id"))).role("admin").send().await.is(200);
    api.settle().await;
    let mut seen: Vec<Value> = Vec::new();
    let mut query = "role=gatekeeper&limit=1".to_owned();
    loop {
        let page = api.get("admin", &format!("/v1/keys?{query}")).await.is(200);
        seen.extend(page.body["data"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        query = format!("role=gatekeeper&limit=1&cursor={cursor}");
    }
    let ours: Vec<&Value> = seen.iter().filter(|key| made.iter().any(|one| key["id"] == one.body["id"])).collect();
    assert_eq!(ours.iter().map(|key| &key["label"]).collect::<Vec<_>>(), ["trois", "deux", "un"]);
    assert_eq!(ours.iter().map(|key| &key["revoked"]).collect::<Vec<_>>(), [true, false, false]);
    assert!(ours[1]["older_secret_until"].is_string() && ours[2]["older_secret_until"].is_null());
    for secret in made.iter().map(|one| one.text("/secret")) {
        assert!(!seen.iter().any(|key| key.to_string().contains(secret)));
    }
    let working = api.get("admin", "/v1/keys?role=gatekeeper&status=working&limit=100").await.is(200);
    let gone = |key: &Value| key["id"] == made[2].body["id"];
    assert!(!working.body["data"].as_array().unwrap().iter().any(gone));
    let one = api.get("admin", &format!("/v1/keys/{}", made[1].text("/id"))).await.is(200);
    assert_eq!(&one.body, ours[1]);
    let principal = made[0].text("/principal_id");
    let theirs = api.get("admin", &format!("/v1/keys?principal_id={principal}")).await.is(200);
    assert_eq!(theirs.body["data"], json!([ours[2]]));
    api.get("admin", "/v1/keys?principal_id=nobody").await.problem(400, "request.invalid_parameter");
    for stranger in ["service", "manager", "finance", "auditor"] {
        api.get(stranger, "/v1/keys").await.problem(403, "auth.role_forbidden");
    }
}
