//! Webhooks: where they go, how often, in which order, and who signs them.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::{
    super::{Config, Endpoint, Strategy},
    wave_with,
};
use crate::testing::{Server, listen};

/// A receiver that answers with the statuses it was given, then with 200.
#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    async fn start(&self) -> String {
        async fn take(State(me): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
            me.got.lock().unwrap().push((headers, serde_json::from_slice(&body).unwrap()));
            StatusCode::from_u16(me.answers.lock().unwrap().pop().unwrap_or(200)).unwrap()
        }
        let (listener, address) = listen().await;
        let app = Router::new().route("/hook", post(take)).with_state(self.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        format!("http://{address}/hook")
    }

    fn types(&self) -> Vec<String> {
        let got = self.got.lock().unwrap();
        got.iter().map(|(_, body)| body["type"].as_str().unwrap().to_owned()).collect()
    }
}

async fn pair(strategies: &[Strategy]) -> (Server, Receiver) {
    let receiver = Receiver::default();
    let url = receiver.start().await;
    let endpoint = |(number, strategy): (usize, &Strategy)| Endpoint {
        url: url.clone(),
        strategy: *strategy,
        secret: format!("wave_sn_WHS_{number}"),
    };
    let webhooks = strategies.iter().enumerate().map(endpoint).collect();
    (wave_with(Config { webhooks, ..Config::default() }).await, receiver)
}

async fn attempt(wave: &Server, deed: &str) {
    wave.control(json!({ "do": "settle", "session": "ref-1", "as": deed })).await;
}

async fn drain(wave: &Server) -> Value {
    wave.control(json!({ "do": "drain" })).await[0].clone()
}

#[tokio::test]
async fn two_endpoints_get_the_event_each_with_its_proof() {
    let (wave, receiver) = pair(&[Strategy::Signing, Strategy::Shared]).await;
    wave.control(json!({ "do": "test_event" })).await;
    drain(&wave).await;
    let got = receiver.got.lock().unwrap();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].1, got[1].1);
    assert_eq!(got[0].1["type"], "test.test_event");
    let signed = got.iter().filter(|(headers, _)| headers.contains_key("wave-signature")).count();
    let shared =
        got.iter().filter(|(headers, _)| headers.get("authorization").is_some_and(|v| v == "Bearer wave_sn_WHS_1"));
    assert_eq!((signed, shared.count()), (1, 1));
}

#[tokio::test]
async fn an_unanswered_event_is_sent_again_until_taken() {
    let (wave, receiver) = pair(&[Strategy::Signing]).await;
    *receiver.answers.lock().unwrap() = vec![401, 500];
    wave.open().await;
    attempt(&wave, "pay").await;
    assert_eq!(drain(&wave).await["waiting"].as_array().unwrap().len(), 1);
    for seconds in [10, 30] {
        wave.control(json!({ "do": "advance", "seconds": seconds })).await;
        drain(&wave).await;
    }
    let shown = drain(&wave).await;
    let statuses: Vec<_> = shown["attempts"].as_array().unwrap().iter().map(|try_| try_["status"].clone()).collect();
    assert_eq!((statuses, &shown["waiting"]), (vec![json!(500), json!(401), json!(200)], &json!([])));
}

#[tokio::test]
async fn an_event_is_given_up_after_three_days() {
    let (wave, receiver) = pair(&[Strategy::Signing]).await;
    *receiver.answers.lock().unwrap() = vec![500; 10];
    wave.control(json!({ "do": "test_event" })).await;
    drain(&wave).await;
    wave.control(json!({ "do": "advance", "seconds": 3 * 86_400 })).await;
    assert_eq!(drain(&wave).await["waiting"], json!([]));
    assert_eq!(receiver.types().len(), 2);
}

#[tokio::test]
async fn events_are_dropped_duplicated_and_reordered_as_asked() {
    let (wave, receiver) = pair(&[Strategy::Signing]).await;
    wave.open().await;
    wave.control(json!([
        { "do": "webhooks", "next": "drop" },
        { "do": "webhooks", "next": { "duplicate": { "copies": 5 } } },
        { "do": "webhooks", "next": { "reorder": { "count": 2 } }, "times": 2 },
    ]))
    .await;
    attempt(&wave, "fail").await;
    wave.control(json!({ "do": "test_event" })).await;
    drain(&wave).await;
    assert_eq!(receiver.types(), vec!["test.test_event"; 5]);
    attempt(&wave, "fail").await;
    attempt(&wave, "pay").await;
    drain(&wave).await;
    let types = receiver.types();
    assert_eq!(types[5..], ["checkout.session.completed", "checkout.session.payment_failed"]);
}

#[tokio::test]
async fn held_events_wait_and_delayed_ones_follow_the_clock() {
    let (wave, receiver) = pair(&[Strategy::Signing]).await;
    wave.control(json!([
        { "do": "webhooks", "next": "hold" },
        { "do": "webhooks", "next": { "delay": { "ms": 60_000 } } },
        { "do": "test_event" },
        { "do": "test_event" },
        { "do": "drain" },
    ]))
    .await;
    assert_eq!(receiver.types().len(), 0);
    wave.control(json!([{ "do": "release" }, { "do": "advance", "seconds": 60 }, { "do": "drain" }])).await;
    assert_eq!(receiver.types().len(), 2);
}

#[tokio::test]
async fn the_webhook_can_come_before_the_answer() {
    let (wave, receiver) = pair(&[Strategy::Signing]).await;
    wave.control(json!({ "do": "pay_at_once", "times": 1 })).await;
    let session = wave.open().await;
    assert_eq!(session["checkout_status"], "complete");
    assert_eq!(receiver.types(), ["checkout.session.completed"]);
}

#[tokio::test]
async fn a_forgery_says_what_it_was_told_to_say() {
    let (wave, receiver) = pair(&[Strategy::Signing]).await;
    wave.open().await;
    *receiver.answers.lock().unwrap() = vec![401];
    let answer = wave
        .control(
            json!({ "do": "forge", "session": "ref-1", "signature": "stale", "set": { "amount": "1", "id": null } }),
        )
        .await;
    assert_eq!(answer[0][0]["status"], 401);
    let got = receiver.got.lock().unwrap();
    assert_eq!(got[0].1["data"]["amount"], "1");
    assert!(got[0].1["data"].get("id").is_none());
}
