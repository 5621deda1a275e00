//! Tests of the fake over real HTTP.

use serde_json::{Value, json};

use super::{Config, Key, KeyState, Scope};
use crate::testing::{Server, send};

const KEY: &str = "wave_sn_prod_fake";

async fn wave() -> Server {
    wave_with(Config::default()).await
}

async fn wave_with(config: Config) -> Server {
    Server::start(|listener, stop| super::serve(listener, config, stop.cancelled_owned())).await
}

fn order(amount: &str) -> Value {
    json!({
        "amount": amount, "currency": "XOF", "client_reference": "ref-1",
        "success_url": "https://kalel.sn/ok", "error_url": "https://kalel.sn/ko",
    })
}

impl Server {
    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let (status, body) = send(self.client.post(self.at(path)).bearer_auth(KEY).json(&body)).await;
        (status.as_u16(), body)
    }

    async fn read(&self, path: &str) -> (u16, Value) {
        let (status, body) = send(self.client.get(self.at(path)).bearer_auth(KEY)).await;
        (status.as_u16(), body)
    }

    async fn open(&self) -> Value {
        let (status, session) = self.post("/v1/checkout/sessions", order("15000")).await;
        assert_eq!(status, 200, "{session}");
        session
    }

    async fn payout(&self, key: &str, amount: &str) -> (u16, Value) {
        let body = json!({
            "currency": "XOF", "receive_amount": amount, "mobile": "+221771234567", "client_reference": "pay-1",
        });
        let request = self.client.post(self.at("/v1/payout")).bearer_auth(KEY).header("Idempotency-Key", key);
        let (status, body) = send(request.json(&body)).await;
        (status.as_u16(), body)
    }
}

#[tokio::test]
async fn a_session_is_opened_paid_found_and_given_back_once() {
    let wave = wave().await;
    let session = wave.open().await;
    let id = session["id"].as_str().unwrap();
    assert!(id.starts_with("cos-"));
    assert_eq!((&session["checkout_status"], &session["payment_status"]), (&json!("open"), &json!("processing")));
    assert!(session.get("transaction_id").is_none());

    wave.control(json!({ "do": "settle", "session": "ref-1", "as": "pay" })).await;
    let (_, paid) = wave.read(&format!("/v1/checkout/sessions/{id}")).await;
    assert_eq!((&paid["checkout_status"], &paid["payment_status"]), (&json!("complete"), &json!("succeeded")));
    let transaction = paid["transaction_id"].as_str().unwrap();
    let (_, same) = wave.read(&format!("/v1/checkout/sessions?transaction_id={transaction}")).await;
    assert_eq!(same["id"], paid["id"]);

    for _ in 0..2 {
        assert_eq!(wave.post(&format!("/v1/checkout/sessions/{id}/refund"), json!({})).await, (200, json!("")));
    }
    let ledger = wave.get("/__ledger").await;
    assert_eq!(ledger["totals"], json!({ "charged": 15_000, "refunded": 15_000, "paid_out": 0 }));
    assert_eq!(ledger["balance"], 1_000_000);
}

#[tokio::test]
async fn each_wrong_amount_is_refused_with_its_place() {
    let wave = wave().await;
    for amount in ["0", "01", "-5", "10.5", "10.00", "1e3", " 10", "", "１０"] {
        let (status, error) = wave.post("/v1/checkout/sessions", order(amount)).await;
        assert_eq!((status, &error["code"]), (422, &json!("request-validation-error")), "{amount}");
        assert_eq!(error["details"][0]["loc"], json!(["body", "amount"]), "{amount}");
    }
    let mut number = order("1");
    number["amount"] = json!(15_000);
    assert_eq!(wave.post("/v1/checkout/sessions", number).await.0, 422);
}

#[tokio::test]
async fn unknown_fields_and_plain_http_are_refused() {
    let wave = wave_with(Config { loopback_http: false, ..Config::default() }).await;
    let mut body = order("500");
    body["metadata"] = json!({});
    body["success_url"] = json!("http://127.0.0.1/ok");
    let (status, error) = wave.post("/v1/checkout/sessions", body).await;
    let places: Vec<_> = error["details"].as_array().unwrap().iter().map(|detail| detail["loc"][1].clone()).collect();
    assert_eq!((status, places), (422, vec![json!("success_url"), json!("metadata")]));
}

