//! Disbursements: three steps, one movement.

use serde_json::{Value, json};

use super::{super::Config, Fake, LIVE, Quirks, TEST, paydunya, paydunya_with, quirky};

fn asked(amount: i64) -> Value {
    json!({
        "account_alias": "771234567", "amount": amount, "withdraw_mode": "free-money-senegal",
        "callback_url": "http://127.0.0.1:1/ipn",
    })
}

impl Fake {
    async fn token(&self, amount: i64) -> String {
        let (_, made) = self.live("/api/v2/disburse/get-invoice", asked(amount)).await;
        made["disburse_token"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
    }

    async fn submit(&self, token: &str, id: &str) -> Value {
        let body = json!({ "disburse_invoice": token, "disburse_id": id });
        self.live("/api/v2/disburse/submit-invoice", body).await.1
    }

    /// Both steps: the token and the answer to the second.
    pub(super) async fn payout(&self, id: &str, amount: i64) -> (String, Value) {
        let token = self.token(amount).await;
        let answer = self.submit(&token, id).await;
        (token, answer)
    }

    pub(super) async fn check(&self, token: &str) -> Value {
        self.live("/api/v2/disburse/check-status", json!({ "disburse_invoice": token })).await.1
    }
}

#[tokio::test]
async fn money_moves_with_the_second_step_and_the_third_tells() {
    let paydunya = paydunya().await;
    let token = paydunya.token(20_000).await;
    assert_eq!(paydunya.check(&token).await["status"], "created");
    assert_eq!(paydunya.get("/__ledger").await["balance"], 1_000_000);
    let answer = paydunya.submit(&token, "pay-1").await;
    assert_eq!((&answer["response_code"], &answer["status"]), (&json!("00"), &json!("success")));
    let told = paydunya.check(&token).await;
    assert_eq!(
        (&told["status"], &told["amount"], &told["disburse_id"]),
        (&json!("success"), &json!(20_000), &json!("pay-1"))
    );
    assert_eq!(
        (&told["transaction_id"], &told["disburse_tx_id"]),
        (&answer["transaction_id"], &answer["provider_ref"])
    );
    let ledger = paydunya.get("/__ledger").await;
    assert_eq!((&ledger["balance"], &ledger["totals"]["paid_out"]), (&json!(1_000_000 - 20_200), &json!(20_000)));
    assert_eq!(paydunya.check("pay-1").await["response_code"], "4004");
}

#[tokio::test]
async fn a_success_may_come_without_a_status_but_a_failure_not() {
    let paydunya = quirky(Quirks { submit_says_status: false, ..Quirks::default() }).await;
    assert!(paydunya.payout("pay-1", 1_000).await.1.get("status").is_none());
    for status in ["pending", "failed"] {
        paydunya.control(json!({ "do": "next_payout", "status": status })).await;
        assert_eq!(paydunya.payout(status, 1_000).await.1["status"], status);
    }
}

#[tokio::test]
async fn a_token_is_submitted_once_and_a_disburse_id_unless_switched_off_too() {
    let paydunya = paydunya().await;
    let (token, _) = paydunya.payout("pay-1", 1_000).await;
    assert_eq!(paydunya.submit(&token, "pay-2").await["response_code"], "4000");
    let (_, again) = paydunya.payout("pay-1", 1_000).await;
    assert_eq!(
        (&again["response_code"], &again["response_text"]),
        (&json!("5000"), &json!("disburse_id already used"))
    );
    assert_eq!(paydunya.get("/__ledger").await["repeated"]["payouts"], json!([]));

    paydunya.control(json!({ "do": "quirks", "unique_disburse_ids": false })).await;
    assert_eq!(paydunya.payout("pay-1", 1_000).await.1["response_code"], "00");
    let ledger = paydunya.get("/__ledger").await;
    assert_eq!((&ledger["totals"]["paid_out"], &ledger["repeated"]["payouts"]), (&json!(2_000), &json!(["pay-1"])));
}

#[tokio::test]
async fn each_refusal_has_its_code_inside_a_200() {
    let paydunya = paydunya_with(Config { opening_balance: 1_009, ..Config::default() }).await;
    let refused = async |field: &str, value: Value| {
        let mut body = asked(500);
        body[field] = value;
        let (status, answer) = paydunya.live("/api/v2/disburse/get-invoice", body).await;
        assert_eq!(status, 200);
        answer["response_code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused("withdraw_mode", json!("card")).await, "1001");
    assert_eq!(refused("amount", json!(1_000)).await, "4002");
    for (field, value) in [
        ("account_alias", json!("+221771234567")),
        ("account_alias", json!(771_234_567)),
        ("amount", json!(10.5)),
        ("amount", json!(0)),
        ("callback_url", json!("kalel.sn")),
    ] {
        assert_eq!(refused(field, value).await, "4000", "{field}");
    }
    // Enough for one of them: the second is refused when it is submitted.
    let (one, two) = (paydunya.token(900).await, paydunya.token(900).await);
    assert_eq!(paydunya.submit(&one, "pay-1").await["response_code"], "00");
    assert_eq!(paydunya.submit(&two, "pay-2").await["response_code"], "4002");
    assert_eq!(paydunya.check(&two).await["status"], "created");
    let (_, answer) = paydunya.ask("POST", "/api/v2/disburse/get-invoice", TEST, Some(asked(500))).await;
    assert_eq!(answer["response_text"], "LIVE Private Key and Token combination is invalid");
    assert_eq!(paydunya.ask("GET", "/api/v2/disburse/get-invoice", LIVE, None).await.0, 405);
}

#[tokio::test]
async fn a_pending_one_ends_as_told_and_a_failure_gives_everything_back() {
    let paydunya = paydunya().await;
    for (id, status, balance) in [("pay-1", "failed", 1_000_000), ("pay-2", "success", 998_990)] {
        paydunya.control(json!({ "do": "next_payout", "status": "pending" })).await;
        let (token, answer) = paydunya.payout(id, 1_000).await;
        assert_eq!(answer["status"], "pending");
        assert_eq!(paydunya.get("/__ledger").await["balance"], 998_990);
        paydunya.control(json!({ "do": "settle_payout", "payout": id, "status": status })).await;
        assert_eq!(paydunya.check(&token).await["status"], status);
        assert_eq!(paydunya.get("/__ledger").await["balance"], balance);
    }
    paydunya.control(json!({ "do": "next_payout", "status": "failed" })).await;
    assert_eq!(paydunya.payout("pay-3", 1_000).await.1["status"], "failed");
    assert_eq!(paydunya.get("/__ledger").await["totals"]["paid_out"], 1_000);
}

#[tokio::test]
async fn a_callback_address_that_does_not_answer_is_refused_when_it_is_probed() {
    let paydunya = quirky(Quirks { probes_callbacks: true, ..Quirks::default() }).await;
    let get = async |url: String| {
        let mut body = asked(500);
        body["callback_url"] = json!(url);
        paydunya.live("/api/v2/disburse/get-invoice", body).await.1
    };
    let refused = get("http://127.0.0.1:1/ipn".into()).await;
    assert_eq!(
        (&refused["response_code"], &refused["response_text"]),
        (&json!("4002"), &json!("the callback is not accessible"))
    );
    let (url, _) = super::callbacks::Receiver::started().await;
    assert_eq!(get(url).await["response_code"], "00");
}

#[tokio::test]
async fn fifty_at_once_move_money_once() {
    let paydunya = paydunya().await;
    paydunya.open().await;
    let settle = json!({ "do": "settle", "invoice": "ref-1", "as": "pay" });
    let pay = || paydunya.client.post(paydunya.at("/__control")).json(&settle).send();
    let paid = futures_util::future::join_all((0..50).map(|_| pay())).await;
    assert_eq!(paid.into_iter().filter(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 200)).count(), 1);
    let token = paydunya.token(1_000).await;
    futures_util::future::join_all((0..25).map(|_| paydunya.submit(&token, "pay-1"))).await;
    futures_util::future::join_all((0..25).map(|_| paydunya.payout("pay-1", 1_000))).await;
    let totals = paydunya.get("/__ledger").await["totals"].clone();
    assert_eq!(totals, json!({ "charged": 15_000, "refunded": 0, "paid_out": 1_000 }));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// Whatever is called in whatever order, the books add up and nothing moves twice.
    #[test]
    fn the_books_add_up(steps in proptest::collection::vec((0..8_u8, 0..6_usize), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&steps));
    }
}

async fn play(steps: &[(u8, usize)]) {
    let paydunya = paydunya_with(Config { opening_balance: 500_000, ..Config::default() }).await;
    for (step, choice) in steps {
        let control = |deed: Value| crate::testing::send(paydunya.client.post(paydunya.at("/__control")).json(&deed));
        let id = format!("pay-{choice}");
        match step {
            0 => drop(paydunya.open().await),
            1 => drop(control(json!({ "do": "settle", "invoice": "ref-1", "as": "pay" })).await),
            2 => drop(control(json!({ "do": "settle", "invoice": "ref-1", "as": "fail" })).await),
            3 => drop(control(json!({ "do": "next_payout", "status": "pending" })).await),
            4 => drop(control(json!({ "do": "next_payout", "status": "failed" })).await),
            5 => drop(control(json!({ "do": "settle_payout", "payout": id, "status": "failed" })).await),
            6 => drop(control(json!({ "do": "settle_payout", "payout": id, "status": "success" })).await),
            _ => {
                let (_, made) = paydunya.live("/api/v2/disburse/get-invoice", asked(200_000)).await;
                paydunya.submit(made["disburse_token"].as_str().unwrap_or("none"), &id).await;
            }
        }
    }
    let ledger = paydunya.get("/__ledger").await;
    let mut balance = 0;
    for entry in ledger["entries"].as_array().unwrap() {
        balance += entry["gross"].as_i64().unwrap() - entry["fee"].as_i64().unwrap();
        assert_eq!((&entry["balance"], balance >= 0), (&json!(balance), true), "{ledger}");
    }
    let of = |kind: &str, id: &Value| {
        let entries = ledger["entries"].as_array().unwrap();
        entries.iter().filter(|entry| entry["kind"] == kind && entry["client_reference"] == *id).count()
    };
    for choice in 0..6 {
        let id = json!(format!("pay-{choice}"));
        assert!(of("api_payout", &id) <= 1 && of("api_payout_reversal", &id) <= of("api_payout", &id), "{ledger}");
    }
}
