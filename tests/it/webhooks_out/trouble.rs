//! Endpoints that do not take what they are sent.

use std::sync::Arc;

use adapters::egress::{Egress, LookUp};
use serde_json::{Value, json};
use workers::{
    process::{MANAGERS, Process},
    runtime::{Progress, Step},
};

use super::line::{Line, path};

#[tokio::test]
async fn what_was_not_taken_is_tried_again_under_the_same_id_and_the_log_says_how_it_went() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.fail(json!({ "call": "a", "how": "status", "status": 500, "times": 1 })).await;
    line.fail(json!({ "call": "a", "how": "cut", "times": 1 })).await;
    line.game().await;
    line.pump().await;
    assert!(line.arrived("a").await.is_empty());
    line.pass(6).await;
    line.pass(400).await;
    assert_eq!(line.positions("a").await, line.expected().await);
    let first = line.deliveries("shop", &endpoint).await.pop().unwrap();
    let statuses: Vec<&Value> =
        first["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["response_status"]).collect();
    assert_eq!(statuses, [&json!(500), &Value::Null, &json!(204)], "{first}");
    assert!(first["attempts"][0]["response"].as_str().unwrap().contains("error"));
    assert_eq!(first["message_id"], line.arrived("a").await[0]["id"]);
}

#[tokio::test]
async fn whoever_asks_for_time_gets_it() {
    let line = Line::new().await;
    line.endpoint("shop", "a").await;
    line.fail(json!({ "call": "a", "how": "status", "status": 429, "retry_after": 600 })).await;
    line.game().await;
    line.pump().await;
    line.pass(590).await;
    assert!(line.arrived("a").await.is_empty());
    line.pass(11).await;
    assert_eq!(line.positions("a").await, line.expected().await);
}

#[tokio::test]
async fn one_that_is_gone_is_not_sent_to_until_it_is_changed() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.fail(json!({ "call": "a", "how": "status", "status": 410, "times": 1 })).await;
    line.game().await;
    line.pump().await;
    assert_eq!(line.history(&endpoint).await, ["endpoint.added", "endpoint.disabled"]);
    let shown = line.show("shop", &endpoint).await.is(200);
    assert_eq!((shown.text("/status"), shown.text("/disabled_reason")), ("disabled", "gone"));
    line.game().await;
    line.pass(100_000).await;
    assert!(line.arrived("a").await.is_empty());
    for rest in ["/ping", "/replay"] {
        let body = if rest == "/ping" { Value::Null } else { json!({ "from": 1, "to": 2 }) };
        line.api.post("shop", &path(&endpoint, rest), body).await.problem(409, "endpoint.disabled");
    }
    let body = json!({ "url": line.url("a"), "types": ["reservation.*"] });
    let tag = shown.header("etag").to_owned();
    let changed = line.api.put("shop", &path(&endpoint, ""), &tag, body).await.is(200);
    assert_eq!(changed.text("/status"), "enabled");
    let (_, position) = line.game().await;
    line.pump().await;
    assert_eq!(line.positions("a").await.last(), Some(&position));
    // What happened meanwhile comes when it is asked for.
    let expected = line.expected().await;
    let range = json!({ "from": expected[0], "to": expected[expected.len() - 2] });
    let before = line.positions("a").await.len();
    line.api.post("shop", &path(&endpoint, "/replay"), range).await.is(202);
    line.pump().await;
    assert_eq!(line.positions("a").await[before..], expected[..expected.len() - 1]);
}

#[tokio::test]
async fn one_that_takes_nothing_for_three_days_is_given_up_and_somebody_is_told() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.fail(json!({ "call": "a", "how": "status", "status": 500, "times": 1_000 })).await;
    line.game().await;
    line.pump().await;
    for _ in 0..71 {
        line.pass(3_600).await;
    }
    assert_eq!(line.history(&endpoint).await, ["endpoint.added"], "not before three days have passed");
    for _ in 0..30 {
        line.pass(3_600).await;
    }
    assert_eq!(line.history(&endpoint).await, ["endpoint.added", "endpoint.disabled"]);
    assert_eq!(line.show("shop", &endpoint).await.text("/disabled_reason"), "unreachable");
    let tried = line.deliveries("shop", &endpoint).await.pop().unwrap()["attempts"].as_array().unwrap().len();
    assert!((10..=11).contains(&tried), "{tried}");
    for manager in MANAGERS {
        let mut process = Process::new(line.ctx.clone(), manager);
        while process.step().await.unwrap() == Progress::Busy {}
    }
    let mails: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM work.effects WHERE kind = 'send_email' AND payload::text LIKE '%endpoint_disabled%'",
    )
    .fetch_one(line.api.store.pool())
    .await
    .unwrap();
    assert_eq!(mails, 1);
}

#[tokio::test]
async fn a_redirection_is_not_followed() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.receiver.control(json!({ "do": "redirect", "to": line.url("elsewhere") })).await;
    line.game().await;
    line.pump().await;
    let first = line.deliveries("shop", &endpoint).await.pop().unwrap();
    assert_eq!(first["attempts"][0]["response_status"], 307);
    assert_eq!(first["status"], "waiting");
    assert!(line.arrived("elsewhere").await.is_empty());
    assert_eq!(line.receiver.calls("elsewhere").await, 0);
}