#[tokio::test]
async fn each_state_of_a_key_has_its_code() {
    let key = |token: &str, state, scopes: &[Scope]| Key { token: token.into(), state, scopes: scopes.to_vec() };
    let keys = vec![
        key("revoked", KeyState::Revoked, &Scope::ALL),
        key("disabled", KeyState::WalletDisabled, &Scope::ALL),
        key("payouts", KeyState::Active, &[Scope::Payout]),
    ];
    let wave = wave_with(Config { keys, ..Config::default() }).await;
    let cases = [
        (None, 401, "missing-auth-header"),
        (Some("Basic x"), 401, "invalid-auth"),
        (Some("Bearer "), 401, "api-key-not-provided"),
        (Some("Bearer other"), 401, "no-matching-api-key"),
        (Some("Bearer revoked"), 401, "api-key-revoked"),
        (Some("Bearer disabled"), 403, "disabled-wallet"),
        (Some("Bearer payouts"), 403, "unauthorized-wallet"),
    ];
    for (header, expected, code) in cases {
        let mut request = wave.client.get(wave.at("/v1/checkout/sessions/cos-1"));
        if let Some(header) = header {
            request = request.header("authorization", header);
        }
        let (status, error) = send(request).await;
        assert_eq!((status.as_u16(), &error["code"]), (expected, &json!(code)));
    }
    let balance = wave.client.get(wave.at("/v1/balance")).bearer_auth("disabled");
    assert_eq!(send(balance).await.0, 200);
}

#[tokio::test]
async fn a_session_expires_by_the_clock_and_by_call_but_not_twice() {
    let wave = wave().await;
    let first = wave.open().await;
    wave.control(json!({ "do": "advance", "seconds": 1_800 })).await;
    let path = format!("/v1/checkout/sessions/{}", first["id"].as_str().unwrap());
    assert_eq!(wave.read(&path).await.1["checkout_status"], "expired");
    assert_eq!(wave.post(&format!("{path}/expire"), json!({})).await.0, 409);

    let second = wave.open().await;
    let path = format!("/v1/checkout/sessions/{}/expire", second["id"].as_str().unwrap());
    assert_eq!(wave.post(&path, json!({})).await, (200, json!("")));
    assert_eq!(wave.post(&path, json!({})).await.0, 409);
    assert_eq!(wave.post("/v1/checkout/sessions/cos-nothing/expire", json!({})).await.0, 404);
}

#[tokio::test]
async fn a_failed_attempt_leaves_the_session_open_and_payable() {
    let wave = wave().await;
    let id = wave.open().await["id"].clone();
    wave.control(json!([
        { "do": "settle", "session": id, "as": "fail", "code": "insufficient-funds" },
        { "do": "settle", "session": id, "as": "pay" },
    ]))
    .await;
    let events = wave.get("/__webhooks").await["events"].clone();
    assert_eq!(events[0]["type"], "checkout.session.payment_failed");
    assert_eq!(events[1]["type"], "checkout.session.completed");
}

#[tokio::test]
async fn a_payer_can_be_made_to_pay_another_amount_and_it_is_that_one_that_counts() {
    let wave = wave().await;
    let id = wave.open().await["id"].as_str().unwrap().to_owned();
    let settle = |deed: &str, amount: Value| json!({ "do": "settle", "session": id, "as": deed, "amount": amount });
    for (deed, amount) in [("fail", json!(1)), ("expire", json!(1)), ("pay", json!(0)), ("pay", json!(-1))] {
        let wrong = settle(deed, amount);
        let (status, _) = send(wave.client.post(wave.at("/__control")).json(&wrong)).await;
        assert_eq!(status, 400, "{wrong}");
    }
    wave.control(settle("pay", json!(14_999))).await;
    let (_, paid) = wave.read(&format!("/v1/checkout/sessions/{id}")).await;
    assert_eq!((&paid["payment_status"], &paid["amount"]), (&json!("succeeded"), &json!("14999")));
    let event: Value =
        serde_json::from_str(wave.get("/__webhooks").await["events"][0]["body"].as_str().unwrap()).unwrap();
    assert_eq!(event["data"]["amount"], "14999");
    assert_eq!(wave.post(&format!("/v1/checkout/sessions/{id}/refund"), json!({})).await.0, 200);
    let totals = wave.get("/__ledger").await["totals"].clone();
    assert_eq!(totals, json!({ "charged": 14_999, "refunded": 14_999, "paid_out": 0 }));
}

