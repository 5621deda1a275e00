//! Webhooks: only what proves its origin is kept, once; nothing else leaves a trace.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;

use crate::api::{Answer, Api, FATOU_SECRET, WAVE_SECRET};

const PATH: &str = "/v1/provider-webhooks/wave";

fn body(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","type":"checkout.session.completed","data":{{"id":"cos-1","amount":"9000","currency":"XOF","checkout_status":"complete","payment_status":"succeeded","client_reference":"x","transaction_id":"T_1"}}}}"#
    )
}

fn signed(at: i64, body: &str) -> String {
    signed_with(WAVE_SECRET, at, body)
}

fn signed_with(secret: &str, at: i64, body: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(at.to_string().as_bytes());
    mac.update(body.as_bytes());
    format!("t={at},v1={}", hex::encode(mac.finalize().into_bytes()))
}

async fn send(api: &Api, signature: Option<&str>, body: &str) -> Answer {
    let mut ask = api.ask(Method::POST, PATH).header("content-type", "application/json").raw(body);
    if let Some(signature) = signature {
        ask = ask.header("wave-signature", signature);
    }
    ask.send().await
}

async fn kept(api: &Api) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM work.inbox").fetch_one(&api.world.pool).await.unwrap()
}

#[tokio::test]
async fn an_unsigned_forged_or_stale_webhook_is_401_and_leaves_no_trace() {
    let api = Api::new().await;
    let (now, body) = (api.store.clock().now().timestamp(), body("EV_1"));
    let head = api.store.head().await.unwrap();
    send(&api, None, &body).await.problem(401, "webhook.signature_invalid");
    send(&api, Some(""), &body).await.problem(401, "webhook.signature_invalid");
    send(&api, Some(&format!("t={now},v1={}", "0".repeat(64))), &body).await.problem(401, "webhook.signature_invalid");
    send(&api, Some(&signed(now - 301, &body)), &body).await.problem(401, "webhook.signature_invalid");
    send(&api, Some(&signed(now + 400, &body)), &body).await.problem(401, "webhook.signature_invalid");
    let good = signed(now, &body);
    let bytes = body.as_bytes();
    for index in (0..bytes.len()).step_by(17) {
        let mut spoiled = bytes.to_vec();
        spoiled[index] ^= 1;
        let ask = api.ask(Method::POST, PATH).header("wave-signature", &good).raw(spoiled);
        ask.send().await.problem(401, "webhook.signature_invalid");
    }
    assert_eq!((kept(&api).await, api.store.head().await.unwrap()), (0, head));
}

#[tokio::test]
async fn a_genuine_webhook_is_kept_once_and_changes_nothing_by_itself() {
    let api = Api::new().await;
    let now = api.store.clock().now().timestamp();
    let head = api.store.head().await.unwrap();
    let body = body("EV_2");
    let signature = signed(now, &body);
    let sent = (0..20).map(|_| send(&api, Some(&signature), &body));
    for answer in futures_util::future::join_all(sent).await {
        answer.is(200);
    }
    assert_eq!((kept(&api).await, api.store.head().await.unwrap()), (1, head));
    let odd = "genuine, but no event";
    send(&api, Some(&signed(now, odd)), odd).await.is(200);
    assert_eq!(kept(&api).await, 2);
    let stored: String =
        sqlx::query_scalar("SELECT string_agg(body, '') FROM work.inbox").fetch_one(&api.world.pool).await.unwrap();
    assert!(!stored.contains("cos-1"), "a body is kept in the clear");
}

#[tokio::test]
async fn never_again_a_webhook_is_accepted_when_no_secret_is_set() {
    let api = Api::new().await;
    for path in ["/v1/provider-webhooks/paytech", "/v1/provider-webhooks/wave/other-account"] {
        api.ask(Method::POST, path).raw("{}").send().await.problem(404, "webhook.unknown_provider");
    }
}

#[tokio::test]
async fn each_merchant_account_proves_its_own_webhooks_and_nobody_else_s() {
    let api = Api::new().await;
    let (now, body) = (api.store.clock().now().timestamp(), body("EV_3"));
    let to = |path: &'static str, secret: &str| {
        let signature = signed_with(secret, now, &body);
        api.ask(Method::POST, path).header("wave-signature", &signature).raw(body.clone()).send()
    };
    let theirs = "/v1/provider-webhooks/wave/fatou";
    to(theirs, WAVE_SECRET).await.problem(401, "webhook.signature_invalid");
    to(PATH, FATOU_SECRET).await.problem(401, "webhook.signature_invalid");
    assert_eq!(kept(&api).await, 0);
    // What one account calls an event says nothing about another's.
    assert_eq!(to(theirs, FATOU_SECRET).await.is(200).body["again"], false);
    assert_eq!(to(PATH, WAVE_SECRET).await.is(200).body["again"], false);
    assert_eq!(to(theirs, FATOU_SECRET).await.is(200).body["again"], true);
    assert_eq!(kept(&api).await, 2);
}

#[tokio::test]
async fn a_notification_by_token_is_kept_when_its_page_is_waited_for_and_forgotten_else() {
    let api = Api::new().await;
    let path = "/v1/provider-webhooks/webpay";
    let told =
        |token: &str| serde_json::json!({ "status": "SUCCESS", "notif_token": token, "txnid": "MP1" }).to_string();
    let send = |body: String| api.ask(Method::POST, path).raw(body).send();
    let page = adapters::payments::webpay::webhook::token(told("known").as_bytes()).unwrap();
    sqlx::query("INSERT INTO work.payments (payment_id, reservation_id, provider_id) VALUES ($1, $1, $2)")
        .bind(uuid::Uuid::from_u128(1))
        .bind(format!("{page}.pay-token"))
        .execute(&api.world.pool)
        .await
        .unwrap();
    for stranger in ["", "guessed", "know", "knowns", "%"] {
        let answer = send(told(stranger)).await;
        let status = if stranger.is_empty() { 401 } else { 200 };
        assert_eq!(answer.status, status, "{stranger}");
    }
    send("{}".to_owned()).await.problem(401, "webhook.signature_invalid");
    assert_eq!(kept(&api).await, 0);
    assert_eq!(send(told("known")).await.is(200).body["again"], false);
    assert_eq!(send(told("known")).await.is(200).body["again"], true);
    assert_eq!(kept(&api).await, 1);
}
