//! Statements of managers' own accounts over HTTP: which account is meant, who sees it, and that none of it is the platform's.

use std::time::Duration;

use chrono::NaiveDate;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api, fresh_key},
    reconciliation::{balance, charge, counts, csv, import_as, landed_by, today},
};

/// A site whose money goes through Fatou's account.
async fn at_fatou_s(api: &Api) -> String {
    let (site, _) = api.site().await;
    let path = format!("/v1/sites/{site}/contract");
    let before = api.get("admin", &path).await.is(200);
    let theirs = json!({ "flow": "manager_collects", "commission_basis_points": 500, "merchant_account": "fatou" });
    api.put("admin", &path, before.header("etag"), theirs).await.is(200);
    site
}

fn at(day: NaiveDate, account: Option<&str>, rest: &str) -> String {
    let account = account.map(|name| format!("?account={name}")).unwrap_or_default();
    format!("/v1/reconciliations/sonatel/{day}{rest}{account}")
}

async fn statement(api: &Api, path: &str, key: &str, file: String) -> Answer {
    api.settle().await;
    let ask = api.ask(Method::POST, path).role("finance").key(key);
    ask.header("content-type", "text/csv").raw(file).send().await
}

async fn books(api: &Api) -> [i64; 3] {
    let mut books = [0; 3];
    for (sum, account) in books.iter_mut().zip(["provider:orange_money:clearing", "provider:fees", "suspense"]) {
        *sum = balance(api, account).await;
    }
    books
}

#[tokio::test]
async fn a_day_of_a_manager_s_account_is_imported_explained_and_closed_and_enters_nothing() {
    let api = Api::new().await;
    let site = at_fatou_s(&api).await;
    let first = landed_by(&api, &site, 1, "MP1", "orange_money").await;
    let second = landed_by(&api, &site, 2, "MP2", "orange_money").await;
    let day = today(&api);
    let key = fresh_key();
    let path = at(day, Some("fatou"), "/statement");
    api.settle().await;
    // What she sells besides is hers.
    let file = csv(&[charge(day, "MP1", &first), charge(day, "MP9", "THIEBOUDIENNE-1")]);
    let compared = statement(&api, &path, &key, file.clone()).await.is(200);
    assert_eq!((compared.text("/account"), counts(&compared)), ("fatou", [1, 1, 1]));
    let (lines, came) = (&compared.body["statement"]["lines"], &compared.body["statement"]["totals"][0]["came"]);
    assert_eq!((lines, &came["amount"]), (&json!(1), &json!(9_000)));
    let again = statement(&api, &path, &key, file.clone()).await.is(200);
    assert_eq!(again.header("idempotent-replayed"), "true");
    // The same key and file for another account is another request.
    let other = statement(&api, &at(day, None, "/statement"), &key, file.clone()).await;
    other.problem(422, "idempotency.key_reused");

    // The platform's statement of that day knows nothing of it, and what it lists under her names is nobody's.
    let ours = statement(&api, &at(day, None, "/statement"), &fresh_key(), csv(&[])).await.is(200);
    assert_eq!((ours.text("/account"), counts(&ours)), ("main", [0, 0, 0]));
    let ours = statement(&api, &at(day, Some("main"), "/statement"), &fresh_key(), file).await.is(200);
    assert_eq!((ours.text("/account"), counts(&ours)), ("main", [0, 2, 2]));
    let found = api.get("finance", &at(day, None, "/differences")).await.is(200);
    for difference in found.body["data"].as_array().unwrap() {
        assert_eq!((&difference["kind"], &difference["here"]), (&json!("missing_here"), &Value::Null));
    }
    assert_eq!(books(&api).await, [18_000, 0, -18_000]);
    statement(&api, &at(day, None, "/statement"), &fresh_key(), csv(&[])).await.is(200);
    assert_eq!(books(&api).await, [0, 0, 0]);

    // Hers misses the second, and says so to her account alone.
    api.settle().await;
    let missed = api.get("finance", &at(day, Some("fatou"), "/differences")).await.is(200);
    let missed = &missed.body["data"][0];
    assert_eq!((&missed["kind"], &missed["here"]["amount"]["amount"]), (&json!("missing_at_provider"), &json!(9_000)));
    let (explanation, closing) =
        (at(day, Some("fatou"), "/differences/1/explanation"), at(day, Some("fatou"), "/closing"));
    let off = json!({ "how": "written_off" });
    let elsewhere = at(day, None, "/differences/3/explanation");
    api.post("finance", &elsewhere, off.clone()).await.problem(404, "reconciliation.no_such_difference");
    api.store.clock().advance(Duration::from_secs(24 * 3_600)).await.unwrap();
    api.post("finance", &closing, json!({})).await.problem(422, "reconciliation.unexplained");
    assert_eq!(api.post("finance", &explanation, off).await.is(200).text("/standing"), "explained");
    // It turns up after all.
    let whole = csv(&[charge(day, "MP1", &first), charge(day, "MP2", &second)]);
    assert_eq!(counts(&statement(&api, &path, &fresh_key(), whole).await.is(200)), [2, 0, 0]);
    assert_eq!(api.post("finance", &closing, json!({})).await.is(200).text("/status"), "closed");
    api.settle().await;
    assert_eq!(api.get("finance", &at(day, Some("fatou"), "")).await.is(200).text("/status"), "closed");
    assert_eq!(api.get("finance", &at(day, None, "")).await.is(200).text("/status"), "open");
    assert_eq!(books(&api).await, [0, 0, 0], "what lies at a manager's was never the platform's");
    let collected = balance(&api, &format!("site:{site}:collected")).await;
    assert_eq!(collected, 18_000, "as the payments entered it");
    // To fetch it is to ask for hers.
    let tomorrow = at(day + chrono::Days::new(1), Some("fatou"), "/fetch");
    let wanted = api.post("finance", &tomorrow, json!({})).await.is(200);
    assert_eq!((wanted.text("/account"), &wanted.body["requested"]), ("fatou", &json!(true)));
}

