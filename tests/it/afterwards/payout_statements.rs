//! What a payout is made of: JSON, CSV, XLSX and PDF say the same, and the same as the ledger.

use serde_json::{Value, json};

#[path = "../../../adapters/src/document/tests/read.rs"]
#[expect(dead_code, reason = "what only the tests of the documents themselves look at")]
pub(super) mod read;

use super::payout_desk::{Desk, NET, PRICE, francs};
use crate::api::Answer;

/// The last column of each line that ends with a number: what was carried over, each net, and the sums below.
pub(super) fn nets(lines: &[Vec<String>]) -> Vec<i64> {
    let last = |line: &Vec<String>| line.iter().rev().find(|cell| !cell.is_empty()).cloned();
    let amount = |text: String| text.replace(['\u{a0}', '\u{202f}', ' '], "").parse::<i64>().ok();
    lines.iter().filter(|line| line.len() > 1).filter_map(|line| amount(last(line)?)).collect()
}

/// What the ledger entered on the site's account after one position and up to another; owed is positive.
async fn by_the_ledger(desk: &Desk, role: &str, after: i64, up_to: i64) -> Vec<i64> {
    let path = format!("/v1/ledger/entries?account=site:{}:payable&limit=100", desk.site);
    let entries = desk.api.get(role, &path).await.is(200);
    let within = |entry: &&Value| (after + 1..=up_to).contains(&entry["position"].as_i64().unwrap());
    let postings = entries.body["data"].as_array().unwrap().iter().filter(within);
    postings.map(|entry| -entry["amount"]["amount"].as_i64().unwrap()).collect()
}

/// Every form of a statement says this, row by row.
async fn all_forms_say(desk: &Desk, id: &str) -> Answer {
    let path = format!("/v1/payouts/{id}/statement");
    let told = desk.api.get("manager", &path).await.is(200);
    let mut wanted = vec![francs(&told, "/opening")];
    wanted.extend(told.body["data"].as_array().unwrap().iter().map(|row| row["net"]["amount"].as_i64().unwrap()));
    assert_eq!(wanted.iter().sum::<i64>(), francs(&told, "/payable"), "{}", told.body);
    let less: Vec<i64> = ["/taken_back", "/at_site", "/held"].iter().map(|part| francs(&told, part)).collect();
    let (payable, amount) = (francs(&told, "/payable"), francs(&told, "/amount"));
    assert_eq!(payable - less.iter().sum::<i64>(), amount);
    wanted.push(payable);
    wanted.extend(less.into_iter().filter(|part| *part > 0).map(|part| -part));
    wanted.push(amount);
    for language in ["fr", "en", "wo"] {
        let form = |ending: &str| {
            let get = desk.api.ask(reqwest::Method::GET, &format!("{path}.{ending}"));
            get.role("manager").header("accept-language", language).send()
        };
        let csv = form("csv").await.is(200);
        assert_eq!(nets(&read::csv(&csv.bytes)), wanted);
        let xlsx = form("xlsx").await.is(200);
        assert_eq!(nets(&read::xlsx(&xlsx.bytes)), wanted);
        let pdf = form("pdf").await.is(200);
        assert_eq!(nets(&read::pdf(&pdf.bytes).1), wanted);
        for (answer, media) in [(csv, "text/csv"), (xlsx, "application/vnd"), (pdf, "application/pdf")] {
            assert!(answer.header("content-type").starts_with(media), "{}", answer.header("content-type"));
            assert!(answer.header("content-disposition").contains(id));
        }
    }
    told
}

#[tokio::test]
async fn a_statement_is_the_ledger_in_every_form() {
    let desk = Desk::new().await;
    let game = desk.earn("wave").await;
    desk.earn("wave").await;
    desk.earn("cash").await;
    let prepared = desk.prepare().await.is(201);
    let id = prepared.text("/id").to_owned();
    // What happens after it was read changes nothing of it.
    desk.earn("wave").await;
    let told = all_forms_say(&desk, &id).await;
    let up_to = told.body["as_of_position"].as_i64().unwrap();
    let postings = by_the_ledger(&desk, "manager", 0, up_to).await;
    assert_eq!((postings.len(), postings.iter().sum::<i64>()), (3, 3 * NET));
    assert_eq!((francs(&told, "/payable"), francs(&told, "/amount")), (3 * NET, 3 * NET - PRICE));
    let rows = told.body["data"].as_array().unwrap();
    let first = &rows[0];
    assert_eq!(first["reservation_id"], json!(game));
    let amounts = ["received", "kept", "commission", "net"].map(|name| first[name]["amount"].as_i64().unwrap());
    assert_eq!(amounts, [PRICE, PRICE, PRICE - NET, NET]);
    desk.approve("second_finance", &id).await.is(200);
    desk.rest().await;
    assert_eq!(all_forms_say(&desk, &id).await.body, told.body, "paid, it is what it was");

    // The next one goes on where that one ended: with what was left, and with the payout itself.
    let payment = desk.api.get("service", &format!("/v1/reservations/{game}")).await.is(200);
    let payment = payment.text("/payments/0/id").to_owned();
    let back = json!({ "amount": { "amount": 10_000, "currency": "XOF" }, "note": "Coupure de courant" });
    desk.api.post("manager", &format!("/v1/payments/{payment}/refunds"), back).await.is(201);
    desk.rest().await;
    let next = desk.prepare().await.is(201);
    let told = all_forms_say(&desk, next.text("/id")).await;
    let until = told.body["as_of_position"].as_i64().unwrap();
    let postings = by_the_ledger(&desk, "finance", up_to, until).await;
    let net = |row: &Value| row["net"]["amount"].as_i64().unwrap();
    let rows = told.body["data"].as_array().unwrap();
    assert_eq!(rows.iter().map(net).sum::<i64>(), postings.iter().sum::<i64>());
    // Another hour, the payout, and of the first game what a tenth less than 10 000 is.
    assert_eq!(postings.iter().sum::<i64>(), NET - (3 * NET - PRICE) - 9_000);
    assert_eq!((francs(&told, "/opening"), francs(&told, "/payable")), (3 * NET, PRICE + NET - 9_000));
    assert_eq!(francs(&told, "/amount"), NET - 9_000);
    let again = rows.iter().find(|row| row["reservation_id"] == json!(game)).unwrap();
    let amounts = ["received", "kept", "commission", "net"].map(|name| again[name]["amount"].as_i64().unwrap());
    assert_eq!(amounts, [PRICE - 10_000, -10_000, -1_000, -9_000]);
}

#[tokio::test]
async fn a_statement_is_for_whoever_sees_the_payout() {
    let desk = Desk::new().await;
    desk.earn("wave").await;
    let id = desk.prepare().await.is(201).text("/id").to_owned();
    for ending in ["", ".csv", ".xlsx", ".pdf"] {
        let path = format!("/v1/payouts/{id}/statement{ending}");
        for reader in ["manager", "finance", "admin", "auditor"] {
            desk.api.get(reader, &path).await.is(200);
        }
        desk.api.get("other_manager", &path).await.problem(404, "object.not_found");
        for stranger in ["client", "service", "support"] {
            desk.api.get(stranger, &path).await.is(403);
        }
    }
}
