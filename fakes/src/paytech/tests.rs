//! Tests of the fake over real HTTP.

use serde_json::{Value, json};

use super::{Config, Switches};
use crate::testing::{Server, send};

async fn paytech() -> Server {
    paytech_with(Config::default()).await
}

async fn paytech_with(config: Config) -> Server {
    Server::start(|listener, stop| super::serve(listener, config, stop.cancelled_owned())).await
}

fn order(reference: &str, price: i64) -> Value {
    json!({
        "item_name": "Réservation", "item_price": price, "ref_command": reference, "command_name": "Terrain",
        "currency": "XOF", "env": "prod", "ipn_url": "https://kalel.sn/ipn",
        "success_url": "https://kalel.sn/ok", "cancel_url": "https://kalel.sn/ko", "target_payment": "Free Money",
    })
}

impl Server {
    async fn ask(&self, body: Value) -> (u16, Value) {
        let request = self.client.post(self.at("/api/payment/request-payment")).json(&body);
        let (status, body) = send(with_keys(request)).await;
        (status.as_u16(), body)
    }

    /// Asks for a sale; answers with its token.
    async fn sale(&self, body: Value) -> String {
        let (status, answer) = self.ask(body).await;
        assert_eq!((status, &answer["success"]), (200, &json!(1)), "{answer}");
        answer["token"].as_str().unwrap().to_owned()
    }

    async fn status(&self, token: &str) -> Value {
        let request = self.client.get(self.at(&format!("/api/payment/get-status?token_payment={token}")));
        send(with_keys(request)).await.1
    }

    async fn state(&self, token: &str) -> String {
        self.status(token).await["payment"]["state"].as_str().unwrap().to_owned()
    }

    async fn give_back(&self, reference: &str) -> Value {
        let request = self.client.post(self.at("/api/payment/refund-payment")).form(&[("ref_command", reference)]);
        send(with_keys(request)).await.1
    }

    async fn settle(&self, sale: &str, deed: &str) {
        self.control(json!({ "do": "settle", "sale": sale, "as": deed })).await;
    }

    async fn totals(&self) -> Value {
        self.get("/__ledger").await["totals"].clone()
    }
}

fn with_keys(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request.header("API_KEY", "paytech_key_fake").header("API_SECRET", "paytech_secret_fake")
}

#[tokio::test]
async fn a_sale_is_asked_for_and_paid() {
    let paytech = paytech().await;
    let (_, answer) = paytech.ask(order("ref-1", 15_000)).await;
    let token = answer["token"].as_str().unwrap();
    assert_eq!(answer["redirect_url"], format!("{}/payment/checkout/{token}", paytech.base));
    assert_eq!(paytech.state(token).await, "pending");
    paytech.settle("ref-1", "pay").await;
    let status = paytech.status(token).await;
    let payment = &status["payment"];
    assert_eq!((&status["success"], &payment["state"]), (&json!(1), &json!("complete")));
    assert_eq!((&payment["ref_command"], &payment["final_item_price"]), (&json!("ref-1"), &json!(15_000)));
    assert_eq!((&payment["env"], &payment["payment_method"]), (&json!("prod"), &json!("Free Money")));
    assert_eq!(paytech.totals().await, json!({ "charged": 15_000, "refunded": 0, "paid_out": 0 }));
    assert_eq!(paytech.get("/__ledger").await["balance"], 1_015_000);
}

#[tokio::test]
async fn all_that_is_wrong_is_told_at_once_and_with_a_200() {
    let paytech = paytech().await;
    let (status, answer) =
        paytech.ask(json!({ "currency": "USD", "env": "dev", "target_payment": "Wave, Gold" })).await;
    assert_eq!((status, &answer["success"]), (200, &json!(-1)));
    let errors: Vec<_> = answer["error"].as_array().unwrap().iter().map(|error| error.as_str().unwrap()).collect();
    let fields: Vec<_> = errors.iter().map(|error| error.split(' ').next().unwrap()).collect();
    let expected = ["item_name", "item_price", "ref_command", "command_name", "currency", "env", "target_payment"];
    assert_eq!(fields, expected);
    for price in [json!(0), json!(-5), json!(10.5), json!("1000"), json!(1e15)] {
        let mut order = order("ref-1", 1);
        order["item_price"] = price.clone();
        let (_, answer) = paytech.ask(order).await;
        assert_eq!(answer["error"], json!(["item_price doit être un entier positif"]), "{price}");
    }
    let form = with_keys(paytech.client.post(paytech.at("/api/payment/request-payment"))).form(&[("item_price", "1")]);
    assert_eq!(send(form).await.1, json!({ "success": -1, "message": "Format JSON attendu" }));
}

