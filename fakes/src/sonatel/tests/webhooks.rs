//! Webhooks: where they go, how often, and what proves them.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, routing::post};

use super::{
    super::{Basic, Callback, Proof},
    *,
};
use crate::testing::listen;

/// A receiver that answers with the statuses it was given, then with 200.
#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<(HeaderMap, Value)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    async fn start(&self) -> String {
        async fn take(State(me): State<Receiver>, headers: HeaderMap, body: Bytes) -> axum::http::StatusCode {
            me.got.lock().unwrap().push((headers, serde_json::from_slice(&body).unwrap()));
            axum::http::StatusCode::from_u16(me.answers.lock().unwrap().pop().unwrap_or(200)).unwrap()
        }
        let (listener, address) = listen().await;
        let app = Router::new().route("/hook", post(take)).with_state(self.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        format!("http://{address}/hook")
    }

    fn statuses(&self) -> Vec<Value> {
        self.got.lock().unwrap().iter().map(|(_, body)| body["status"].clone()).collect()
    }

    fn header(&self, number: usize, name: &str) -> Option<String> {
        let got = self.got.lock().unwrap();
        got[number].0.get(name).map(|value| value.to_str().unwrap().to_owned())
    }
}

async fn pair(proof: Proof) -> (Om, Receiver) {
    let receiver = Receiver::default();
    let callback = Some(Callback { url: receiver.start().await, api_key: "key-1".into() });
    (sonatel_with(Config { callback, proof, ..Config::default() }).await, receiver)
}

async fn attempt(sonatel: &Om, deed: &str) {
    sonatel.control(json!({ "do": "settle", "qr": "ref-1", "as": deed })).await;
}

async fn drain(sonatel: &Om) -> Value {
    sonatel.control(json!({ "do": "drain" })).await[0].clone()
}

#[tokio::test]
async fn news_look_like_the_row_and_carry_the_key_as_registered() {
    let (sonatel, receiver) = pair(Proof::default()).await;
    sonatel.open("ref-1").await;
    attempt(&sonatel, "pay").await;
    drain(&sonatel).await;
    let row = sonatel.rows("ref-1").await[0].clone();
    assert_eq!(receiver.got.lock().unwrap()[0].1, row);
    assert_eq!(receiver.header(0, "authorization").as_deref(), Some("Basic key-1"));
    assert_eq!(receiver.header(0, "x-sonatel-signature"), None);
    assert_eq!(receiver.header(0, "x-sonatel-idempotency-key").unwrap().len(), 32);
    assert_eq!(receiver.got.lock().unwrap()[0].1["metadata"]["notification.dispatched"], "true");
}

#[tokio::test]
async fn the_key_can_come_in_base64_and_a_signature_with_it() {
    let proof = Proof { basic: Basic::Base64, signing: Some("s".into()), idempotency: false };
    let (sonatel, receiver) = pair(proof).await;
    sonatel.open("ref-1").await;
    attempt(&sonatel, "pay").await;
    drain(&sonatel).await;
    assert_eq!(receiver.header(0, "authorization").as_deref(), Some("Basic a2V5LTE="));
    let signature = receiver.header(0, "x-sonatel-signature").unwrap();
    assert!(signature.starts_with("t=") && signature.contains(",v1="), "{signature}");
    assert_eq!(receiver.header(0, "x-sonatel-idempotency-key"), None);
}

#[tokio::test]
async fn a_4xx_is_final_and_a_5xx_is_not() {
    let (sonatel, receiver) = pair(Proof::default()).await;
    sonatel.open("ref-1").await;
    for status in [400, 401, 404, 422, 429] {
        *receiver.answers.lock().unwrap() = vec![status];
        attempt(&sonatel, "fail").await;
        assert_eq!(drain(&sonatel).await["waiting"], json!([]), "{status}");
    }
    assert_eq!(receiver.statuses().len(), 5);
    *receiver.answers.lock().unwrap() = vec![503, 500];
    attempt(&sonatel, "pay").await;
    for seconds in [10, 60] {
        assert_eq!(drain(&sonatel).await["waiting"].as_array().unwrap().len(), 1);
        sonatel.control(json!({ "do": "advance", "seconds": seconds })).await;
    }
    assert_eq!(drain(&sonatel).await["waiting"], json!([]));
    assert_eq!(receiver.statuses()[5..], ["SUCCESS", "SUCCESS", "SUCCESS"]);
    let keys: Vec<_> = (5..8).map(|number| receiver.header(number, "x-sonatel-idempotency-key")).collect();
    assert!(keys[0] == keys[1] && keys[1] == keys[2]);
}