#[tokio::test]
async fn a_payout_with_the_same_key_pays_once_and_another_body_is_refused() {
    let wave = wave().await;
    let (_, first) = wave.payout("key-1", "24500").await;
    let (_, again) = wave.payout("key-1", "24500").await;
    assert_eq!(first["id"], again["id"]);
    assert_eq!(first["fee"], "245");
    let (status, error) = wave.payout("key-1", "24501").await;
    assert_eq!((status, &error["code"]), (409, &json!("idempotency-mismatch")));
    let (status, error) = wave.post("/v1/payout", json!({})).await;
    assert_eq!((status, &error["details"][0]["loc"][1]), (422, &json!("Idempotency-Key")));
    assert_eq!(wave.get("/__ledger").await["totals"]["paid_out"], 24_500);
    wave.payout("key-2", "24500").await;
    assert_eq!(wave.get("/__ledger").await["repeated"]["payouts"], json!(["pay-1"]));
}

#[tokio::test]
async fn a_payout_can_be_reversed_for_three_days() {
    let wave = wave().await;
    let (_, payout) = wave.payout("key-1", "1000").await;
    let path = format!("/v1/payout/{}/reverse", payout["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(wave.post(&path, json!({})).await.0, 200);
    }
    assert_eq!(wave.get("/__ledger").await["balance"], 1_000_000);

    let (_, payout) = wave.payout("key-2", "1000").await;
    wave.control(json!({ "do": "advance", "seconds": 3 * 86_400 + 1 })).await;
    let path = format!("/v1/payout/{}/reverse", payout["id"].as_str().unwrap());
    assert_eq!(wave.post(&path, json!({})).await.1["code"], "payout-reversal-time-limit-exceeded");
}

#[tokio::test]
async fn a_poor_wallet_neither_refunds_nor_pays_out() {
    let wave = wave().await;
    let id = wave.open().await["id"].as_str().unwrap().to_owned();
    wave.control(json!([{ "do": "settle", "session": id, "as": "pay" }, { "do": "balance", "amount": 100 }])).await;
    let (status, error) = wave.post(&format!("/v1/checkout/sessions/{id}/refund"), json!({})).await;
    assert_eq!((status, &error["code"]), (400, &json!("insufficient-funds")));
    assert_eq!(wave.payout("key-1", "1000").await.1["code"], "insufficient-funds");
}

#[tokio::test]
async fn a_browser_can_pay_on_the_launch_page() {
    let wave = wave().await;
    let session = wave.open().await;
    let url = session["wave_launch_url"].as_str().unwrap();
    let (status, page) = send(wave.client.get(url)).await;
    assert_eq!(status, 200);
    let page = page.as_str().unwrap().to_owned();
    assert!(page.contains("15\u{202f}000") && page.contains("value=pay") && page.contains("Annuler"), "{page}");

    let failed = wave.client.post(url).form(&[("action", "fail"), ("code", "blocked-account")]).send().await.unwrap();
    assert_eq!(
        (failed.status().as_u16(), &failed.headers()["location"]),
        (303, &"https://kalel.sn/ko".parse().unwrap())
    );
    let paid = wave.client.post(url).form(&[("action", "pay"), ("mobile", "")]).send().await.unwrap();
    assert_eq!((paid.status().as_u16(), &paid.headers()["location"]), (303, &"https://kalel.sn/ok".parse().unwrap()));
    assert!(send(wave.client.get(url)).await.1.as_str().unwrap().contains("Paiement effectué"));
}

#[tokio::test]
async fn transactions_come_in_pages() {
    let wave = wave().await;
    for number in 0..53 {
        wave.payout(&format!("key-{number}"), "100").await;
    }
    let (_, first) = wave.read("/v1/transactions").await;
    assert_eq!(first["items"].as_array().unwrap().len(), 50);
    let cursor = first["page_info"]["end_cursor"].as_str().unwrap();
    let (_, second) = wave.read(&format!("/v1/transactions?after={cursor}")).await;
    assert_eq!(second["items"].as_array().unwrap().len(), 3);
    assert_eq!(second["page_info"]["has_next_page"], false);
}

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config { state_file: Some(folder.path().join("wave.json")), seed: Some(7), ..Config::default() };
    let first = wave_with(config()).await;
    let session = first.open().await;
    first.payout("key-1", "1000").await;
    first
        .control(json!([{ "do": "advance", "seconds": 60 }, { "do": "settle", "session": "ref-1", "as": "pay" }]))
        .await;
    let ledger = first.get("/__ledger").await;
    first.end().await;

    let second = wave_with(config()).await;
    assert_eq!(second.get("/__ledger").await, ledger);
    assert_eq!(second.payout("key-1", "1000").await.0, 200);
    assert_eq!(second.get("/__ledger").await, ledger);
    let path = format!("/v1/checkout/sessions/{}", session["id"].as_str().unwrap());
    assert_eq!(second.read(&path).await.1["checkout_status"], "complete");
    assert_ne!(second.open().await["id"], session["id"]);
    assert_eq!(second.get("/__webhooks").await["events"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_state_file_that_cannot_be_read_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wave.json");
    std::fs::write(&path, "{").unwrap();
    let (listener, _) = crate::testing::listen().await;
    let config = Config { state_file: Some(path), ..Config::default() };
    assert!(super::serve(listener, config, std::future::pending()).await.is_err());
}

#[tokio::test]
async fn fifty_at_once_move_money_once() {
    let wave = wave().await;
    let id = wave.open().await["id"].as_str().unwrap().to_owned();
    let settle = json!({ "do": "settle", "session": id, "as": "pay" });
    let pay = || wave.client.post(wave.at("/__control")).json(&settle).send();
    let paid = futures_util::future::join_all((0..50).map(|_| pay())).await;
    let fine = paid.into_iter().filter(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 200)).count();
    assert_eq!(fine, 1);
    let answers = futures_util::future::join_all((0..50).map(|_| wave.payout("key-1", "1000"))).await;
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    let path = format!("/v1/checkout/sessions/{id}/refund");
    futures_util::future::join_all((0..50).map(|_| wave.post(&path, json!({})))).await;
    let totals = wave.get("/__ledger").await["totals"].clone();
    assert_eq!(totals, json!({ "charged": 15_000, "refunded": 15_000, "paid_out": 1_000 }));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// Whatever is called in whatever order, the books add up and nothing moves twice.
    #[test]
    fn the_books_add_up(steps in proptest::collection::vec((0..9_u8, 0..6_usize), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&steps));
    }
}

