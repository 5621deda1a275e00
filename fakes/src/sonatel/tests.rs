//! Tests of the fake over real HTTP.

mod books;
mod cashin;
mod webhooks;

use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{Api, Client, ClientState, Config};
use crate::testing::{Server, send};

const CODES: &str = "/api/eWallet/v4/qrcode";
const LIST: &str = "/api/eWallet/v1/transactions";

async fn sonatel() -> Om {
    sonatel_with(Config::default()).await
}

async fn sonatel_with(config: Config) -> Om {
    Om(Server::start(|listener, stop| super::serve(listener, config, stop.cancelled_owned())).await)
}

fn order(reference: &str) -> Value {
    json!({
        "code": "123456", "name": "Kalel", "amount": { "value": 15_000, "unit": "XOF" }, "validity": 900,
        "reference": reference, "callbackSuccessUrl": "https://kalel.sn/ok", "callbackCancelUrl": "https://kalel.sn/ko",
        "metadata": { "site": "temple" }, "restrictions": { "isSingleUse": true },
    })
}

/// The running fake, and the calls that its tests make.
struct Om(Server);

impl std::ops::Deref for Om {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.0
    }
}

impl Om {
    async fn token_of(&self, id: &str, secret: &str) -> (StatusCode, Value) {
        let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
        send(self.client.post(self.at("/oauth/v1/token")).form(&form)).await
    }

    async fn token(&self) -> String {
        let (status, token) = self.token_of("fake-client", "fake-secret").await;
        assert_eq!(status, 200, "{token}");
        token["access_token"].as_str().unwrap().to_owned()
    }

    /// A call as the gateway wants it.
    async fn call(&self, request: RequestBuilder) -> (u16, Value) {
        let request = request.bearer_auth(self.token().await).header("content-type", "application/json");
        let (status, body) = send(request).await;
        (status.as_u16(), body)
    }

    async fn ask(&self, path: &str) -> (u16, Value) {
        self.call(self.client.get(self.at(path))).await
    }

    async fn tell(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call(self.client.post(self.at(path)).body(body.to_string())).await
    }

    async fn open(&self, reference: &str) -> Value {
        let (status, code) = self.tell(CODES, &order(reference)).await;
        assert_eq!(status, 200, "{code}");
        code
    }

    async fn rows(&self, reference: &str) -> Vec<Value> {
        let (status, rows) = self.ask(&format!("{LIST}?reference={reference}")).await;
        assert_eq!(status, 200, "{rows}");
        rows.as_array().unwrap().clone()
    }

    /// A control call that is expected to be refused.
    async fn refused(&self, instruction: Value) -> (u16, Value) {
        let (status, body) = send(self.client.post(self.at("/__control")).json(&instruction)).await;
        (status.as_u16(), body["code"].clone())
    }
}

