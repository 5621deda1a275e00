//! An endpoint from the first message to the last: signed, changed, rotated, replayed, taken away.

use adapters::{
    signing::PublicKey,
    webhook_out::{ID, SIGNATURE, SharedSecret, TIMESTAMP, Trusted, verify},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use sqlx::Row;

use super::line::{Line, path};

#[tokio::test]
async fn what_arrives_is_signed_and_is_the_event_as_it_is_published() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    assert!(endpoint.text("/secret").starts_with("whsec_"));
    let (id, position) = line.game().await;
    line.pump().await;
    let arrived = line.arrived("a").await;
    assert_eq!(arrived.len(), line.expected().await.len());
    let last = arrived.last().unwrap();
    assert_eq!((&last["good"], &last["signatures"], &last["again"]), (&json!(1), &json!(2), &json!(false)));
    let event = &last["body"];
    assert_eq!((event["specversion"].as_str(), event["subject"].as_str()), (Some("1.0"), Some(id.as_str())));
    assert_eq!(
        (event["siteid"].as_str(), event["sequence"].as_str()),
        (Some(&*line.site), Some(&*position.to_string()))
    );
    assert_eq!(last["id"], format!("evt_{}", event["id"].as_str().unwrap()));
    let told = line.api.get("shop", &format!("/v1/events?after={}&limit=1", position - 1)).await.is(200);
    assert_eq!(event["data"], told.body["data"][0]["data"], "as the feed tells it");
    // Once, and no more.
    line.pass(100_000).await;
    assert_eq!(line.arrived("a").await.len(), arrived.len());
    let delivery = &line.deliveries("shop", &endpoint).await[0];
    assert_eq!((&delivery["status"], &delivery["attempts"][0]["response_status"]), (&json!("delivered"), &json!(204)));
}

#[tokio::test]
async fn whoever_shares_no_secret_checks_with_the_published_key_of_the_log() {
    let line = Line::new().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let endpoint = line.api.post("shop", "/v1/endpoints", json!({ "url": url })).await.is(201);
    let heard = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = listener.accept().await.unwrap();
        let (mut request, mut piece) = (Vec::new(), [0; 4_096]);
        while !request.ends_with(b"}") {
            let read = stream.read(&mut piece).await.unwrap();
            request.extend_from_slice(&piece[..read]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
        String::from_utf8(request).unwrap()
    });
    line.api.post("shop", &path(&endpoint, "/ping"), Value::Null).await.is(202);
    line.pump().await;
    let request = heard.await.unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let mut headers = HeaderMap::new();
    for name in [ID, TIMESTAMP, SIGNATURE] {
        let value = head.lines().find_map(|row| row.strip_prefix(&format!("{name}: "))).unwrap();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    let keys = line.api.ask(reqwest::Method::GET, "/v1/webhook-keys").send().await.is(200);
    let x = URL_SAFE_NO_PAD.decode(keys.text("/keys/0/x")).unwrap();
    assert!(keys.text("/keys/0/public_key").starts_with("whpk_"));
    let key = PublicKey::from_bytes(&x.try_into().unwrap()).unwrap();
    let now = line.api.store.clock().outside();
    assert_eq!(verify(Trusted::Key(&key), &headers, body.as_bytes(), now), Ok(()));
    let secret = SharedSecret::parse(endpoint.text("/secret")).unwrap();
    assert_eq!(verify(Trusted::Secrets(&[secret]), &headers, body.as_bytes(), now), Ok(()));
    assert!(verify(Trusted::Key(&key), &headers, b"{}", now).is_err());
    assert_eq!(serde_json::from_str::<Value>(body).unwrap()["type"], "ping");
}

#[tokio::test]
async fn a_secret_is_shown_once_and_kept_sealed() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    let secret = endpoint.text("/secret").to_owned();
    let tail = secret.trim_start_matches("whsec_");
    let shown = line.show("shop", &endpoint).await.is(200);
    let listed = line.api.get("shop", "/v1/endpoints").await.is(200);
    assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
    assert!(!shown.body.to_string().contains(tail) && !listed.body.to_string().contains(tail));
    let kept = sqlx::query("SELECT sealed FROM work.endpoint_secrets").fetch_all(line.api.store.pool()).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert!(!kept[0].get::<String, _>(0).contains(tail));
    for event in line.api.store.read_after(0, 1_000).await.unwrap() {
        assert!(!event.data.contains(tail), "{}", event.name);
    }
}