async fn play(steps: &[(u8, usize)]) {
    let wave = wave().await;
    let mut ids: Vec<String> = Vec::new();
    for (step, choice) in steps {
        let id = ids.get(choice % ids.len().max(1)).cloned().unwrap_or_else(|| "cos-none".into());
        let control = |deed: Value| {
            send(wave.client.post(wave.at("/__control")).json(&deed).timeout(std::time::Duration::from_secs(5)))
        };
        match step {
            0 => ids.push(wave.open().await["id"].as_str().unwrap().to_owned()),
            1 | 2 => drop(control(json!({ "do": "settle", "session": id, "as": "pay" })).await),
            3 => drop(control(json!({ "do": "settle", "session": id, "as": "fail" })).await),
            4 => drop(wave.post(&format!("/v1/checkout/sessions/{id}/expire"), json!({})).await),
            5 => drop(wave.post(&format!("/v1/checkout/sessions/{id}/refund"), json!({})).await),
            6 => drop(wave.payout(&format!("key-{choice}"), "250000").await),
            7 => drop(control(json!({ "do": "advance", "seconds": 700 })).await),
            _ => drop(control(json!({ "do": "next_payout", "status": "failed" })).await),
        }
    }
    let ledger = wave.get("/__ledger").await;
    let mut balance = 0;
    for entry in ledger["entries"].as_array().unwrap() {
        balance += entry["net"].as_i64().unwrap();
        assert_eq!(entry["net"].as_i64().unwrap(), entry["gross"].as_i64().unwrap() - entry["fee"].as_i64().unwrap());
        assert_eq!(entry["balance"], balance);
        assert!(balance >= 0, "{ledger}");
    }
    for id in ids {
        let of = |kind: &str| {
            let entries = ledger["entries"].as_array().unwrap();
            entries.iter().filter(|entry| entry["kind"] == kind && entry["session_id"] == id.as_str()).count()
        };
        assert!(of("api_checkout") <= 1 && of("api_checkout_refund") <= of("api_checkout"), "{ledger}");
    }
}

mod webhooks;