#[tokio::test]
async fn an_account_that_nobody_knows_is_refused_with_those_that_there_are() {
    let api = Api::new().await;
    let day = today(&api);
    api.settle().await;
    let none = |path: String, there: Value| (path, there);
    let sonatel = |rest: &str| none(at(day, Some("omar"), rest), json!(["main", "fatou"]));
    for (path, there) in [
        sonatel(""),
        sonatel("/differences"),
        none("/v1/reconciliations?account=omar".into(), json!(["main", "fatou"])),
        none("/v1/reconciliations?provider=wave&account=fatou".into(), json!(["main"])),
        none(format!("/v1/reconciliations/wave/{day}?account=fatou"), json!(["main"])),
        none(format!("/v1/reconciliations/paytech/{day}?account=fatou"), json!(["main"])),
        none(at(day, Some("Fatou%20%26%20fils"), ""), json!(["main", "fatou"])),
    ] {
        let refused = api.get("finance", &path).await.problem(404, "reconciliation.unknown_account");
        assert_eq!(refused.body["accounts"], there, "{path}");
        assert!(refused.text("/detail").contains("main"), "{}", refused.body);
    }
    for rest in ["/fetch", "/closing", "/differences/1/explanation"] {
        let refused = api.post("finance", &at(day, Some("omar"), rest), json!({ "how": "wait" })).await;
        refused.problem(404, "reconciliation.unknown_account");
    }
    let refused = statement(&api, &at(day, Some("omar"), "/statement"), &fresh_key(), csv(&[])).await;
    refused.problem(404, "reconciliation.unknown_account");
}

#[tokio::test]
async fn a_manager_s_account_is_shown_to_finance_and_auditors_alone() {
    let api = Api::new().await;
    let day = today(&api);
    api.settle().await;
    let (theirs, ours) = (at(day, Some("fatou"), ""), at(day, None, ""));
    statement(&api, &at(day, Some("fatou"), "/statement"), &fresh_key(), csv(&[])).await.is(200);
    statement(&api, &at(day, None, "/statement"), &fresh_key(), csv(&[])).await.is(200);
    api.settle().await;
    let list = |query: &str| format!("/v1/reconciliations?day={day}{query}");
    let accounts = |answer: &Answer| -> Vec<String> {
        let days = answer.body["data"].as_array().unwrap().iter();
        let mut names: Vec<String> = days.map(|day| day["account"].as_str().unwrap().to_owned()).collect();
        names.sort_unstable();
        names
    };
    for reader in ["finance", "auditor"] {
        api.get(reader, &theirs).await.is(200);
        api.get(reader, &at(day, Some("fatou"), "/differences")).await.is(200);
        assert_eq!(accounts(&api.get(reader, &list("")).await.is(200)), ["fatou", "main"], "{reader}");
        assert_eq!(accounts(&api.get(reader, &list("&account=fatou")).await.is(200)), ["fatou"], "{reader}");
        assert_eq!(accounts(&api.get(reader, &list("&account=main")).await.is(200)), ["main"], "{reader}");
    }
    // An admin sees the platform's, and is not told whether there are others.
    api.get("admin", &ours).await.is(200);
    assert_eq!(accounts(&api.get("admin", &list("")).await.is(200)), ["main"]);
    for account in ["fatou", "omar"] {
        api.get("admin", &at(day, Some(account), "")).await.problem(403, "auth.role_forbidden");
        api.get("admin", &list(&format!("&account={account}"))).await.problem(403, "auth.role_forbidden");
    }
    // Not to the manager whose it is, either; and nobody but finance writes.
    for stranger in ["manager", "client", "support", "service"] {
        api.get(stranger, &theirs).await.problem(403, "auth.role_forbidden");
        api.get(stranger, &list("&account=fatou")).await.problem(403, "auth.role_forbidden");
    }
    for stranger in ["manager", "admin", "auditor", "support"] {
        api.post(stranger, &at(day, Some("fatou"), "/fetch"), json!({})).await.problem(403, "auth.role_forbidden");
        let refused = import_as(&api, stranger, &ours, &fresh_key(), csv(&[])).await;
        refused.problem(403, "auth.role_forbidden");
    }
}
