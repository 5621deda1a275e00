//! Reservations as a stream for whoever sees only their own.

use serde_json::{Value, json};

use crate::{
    api::{Api, ground, slot},
    feed::reader::Reader,
};

async fn stream(api: &Api, role: &str, after: Option<i64>) -> Reader {
    let request = api.http.get(format!("{}/v1/reservations/stream", api.base)).bearer_auth(api.secret(role));
    Reader::of(match after {
        Some(after) => request.header("last-event-id", after.to_string()),
        None => request,
    })
    .await
}

async fn book(api: &Api, role: &str, site: &str, days: i64) -> (String, i64) {
    let mut body = slot(site, "nord", api.midday(days), 60);
    body["payment"] = match role {
        "manager" | "other_manager" => json!({ "pays": "none" }),
        _ => json!({ "method": "wave", "pays": "deposit" }),
    };
    if role == "client" || role == "other_client" {
        let phone = if role == "client" { "771111111" } else { "772222222" };
        body["client"] = json!({ "phone": phone });
    }
    let made = api.post(role, "/v1/reservations", body).await.is(201);
    (made.text("/id").to_owned(), made.position())
}

#[tokio::test]
async fn a_client_hears_of_their_own_reservations_and_of_nothing_else() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut mine = stream(&api, "client", None).await;
    let mut managers = stream(&api, "manager", None).await;
    let elsewhere = api.post("other_manager", "/v1/sites", ground("stream-elsewhere", json!({}))).await.is(201);
    let elsewhere = elsewhere.text("/id").to_owned();
    book(&api, "other_client", &site, 2).await;
    book(&api, "other_manager", &elsewhere, 2).await;
    let (own, _) = book(&api, "client", &site, 3).await;
    let (last, _) = book(&api, "manager", &site, 4).await;
    let first = mine.event().await.unwrap();
    assert_eq!((first["stream_id"].as_str(), first["type"].as_str()), (Some(own.as_str()), Some("reservation.held")));
    assert_eq!(first["data"].get("code"), None, "what is withheld from the feed is withheld here");
    let mut streams = Vec::new();
    while streams.last() != Some(&last) {
        let event = managers.event().await.unwrap();
        assert_eq!(event["site_id"], Value::String(site.clone()), "{event}");
        assert!(event["type"].as_str().unwrap().starts_with("reservation."));
        streams.push(event["stream_id"].as_str().unwrap().to_owned());
    }
    assert!(streams.contains(&own));
    // Comes back after a while, and misses nothing.
    drop(mine);
    let cancelled = api.post("client", &format!("/v1/reservations/{own}/cancellation"), json!({})).await;
    assert!(cancelled.status < 300, "{}", cancelled.body);
    let mut again = stream(&api, "client", first["position"].as_i64()).await;
    let next = again.event().await.unwrap();
    assert_eq!(
        (next["stream_id"].as_str(), next["type"].as_str()),
        (Some(own.as_str()), Some("reservation.cancelled"))
    );
}

#[tokio::test]
async fn whoever_reads_no_reservations_hears_of_none() {
    let api = Api::new().await;
    api.ask(reqwest::Method::GET, "/v1/reservations/stream").send().await.problem(401, "auth.missing");
    for role in ["auditor", "support"] {
        api.get(role, "/v1/reservations/stream").await.problem(403, "auth.role_forbidden");
    }
    let beyond =
        api.ask(reqwest::Method::GET, "/v1/reservations/stream").role("client").header("last-event-id", "99999");
    assert_eq!(beyond.send().await.body["code"], "position.beyond_head");
}