#[tokio::test]
async fn a_private_address_is_refused_when_it_is_given_and_when_a_name_means_one() {
    let line = Line::new().await;
    for url in
        ["https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::ffff:192.168.0.1]/", "https://2130706433/"]
    {
        let made = line.api.post("shop", "/v1/endpoints", json!({ "url": url })).await;
        if url.ends_with("2130706433/") {
            // This very machine, which a test log may reach.
            made.is(201);
        } else {
            made.problem(422, "endpoint.not_public");
        }
    }
    line.api
        .post("shop", "/v1/endpoints", json!({ "url": "http://shop.sn/" }))
        .await
        .problem(422, "endpoint.not_encrypted");
    let wanted = json!({ "url": "https://shop.sn/hook", "types": ["reservation.*"] });
    let endpoint = line.api.post("shop", "/v1/endpoints", wanted).await.is(201);
    line.game().await;
    let names: LookUp = Arc::new(|_| Box::pin(async { Ok(vec!["10.0.0.1".parse().unwrap()]) }));
    line.pump_by(Egress::by(names, true).unwrap()).await;
    let first = line.deliveries("shop", &endpoint).await.pop().unwrap();
    assert_eq!(first["attempts"][0]["response_status"], Value::Null);
    assert_eq!(first["attempts"][0]["response"], "refused: 10.0.0.1 is not an address on the public internet");
}

#[tokio::test]
async fn a_ping_is_sent_once_and_brings_what_waits_along() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.fail(json!({ "call": "a", "how": "status", "status": 500, "times": 2 })).await;
    line.game().await;
    line.pump().await;
    line.pass(6).await;
    assert!(line.arrived("a").await.is_empty());
    let ping = line.api.post("shop", &path(&endpoint, "/ping"), Value::Null).await.is(202);
    line.pump().await;
    let arrived = line.arrived("a").await;
    assert_eq!(arrived.last().unwrap()["id"], ping.text("/message_id"));
    assert_eq!(arrived.last().unwrap()["body"]["type"], "ping");
    assert_eq!(arrived.len(), line.expected().await.len() + 1);
    // In vain it is not tried again, and nobody is given up for it.
    line.pass(10).await;
    line.fail(json!({ "call": "a", "how": "status", "status": 500, "times": 1 })).await;
    line.api.post("shop", &path(&endpoint, "/ping"), Value::Null).await.is(202);
    line.pump().await;
    line.pass(1_000_000).await;
    assert_eq!(line.arrived("a").await.len(), arrived.len());
    assert_eq!(line.deliveries("shop", &endpoint).await[0]["status"], "dropped");
}

#[tokio::test]
async fn what_an_endpoint_says_is_kept_in_part_and_for_thirty_days() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.game().await;
    line.pump().await;
    assert!(!line.deliveries("shop", &endpoint).await.is_empty());
    line.api.store.clock().advance(std::time::Duration::from_secs(29 * 86_400)).await.unwrap();
    workers::sweep::Sweeper::new(line.ctx.clone()).step().await.unwrap();
    assert!(!line.deliveries("shop", &endpoint).await.is_empty());
    line.api.store.clock().advance(std::time::Duration::from_secs(2 * 86_400)).await.unwrap();
    workers::sweep::Sweeper::new(line.ctx.clone()).step().await.unwrap();
    assert!(line.deliveries("shop", &endpoint).await.is_empty());
}

#[tokio::test]
async fn nobody_is_pinged_as_often_as_somebody_likes() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.fail(json!({ "call": "a", "how": "status", "status": 500, "times": 1_000 })).await;
    line.game().await;
    line.pump().await;
    let ping = async || line.api.post("shop", &path(&endpoint, "/ping"), Value::Null).await;
    let first = ping().await.is(202).text("/message_id").to_owned();
    let refused = ping().await.problem(429, "request.too_many");
    assert!((1..=10).contains(&refused.header("retry-after").parse::<u64>().unwrap()));
    // It waits behind what is tried in vain, and is not joined by others.
    for _ in 0..5 {
        line.pass(10).await;
        assert_eq!(ping().await.is(202).text("/message_id"), first);
    }
    let waiting = "SELECT count(*) FROM work.deliveries WHERE position IS NULL AND state = 'waiting'";
    let waiting: i64 = sqlx::query_scalar(waiting).fetch_one(line.api.store.pool()).await.unwrap();
    assert_eq!(waiting, 1);
}

#[tokio::test]
async fn one_whose_secret_is_lost_keeps_nobody_else_waiting() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.endpoint("shop", "b").await;
    sqlx::query("DELETE FROM work.endpoint_secrets WHERE endpoint_id = $1::uuid")
        .bind(endpoint.text("/id"))
        .execute(line.api.store.pool())
        .await
        .unwrap();
    line.game().await;
    line.pump().await;
    assert_eq!(line.positions("b").await, line.expected().await);
    assert!(line.arrived("a").await.is_empty(), "unsigned it would not be believed");
    let first = line.deliveries("shop", &endpoint).await.pop().unwrap();
    assert_eq!(first["status"], "waiting");
    assert_eq!(first["attempts"][0]["response"], "not sent: its signing secret cannot be opened");
    for _ in 0..101 {
        line.pass(3_600).await;
    }
    assert_eq!(line.show("shop", &endpoint).await.text("/disabled_reason"), "unreachable");
}