#[tokio::test]
async fn a_reference_is_used_once() {
    let paytech = paytech().await;
    paytech.sale(order("ref-1", 500)).await;
    let (status, answer) = paytech.ask(order("ref-1", 500)).await;
    assert_eq!((status, answer), (200, json!({ "success": 0, "message": "ref_command existe déjà" })));
    paytech.sale(order("ref-2", 500)).await;
}

#[tokio::test]
async fn addresses_are_https() {
    let switches = Switches { loopback_http: false, ..Switches::default() };
    let paytech = paytech_with(Config { switches, ..Config::default() }).await;
    let plain = |url: &str| {
        let mut order = order("ref-1", 500);
        order["ipn_url"] = json!(url);
        order
    };
    for url in ["http://127.0.0.1/ipn", "http://kalel.sn/ipn", "ftp://kalel.sn", "ipn"] {
        let (_, answer) = paytech.ask(plain(url)).await;
        assert_eq!(answer["error"], json!(["ipn_url doit être en https"]), "{url}");
    }
    paytech.control(json!({ "do": "switch", "set": { "loopback_http": true } })).await;
    assert_eq!(paytech.ask(plain("http://kalel.sn/ipn")).await.1["success"], -1);
    assert_eq!(paytech.ask(plain("http://127.0.0.1/ipn")).await.1["success"], 1);
}

#[tokio::test]
async fn wrong_keys_are_refused_with_a_200_or_as_everybody_does() {
    let paytech = paytech().await;
    let url = paytech.at("/api/payment/get-status?token_payment=x");
    let ask = async |key: &str, secret: &str| {
        let request = paytech.client.get(&url).header("API_KEY", key).header("API_SECRET", secret);
        let (status, body) = send(request).await;
        (status.as_u16(), body["success"].clone())
    };
    for (key, secret) in [("x", "paytech_secret_fake"), ("paytech_key_fake", ""), ("paytech_secret_fake", "x")] {
        assert_eq!(ask(key, secret).await, (200, json!(-1)));
    }
    assert_eq!(send(paytech.client.get(&url)).await.1["success"], -1);
    paytech.control(json!({ "do": "switch", "set": { "http_statuses": true, "suspended": true } })).await;
    assert_eq!(ask("x", "x").await, (401, json!(-1)));
    assert_eq!(ask("paytech_key_fake", "paytech_secret_fake").await, (403, json!(0)));
    paytech.control(json!({ "do": "switch", "set": { "http_statuses": false } })).await;
    assert_eq!(ask("paytech_key_fake", "paytech_secret_fake").await, (200, json!(0)));
}

