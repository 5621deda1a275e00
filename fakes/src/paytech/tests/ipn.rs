//! IPN: where they go, how they are written and proven, how often, in which order.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};

use super::*;
use crate::testing::listen;

/// Content type and fields.
type Ipn = (String, BTreeMap<String, String>);

/// A receiver that answers with the statuses it was given, then with 200.
#[derive(Clone, Default)]
struct Receiver {
    got: Arc<Mutex<Vec<Ipn>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    async fn start(&self) -> String {
        async fn take(State(me): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
            let kind = headers.get("content-type").map_or("", |kind| kind.to_str().unwrap()).to_owned();
            let fields = match serde_json::from_slice::<BTreeMap<String, Value>>(&body) {
                Ok(json) => json.into_iter().map(|(name, value)| (name, value.to_string())).collect(),
                Err(_) => url::form_urlencoded::parse(&body).into_owned().collect(),
            };
            me.got.lock().unwrap().push((kind, fields));
            StatusCode::from_u16(me.answers.lock().unwrap().pop().unwrap_or(200)).unwrap()
        }
        let (listener, address) = listen().await;
        let app = Router::new().route("/ipn", post(take)).route("/refunds", post(take)).with_state(self.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        format!("http://{address}")
    }

    fn types(&self) -> Vec<String> {
        self.got.lock().unwrap().iter().map(|(_, fields)| fields["type_event"].replace('"', "")).collect()
    }

    fn last(&self) -> Ipn {
        self.got.lock().unwrap().last().unwrap().clone()
    }
}

async fn pair() -> (Server, Receiver, String) {
    let receiver = Receiver::default();
    let url = receiver.start().await;
    (paytech().await, receiver, url)
}

fn told(reference: &str, url: &str) -> Value {
    let mut order = order(reference, 15_000);
    order["ipn_url"] = json!(format!("{url}/ipn"));
    order
}

async fn drain(paytech: &Server) -> Value {
    paytech.control(json!({ "do": "drain" })).await[0].clone()
}

#[tokio::test]
async fn an_ipn_is_a_form_or_json_with_a_proof_of_its_order_or_without() {
    let (paytech, receiver, url) = pair().await;
    paytech.sale(told("ref-1", &url)).await;
    paytech.settle("ref-1", "pay").await;
    drain(&paytech).await;
    let (kind, fields) = receiver.last();
    assert_eq!(kind, "application/x-www-form-urlencoded");
    assert_eq!((fields["type_event"].as_str(), fields["ref_command"].as_str()), ("sale_complete", "ref-1"));
    assert_eq!((fields["final_item_price"].as_str(), fields["env"].as_str()), ("15000", "prod"));
    assert_eq!((fields["hmac_compute"].len(), fields["api_key_sha256"].len()), (64, 64));

    paytech.control(json!({ "do": "switch", "set": { "ipn": "json", "hmac": false } })).await;
    paytech.sale(told("ref-2", &url)).await;
    paytech.settle("ref-2", "cancel").await;
    drain(&paytech).await;
    let (kind, again) = receiver.last();
    assert_eq!((kind.as_str(), again["type_event"].as_str()), ("application/json", "\"sale_canceled\""));
    assert_eq!((again.get("hmac_compute"), again["item_price"].as_str()), (None, "15000"));
    assert_eq!(again["api_secret_sha256"], format!("\"{}\"", fields["api_secret_sha256"]));
}

#[tokio::test]
async fn an_ipn_is_sent_again_until_it_is_answered_with_200() {
    let (paytech, receiver, url) = pair().await;
    *receiver.answers.lock().unwrap() = vec![302, 204, 500];
    paytech.sale(told("ref-1", &url)).await;
    paytech.settle("ref-1", "pay").await;
    assert_eq!(drain(&paytech).await["waiting"].as_array().unwrap().len(), 1);
    for seconds in [10, 30, 120] {
        paytech.control(json!({ "do": "advance", "seconds": seconds })).await;
        drain(&paytech).await;
    }
    let shown = drain(&paytech).await;
    let statuses: Vec<_> = shown["attempts"].as_array().unwrap().iter().map(|try_| try_["status"].clone()).collect();
    assert_eq!((json!(statuses), &shown["waiting"]), (json!([500, 204, 302, 200]), &json!([])));
}

#[tokio::test]
async fn an_ipn_is_given_up_after_three_days() {
    let (paytech, receiver, url) = pair().await;
    *receiver.answers.lock().unwrap() = vec![500; 10];
    paytech.sale(told("ref-1", &url)).await;
    paytech.settle("ref-1", "pay").await;
    drain(&paytech).await;
    paytech.control(json!({ "do": "advance", "seconds": 3 * 86_400 })).await;
    assert_eq!(drain(&paytech).await["waiting"], json!([]));
    assert_eq!(receiver.types().len(), 2);
}

#[tokio::test]
async fn ipn_are_dropped_duplicated_reordered_held_and_delayed_as_asked() {
    let (paytech, receiver, url) = pair().await;
    for number in 0..6 {
        paytech.sale(told(&format!("ref-{number}"), &url)).await;
    }
    paytech
        .control(json!([
            { "do": "webhooks", "next": "drop" },
            { "do": "webhooks", "next": { "duplicate": { "copies": 5 } } },
            { "do": "webhooks", "next": { "reorder": { "count": 2 } }, "times": 2 },
            { "do": "webhooks", "next": "hold" },
            { "do": "webhooks", "next": { "delay": { "ms": 60_000 } } },
        ]))
        .await;
    paytech.settle("ref-0", "pay").await;
    paytech.settle("ref-1", "pay").await;
    drain(&paytech).await;
    assert_eq!(receiver.types(), vec!["sale_complete"; 5]);
    paytech.settle("ref-2", "cancel").await;
    paytech.settle("ref-3", "pay").await;
    drain(&paytech).await;
    assert_eq!(receiver.types()[5..], ["sale_complete", "sale_canceled"]);
    paytech.settle("ref-4", "pay").await;
    paytech.settle("ref-5", "pay").await;
    drain(&paytech).await;
    assert_eq!(receiver.types().len(), 7);
    paytech.control(json!([{ "do": "release" }, { "do": "advance", "seconds": 60 }, { "do": "drain" }])).await;
    assert_eq!(receiver.types().len(), 9);
}

#[tokio::test]
async fn the_ipn_can_come_before_the_answer() {
    let (paytech, receiver, url) = pair().await;
    paytech.control(json!({ "do": "pay_at_once", "times": 1 })).await;
    let token = paytech.sale(told("ref-1", &url)).await;
    assert_eq!((receiver.types(), paytech.state(&token).await), (vec!["sale_complete".into()], "complete".into()));
}

#[tokio::test]
async fn a_refund_is_told_when_it_is_done_where_it_was_asked_for() {
    let (paytech, receiver, url) = pair().await;
    let mut order = told("ref-1", &url);
    order["refund_notif_url"] = json!(format!("{url}/refunds"));
    paytech.sale(order).await;
    paytech.settle("ref-1", "pay").await;
    paytech.give_back("ref-1").await;
    drain(&paytech).await;
    assert_eq!(receiver.types(), ["sale_complete"]);
    // Its own time passes too.
    tokio::time::sleep(std::time::Duration::from_millis(2_100)).await;
    let shown = drain(&paytech).await;
    assert_eq!(receiver.types(), ["sale_complete", "refund_complete"]);
    assert_eq!(shown["attempts"][1]["url"], format!("{url}/refunds"));
}

#[tokio::test]
async fn a_failed_attempt_and_an_end_by_control_are_told_by_nobody() {
    let (paytech, receiver, url) = pair().await;
    paytech.sale(told("ref-1", &url)).await;
    paytech.settle("ref-1", "fail").await;
    paytech.settle("ref-1", "expire").await;
    drain(&paytech).await;
    assert_eq!(receiver.types().len(), 0);
}

#[tokio::test]
async fn a_forgery_says_what_it_was_told_to_say() {
    let (paytech, receiver, url) = pair().await;
    paytech.sale(told("ref-1", &url)).await;
    *receiver.answers.lock().unwrap() = vec![401];
    let forge = json!({ "do": "forge", "sale": "ref-1", "proof": "valid", "set": { "item_price": 1, "env": null },
        "tamper": { "final_item_price": "2" }, "encoding": "json", "untyped": true });
    assert_eq!(paytech.control(forge).await[0]["status"], 401);
    let (kind, fields) = receiver.last();
    assert_eq!((kind.as_str(), fields["item_price"].as_str()), ("", "1"));
    assert_eq!((fields["final_item_price"].as_str(), fields.get("env")), ("\"2\"", None));
    for (proof, hmac, hashes) in [("missing", false, false), ("hashes", false, true), ("bad", true, true)] {
        paytech.control(json!({ "do": "forge", "sale": "ref-1", "proof": proof })).await;
        let (_, fields) = receiver.last();
        let has = |name: &str| fields.contains_key(name);
        assert_eq!((has("hmac_compute"), has("api_key_sha256")), (hmac, hashes), "{proof}");
    }
}

#[tokio::test]
async fn an_ipn_can_be_replayed_byte_for_byte() {
    let (paytech, receiver, url) = pair().await;
    paytech.sale(told("ref-1", &url)).await;
    paytech.settle("ref-1", "pay").await;
    let events = drain(&paytech).await["events"].clone();
    paytech.control(json!({ "do": "forge", "sale": "ref-1", "replay": events[0]["id"] })).await;
    let got = receiver.got.lock().unwrap();
    assert_eq!((got.len(), &got[0]), (2, &got[1]));
}
