//! Callbacks: in which form, how often, in which order; and forgeries.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{
    super::{Form, callback::hash},
    Fake, Quirks, TEST, order, paydunya, quirky,
};
use crate::testing::listen;

/// A receiver that answers with the statuses it was given, then with 200.
#[derive(Clone, Default)]
pub(super) struct Receiver {
    got: Arc<Mutex<Vec<(String, String)>>>,
    answers: Arc<Mutex<Vec<u16>>>,
}

impl Receiver {
    pub(super) async fn started() -> (String, Self) {
        async fn take(State(me): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
            let kind = headers["content-type"].to_str().unwrap().to_owned();
            me.got.lock().unwrap().push((kind, String::from_utf8(body.to_vec()).unwrap()));
            StatusCode::from_u16(me.answers.lock().unwrap().pop().unwrap_or(200)).unwrap()
        }
        let receiver = Self::default();
        let (listener, address) = listen().await;
        let app = Router::new().route("/ipn", post(take)).with_state(receiver.clone());
        tokio::spawn(axum::serve(listener, app).into_future());
        (format!("http://{address}/ipn"), receiver)
    }

    fn bodies(&self) -> Vec<String> {
        self.got.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }

    /// The names and values of a form.
    fn fields(&self, at: usize) -> Vec<(String, String)> {
        form_urlencoded::parse(self.bodies()[at].as_bytes()).into_owned().collect()
    }
}

async fn opened(paydunya: &Fake, callback_url: &str, reference: &str) {
    let mut body = order(json!(15_000));
    body["actions"]["callback_url"] = json!(callback_url);
    body["custom_data"]["reference"] = json!(reference);
    let (_, answer) = paydunya.ask("POST", "/sandbox-api/v1/checkout-invoice/create", TEST, Some(body)).await;
    assert_eq!(answer["response_code"], "00");
}

async fn pair() -> (Fake, Receiver) {
    let (url, receiver) = Receiver::started().await;
    let paydunya = paydunya().await;
    for reference in ["ref-1", "ref-2", "ref-3"] {
        opened(&paydunya, &url, reference).await;
    }
    (paydunya, receiver)
}

async fn settle(paydunya: &Fake, reference: &str, deed: &str) {
    paydunya.control(json!({ "do": "settle", "invoice": reference, "as": deed })).await;
}

async fn drain(paydunya: &Fake) -> Value {
    paydunya.control(json!({ "do": "drain" })).await[0].clone()
}

#[tokio::test]
async fn an_invoice_calls_back_with_json_in_a_form() {
    let (paydunya, receiver) = pair().await;
    settle(&paydunya, "ref-1", "pay").await;
    drain(&paydunya).await;
    let fields = receiver.fields(0);
    assert_eq!((fields.len(), fields[0].0.as_str()), (1, "data"));
    assert_eq!(receiver.got.lock().unwrap()[0].0, "application/x-www-form-urlencoded");
    let data: Value = serde_json::from_str(&fields[0].1).unwrap();
    assert_eq!((&data["status"], &data["mode"]), (&json!("completed"), &json!("test")));
    assert_eq!((&data["custom_data"]["reference"], &data["hash"]), (&json!("ref-1"), &json!(hash("master_fake"))));
}

#[tokio::test]
async fn or_with_brackets_or_plainly() {
    let (url, receiver) = Receiver::started().await;
    let paydunya = quirky(Quirks { callback: Form::Brackets, ..Quirks::default() }).await;
    opened(&paydunya, &url, "ref-1").await;
    settle(&paydunya, "ref-1", "cancel").await;
    drain(&paydunya).await;
    let fields = receiver.fields(0);
    let value = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
    assert_eq!(value("data[status]"), Some("cancelled"));
    assert_eq!(value("data[invoice][total_amount]"), Some("15000"));
    assert_eq!(value("data[custom_data][reference]"), Some("ref-1"));

    paydunya.control(json!({ "do": "quirks", "callback": "plain" })).await;
    opened(&paydunya, &url, "ref-2").await;
    settle(&paydunya, "ref-2", "fail").await;
    drain(&paydunya).await;
    assert_eq!(receiver.got.lock().unwrap()[1].0, "application/json");
    let body: Value = serde_json::from_str(&receiver.bodies()[1]).unwrap();
    assert_eq!((&body["status"], &body["fail_reason"]), (&json!("failed"), &json!("Solde insuffisant")));
}

#[tokio::test]
async fn a_disbursement_calls_back_when_it_ends_and_not_before() {
    let (url, receiver) = Receiver::started().await;
    let paydunya = paydunya().await;
    paydunya.control(json!({ "do": "next_payout", "status": "pending" })).await;
    let body = json!({
        "account_alias": "771234567", "amount": 203, "withdraw_mode": "wave-senegal", "callback_url": url,
    });
    let (_, made) = paydunya.live("/api/v2/disburse/get-invoice", body).await;
    let submit = json!({ "disburse_invoice": made["disburse_token"], "disburse_id": "pay-1" });
    paydunya.live("/api/v2/disburse/submit-invoice", submit).await;
    drain(&paydunya).await;
    assert_eq!(receiver.bodies().len(), 0);
    paydunya.control(json!({ "do": "settle_payout", "payout": "pay-1", "status": "success" })).await;
    drain(&paydunya).await;
    let fields = receiver.fields(0);
    let value = |name: &str| fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.clone());
    assert_eq!(value("status").as_deref(), Some("success"));
    assert_eq!((value("amount").as_deref(), value("disburse_id").as_deref()), (Some("203.00"), Some("pay-1")));
    assert_eq!(
        (value("token").as_deref(), value("hash")),
        (made["disburse_token"].as_str(), Some(hash("master_fake")))
    );
    assert_eq!(value("mode"), None);
}

