//! The fake as a protocol: what it demands, what it says, what it sends.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};

use super::*;
use crate::testing::{Server, listen, send};

async fn start(config: Config) -> (Server, String) {
    let server = Server::start(|listener, stop| serve(listener, config, async move { stop.cancelled().await })).await;
    let request = server.client.post(server.at("/oauth/v3/token")).form(&[("grant_type", "client_credentials")]);
    let (status, body) = send(request.basic_auth("orange_client_fake", Some("orange_secret_fake"))).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!((body["expires_in"].as_str(), &body["token_type"]), (Some("7776000"), &json!("Bearer")));
    let token = body["access_token"].as_str().unwrap().to_owned();
    (server, token)
}

fn wish(order: &str) -> Value {
    json!({
        "merchant_key": "orange_merchant_fake", "currency": "XOF", "order_id": order, "amount": 500,
        "return_url": "https://kalel.sn/r", "cancel_url": "https://kalel.sn/c", "notif_url": "https://kalel.sn/n",
        "lang": "fr", "reference": "Kalel",
    })
}

async fn call(server: &Server, token: &str, name: &str, body: &Value) -> (StatusCode, Value) {
    let request = server.client.post(server.at(&format!("/orange-money-webpay/sn/v1/{name}"))).json(body);
    send(request.bearer_auth(token)).await
}

#[tokio::test]
async fn a_page_is_201_and_each_demand_is_a_400() {
    let (server, token) = start(Config { loopback_http: false, ..Config::default() }).await;
    server.control(json!({ "do": "webhooks", "next": "drop", "times": 0 })).await;
    let (status, page) = call(&server, &token, "webpayment", &wish("o-1")).await;
    assert_eq!((status.as_u16(), &page["status"], &page["message"]), (201, &json!(201), &json!("OK")));
    for (field, wrong) in [
        ("merchant_key", json!("other")),
        ("currency", json!("OUV")),
        ("order_id", json!("x".repeat(31))),
        ("order_id", json!("")),
        ("amount", json!(0)),
        ("amount", json!("500")),
        ("return_url", json!(format!("https://kalel.sn/{}", "x".repeat(120)))),
        ("cancel_url", json!("http://localhost/c")),
        ("notif_url", json!("http://127.0.0.1:1/n")),
        ("lang", json!("wo")),
        ("reference", json!("x".repeat(31))),
    ] {
        let mut body = wish("o-2");
        body[field] = wrong.clone();
        let (status, answer) = call(&server, &token, "webpayment", &body).await;
        assert_eq!(status, 400, "{field} {wrong}: {answer}");
    }
    let (status, again) = call(&server, &token, "webpayment", &wish("o-1")).await;
    assert_eq!((status.as_u16(), &again["code"]), (400, &json!(1204)));
    let other = send(server.client.post(server.at("/orange-money-webpay/ci/v1/webpayment")).bearer_auth(&token)).await;
    assert_eq!((other.0.as_u16(), &other.1["code"]), (403, &json!(50)));
    assert_eq!(call(&server, "wrong", "webpayment", &wish("o-3")).await.0, 401);
    server.end().await;
}

#[tokio::test]
async fn a_status_is_asked_with_all_three_and_told_in_five_words() {
    let (server, token) = start(Config::default()).await;
    server.control(json!({ "do": "webhooks", "next": "drop", "times": 0 })).await;
    let page = call(&server, &token, "webpayment", &wish("o-1")).await.1;
    let asked = json!({ "order_id": "o-1", "amount": 500, "pay_token": page["pay_token"] });
    for (field, wrong) in [("order_id", json!("o-2")), ("amount", json!(501)), ("pay_token", json!("x"))] {
        let mut body = asked.clone();
        body[field] = wrong;
        assert_eq!(call(&server, &token, "transactionstatus", &body).await.0, 400, "{field}");
    }
    let (status, answer) = call(&server, &token, "transactionstatus", &asked).await;
    assert_eq!((status.as_u16(), answer), (201, json!({ "status": "INITIATED", "order_id": "o-1", "txnid": "" })));
    server.control(json!([{ "do": "settle", "page": "o-1", "as": "start" }])).await;
    assert_eq!(call(&server, &token, "transactionstatus", &asked).await.1["status"], "PENDING");
    server.control(json!([{ "do": "settle", "page": "o-1", "as": "pay" }])).await;
    let paid = call(&server, &token, "transactionstatus", &asked).await.1;
    assert_eq!(paid["status"], "SUCCESS");
    let ledger = server.get("/__ledger").await;
    assert_eq!((&ledger["totals"]["charged"], &ledger["entries"][0]["transaction_id"]), (&json!(500), &paid["txnid"]));
    call(&server, &token, "webpayment", &wish("o-2")).await;
    server.control(json!({ "do": "advance", "seconds": 600 })).await;
    let late = server.client.post(server.at("/__control")).json(&json!({ "do": "settle", "page": "o-2", "as": "pay" }));
    assert_eq!(send(late).await.0, 409, "a page that has ended is not paid");
    server.end().await;
}

#[tokio::test]
async fn a_notification_has_three_fields_and_comes_again_until_it_is_taken() {
    type Seen = Arc<Mutex<Vec<Value>>>;
    async fn receive(State(seen): State<Seen>, body: Bytes) -> StatusCode {
        let mut seen = seen.lock().unwrap();
        seen.push(serde_json::from_slice(&body).unwrap());
        if seen.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK }
    }
    let (seen, (listener, address)) = (Seen::default(), listen().await);
    let router = Router::new().route("/n", post(receive)).with_state(Arc::clone(&seen));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let (server, token) = start(Config::default()).await;
    let mut body = wish("o-1");
    body["notif_url"] = json!(format!("http://{address}/n"));
    let page = call(&server, &token, "webpayment", &body).await.1;
    server.control(json!([{ "do": "settle", "page": "o-1", "as": "fail" }, { "do": "drain" }])).await;
    server.control(json!([{ "do": "advance", "seconds": 11 }, { "do": "drain" }])).await;
    let told = json!({ "status": "FAILED", "notif_token": page["notif_token"], "txnid": "" });
    assert_eq!(*seen.lock().unwrap(), [told.clone(), told]);
    let forged = json!({ "do": "forge", "page": "o-1", "body": { "status": "SUCCESS", "notif_token": "x" } });
    assert_eq!(server.control(forged).await[0]["status"], 200);
    server.end().await;
}

#[tokio::test]
async fn a_payer_pays_on_the_page_and_goes_back() {
    let (server, token) = start(Config::default()).await;
    server.control(json!({ "do": "webhooks", "next": "drop", "times": 0 })).await;
    let page = call(&server, &token, "webpayment", &wish("o-1")).await.1;
    let url = page["payment_url"].as_str().unwrap();
    let (status, html) = send(server.client.get(url)).await;
    assert!(status == 200 && html.as_str().unwrap().contains("500 F"), "{html}");
    let answer = server.client.post(url).form(&[("action", "pay"), ("number", "771234567"), ("otp", "1234")]);
    let answer = answer.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "https://kalel.sn/r"));
    assert_eq!(send(server.client.get(server.at("/payment/pay_token/nobody"))).await.0, 404);
    server.end().await;
}
