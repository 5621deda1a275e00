//! Tests of the fake over real HTTP.

mod callbacks;
mod disburse;

use std::ops::Deref;

use serde_json::{Value, json};

use super::{Config, Quirks, StatusAt};
use crate::testing::{Server, send};

/// A running fake, with the calls of this provider.
struct Fake(Server);

impl Deref for Fake {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

async fn paydunya() -> Fake {
    paydunya_with(Config::default()).await
}

async fn paydunya_with(config: Config) -> Fake {
    Fake(Server::start(|listener, stop| super::serve(listener, config, stop.cancelled_owned())).await)
}

async fn quirky(quirks: Quirks) -> Fake {
    paydunya_with(Config { quirks, ..Config::default() }).await
}

fn order(amount: Value) -> Value {
    json!({
        "invoice": { "total_amount": amount, "description": "Réservation", "channels": ["free-money-senegal"] },
        "store": { "name": "Temple du Foot" },
        "custom_data": { "reference": "ref-1" },
        "actions": { "return_url": "https://kalel.sn/ok?r=1", "cancel_url": "https://kalel.sn/ko" },
    })
}

impl Fake {
    async fn ask(&self, method: &str, path: &str, keys: [&str; 3], body: Option<Value>) -> (u16, Value) {
        let method = method.parse().unwrap();
        let mut request = self.client.request(method, self.at(path));
        for (name, key) in ["PAYDUNYA-MASTER-KEY", "PAYDUNYA-PRIVATE-KEY", "PAYDUNYA-TOKEN"].into_iter().zip(keys) {
            request = request.header(name, key);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let (status, body) = send(request).await;
        (status.as_u16(), body)
    }

    async fn live(&self, path: &str, body: Value) -> (u16, Value) {
        self.ask("POST", path, LIVE, Some(body)).await
    }

    /// A test invoice's token and page.
    async fn open(&self) -> (String, String) {
        let (status, answer) =
            self.ask("POST", "/sandbox-api/v1/checkout-invoice/create", TEST, Some(order(json!(15_000)))).await;
        assert_eq!((status, &answer["response_code"]), (200, &json!("00")), "{answer}");
        let text = |field: &str| answer[field].as_str().unwrap().to_owned();
        (text("token"), text("response_text"))
    }

    async fn confirm(&self, token: &str) -> Value {
        self.ask("GET", &format!("/sandbox-api/v1/checkout-invoice/confirm/{token}"), TEST, None).await.1
    }

    async fn settle(&self, deed: &str) {
        self.control(json!({ "do": "settle", "invoice": "ref-1", "as": deed })).await;
    }
}

const TEST: [&str; 3] = ["master_fake", "test_private_fake", "test_token_fake"];
const LIVE: [&str; 3] = ["master_fake", "live_private_fake", "live_token_fake"];

#[tokio::test]
async fn an_invoice_is_made_paid_and_confirmed() {
    let paydunya = paydunya().await;
    let (token, page) = paydunya.open().await;
    assert!(token.starts_with("test_") && page.ends_with(&format!("/sandbox-checkout/invoice/{token}")), "{page}");
    let pending = paydunya.confirm(&token).await;
    assert_eq!((&pending["status"], &pending["invoice"]["status"]), (&json!("pending"), &json!("pending")));
    paydunya.settle("pay").await;
    let paid = paydunya.confirm(&token).await;
    assert_eq!((&paid["status"], &paid["mode"]), (&json!("completed"), &json!("test")));
    assert_eq!(paid["invoice"]["total_amount"], 15_000);
    assert_eq!(paid["custom_data"]["reference"], "ref-1");
    assert!(paid["receipt_url"].as_str().unwrap().ends_with(".pdf"));
    let ledger = paydunya.get("/__ledger").await;
    assert_eq!(ledger["totals"], json!({ "charged": 15_000, "refunded": 0, "paid_out": 0 }));
    assert_eq!(ledger["balance"], 1_000_000 + 15_000 - 300);
    assert_eq!(ledger["entries"][1]["client_reference"], "ref-1");
}

#[tokio::test]
async fn what_is_wrong_with_an_invoice_is_said_inside_a_200() {
    let paydunya = paydunya().await;
    let mut wrong: Vec<Value> =
        [json!(0), json!(-5), json!(10.5), json!("1e3"), json!(" 10"), json!(""), json!(null), json!(true)]
            .map(order)
            .into();
    for (pointer, value) in [
        ("/store/name", json!("")),
        ("/invoice/channels", json!(["paypal"])),
        ("/actions/return_url", json!("javascript:alert(1)")),
        ("/actions/return_url", json!("http://kalel.sn/ok")),
        ("/actions/cancel_url", json!(7)),
    ] {
        let mut body = order(json!(500));
        *body.pointer_mut(pointer).unwrap() = value;
        wrong.push(body);
    }
    wrong.push(json!([]));
    for body in wrong {
        let (status, answer) = paydunya.live("/api/v1/checkout-invoice/create", body.clone()).await;
        assert_eq!(status, 200);
        assert_ne!(answer["response_code"], "00", "{body}");
        assert!(answer.get("token").is_none());
    }
    for right in [json!(500), json!("500")] {
        assert_eq!(paydunya.live("/api/v1/checkout-invoice/create", order(right)).await.1["response_code"], "00");
    }
}

#[tokio::test]
async fn each_mode_has_its_keys_its_base_and_its_invoices() {
    let paydunya = paydunya().await;
    let (token, page) = paydunya.open().await;
    let live = format!("/api/v1/checkout-invoice/confirm/{token}");
    for (keys, why) in [
        (TEST, "LIVE Private Key and Token combination is invalid"),
        (["other", LIVE[1], LIVE[2]], "Invalid Masterkey Specified"),
        ([LIVE[0], LIVE[1], "other"], "LIVE Private Key and Token combination is invalid"),
        ([LIVE[0], "", ""], "LIVE Private Key and Token combination is invalid"),
    ] {
        let (status, answer) = paydunya.ask("GET", &live, keys, None).await;
        assert_eq!((status, &answer["response_code"], &answer["response_text"]), (200, &json!("1001"), &json!(why)));
    }
    let (_, answer) = paydunya.ask("GET", &live, LIVE, None).await;
    assert_eq!(answer["response_text"], "invoice inexistant");
    let other_page = page.replace("/sandbox-checkout/", "/checkout/");
    assert_eq!(send(paydunya.client.get(other_page)).await.0, 404);
    // SoftPay is not there at all.
    let (status, page) =
        paydunya.ask("POST", "/sandbox-api/v1/softpay/free-money-senegal", TEST, Some(json!({}))).await;
    assert!(status == 404 && page.as_str().unwrap().contains("introuvable"));

    paydunya.control(json!({ "do": "quirks", "keys_by_status": true })).await;
    let (status, answer) = paydunya.ask("GET", &live, TEST, None).await;
    assert_eq!((status, &answer["response_code"]), (401, &json!("401")));
}

#[tokio::test]
async fn a_browser_pays_fails_or_cancels_and_is_sent_back() {
    for (action, back, status) in [
        ("pay", "https://kalel.sn/ok?r=1&token=", "completed"),
        ("fail", "https://kalel.sn/ko?token=", "failed"),
        ("cancel", "https://kalel.sn/ko?token=", "cancelled"),
    ] {
        let paydunya = paydunya().await;
        let (token, page) = paydunya.open().await;
        let (code, html) = send(paydunya.client.get(&page)).await;
        let html = html.as_str().unwrap().to_owned();
        assert_eq!(code, 200);
        for part in ["15\u{202f}000", "Réservation", "value=pay", "value=fail", "value=cancel", "Mode test"] {
            assert!(html.contains(part), "{part}: {html}");
        }
        let form = [("action", action), ("reason", "Compte bloqué"), ("phone", "")];
        let done = paydunya.client.post(&page).form(&form).send().await.unwrap();
        let to = done.headers()["location"].to_str().unwrap();
        assert_eq!((done.status().as_u16(), to), (303, format!("{back}{token}").as_str()));
        let confirmed = paydunya.confirm(&token).await;
        assert_eq!(confirmed["status"], status);
        assert_eq!(confirmed.get("fail_reason").is_some(), action == "fail");
        // Whatever comes later changes nothing and leads back to the page.
        let again = paydunya.client.post(&page).form(&[("action", "pay")]).send().await.unwrap();
        assert!(again.headers()["location"].to_str().unwrap().starts_with("/sandbox-checkout/invoice/"));
        assert_eq!(paydunya.confirm(&token).await["status"], status);
    }
}

#[tokio::test]
async fn a_status_stands_where_the_switch_says() {
    for (status_at, top, inner) in [
        (StatusAt::Top, json!("completed"), json!(null)),
        (StatusAt::Invoice, json!(null), json!("completed")),
        (StatusAt::Both, json!("completed"), json!("completed")),
        (StatusAt::Contradicting, json!("completed"), json!("pending")),
    ] {
        let paydunya = quirky(Quirks { status_at, ..Quirks::default() }).await;
        let (token, _) = paydunya.open().await;
        paydunya.settle("pay").await;
        let confirmed = paydunya.confirm(&token).await;
        assert_eq!((&confirmed["status"], &confirmed["invoice"]["status"]), (&top, &inner));
    }
}

#[tokio::test]
async fn softpay_pushes_and_the_payer_decides_on_the_telephone() {
    let paydunya = paydunya().await;
    let (_, opened) = paydunya.live("/api/v1/checkout-invoice/create", order(json!(5_000))).await;
    let push = |token: &Value, phone: &str| json!({ "customer_name": "A", "customer_email": "a@b.sn", "phone_number": phone, "payment_token": token });
    let path = "/api/v1/softpay/free-money-senegal";
    let (_, refused) = paydunya.live(path, push(&opened["token"], "+221761234567")).await;
    assert_eq!(refused["response_code"], "4000");
    let (_, pushed) = paydunya.live(path, push(&opened["token"], "761234567")).await;
    assert_eq!((&pushed["success"], &pushed["fees"]), (&json!(true), &json!(100)));
    assert!(pushed["message"].as_str().unwrap().contains("#150#"));
    let confirm = format!("/api/v1/checkout-invoice/confirm/{}", opened["token"].as_str().unwrap());
    assert_eq!(paydunya.ask("GET", &confirm, LIVE, None).await.1["status"], "pending");
    paydunya.settle("pay").await;
    let (_, paid) = paydunya.ask("GET", &confirm, LIVE, None).await;
    assert_eq!((&paid["status"], &paid["customer"]["phone"]), (&json!("completed"), &json!("761234567")));
    assert_eq!(paydunya.live(path, push(&opened["token"], "761234567")).await.1["success"], false);
}

#[tokio::test]
async fn refusals_and_faults_are_had_by_call_family_and_number() {
    let paydunya = paydunya().await;
    paydunya
        .control(json!([
            { "do": "refuse", "call": "checkout", "times": 2 },
            { "do": "refuse", "call": "disburse", "code": "4002", "text": "x", "http": 400, "times": 0 },
        ]))
        .await;
    for expected in ["5000", "5000", "00"] {
        let (status, answer) = paydunya.live("/api/v1/checkout-invoice/create", order(json!(500))).await;
        assert_eq!((status, &answer["response_code"]), (200, &json!(expected)));
    }
    for _ in 0..3 {
        let (status, answer) = paydunya.live("/api/v2/disburse/check-status", json!({})).await;
        assert_eq!((status, &answer["response_code"]), (400, &json!("4002")));
    }
    paydunya.control(json!([{ "do": "heal" }, { "do": "fail", "call": "checkout.create", "how": "html" }])).await;
    assert_eq!(paydunya.live("/api/v1/checkout-invoice/create", order(json!(500))).await.0, 502);
    assert_eq!(paydunya.live("/api/v1/checkout-invoice/create", order(json!(500))).await.0, 200);
    let calls = paydunya.get("/__calls").await;
    assert_eq!(calls["calls"].as_array().unwrap().len(), 8);
    assert_eq!((&calls["calls"][0]["call"], &calls["calls"][0]["status"]), (&json!("checkout.create"), &json!(200)));
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config =
        || Config { state_file: Some(folder.path().join("paydunya.json")), seed: Some(7), ..Config::default() };
    let first = paydunya_with(config()).await;
    let (token, _) = first.open().await;
    let payout = first.payout("pay-1", 1_000).await;
    first
        .control(json!([{ "do": "advance", "seconds": 60 }, { "do": "settle", "invoice": "ref-1", "as": "pay" }]))
        .await;
    let ledger = first.get("/__ledger").await;
    first.0.end().await;

    let second = paydunya_with(config()).await;
    assert_eq!(second.get("/__ledger").await, ledger);
    assert_eq!(second.confirm(&token).await["status"], "completed");
    assert_eq!(second.check(&payout.0).await["status"], "success");
    assert_eq!(second.payout("pay-1", 1_000).await.1["response_text"], "disburse_id already used");
    assert_eq!(second.get("/__ledger").await, ledger);
    assert_ne!(second.open().await.0, token);
}

#[tokio::test]
async fn a_state_file_that_cannot_be_read_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paydunya.json");
    std::fs::write(&path, "{").unwrap();
    let (listener, _) = crate::testing::listen().await;
    let config = Config { state_file: Some(path), ..Config::default() };
    assert!(super::serve(listener, config, std::future::pending()).await.is_err());
}

#[tokio::test]
async fn a_reset_leaves_nothing_but_the_start() {
    let paydunya = paydunya().await;
    let (token, _) = paydunya.open().await;
    paydunya.settle("pay").await;
    paydunya.control(json!([{ "do": "quirks", "status_at": "top" }, { "do": "refuse", "times": 0 }])).await;
    paydunya.control(json!({ "do": "reset" })).await;
    assert_eq!(paydunya.confirm(&token).await["response_code"], "4004");
    let ledger = paydunya.get("/__ledger").await;
    assert_eq!((&ledger["balance"], ledger["entries"].as_array().unwrap().len()), (&json!(1_000_000), 1));
    let (token, _) = paydunya.open().await;
    assert_eq!(paydunya.confirm(&token).await["invoice"]["status"], "pending");
}

#[tokio::test]
async fn an_instruction_that_cannot_be_read_does_nothing_at_all() {
    let paydunya = paydunya().await;
    let body = json!([{ "do": "balance", "amount": 0 }, { "do": "settle", "invoice": "ref-1", "as": "expire" }]);
    let (status, _) = send(paydunya.client.post(paydunya.at("/__control")).json(&body)).await;
    assert_eq!((status.as_u16(), &paydunya.get("/__ledger").await["balance"]), (400, &json!(1_000_000)));
    let unknown = json!({ "do": "settle", "invoice": "ref-0", "as": "pay" });
    assert_eq!(send(paydunya.client.post(paydunya.at("/__control")).json(&unknown)).await.0, 409);
}