#[tokio::test]
async fn news_are_given_up_after_a_day() {
    let (sonatel, receiver) = pair(Proof::default()).await;
    *receiver.answers.lock().unwrap() = vec![500; 10];
    sonatel.open("ref-1").await;
    attempt(&sonatel, "pay").await;
    drain(&sonatel).await;
    sonatel.control(json!({ "do": "advance", "seconds": 86_400 })).await;
    assert_eq!(drain(&sonatel).await["waiting"], json!([]));
    assert_eq!(receiver.statuses().len(), 2);
}

#[tokio::test]
async fn news_are_dropped_duplicated_held_and_delayed_as_asked() {
    let (sonatel, receiver) = pair(Proof::default()).await;
    sonatel.open("ref-1").await;
    let plans =
        [json!("drop"), json!({ "duplicate": { "copies": 3 } }), json!("hold"), json!({ "delay": { "ms": 60_000 } })];
    let plans: Vec<_> = plans.into_iter().map(|next| json!({ "do": "webhooks", "next": next })).collect();
    sonatel.control(json!(plans)).await;
    for deed in ["fail", "cancel", "fail", "pay"] {
        attempt(&sonatel, deed).await;
    }
    drain(&sonatel).await;
    assert_eq!(receiver.statuses(), ["CANCELLED", "CANCELLED", "CANCELLED"]);
    sonatel.control(json!([{ "do": "release" }, { "do": "advance", "seconds": 60 }, { "do": "drain" }])).await;
    assert_eq!(receiver.statuses()[3..], ["FAILED", "SUCCESS"]);
}

#[tokio::test]
async fn a_codes_own_address_comes_first_and_the_news_can_overtake_the_answer() {
    let (sonatel, registered) = pair(Proof::default()).await;
    let own = Receiver::default();
    let url = own.start().await;
    sonatel.control(json!({ "do": "pay_at_once", "times": 1 })).await;
    let request = sonatel.client.post(sonatel.at(CODES)).body(order("ref-1").to_string());
    assert_eq!(sonatel.call(request.header("X-Callback-Url", url)).await.0, 200);
    assert_eq!((own.statuses(), registered.statuses()), (vec![json!("SUCCESS")], vec![]));
    assert_eq!(own.header(0, "authorization").as_deref(), Some("Basic key-1"));
}

#[tokio::test]
async fn a_forgery_says_and_proves_what_it_was_told_to() {
    let (sonatel, receiver) = pair(Proof { signing: Some("s".into()), ..Proof::default() }).await;
    sonatel.open("ref-1").await;
    attempt(&sonatel, "pay").await;
    let events = drain(&sonatel).await["events"].clone();
    let forge = |proof: &str| json!({ "do": "forge", "transaction": "ref-1", "proof": proof, "set": { "status": "X", "type": null } });
    *receiver.answers.lock().unwrap() = vec![401];
    assert_eq!(sonatel.control(forge("bad")).await[0]["status"], 401);
    for proof in ["missing", "keyless", "unsigned", "bearer", "valid"] {
        sonatel.control(forge(proof)).await;
    }
    assert!(receiver.got.lock().unwrap()[1].1.get("type").is_none());
    assert_eq!(receiver.statuses()[1], "X");
    let proofs: Vec<_> = (1..7)
        .map(|number| {
            (receiver.header(number, "authorization"), receiver.header(number, "x-sonatel-signature").is_some())
        })
        .collect();
    let key = |key: &str| Some(key.to_owned());
    let expected = [
        (key("Basic key-0"), true),
        (None, false),
        (None, true),
        (key("Basic key-1"), false),
        (key("Bearer key-1"), true),
        (key("Basic key-1"), true),
    ];
    assert_eq!(proofs, expected);
    sonatel.control(json!({ "do": "forge", "replay": events[0]["id"], "proof": "valid" })).await;
    let got = receiver.got.lock().unwrap();
    assert_eq!(
        (&got[7].1, &got[7].0["x-sonatel-idempotency-key"]),
        (&got[0].1, &got[0].0["x-sonatel-idempotency-key"])
    );
}
