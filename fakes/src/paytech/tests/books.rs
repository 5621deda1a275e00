//! The books: over restarts, under load, and whatever is called in whatever order.

use super::*;

#[tokio::test]
async fn a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = || Config { state_file: Some(folder.path().join("paytech.json")), seed: Some(7), ..Config::default() };
    let first = paytech_with(config()).await;
    let token = first.sale(order("ref-1", 15_000)).await;
    first.control(json!([{ "do": "advance", "seconds": 60 }, { "do": "webhooks", "next": "drop", "times": 0 }])).await;
    first.settle("ref-1", "pay").await;
    first.control(json!({ "do": "switch", "set": { "refund_seconds": 3_600 } })).await;
    assert_eq!(first.give_back("ref-1").await["success"], 1);
    let ledger = first.get("/__ledger").await;
    first.end().await;

    let second = paytech_with(config()).await;
    assert_eq!(second.get("/__ledger").await, ledger);
    assert_eq!(second.state(&token).await, "refund_pending");
    assert_eq!(second.ask(order("ref-1", 15_000)).await.1["success"], 0);
    assert_ne!(second.sale(order("ref-2", 500)).await, token);
    assert_eq!(second.get("/__webhooks").await["events"].as_array().unwrap().len(), 1);
    second.control(json!({ "do": "advance", "seconds": 3_600 })).await;
    assert_eq!(second.totals().await["refunded"], 15_000);
}

#[tokio::test]
async fn a_state_file_that_cannot_be_read_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paytech.json");
    std::fs::write(&path, "{").unwrap();
    let (listener, _) = crate::testing::listen().await;
    let config = Config { state_file: Some(path), ..Config::default() };
    assert!(crate::paytech::serve(listener, config, std::future::pending()).await.is_err());
}

#[tokio::test]
async fn fifty_at_once_move_money_once() {
    let paytech = paytech().await;
    let asked = futures_util::future::join_all((0..50).map(|_| paytech.ask(order("ref-1", 15_000)))).await;
    assert_eq!(asked.iter().filter(|(_, answer)| answer["success"] == 1).count(), 1);
    let settle = json!({ "do": "settle", "sale": "ref-1", "as": "pay" });
    let pay = || send(paytech.client.post(paytech.at("/__control")).json(&settle));
    let paid = futures_util::future::join_all((0..50).map(|_| pay())).await;
    assert_eq!(paid.iter().filter(|(status, _)| *status == 200).count(), 1);
    let refunds = futures_util::future::join_all((0..50).map(|_| paytech.give_back("ref-1"))).await;
    assert_eq!(refunds.iter().filter(|answer| answer["success"] == 1).count(), 1);
    paytech.control(json!({ "do": "advance", "seconds": 10 })).await;
    assert_eq!(paytech.totals().await, json!({ "charged": 15_000, "refunded": 15_000, "paid_out": 0 }));
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(24))]

    /// The books add up and nothing moves twice.
    #[test]
    fn the_books_add_up(steps in proptest::collection::vec((0..9_u8, 0..6_usize), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(&steps));
    }
}

async fn play(steps: &[(u8, usize)]) {
    let paytech = paytech_with(Config { fee_bps: 250, ..Config::default() }).await;
    for (step, choice) in steps {
        let reference = format!("ref-{choice}");
        let control = |deed: Value| send(paytech.client.post(paytech.at("/__control")).json(&deed));
        let settle = |deed: &str| control(json!({ "do": "settle", "sale": reference, "as": deed }));
        match step {
            0 | 1 => drop(
                paytech
                    .ask(json!({ "ipn_url": null, "env": if *step == 0 { "test" } else { "prod" },
                "item_name": "a", "command_name": "b", "item_price": 15_000, "ref_command": reference }))
                    .await,
            ),
            2 | 3 => drop(settle("pay").await),
            4 => drop(settle("cancel").await),
            5 => drop(paytech.give_back(&reference).await),
            6 => drop(control(json!({ "do": "advance", "seconds": 1 })).await),
            7 => drop(control(json!({ "do": "promo", "sale": reference, "percent": 30 })).await),
            _ => drop(control(json!({ "do": "lose_refund", "sale": reference })).await),
        }
    }
    paytech.control(json!({ "do": "advance", "seconds": 10 })).await;
    let ledger = paytech.get("/__ledger").await;
    let entries = ledger["entries"].as_array().unwrap();
    let mut balance = 0;
    for entry in entries {
        balance += entry["net"].as_i64().unwrap();
        assert_eq!(entry["net"].as_i64().unwrap(), entry["gross"].as_i64().unwrap() - entry["fee"].as_i64().unwrap());
        assert_eq!(entry["balance"], balance);
    }
    let of = |kind: &str, reference: &str| {
        let of_kind = entries.iter().filter(|entry| entry["kind"] == kind && entry["client_reference"] == reference);
        of_kind.map(|entry| entry["gross"].as_i64().unwrap()).collect::<Vec<_>>()
    };
    for choice in 0..6 {
        let reference = format!("ref-{choice}");
        let (sales, refunds) = (of("sale", &reference), of("refund", &reference));
        assert!(sales.len() <= 1 && refunds.len() <= sales.len(), "{ledger}");
        assert!(refunds.iter().all(|refund| *refund == -sales[0]), "{ledger}");
    }
}