#[tokio::test]
async fn a_test_payment_debits_a_little_and_tells_what_it_is_told_to() {
    let debits = async |seed| {
        let paytech = paytech_with(Config { seed: Some(seed), ..Config::default() }).await;
        for number in 0..20 {
            let mut order = order(&format!("ref-{number}"), 15_000);
            order["env"] = json!("test");
            let token = paytech.sale(order).await;
            paytech.settle(&token, "pay").await;
            let told = async || paytech.status(&token).await["payment"]["final_item_price"].clone();
            assert_eq!(told().await, 15_000);
            paytech.control(json!({ "do": "switch", "set": { "tells": "debited" } })).await;
            assert_ne!(told().await, 15_000);
            paytech.control(json!({ "do": "switch", "set": { "tells": "asked" } })).await;
        }
        let ledger = paytech.get("/__ledger").await;
        let entries = ledger["entries"].as_array().unwrap().clone();
        entries.iter().skip(1).map(|entry| entry["gross"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    let first = debits(7).await;
    assert!(first.iter().all(|debit| (100..=150).contains(debit)), "{first:?}");
    assert!(first.iter().any(|debit| *debit != first[0]));
    assert_eq!(debits(7).await, first);
}

#[tokio::test]
async fn a_promotion_makes_it_cheaper() {
    let paytech = paytech().await;
    let token = paytech.sale(order("ref-1", 15_000)).await;
    paytech.control(json!({ "do": "promo", "sale": "ref-1", "percent": 10 })).await;
    paytech.settle("ref-1", "pay").await;
    let payment = paytech.status(&token).await["payment"].clone();
    assert_eq!((&payment["item_price"], &payment["final_item_price"]), (&json!(15_000), &json!(13_500)));
    assert_eq!((&payment["promo_enabled"], &payment["promo_value_percent"]), (&json!(true), &json!(10)));
    assert_eq!(paytech.totals().await["charged"], 13_500);
}

#[tokio::test]
async fn a_browser_can_pay_on_the_page() {
    let paytech = paytech().await;
    let mut body = order("ref-1", 15_000);
    body["command_name"] = json!("<b>Terrain</b>");
    let token = paytech.sale(body).await;
    let url = paytech.at(&format!("/payment/checkout/{token}"));
    let page = async || send(paytech.client.get(&url)).await.1.as_str().unwrap().to_owned();
    let act = async |form: &[(&str, &str)]| {
        let response = paytech.client.post(&url).form(form).send().await.unwrap();
        let place = response.headers().get("location").map(|place| place.to_str().unwrap().to_owned());
        (response.status().as_u16(), place.unwrap_or_default())
    };
    let shown = page().await;
    assert!(shown.contains("15\u{202f}000") && shown.contains("value=pay") && shown.contains("Annuler"), "{shown}");
    assert!(shown.contains("&lt;b&gt;") && shown.contains("Free Money"), "{shown}");
    assert_eq!(act(&[("action", "expire")]).await.0, 400);
    assert_eq!(act(&[("action", "fail"), ("code", "wrong-code")]).await, (303, "https://kalel.sn/ko".into()));
    assert!(page().await.contains("wrong-code"));
    assert_eq!(paytech.state(&token).await, "pending");
    assert_eq!(act(&[("action", "pay"), ("mobile", "")]).await, (303, "https://kalel.sn/ok".into()));
    assert!(page().await.contains("Paiement effectué"));
    assert_eq!(act(&[("action", "cancel")]).await, (303, format!("/payment/checkout/{token}")));
    assert_eq!(paytech.state(&token).await, "complete");

    let token = paytech.sale(order("ref-2", 500)).await;
    let url = paytech.at(&format!("/payment/checkout/{token}"));
    let cancelled = paytech.client.post(&url).form(&[("action", "cancel")]).send().await.unwrap();
    assert_eq!(cancelled.headers()["location"], "https://kalel.sn/ko");
    assert_eq!(paytech.state(&token).await, "canceled");
    assert_eq!(send(paytech.client.get(paytech.at("/payment/checkout/nobody"))).await.0, 404);
}

#[tokio::test]
async fn a_page_can_be_paid_for_ever_unless_it_is_ended() {
    let paytech = paytech().await;
    let (first, second) = (paytech.sale(order("ref-1", 500)).await, paytech.sale(order("ref-2", 500)).await);
    paytech.control(json!({ "do": "advance", "seconds": 315_360_000 })).await;
    assert_eq!(paytech.state(&first).await, "pending");
    paytech.settle(&first, "pay").await;
    paytech.settle(&second, "expire").await;
    assert_eq!((paytech.state(&first).await, paytech.state(&second).await), ("complete".into(), "expired".into()));
    let late = json!({ "do": "settle", "sale": second, "as": "pay" });
    assert_eq!(send(paytech.client.post(paytech.at("/__control")).json(&late)).await.0, 400);
}

#[tokio::test]
async fn a_refund_is_accepted_now_and_done_later_and_once() {
    let paytech = paytech().await;
    let token = paytech.sale(order("ref-1", 15_000)).await;
    assert_eq!(paytech.give_back("ref-0").await["message"], "Commande introuvable");
    assert_eq!(paytech.give_back("ref-1").await, json!({ "success": 0, "message": "La commande n'a pas été payée" }));
    paytech.settle("ref-1", "pay").await;
    paytech.control(json!({ "do": "switch", "set": { "refund_seconds": 3_600 } })).await;
    assert_eq!(paytech.give_back("ref-1").await["success"], 1);
    assert_eq!(
        (paytech.state(&token).await, paytech.totals().await["refunded"].clone()),
        ("refund_pending".into(), 0.into())
    );
    assert_eq!(paytech.give_back("ref-1").await, json!({ "success": 0, "message": "Remboursement déjà en cours" }));

    paytech.control(json!({ "do": "advance", "seconds": 3_600 })).await;
    assert_eq!(
        (paytech.state(&token).await, paytech.totals().await["refunded"].clone()),
        ("refunded".into(), 15_000.into())
    );
    assert_eq!(paytech.give_back("ref-1").await["message"], "Cette commande a déjà été remboursée");
    let quiet = json!({ "do": "switch", "set": { "tells_refunds": false, "accepts_refunds_again": true } });
    paytech.control(quiet).await;
    assert_eq!(
        (paytech.state(&token).await, paytech.give_back("ref-1").await["success"].clone()),
        ("complete".into(), 1.into())
    );
    paytech.control(json!({ "do": "advance", "seconds": 7_200 })).await;
    let ledger = paytech.get("/__ledger").await;
    assert_eq!((&ledger["totals"]["refunded"], &ledger["repeated"]["refunds"]), (&json!(15_000), &json!([])));
}

#[tokio::test]
async fn a_refund_comes_to_nothing_when_told_so_or_when_the_account_is_empty() {
    let paytech = paytech().await;
    let token = paytech.sale(order("ref-1", 15_000)).await;
    paytech.control(json!([{ "do": "settle", "sale": token, "as": "pay" }, { "do": "balance", "amount": 100 }])).await;
    assert_eq!(paytech.give_back("ref-1").await["message"], "Solde insuffisant");
    paytech
        .control(json!([
            { "do": "balance", "amount": 20_000 },
            { "do": "switch", "set": { "refund_seconds": 60 } },
        ]))
        .await;
    // As some integrations ask for it.
    let json_body =
        paytech.client.post(paytech.at("/api/payment/refund-payment")).json(&json!({ "ref_command": "ref-1" }));
    assert_eq!(send(with_keys(json_body)).await.1["success"], 1);
    paytech.control(json!([{ "do": "lose_refund", "sale": "ref-1" }, { "do": "advance", "seconds": 60 }])).await;
    assert_eq!(
        (paytech.state(&token).await, paytech.totals().await["refunded"].clone()),
        ("complete".into(), 0.into())
    );
}

#[tokio::test]
async fn answers_can_be_put_into_its_mouth() {
    let paytech = paytech().await;
    let said = json!({ "success": 0, "error": ["a", "b"] });
    paytech.control(json!({ "do": "answer", "call": "request", "body": said })).await;
    assert_eq!(paytech.ask(order("ref-1", 500)).await, (200, said));
    paytech.sale(order("ref-1", 500)).await;
}

#[tokio::test]
async fn what_is_not_there_is_told_and_switches_that_do_not_exist_are_refused() {
    let paytech = paytech().await;
    assert_eq!(paytech.status("nobody").await, json!({ "success": 0, "message": "Token invalide" }));
    assert_eq!(send(paytech.client.get(paytech.at("/api/payment/nothing"))).await.0, 404);
    assert_eq!(send(paytech.client.get(paytech.at("/api/payment/refund-payment"))).await.0, 405);
    for wrong in [json!({ "magic": true }), json!({ "hmac": "perhaps" })] {
        let control = paytech.client.post(paytech.at("/__control"));
        assert_eq!(send(control.json(&json!({ "do": "switch", "set": wrong }))).await.0, 400);
    }
}

mod books;
mod ipn;