#[tokio::test]
async fn an_unanswered_callback_is_sent_again_until_taken_or_three_days_old() {
    let (paydunya, receiver) = pair().await;
    *receiver.answers.lock().unwrap() = vec![401, 500];
    settle(&paydunya, "ref-1", "pay").await;
    assert_eq!(drain(&paydunya).await["waiting"].as_array().unwrap().len(), 1);
    for seconds in [10, 30] {
        paydunya.control(json!({ "do": "advance", "seconds": seconds })).await;
        drain(&paydunya).await;
    }
    let shown = drain(&paydunya).await;
    let statuses: Vec<_> =
        shown["attempts"].as_array().unwrap().iter().map(|attempt| attempt["status"].clone()).collect();
    assert_eq!((statuses, &shown["waiting"]), (vec![json!(500), json!(401), json!(200)], &json!([])));
    let bodies = receiver.bodies();
    assert!(bodies.iter().all(|body| *body == bodies[0]));

    *receiver.answers.lock().unwrap() = vec![500; 10];
    settle(&paydunya, "ref-2", "pay").await;
    drain(&paydunya).await;
    paydunya.control(json!({ "do": "advance", "seconds": 3 * 86_400 })).await;
    assert_eq!(drain(&paydunya).await["waiting"], json!([]));
    assert_eq!(receiver.bodies().len(), 5);
}

#[tokio::test]
async fn callbacks_are_dropped_duplicated_held_and_reordered_as_asked() {
    let (paydunya, receiver) = pair().await;
    paydunya
        .control(json!([
            { "do": "webhooks", "next": "drop" },
            { "do": "webhooks", "next": { "duplicate": { "copies": 3 } } },
            { "do": "webhooks", "next": "hold" },
        ]))
        .await;
    for reference in ["ref-1", "ref-2", "ref-3"] {
        settle(&paydunya, reference, "pay").await;
    }
    let shown = drain(&paydunya).await;
    assert_eq!((receiver.bodies().len(), shown["held"].as_array().unwrap().len()), (3, 1));
    assert!(receiver.bodies().iter().all(|body| body.contains("ref-2")));
    paydunya.control(json!({ "do": "release" })).await;
    assert!(receiver.bodies()[3].contains("ref-3"));

    let (paydunya, receiver) = pair().await;
    paydunya.control(json!({ "do": "webhooks", "next": { "reorder": { "count": 2 } }, "times": 2 })).await;
    settle(&paydunya, "ref-1", "pay").await;
    settle(&paydunya, "ref-2", "pay").await;
    drain(&paydunya).await;
    assert!(receiver.bodies()[0].contains("ref-2") && receiver.bodies()[1].contains("ref-1"));
}

#[tokio::test]
async fn the_callback_can_come_before_the_answer() {
    let (url, receiver) = Receiver::started().await;
    let paydunya = paydunya().await;
    paydunya.control(json!({ "do": "pay_at_once", "times": 1 })).await;
    opened(&paydunya, &url, "ref-1").await;
    assert_eq!(receiver.bodies().len(), 1);
}

#[tokio::test]
async fn a_forgery_says_what_it_was_told_to_say() {
    let (paydunya, receiver) = pair().await;
    *receiver.answers.lock().unwrap() = vec![401];
    let forge = json!({
        "do": "forge", "invoice": "ref-1", "hash": "valid",
        "set": { "/status": "completed", "/invoice/total_amount": "1", "/mode": null },
    });
    assert_eq!(paydunya.control(forge).await[0]["status"], 401);
    let data: Value = serde_json::from_str(&receiver.fields(0)[0].1).unwrap();
    assert_eq!((&data["status"], &data["invoice"]["total_amount"]), (&json!("completed"), &json!("1")));
    assert!(data.get("mode").is_none() && data["hash"] == hash("master_fake"));

    let right = hash("master_fake");
    for (kind, expected) in [
        ("missing", None),
        ("empty", Some(String::new())),
        ("upper", Some(right.to_uppercase())),
        ("key", Some("master_fake".into())),
        ("empty_key", Some(hash(""))),
    ] {
        paydunya.control(json!({ "do": "forge", "invoice": "ref-1", "hash": kind, "form": "plain" })).await;
        let body: Value = serde_json::from_str(receiver.bodies().last().unwrap()).unwrap();
        assert_eq!(body.get("hash").and_then(Value::as_str).map(str::to_owned), expected, "{kind}");
    }
    for kind in ["bad", "other_key"] {
        paydunya.control(json!({ "do": "forge", "invoice": "ref-1", "hash": kind, "form": "plain" })).await;
        let body: Value = serde_json::from_str(receiver.bodies().last().unwrap()).unwrap();
        assert!(body["hash"].as_str().is_some_and(|hash| hash.len() == 128 && hash != right), "{kind}");
    }
}

#[tokio::test]
async fn a_replay_is_the_same_bytes() {
    let (paydunya, receiver) = pair().await;
    settle(&paydunya, "ref-1", "pay").await;
    let id = drain(&paydunya).await["events"][0]["id"].clone();
    paydunya.control(json!({ "do": "forge", "replay": id })).await;
    let bodies = receiver.bodies();
    assert_eq!((bodies.len(), &bodies[0]), (2, &bodies[1]));
}