#[tokio::test]
async fn while_a_secret_is_changed_messages_are_signed_with_both() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    let old = endpoint.text("/secret").to_owned();
    let rotation = path(&endpoint, "/secret-rotation");
    let too_long = json!({ "overlap_hours": 169 });
    line.api.post("shop", &rotation, too_long).await.problem(422, "endpoint.overlap_too_long");
    let new = line.api.post("shop", &rotation, json!({ "overlap_hours": 24 })).await.is(201);
    let new = new.text("/secret").to_owned();
    assert_ne!(old, new);
    let good = async |secrets: &[&str]| {
        line.know(secrets).await;
        line.game().await;
        line.pump().await;
        let last = line.arrived("a").await.pop().unwrap();
        (last["good"].as_i64().unwrap(), last["signatures"].as_i64().unwrap())
    };
    assert_eq!(good(&[&old, &new]).await, (2, 3));
    assert_eq!(good(&[&old]).await, (1, 3), "who has not changed theirs yet");
    line.pass(24 * 3_600).await;
    assert_eq!(good(&[&old, &new]).await, (1, 2));
    assert_eq!(good(&[&new]).await, (1, 2));
}

#[tokio::test]
async fn a_part_of_the_log_is_sent_once_more_under_the_same_ids() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    for _ in 0..3 {
        line.game().await;
    }
    line.pump().await;
    let first = line.arrived("a").await;
    let expected = line.expected().await;
    let (from, to) = (expected[1], expected[expected.len() - 2]);
    let replay = path(&endpoint, "/replay");
    line.api.post("shop", &replay, json!({ "from": from, "to": to })).await.is(202);
    line.pump().await;
    let after = line.arrived("a").await;
    let ids = |messages: &[Value]| messages.iter().map(|message| message["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&after[first.len()..]), ids(&first[1..first.len() - 1]));
    assert!(after[first.len()..].iter().all(|message| message["again"] == true && message["good"] == 1));
    for (from, to) in [(0, 1), (2, 1), (1, 100_001), (-1, 5)] {
        let body = json!({ "from": from, "to": to });
        line.api.post("shop", &replay, body).await.problem(422, "endpoint.replay_range");
    }
    let head = line.api.store.head().await.unwrap();
    let beyond = line.api.post("shop", &replay, json!({ "from": 1, "to": head + 1 })).await;
    assert_eq!(beyond.body["code"], "position.beyond_head");
}

#[tokio::test]
async fn nothing_is_sent_to_what_was_taken_away_not_even_what_waits() {
    let line = Line::new().await;
    let endpoint = line.endpoint("shop", "a").await;
    line.fail(json!({ "call": "a", "how": "status", "status": 500 })).await;
    line.game().await;
    line.pump().await;
    assert_eq!(line.arrived("a").await.len(), 0);
    line.delete("shop", &endpoint).await.is(200);
    line.game().await;
    line.pass(1_000_000).await;
    assert_eq!(line.arrived("a").await.len(), 0);
    for rest in ["", "/deliveries"] {
        line.api.get("shop", &path(&endpoint, rest)).await.problem(404, "object.not_found");
    }
    let left = "SELECT (SELECT count(*) FROM work.endpoint_secrets) + (SELECT count(*) FROM work.endpoint_queues)
                + (SELECT count(*) FROM work.deliveries WHERE state = 'waiting')";
    let left: i64 = sqlx::query_scalar(left).fetch_one(line.api.store.pool()).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn an_owner_has_ten_endpoints_and_changes_them_by_their_version() {
    let line = Line::new().await;
    let wanted = |n: i32| json!({ "url": line.url(&n.to_string()) });
    let first = line.api.post("shop", "/v1/endpoints", wanted(0)).await.is(201);
    for n in 1..10 {
        line.api.post("shop", "/v1/endpoints", wanted(n)).await.is(201);
    }
    line.api.post("shop", "/v1/endpoints", wanted(10)).await.problem(422, "endpoint.too_many");
    line.delete("shop", &first).await.is(200);
    let again = line.api.post("shop", "/v1/endpoints", wanted(10)).await.is(201);
    let unnamed = line.api.ask(reqwest::Method::PUT, &path(&again, "")).role("shop").json(&wanted(11)).send().await;
    assert_eq!(unnamed.status, 428, "{}", unnamed.body);
    let tag = line.show("shop", &again).await.header("etag").to_owned();
    let other = json!({ "url": line.url("x"), "types": ["till.*"] });
    let changed = line.api.put("shop", &path(&again, ""), &tag, other).await.is(200);
    assert_eq!(changed.body["types"], json!(["till.*"]));
    let stale = line.api.put("shop", &path(&again, ""), &tag, wanted(12)).await;
    assert_eq!(stale.status, 412, "{}", stale.body);
}