#[tokio::test]
async fn a_code_is_unlisted_until_paid_then_one_row_with_a_float() {
    let sonatel = sonatel().await;
    let code = sonatel.open("ref-1").await;
    assert_eq!((&code["validity"], &code["metadata"]), (&json!(900), &json!({ "site": "temple" })));
    assert!(code["qrCode"].as_str().unwrap().starts_with("iVBOR"));
    assert!(code["deepLinks"]["MAXIT"].is_string() && code["validFor"]["endDateTime"].is_string());
    assert_eq!(sonatel.rows("ref-1").await, Vec::<Value>::new());

    sonatel.control(json!({ "do": "settle", "qr": code["qrId"], "as": "pay", "msisdn": "771234567" })).await;
    let rows = sonatel.rows("ref-1").await;
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(row["amount"].to_string(), r#"{"unit":"XOF","value":15000.0}"#);
    assert_eq!((&row["status"], &row["type"]), (&json!("SUCCESS"), &json!("MERCHANT_PAYMENT")));
    assert_eq!((&row["customer"]["id"], &row["partner"]["id"]), (&json!("771234567"), &json!("123456")));
    let id = row["transactionId"].as_str().unwrap();
    assert!(id.starts_with("MP") && id.ends_with(".A00001") && id.len() == 20, "{id}");
    assert_eq!(sonatel.ask(&format!("{LIST}/{id}/status")).await, (200, json!({ "status": "SUCCESS" })));
    assert_eq!(sonatel.get("/__ledger").await["totals"]["charged"], 15_000);
}

#[tokio::test]
async fn unknown_and_not_activated_clients_are_told_apart() {
    let waiting =
        Client { id: "new".into(), secret: "s".into(), state: ClientState::NotActivated, apis: Api::ALL.to_vec() };
    let sonatel = sonatel_with(Config { clients: vec![waiting], ..Config::default() }).await;
    for (id, secret, code) in
        [("nobody", "s", "invalid_client"), ("new", "wrong", "invalid_client"), ("new", "s", "unauthorized_client")]
    {
        let (status, error) = sonatel.token_of(id, secret).await;
        assert_eq!((status.as_u16(), &error["error"]), (401, &json!(code)), "{id}");
    }
    let basic = sonatel.client.post(sonatel.at("/oauth/v1/token")).basic_auth("new", Some("s"));
    let (_, error) = send(basic.form(&[("grant_type", "client_credentials")])).await;
    assert_eq!(error["error"], "unauthorized_client");
    let (status, _) = send(sonatel.client.post(sonatel.at("/oauth/token")).form(&[("a", "b")])).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn a_token_ends_after_299_seconds_of_the_fakes_time() {
    let sonatel = sonatel().await;
    let (_, token) = sonatel.token_of("fake-client", "fake-secret").await;
    assert_eq!((&token["expires_in"], &token["token_type"]), (&json!(299), &json!("Bearer")));
    let ask = || async {
        let request = sonatel.client.get(sonatel.at(LIST)).bearer_auth(token["access_token"].as_str().unwrap());
        send(request.header("content-type", "application/json")).await
    };
    assert_eq!(ask().await.0, 200);
    sonatel.control(json!({ "do": "advance", "seconds": 299 })).await;
    let (status, problem) = ask().await;
    assert_eq!((status.as_u16(), &problem["code"], &problem["status"]), (401, &json!("10"), &json!("401")));
}

#[tokio::test]
async fn a_call_without_content_type_is_refused_a_get_too() {
    let sonatel = sonatel().await;
    let token = sonatel.token().await;
    for request in [sonatel.client.get(sonatel.at(LIST)), sonatel.client.post(sonatel.at(CODES)).body("{}")] {
        let response = request.bearer_auth(&token).send().await.unwrap();
        assert_eq!(response.status(), 415);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn an_api_that_was_not_subscribed_to_is_shut() {
    let client = Client {
        id: "fake-client".into(),
        secret: "fake-secret".into(),
        state: ClientState::Activated,
        apis: vec![Api::QrCode],
    };
    let sonatel = sonatel_with(Config { clients: vec![client], ..Config::default() }).await;
    sonatel.open("ref-1").await;
    for path in [LIST, "/api/account/v1/publicKeys", "/api/notification/v1/merchantcallback"] {
        assert_eq!(sonatel.ask(path).await.0, 403, "{path}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_an_order_is_refused() {
    let sonatel = sonatel_with(Config { loopback_http: false, ..Config::default() }).await;
    let cases = [
        ("amount", json!({ "value": 9, "unit": "XOF" })),
        ("amount", json!({ "value": 10.5, "unit": "XOF" })),
        ("amount", json!({ "value": "100", "unit": "XOF" })),
        ("amount", json!({ "value": 100, "unit": "EUR" })),
        ("amount", json!({ "value": 100 })),
        ("amount", json!(100)),
        ("validity", json!(0)),
        ("validity", json!(-1)),
        ("validity", json!(86_401)),
        ("validity", json!("900")),
        ("code", json!("654321")),
        ("name", json!("")),
        ("callbackSuccessUrl", json!("http://127.0.0.1/ok")),
        ("metadata", json!({ "n": 1 })),
        ("restrictions", json!({ "isSingleUse": "yes" })),
    ];
    for (field, value) in cases {
        let mut wrong = order("ref-1");
        wrong[field] = value;
        let (status, problem) = sonatel.tell(CODES, &wrong).await;
        let code = if field == "code" { "2022" } else { "4099" };
        assert_eq!((status, &problem["code"]), (400, &json!(code)), "{wrong}");
    }
    for field in ["code", "name", "amount", "validity", "reference"] {
        let mut wrong = order("ref-1");
        wrong.as_object_mut().unwrap().remove(field);
        assert_eq!(sonatel.tell(CODES, &wrong).await.0, 400, "{field}");
    }
    let mut least = order("ref-1");
    least["amount"]["value"] = json!(10);
    assert_eq!(sonatel.tell(CODES, &least).await.0, 200);
}

#[tokio::test]
async fn the_contracts_key_and_callback_address_are_checked() {
    let sonatel = sonatel_with(Config { api_key: Some("contract".into()), ..Config::default() }).await;
    assert_eq!(sonatel.tell(CODES, &order("ref-1")).await.0, 401);
    let with = |url: &'static str| {
        let request = sonatel.client.post(sonatel.at(CODES)).body(order("ref-1").to_string());
        request.header("X-Api-Key", "contract").header("X-Callback-Url", url)
    };
    assert_eq!(sonatel.call(with("http://kalel.sn/hook")).await.0, 400);
    assert_eq!(sonatel.call(with("https://kalel.sn/hook")).await.0, 200);
}

#[tokio::test]
async fn a_code_is_payable_until_its_own_end_and_single_use_once() {
    let sonatel = sonatel().await;
    let id = sonatel.open("ref-1").await["qrId"].clone();
    let settle = |deed: &str| json!({ "do": "settle", "qr": id, "as": deed });
    sonatel
        .control(json!([settle("cancel"), settle("fail"), { "do": "advance", "seconds": 899 }, settle("pay")]))
        .await;
    assert_eq!(sonatel.refused(settle("pay")).await, (400, json!("2041")));
    let statuses: Vec<_> = sonatel.rows("ref-1").await.iter().map(|row| row["status"].clone()).collect();
    assert_eq!(statuses, ["SUCCESS", "FAILED", "CANCELLED"]);

    let late = sonatel.open("ref-2").await["qrId"].clone();
    sonatel.control(json!({ "do": "advance", "seconds": 900 })).await;
    assert_eq!(sonatel.refused(json!({ "do": "settle", "qr": late, "as": "pay" })).await, (400, json!("4004")));
    assert_eq!(sonatel.refused(json!({ "do": "settle", "qr": "nothing", "as": "pay" })).await, (404, json!("60")));
}

#[tokio::test]
async fn the_type_filter_gives_nothing_unless_the_bug_is_off() {
    for (bug, found) in [(true, 0), (false, 1)] {
        let sonatel = sonatel_with(Config { type_filter_bug: bug, ..Config::default() }).await;
        sonatel.open("ref-1").await;
        sonatel.control(json!({ "do": "settle", "qr": "ref-1", "as": "pay" })).await;
        let (_, rows) = sonatel.ask(&format!("{LIST}?reference=ref-1&type=MERCHANT_PAYMENT")).await;
        assert_eq!(rows.as_array().unwrap().len(), found);
    }
}

#[tokio::test]
async fn the_list_is_filtered_and_comes_in_pages() {
    let sonatel = sonatel().await;
    let mut many = order("ref-1");
    many["restrictions"] = json!({});
    sonatel.tell(CODES, &many).await;
    let pay = json!({ "do": "settle", "qr": "ref-1", "as": "pay" });
    sonatel.control(json!(vec![pay; 22])).await;
    let count = |path: String| {
        let sonatel = &sonatel;
        async move { sonatel.ask(&path).await.1.as_array().unwrap().len() }
    };
    assert_eq!(count(format!("{LIST}?reference=ref-1")).await, 20);
    assert_eq!(count(format!("{LIST}?reference=ref-1&page=1")).await, 2);
    assert_eq!(count(format!("{LIST}?reference=ref-1&page=4&size=5")).await, 2);
    assert_eq!(count(format!("{LIST}?reference=ref-1&status=FAILED")).await, 0);
    assert_eq!(count(format!("{LIST}?reference=ref-2")).await, 0);
    assert_eq!(count(format!("{LIST}?fromDateTime=2020-01-01T00:00:00Z&size=100")).await, 22);
    assert_eq!(count(format!("{LIST}?fromDateTime=2120-01-01T00:00:00Z")).await, 0);
    assert_eq!(sonatel.ask(&format!("{LIST}?fromDateTime=yesterday")).await.0, 400);
}

#[tokio::test]
async fn what_is_not_there_is_code_60() {
    let sonatel = sonatel().await;
    for path in ["/api/eWallet/v4/transactions?reference=x", "/api/eWallet/v1/transactions/MP1/status", "/api/x"] {
        let (status, problem) = sonatel.ask(path).await;
        assert_eq!((status, &problem["code"], &problem["status"]), (404, &json!("60"), &json!("404")), "{path}");
    }
}

#[tokio::test]
async fn a_callback_is_registered_with_an_empty_answer_and_listed_with_its_key() {
    let sonatel = sonatel().await;
    let path = "/api/notification/v1/merchantcallback";
    assert_eq!(sonatel.ask(&format!("{path}?code=123456")).await, (200, json!([])));
    let body = json!({ "code": "123456", "name": "Kalel", "callbackUrl": "https://kalel.sn/hook", "apiKey": "k" });
    assert_eq!(sonatel.tell(path, &body).await, (201, json!("")));
    let (_, list) = sonatel.ask(&format!("{path}?code=123456")).await;
    assert_eq!((&list[0]["callbackUrl"], &list[0]["apiKey"]), (&json!("https://kalel.sn/hook"), &json!("k")));
    assert_eq!(list[0]["createdAt"].as_str().unwrap().len(), "22-11-2026 12:24:31".len());
    assert_eq!(sonatel.ask(&format!("{path}?code=000000")).await.1, json!([]));
    let plain = json!({ "code": "123456", "name": "Kalel", "callbackUrl": "http://kalel.sn/hook", "apiKey": "k" });
    assert_eq!(sonatel.tell(path, &plain).await.0, 400);
}

#[tokio::test]
async fn a_browser_can_pay_on_the_page() {
    let sonatel = sonatel().await;
    let code = sonatel.open("ref-1").await;
    let url = code["shortLink"].as_str().unwrap();
    let (status, page) = send(sonatel.client.get(url)).await;
    assert_eq!(status, 200);
    let page = page.as_str().unwrap().to_owned();
    assert!(page.contains("15\u{202f}000") && page.contains("Échouer") && page.contains("Annuler"), "{page}");

    let post = |form: &[(&str, &str)]| sonatel.client.post(url).form(form).send();
    let failed = post(&[("action", "fail"), ("code", "2013"), ("msisdn", "")]).await.unwrap();
    assert_eq!(
        (failed.status().as_u16(), failed.headers()["location"].to_str().unwrap()),
        (303, "https://kalel.sn/ko")
    );
    assert!(send(sonatel.client.get(url)).await.1.as_str().unwrap().contains("Compte bloqué"));
    let cancelled = post(&[("action", "cancel")]).await.unwrap();
    assert_eq!(cancelled.headers()["location"], "https://kalel.sn/ko");
    let paid = post(&[("action", "pay"), ("msisdn", "+221 77 123 45 67")]).await.unwrap();
    assert_eq!((paid.status().as_u16(), paid.headers()["location"].to_str().unwrap()), (303, "https://kalel.sn/ok"));
    assert_eq!(sonatel.rows("ref-1").await[0]["customer"]["id"], "771234567");
    assert!(send(sonatel.client.get(url)).await.1.as_str().unwrap().contains("Paiement effectué"));
    assert_eq!(send(sonatel.client.get(sonatel.at("/q/none"))).await.0, 404);
}

#[tokio::test]
async fn a_payment_left_open_moves_money_when_it_ends() {
    let sonatel = sonatel().await;
    for (reference, left, end, charged) in
        [("ref-1", "PENDING", "SUCCESS", 15_000), ("ref-2", "ACCEPTED", "FAILED", 15_000)]
    {
        sonatel.open(reference).await;
        let settle = json!({ "do": "settle", "qr": reference, "as": "pay" });
        sonatel.control(json!([{ "do": "next", "as": left }, settle])).await;
        assert_eq!(sonatel.rows(reference).await[0]["status"], left);
        assert_eq!(sonatel.refused(settle).await, (400, json!("2041")));
        let end = json!({ "do": "settle_transaction", "transaction": reference, "as": end });
        sonatel.control(end.clone()).await;
        assert_eq!(sonatel.refused(end).await.0, 409);
        assert_eq!(sonatel.get("/__ledger").await["totals"]["charged"], charged);
    }
}

#[tokio::test]
async fn a_one_time_code_pays_once() {
    let sonatel = sonatel().await;
    let (_, got) =
        sonatel.tell("/api/eWallet/v1/payments/otp", &json!({ "idType": "MSISDN", "id": "771234567" })).await;
    let otp = got["otp"].as_str().unwrap();
    let pay = |otp: &str| {
        json!({
            "customer": { "idType": "MSISDN", "id": "771234567", "otp": otp },
            "partner": { "idType": "CODE", "id": "123456" },
            "amount": { "value": 500, "unit": "XOF" }, "reference": "ref-1",
        })
    };
    let path = "/api/eWallet/v1/payments/onestep";
    assert_eq!(sonatel.tell(path, &pay("000000x")).await.1["code"], "2021");
    assert_eq!(sonatel.tell(path, &pay(otp)).await.1["status"], "SUCCESS");
    assert_eq!(sonatel.tell(path, &pay(otp)).await.1["code"], "2021");
    assert_eq!(sonatel.rows("ref-1").await.len(), 1);
}
