//! Sites that collect by themselves are asked for the commission: after each month, once, and told when they are late.

use chrono::TimeDelta;
use domain::payout::month_after;
use serde_json::{Value, json};

use super::{
    payout_desk::{Desk, MANAGER, NET, PRICE, francs},
    payout_statements::{nets as amounts, read},
};

const COMMISSION: i64 = PRICE - NET;

/// A site whose manager has the clients' money first.
async fn collecting() -> Desk {
    let desk = Desk::without_an_account().await;
    let path = format!("/v1/sites/{}/contract", desk.site);
    let tag = desk.api.get("admin", &path).await.is(200).header("etag").to_owned();
    let contract = json!({ "flow": "manager_collects", "commission_basis_points": 1_000 });
    desk.api.put("admin", &path, &tag, contract).await.is(200);
    desk.rest().await;
    desk
}

async fn due(desk: &Desk) -> i64 {
    desk.on(&format!("site:{}:commission_due", desk.site)).await
}

async fn invoices(desk: &Desk) -> Vec<Value> {
    desk.api.settle().await;
    let list = desk.api.get("finance", &format!("/v1/invoices?site_id={}", desk.site)).await.is(200);
    list.body["data"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_month_of_commission_is_asked_for_becomes_overdue_and_is_paid() {
    let desk = collecting().await;
    desk.earn("wave").await;
    desk.earn("cash").await;
    assert_eq!((due(&desk).await, desk.owed().await), (2 * COMMISSION, 0));
    let month = month_after(desk.api.store.clock().now(), chrono_tz::Africa::Dakar);
    desk.pass_until(month + TimeDelta::hours(7)).await;
    let issued = invoices(&desk).await;
    assert_eq!(issued.len(), 1, "{issued:?}");
    let of = |name: &str| issued[0][name]["amount"].as_i64().unwrap();
    assert_eq!((of("amount"), of("commission"), of("invoiced")), (2 * COMMISSION, 2 * COMMISSION, 0));
    assert_eq!((&issued[0]["status"], &issued[0]["issued_by"]), (&json!("issued"), &Value::Null));
    let path = format!("/v1/invoices/{}", issued[0]["id"].as_str().unwrap());
    let texts = desk.texts(MANAGER).await;
    assert!(texts.iter().any(|text| text.contains("Facture 1") && text.contains("6 000 F")), "{texts:?}");
    // On the last day it is still in time; after it, it is not.
    let last_day = issued[0]["due_at"].as_str().unwrap().parse::<domain::Timestamp>().unwrap();
    desk.pass_until(last_day - TimeDelta::minutes(1)).await;
    assert_eq!(desk.api.get("manager", &path).await.is(200).text("/status"), "issued");
    desk.pass_until(last_day + TimeDelta::minutes(1)).await;
    let overdue = desk.api.get("manager", &path).await.is(200);
    assert_eq!(overdue.text("/status"), "overdue");
    assert!(overdue.body["overdue_since"].is_string());
    let texts = desk.texts(MANAGER).await;
    assert!(texts.iter().any(|text| text.contains("en retard")), "{texts:?}");
    // The money came.
    let received = json!({ "reference": "VIR-77" });
    for stranger in ["manager", "admin", "auditor", "client", "service", "support"] {
        desk.api.post(stranger, &format!("{path}/payment"), received.clone()).await.is(403);
    }
    let paid = desk.api.post("finance", &format!("{path}/payment"), received.clone()).await.is(200);
    assert_eq!((paid.text("/status"), paid.text("/reference")), ("paid", "VIR-77"));
    desk.api.post("finance", &format!("{path}/payment"), received).await.is(200);
    assert_eq!((due(&desk).await, desk.on("platform:bank").await), (0, 2 * COMMISSION));
    desk.api
        .post("finance", &format!("{path}/cancellation"), json!({ "reason": "trop tard" }))
        .await
        .problem(422, "invoice.wrong_status");
    // The month after has nothing to ask for.
    let next = month_after(desk.api.store.clock().now(), chrono_tz::Africa::Dakar);
    desk.pass_until(next + TimeDelta::hours(7)).await;
    assert_eq!(invoices(&desk).await.len(), 1);
}

#[tokio::test]
async fn an_invoice_that_was_paid_in_time_never_becomes_overdue() {
    let desk = collecting().await;
    desk.earn("wave").await;
    let issued = desk.api.post("finance", "/v1/invoices", json!({ "site": desk.site })).await.is(201);
    let path = format!("/v1/invoices/{}", issued.text("/id"));
    desk.rest().await;
    desk.api.post("finance", &format!("{path}/payment"), json!({ "reference": "VIR-78" })).await.is(200);
    desk.pass(16 * 24 * 3_600).await;
    let shown = desk.api.get("manager", &path).await.is(200);
    assert_eq!((shown.text("/status"), &shown.body["overdue_since"]), ("paid", &Value::Null));
}

#[tokio::test]
async fn nothing_is_asked_for_twice_and_what_was_cancelled_is_asked_for_again() {
    let desk = collecting().await;
    desk.earn("wave").await;
    let wish = || json!({ "site": desk.site });
    let preview = desk.api.post("finance", "/v1/invoices?preview=true", wish()).await.is(200);
    assert_eq!((preview.text("/status"), francs(&preview, "/amount")), ("preview", COMMISSION));
    let first = desk.api.post("finance", "/v1/invoices", wish()).await.is(201);
    assert_eq!((francs(&first, "/amount"), first.body["number"].as_i64()), (COMMISSION, Some(1)));
    desk.rest().await;
    desk.api.post("second_finance", "/v1/invoices", wish()).await.problem(422, "invoice.below_minimum");
    desk.earn("cash").await;
    let second = desk.api.post("finance", "/v1/invoices", wish()).await.is(201);
    assert_eq!((francs(&second, "/amount"), francs(&second, "/invoiced")), (COMMISSION, COMMISSION));
    // The first one was wrong: what it asked for is on the third.
    let path = format!("/v1/invoices/{}/cancellation", first.text("/id"));
    let cancelled = desk.api.post("finance", &path, json!({ "reason": "Contrat mal saisi" })).await.is(200);
    assert_eq!((cancelled.text("/status"), cancelled.text("/reason")), ("cancelled", "Contrat mal saisi"));
    desk.rest().await;
    let third = desk.api.post("finance", "/v1/invoices", wish()).await.is(201);
    assert_eq!((francs(&third, "/amount"), third.body["number"].as_i64()), (COMMISSION, Some(3)));
    assert_eq!(due(&desk).await, 2 * COMMISSION, "an invoice moves no money");
}

#[tokio::test]
async fn two_who_ask_at_once_ask_once() {
    let desk = collecting().await;
    desk.earn("wave").await;
    let wish = || json!({ "site": desk.site });
    let (one, other) = tokio::join!(
        desk.api.post("finance", "/v1/invoices", wish()),
        desk.api.post("second_finance", "/v1/invoices", wish())
    );
    let refused = if one.status == 201 { other } else { one };
    assert!(matches!(refused.status, 422 | 503), "{}", refused.body);
    assert_eq!(invoices(&desk).await.len(), 1);
}

#[tokio::test]
async fn a_manager_sees_the_invoices_of_their_sites_and_settles_none() {
    let desk = collecting().await;
    desk.earn("wave").await;
    let id =
        desk.api.post("finance", "/v1/invoices", json!({ "site": desk.site })).await.is(201).text("/id").to_owned();
    desk.rest().await;
    let path = format!("/v1/invoices/{id}");
    for reader in ["manager", "finance", "admin", "auditor"] {
        assert_eq!(desk.api.get(reader, &path).await.is(200).text("/status"), "issued");
        assert_eq!(desk.api.get(reader, "/v1/invoices?status=issued").await.is(200).text("/data/0/id"), id);
    }
    desk.api.get("other_manager", &path).await.problem(404, "object.not_found");
    assert_eq!(desk.api.get("other_manager", "/v1/invoices").await.is(200).body["data"], json!([]));
    for stranger in ["client", "service", "support"] {
        desk.api.get(stranger, &path).await.is(403);
    }
    for role in ["manager", "admin", "auditor", "client", "service", "support"] {
        desk.api.post(role, "/v1/invoices", json!({ "site": desk.site })).await.is(403);
        desk.api.post(role, &format!("{path}/cancellation"), json!({ "reason": "non" })).await.is(403);
    }
}

#[tokio::test]
async fn an_invoice_says_what_it_is_made_of_in_every_form_and_by_the_ledger() {
    let desk = collecting().await;
    let games = [desk.earn("wave").await, desk.earn("cash").await];
    let wish = || json!({ "site": desk.site });
    let first = desk.api.post("finance", "/v1/invoices", wish()).await.is(201);
    desk.rest().await;
    // The next goes on where that one ended, and with what came to nothing of it.
    desk.earn("wave").await;
    let cancel = format!("/v1/invoices/{}/cancellation", first.text("/id"));
    desk.api.post("finance", &cancel, json!({ "reason": "Contrat mal saisi" })).await.is(200);
    desk.rest().await;
    let second = desk.api.post("finance", "/v1/invoices", wish()).await.is(201);
    desk.rest().await;
    for (invoice, opening, rows) in [(&first, 0, 2), (&second, 2 * COMMISSION, 1)] {
        let path = format!("/v1/invoices/{}/statement", invoice.text("/id"));
        let told = desk.api.get("manager", &path).await.is(200);
        let of = |row: &Value| row["commission"]["amount"].as_i64().unwrap();
        let commissions: Vec<i64> = told.body["data"].as_array().unwrap().iter().map(of).collect();
        assert_eq!((francs(&told, "/opening"), commissions.len()), (opening, rows), "{}", told.body);
        assert_eq!(opening + commissions.iter().sum::<i64>(), francs(invoice, "/amount"));
        assert_eq!(francs(&told, "/amount"), francs(invoice, "/amount"));
        let mut wanted = vec![opening];
        wanted.extend(&commissions);
        wanted.push(francs(invoice, "/amount"));
        for language in ["fr", "en", "wo"] {
            let form = |ending: &str| {
                let get = desk.api.ask(reqwest::Method::GET, &format!("{path}.{ending}"));
                get.role("manager").header("accept-language", language).send()
            };
            assert_eq!(amounts(&read::csv(&form("csv").await.is(200).bytes)), wanted);
            assert_eq!(amounts(&read::xlsx(&form("xlsx").await.is(200).bytes)), wanted);
            let pdf = form("pdf").await.is(200);
            assert_eq!(amounts(&read::pdf(&pdf.bytes).1), wanted);
            assert!(pdf.header("content-disposition").contains(invoice.text("/id")));
        }
        for (reader, status) in [("finance", 200), ("auditor", 200), ("other_manager", 404), ("client", 403)] {
            desk.api.get(reader, &path).await.is(status);
        }
    }
    let told = desk.api.get("finance", &format!("/v1/invoices/{}/statement", first.text("/id"))).await.is(200);
    let shown: Vec<&str> =
        told.body["data"].as_array().unwrap().iter().map(|row| row["reservation_id"].as_str().unwrap()).collect();
    assert_eq!(shown, games);
}
