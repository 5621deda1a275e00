//! The ledger over HTTP: where each franc is, who may see it, and what it was at any position.

use serde_json::{Value, json};

use crate::api::{Answer, Api, slot};

/// A manual booking, its deposit paid in cash.
async fn booked(api: &Api) -> (String, Answer) {
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(4), 60);
    body["client"] = json!({ "phone": "+221771234567" });
    body["payment"] = json!({ "method": "cash", "pays": "deposit" });
    let made = api.post("manager", "/v1/reservations", body).await.is(201);
    api.settle().await;
    (site, made)
}

fn balances(answer: &Answer) -> Vec<(String, i64)> {
    let accounts = answer.body["accounts"].as_array().unwrap().iter();
    accounts
        .map(|one| (one["account"].as_str().unwrap().to_owned(), one["balance"]["amount"].as_i64().unwrap()))
        .collect()
}

#[tokio::test]
async fn a_deposit_in_the_till_is_a_debt_until_it_goes_back() {
    let api = Api::new().await;
    let (site, made) = booked(&api).await;
    let deposit = made.body["price"]["deposit"]["amount"].as_i64().unwrap_or_default();
    let paid = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    let (till, payable) = (format!("cash:{site}:main"), "refunds:payable".to_owned());
    assert!(deposit > 0, "{}", made.body);
    assert_eq!(balances(&paid), [(till.clone(), deposit), ("deposits:unearned".into(), -deposit)]);
    assert_eq!(
        paid.body["totals"],
        json!([{
            "debit": { "amount": deposit, "currency": "XOF" }, "credit": { "amount": deposit, "currency": "XOF" },
        }])
    );
    let id = made.text("/id");
    api.post("manager", &format!("/v1/reservations/{id}/cancellation"), json!({ "reason": "weather" })).await.is(200);
    api.settle().await;
    let now = api.get("auditor", "/v1/ledger/trial-balance").await.is(200);
    assert_eq!(balances(&now), [(till, deposit), ("deposits:unearned".into(), 0), (payable, -deposit)]);
    // As it was.
    let then = api.get("auditor", &format!("/v1/ledger/trial-balance?as_of={}", paid.position())).await.is(200);
    assert_eq!(then.body["accounts"], paid.body["accounts"]);
    // The way of the money, each step with its event, two postings at a time.
    let path = format!("/v1/ledger/entries?reservation={id}");
    let all = api.get("manager", &path).await.is(200);
    let postings = all.body["data"].as_array().unwrap();
    let events: Vec<&str> = postings.iter().map(|one| one["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["payment.succeeded", "payment.succeeded", "refund.approved", "refund.approved"]);
    let sum: i64 = postings.iter().map(|one| one["amount"]["amount"].as_i64().unwrap()).sum();
    assert_eq!(sum, 0);
    // Page by page it is the same.
    let (mut read, mut next) = (Vec::<Value>::new(), format!("{path}&limit=1"));
    loop {
        let page = api.get("manager", &next).await.is(200);
        read.extend(page.body["data"].as_array().unwrap().iter().cloned());
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        next = format!("{path}&limit=1&cursor={cursor}");
    }
    assert_eq!(&read, postings);
}

#[tokio::test]
async fn the_ledger_is_for_finance_and_auditors_and_a_manager_s_own_sites() {
    let mut api = Api::new().await;
    let (site, made) = booked(&api).await;
    let elsewhere = api.site().await.0.parse().unwrap();
    api.grant("narrow_finance", domain::actor::Role::Finance, Some(vec![elsewhere])).await;
    let of = format!("/v1/ledger/entries?reservation={}", made.text("/id"));
    for role in ["client", "service", "support"] {
        api.get(role, "/v1/ledger/trial-balance").await.is(403);
        api.get(role, &of).await.is(403);
    }
    api.get("manager", "/v1/ledger/trial-balance").await.is(403);
    api.get("manager", "/v1/ledger/entries").await.problem(400, "request.invalid_parameter");
    api.get("other_manager", &of).await.problem(404, "object.not_found");
    api.get("manager", &of).await.is(200);
    // A site's own account; and a key that names sites sees nothing beyond them.
    let till = format!("/v1/ledger/entries?account=cash:{site}:main");
    assert_eq!(api.get("manager", &till).await.is(200).body["data"].as_array().unwrap().len(), 1);
    api.get("other_manager", &till).await.problem(404, "object.not_found");
    for path in [&of, &till] {
        api.get("narrow_finance", path).await.problem(404, "object.not_found");
    }
    api.get("narrow_finance", "/v1/ledger/entries").await.problem(400, "request.invalid_parameter");
    api.get("narrow_finance", "/v1/ledger/trial-balance").await.problem(403, "auth.role_forbidden");
    let account = api.get("finance", "/v1/ledger/entries?account=deposits:unearned").await.is(200);
    assert_eq!(account.body["data"].as_array().unwrap().len(), 1);
    for wrong in ["account=deposits", "reservation=none", "cursor=xyz", "limit=0", "as_of=0", "as_of=999999"] {
        api.get("finance", &format!("/v1/ledger/entries?{wrong}")).await.is(400);
    }
}

#[tokio::test]
async fn a_statement_adds_up_page_by_page_and_says_what_was_before() {
    let api = Api::new().await;
    let (site, made) = booked(&api).await;
    let deposit = made.body["price"]["deposit"]["amount"].as_i64().unwrap();
    let since = api.store.clock().now() + chrono::TimeDelta::seconds(1);
    api.store.clock().advance(std::time::Duration::from_secs(3_600)).await.unwrap();
    let id = made.text("/id");
    api.post("manager", &format!("/v1/reservations/{id}/cancellation"), json!({ "reason": "weather" })).await.is(200);
    api.settle().await;
    let path = "/v1/ledger/statement?account=deposits:unearned";
    let whole = api.get("finance", path).await.is(200);
    let money = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
    assert_eq!((&whole.body["opening"], &whole.body["closing"]), (&json!([money(0)]), &json!([money(0)])));
    let lines = |answer: &Answer| -> Vec<(i64, i64)> {
        let of = |line: &Value, name: &str| line[name]["amount"].as_i64().unwrap();
        answer.body["data"].as_array().unwrap().iter().map(|line| (of(line, "amount"), of(line, "balance"))).collect()
    };
    assert_eq!(lines(&whole), [(-deposit, -deposit), (deposit, 0)]);
    let since = format!("{path}&from={}", since.format("%Y-%m-%dT%H:%M:%SZ"));
    let later = api.get("finance", &since).await.is(200);
    assert_eq!(later.body["opening"], json!([money(-deposit)]));
    assert_eq!(lines(&later), [(deposit, 0)]);
    let first = api.get("finance", &format!("{path}&limit=1")).await.is(200);
    let next = first.text("/next_cursor");
    let second = api.get("finance", &format!("{path}&limit=1&cursor={next}")).await.is(200);
    assert_eq!([lines(&first), lines(&second)].concat(), lines(&whole));
    // Whose it is to see.
    let till = format!("/v1/ledger/statement?account=cash:{site}:main");
    assert_eq!(lines(&api.get("manager", &till).await.is(200)), [(deposit, deposit)]);
    api.get("other_manager", &till).await.problem(404, "object.not_found");
    api.get("manager", path).await.problem(400, "request.invalid_parameter");
    for wrong in ["", "?account=till", "?account=suspense&from=2027-01-02T00:00:00Z&to=2027-01-01T00:00:00Z"] {
        api.get("finance", &format!("/v1/ledger/statement{wrong}")).await.problem(400, "request.invalid_parameter");
    }
    // The accounts of a site.
    let accounts = api.get("manager", &format!("/v1/ledger/accounts?site={site}")).await.is(200);
    let shown: Vec<_> = accounts.body["data"].as_array().unwrap().iter().map(|one| &one["account"]).collect();
    assert_eq!(shown, [&json!(format!("cash:{site}:main"))]);
    api.get("other_manager", &format!("/v1/ledger/accounts?site={site}")).await.problem(404, "object.not_found");
    api.get("manager", "/v1/ledger/accounts").await.problem(400, "request.invalid_parameter");
    api.get("client", &format!("/v1/ledger/accounts?site={site}")).await.is(403);
}

#[tokio::test]
async fn a_commission_is_taken_of_what_is_kept_at_the_rate_it_was_placed_under() {
    let api = Api::new().await;
    let (site, first) = booked(&api).await;
    let deposit = first.body["price"]["deposit"]["amount"].as_i64().unwrap();
    let path = format!("/v1/sites/{site}/contract");
    let before = api.get("admin", &path).await.is(200);
    assert_eq!(
        (&before.body["flow"], &before.body["commission_basis_points"]),
        (&json!("platform_collects"), &json!(1_000))
    );
    let dearer = json!({ "flow": "platform_collects", "commission_basis_points": 2_500 });
    // Nobody but an admin says what the commission is.
    for role in ["manager", "client", "service", "finance", "auditor"] {
        api.put(role, &path, before.header("etag"), dearer.clone()).await.is(403);
    }
    api.put(
        "admin",
        &path,
        before.header("etag"),
        json!({ "flow": "platform_collects", "commission_basis_points": 10_001 }),
    )
    .await
    .problem(422, "site.commission");
    let set = api.put("admin", &path, before.header("etag"), dearer).await.is(200);
    assert_eq!(set.body["commission_basis_points"], 2_500);
    api.get("other_manager", &path).await.problem(404, "object.not_found");
    api.settle().await;
    // They come: the deposit is earned, at the rate of the day it was placed.
    let id = first.text("/id");
    let starts = first.text("/starts_at").parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    api.store.clock().advance_to(starts).await.unwrap();
    api.post("manager", &format!("/v1/reservations/{id}/check-in"), json!({ "code": first.text("/code") }))
        .await
        .is(200);
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    let on = |name: &str| balances(&all).into_iter().find(|(known, _)| known == name).map(|(_, amount)| amount);
    let payable = format!("site:{site}:payable");
    assert_eq!((on("platform:commission"), on(&payable)), (Some(-deposit / 10), Some(-(deposit - deposit / 10))));
    assert_eq!(on("deposits:unearned"), Some(0));
}

#[tokio::test]
async fn a_deposit_in_cash_is_handed_out_under_a_name_and_once() {
    let api = Api::new().await;
    let (site, made) = booked(&api).await;
    let id = made.text("/id").to_owned();
    let deposit = made.body["price"]["deposit"]["amount"].as_i64().unwrap();
    api.post("manager", &format!("/v1/reservations/{id}/cancellation"), json!({ "reason": "weather" })).await.is(200);
    api.settle().await;
    let refund = api.get("manager", &format!("/v1/reservations/{id}")).await.is(200).text("/refunds/0/id").to_owned();
    let path = format!("/v1/refunds/{refund}/hand-out");
    for stranger in ["client", "finance", "auditor"] {
        api.post(stranger, &path, json!({})).await.is(403);
    }
    api.post("other_manager", &path, json!({})).await.problem(404, "object.not_found");
    let paid = api.post("manager", &path, json!({})).await.is(200);
    assert_eq!((paid.text("/status"), paid.text("/route")), ("succeeded", "cash"));
    api.post("manager", &path, json!({})).await.problem(422, "refund.wrong_status");
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    assert!(deposit > 0);
    let zero = [(format!("cash:{site}:main"), 0), ("deposits:unearned".into(), 0), ("refunds:payable".into(), 0)];
    assert_eq!(balances(&all), zero);
}

#[tokio::test]
async fn an_admin_says_through_whose_merchant_account_the_money_of_a_site_goes() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let path = format!("/v1/sites/{site}/contract");
    let methods = format!("/v1/payment-methods?site={site}");
    let agreed = |flow: &str, account: Value| json!({ "flow": flow, "commission_basis_points": 500, "merchant_account": account });
    let before = api.get("admin", &path).await.is(200);
    let etag = before.header("etag");
    assert_eq!(before.body["merchant_account"], Value::Null);
    let theirs = agreed("manager_collects", json!("fatou"));
    for role in ["manager", "client", "service", "finance", "auditor"] {
        api.put(role, &path, etag, theirs.clone()).await.is(403);
    }
    let unknown = api.put("admin", &path, etag, agreed("manager_collects", json!("omar"))).await;
    assert!(unknown.problem(422, "site.unknown_merchant_account").text("/detail").contains("omar"));
    let ours = api.put("admin", &path, etag, agreed("platform_collects", json!("fatou"))).await;
    ours.problem(422, "site.merchant_account");
    api.put("admin", &path, etag, agreed("manager_collects", json!("Fatou & fils"))).await.is(400);
    let set = api.put("admin", &path, etag, theirs).await.is(200);
    assert_eq!(set.text("/merchant_account"), "fatou");
    // What can be chosen there is what that account takes.
    let offered = api.ask(reqwest::Method::GET, &methods).send().await.is(200);
    let shown: Vec<_> = offered.body["data"].as_array().unwrap().iter().map(|method| &method["method"]).collect();
    assert_eq!(shown, [&json!("orange_money")]);
    let mut wish = crate::api::slot(&site, "nord", api.midday(2), 60);
    wish["payment"] = json!({ "method": "wave", "pays": "deposit" });
    api.post("client", "/v1/reservations", wish.clone()).await.problem(422, "payment.method_not_accepted");
    wish["payment"]["method"] = json!("orange_money");
    api.post("client", "/v1/reservations", wish).await.is(201);
    // To leave it out is to go back to the platform's.
    let again = json!({ "flow": "manager_collects", "commission_basis_points": 500 });
    assert_eq!(api.put("admin", &path, set.header("etag"), again).await.is(200).body["merchant_account"], Value::Null);
}
