//! The books over a restart, under pressure, and whatever is done in whatever order.

use super::*;

#[tokio::test]
async fn a_restart_forgets_nothing_but_tokens() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config { state_file: Some(folder.path().join("om.json")), seed: Some(7), ..Config::default() };
    let first = sonatel_with(config()).await;
    let code = first.open("ref-1").await;
    let hook = json!({ "do": "register", "callback": { "url": "http://127.0.0.1:1/hook", "api_key": "k" } });
    let settle = json!({ "do": "settle", "qr": "ref-1", "as": "pay" });
    first.control(json!([hook, { "do": "advance", "seconds": 60 }, settle, { "do": "drain" }])).await;
    let (ledger, hooks) = (first.get("/__ledger").await, first.get("/__webhooks").await);
    assert_eq!(hooks["waiting"].as_array().unwrap().len(), 1);
    first.0.end().await;

    let second = sonatel_with(config()).await;
    assert_eq!(second.get("/__ledger").await, ledger);
    assert_eq!(second.rows("ref-1").await.len(), 1);
    assert_ne!(second.open("ref-2").await["qrId"], code["qrId"]);
    let again = second.get("/__webhooks").await;
    assert_eq!((&again["events"], &again["waiting"]), (&hooks["events"], &hooks["waiting"]));
    assert_eq!(second.refused(json!({ "do": "settle", "qr": "ref-1", "as": "pay" })).await.1, "2041");
}

#[tokio::test]
async fn a_state_file_that_cannot_be_read_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("om.json");
    std::fs::write(&path, "{").unwrap();
    let (listener, _) = crate::testing::listen().await;
    let config = Config { state_file: Some(path), ..Config::default() };
    assert!(super::super::serve(listener, config, std::future::pending()).await.is_err());
}

#[tokio::test]
async fn a_new_transaction_can_be_late_in_the_list() {
    let sonatel = sonatel_with(Config { listing_lag_seconds: 30, ..Config::default() }).await;
    sonatel.open("ref-1").await;
    sonatel.control(json!({ "do": "settle", "qr": "ref-1", "as": "pay" })).await;
    assert_eq!(sonatel.rows("ref-1").await.len(), 0);
    sonatel.control(json!({ "do": "advance", "seconds": 31 })).await;
    assert_eq!(sonatel.rows("ref-1").await.len(), 1);
}

#[tokio::test]
async fn the_merchants_fee_is_kept_and_the_amount_can_be_another() {
    let sonatel = sonatel_with(Config { fee_bps: 100, ..Config::default() }).await;
    sonatel.open("ref-1").await;
    for (deed, amount) in [("fail", json!(1)), ("pay", json!(0)), ("pay", json!(-1))] {
        let wrong = json!({ "do": "settle", "qr": "ref-1", "as": deed, "amount": amount });
        assert_eq!(sonatel.refused(wrong.clone()).await.0, 400, "{wrong}");
    }
    sonatel
        .control(json!({ "do": "settle", "qr": "ref-1", "as": "pay", "amount": 14_000, "type": "WEB_PAYMENT" }))
        .await;
    assert_eq!(sonatel.rows("ref-1").await[0]["type"], "WEB_PAYMENT");
    let ledger = sonatel.get("/__ledger").await;
    assert_eq!((&ledger["balance"], &ledger["totals"]["charged"]), (&json!(1_013_860), &json!(14_000)));
}

#[tokio::test]
async fn fifty_at_once_pay_a_single_use_code_once() {
    let sonatel = sonatel().await;
    let id = sonatel.open("ref-1").await["qrId"].clone();
    let settle = json!({ "do": "settle", "qr": id, "as": "pay" });
    let pay = || sonatel.client.post(sonatel.at("/__control")).json(&settle).send();
    let paid = futures_util::future::join_all((0..50).map(|_| pay())).await;
    let fine = paid.into_iter().filter(|answer| answer.as_ref().is_ok_and(|answer| answer.status() == 200)).count();
    assert_eq!((fine, sonatel.get("/__ledger").await["totals"]["charged"].clone()), (1, json!(15_000)));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(16))]

    /// Whatever is done in whatever order, the books add up and a code is paid once at most.
    #[test]
    fn the_books_add_up(steps in proptest::collection::vec((0..8_u8, 0..6_usize), 1..30)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&steps));
    }
}

async fn play(steps: &[(u8, usize)]) {
    let sonatel = sonatel().await;
    let mut names: Vec<String> = Vec::new();
    for (step, choice) in steps {
        let name = names.get(choice % names.len().max(1)).cloned().unwrap_or_else(|| "none".into());
        let control = |deed: Value| send(sonatel.client.post(sonatel.at("/__control")).json(&deed));
        match step {
            0 => {
                let name = format!("ref-{}", names.len());
                sonatel.open(&name).await;
                names.push(name);
            }
            1 | 2 => drop(control(json!({ "do": "settle", "qr": name, "as": "pay" })).await),
            3 => drop(control(json!({ "do": "settle", "qr": name, "as": "fail" })).await),
            4 => drop(control(json!({ "do": "next", "as": "ACCEPTED" })).await),
            5 => drop(control(json!({ "do": "settle_transaction", "transaction": name, "as": "SUCCESS" })).await),
            6 => drop(control(json!({ "do": "settle_transaction", "transaction": name, "as": "CANCELLED" })).await),
            _ => drop(control(json!({ "do": "advance", "seconds": 400 })).await),
        }
    }
    let ledger = sonatel.get("/__ledger").await;
    let (mut balance, mut charged) = (0, 0);
    for entry in ledger["entries"].as_array().unwrap() {
        balance += entry["net"].as_i64().unwrap();
        assert_eq!(entry["balance"], balance);
        charged += if entry["kind"] == "payment" { entry["gross"].as_i64().unwrap() } else { 0 };
    }
    let mut successes = 0;
    for name in names {
        let rows = sonatel.rows(&name).await;
        let paid = rows.iter().filter(|row| row["status"] == "SUCCESS").count();
        assert!(paid <= 1, "{rows:?}");
        successes += paid as i64;
    }
    assert_eq!(charged, successes * 15_000);
    assert_eq!(ledger["repeated"]["charges"], json!([]));
}
