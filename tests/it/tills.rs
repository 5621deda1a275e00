//! The till of a site over HTTP: what should be in it is what moved there, and what differs is explained and entered.

use domain::actor::Role;
use serde_json::{Value, json};

use crate::api::{Answer, Api, fresh_key, slot};

fn francs(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "XOF" })
}

/// A site with a cashier of its own, and the path of its till.
async fn site(api: &mut Api) -> (String, String) {
    let (site, _) = api.site().await;
    api.grant("cashier", Role::Cashier, Some(vec![site.parse().unwrap()])).await;
    let path = format!("/v1/sites/{site}/till");
    (site, path)
}

/// Sends to the till when the views are at the end of the log: what moved is counted by one.
async fn till(api: &Api, role: &str, path: &str, body: Value) -> Answer {
    api.settle().await;
    api.post(role, path, body).await
}

/// Somebody pays 9 000 in cash.
async fn deposit(api: &Api, site: &str, day: i64) -> Answer {
    let mut body = slot(site, "nord", api.midday(day), 60);
    body["payment"] = json!({ "method": "cash", "pays": "deposit" });
    api.post("manager", "/v1/reservations", body).await.is(201)
}

async fn balance(api: &Api, account: &str) -> i64 {
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    assert_eq!(all.body["totals"][0]["debit"], all.body["totals"][0]["credit"]);
    let accounts = all.body["accounts"].as_array().unwrap();
    let found = accounts.iter().find(|one| one["account"] == json!(account));
    found.map_or(0, |one| one["balance"]["amount"].as_i64().unwrap())
}

#[tokio::test]
async fn a_till_is_opened_counted_and_closed_and_what_is_missing_is_explained_and_entered() {
    let mut api = Api::new().await;
    let (site, path) = site(&mut api).await;
    // Before it is open, and in no session.
    deposit(&api, &site, 3).await;
    api.get("cashier", &path).await.problem(404, "object.not_found");
    let opened = till(&api, "cashier", &format!("{path}/opening"), json!({ "float": francs(20_000) })).await.is(200);
    assert_eq!((opened.text("/status"), &opened.body["float"]), ("open", &francs(20_000)));
    till(&api, "manager", &format!("{path}/opening"), json!({ "float": francs(0) }))
        .await
        .problem(422, "till.already_open");
    deposit(&api, &site, 4).await;
    deposit(&api, &site, 5).await;
    api.settle().await;
    let seen = api.get("cashier", &path).await.is(200);
    assert_eq!((&seen.body["received"], &seen.body["expected"]), (&francs(18_000), &francs(38_000)));
    till(&api, "cashier", &format!("{path}/count"), json!({ "counted": francs(38_000) })).await.is(200);
    let too_much = json!({ "amount": francs(38_001), "reason": "Versement" });
    till(&api, "cashier", &format!("{path}/cash-movements"), too_much).await.problem(422, "till.more_than_there");
    let bank = json!({ "amount": francs(15_000), "reason": "Versement", "reference": "CBAO 4471" });
    till(&api, "cashier", &format!("{path}/cash-movements"), bank).await.is(200);
    // 20 000 + 18 000 − 15 000 should be there.
    let close = format!("{path}/closure");
    let silent = till(&api, "cashier", &close, json!({ "counted": francs(22_000) })).await;
    let silent = silent.problem(422, "till.reason_required");
    assert!(silent.text("/rule/value").contains("23"), "{}", silent.body);
    let said = json!({ "counted": francs(22_000), "reason": "Rendu 1 000 de trop" });
    let closed = till(&api, "cashier", &close, said.clone()).await.is(200);
    assert_eq!((closed.text("/status"), &closed.body["last_counted"]), ("closed", &francs(22_000)));
    till(&api, "cashier", &close, said).await.problem(422, "till.not_open");
    api.settle().await;
    let sessions = api.get("manager", &format!("{path}/sessions")).await.is(200);
    let session = &sessions.body["data"][0];
    assert_eq!((&session["expected"], &session["variance"]), (&francs(23_000), &francs(-1_000)));
    assert_eq!((&session["reason"], &session["received"]), (&json!("Rendu 1 000 de trop"), &francs(18_000)));
    assert_eq!(session["closed_by"], json!({ "role": "cashier", "id": api.principal("cashier") }));
    assert_eq!(session["counts"][0]["variance"], francs(0));
    assert_eq!(session["moves"][0]["reference"], json!("CBAO 4471"));
    assert_eq!(session["day"], json!(api.store.clock().now().date_naive().to_string()));
    // Cash that is missing is where it is said to be; the float is in no book.
    assert_eq!(balance(&api, &format!("cash:{site}:variance")).await, 1_000);
    assert_eq!(balance(&api, &format!("transfer:{site}:clearing")).await, 15_000);
    assert_eq!(balance(&api, &format!("cash:{site}:main")).await, 27_000 - 15_000 - 1_000);
}

#[tokio::test]
async fn cash_that_is_handed_out_is_no_longer_in_the_till() {
    let mut api = Api::new().await;
    let (site, path) = site(&mut api).await;
    till(&api, "cashier", &format!("{path}/opening"), json!({ "float": francs(5_000) })).await.is(200);
    let made = deposit(&api, &site, 4).await;
    api.settle().await;
    let cancel = format!("/v1/reservations/{}/cancellation", made.text("/id"));
    api.post("manager", &cancel, json!({ "reason": "weather" })).await.is(200);
    api.settle().await;
    let shown = api.get("manager", &format!("/v1/reservations/{}", made.text("/id"))).await.is(200);
    let refund = shown.text("/refunds/0/id").to_owned();
    let before = api.get("cashier", &path).await.is(200);
    assert_eq!(before.body["expected"], francs(14_000), "not handed out yet");
    api.post("cashier", &format!("/v1/refunds/{refund}/hand-out"), json!({})).await.is(200);
    api.settle().await;
    let after = api.get("cashier", &path).await.is(200);
    assert_eq!((&after.body["handed_out"], &after.body["expected"]), (&francs(9_000), &francs(5_000)));
    // Nothing differs: nothing is to be explained.
    till(&api, "cashier", &format!("{path}/closure"), json!({ "counted": francs(5_000) })).await.is(200);
    assert_eq!(balance(&api, &format!("cash:{site}:variance")).await, 0);
}

#[tokio::test]
async fn a_till_is_for_the_cashier_and_manager_of_its_site() {
    let mut api = Api::new().await;
    let (_, path) = site(&mut api).await;
    let elsewhere = api.site().await.0.parse().unwrap();
    api.grant("other_cashier", Role::Cashier, Some(vec![elsewhere])).await;
    let (open, float) = (format!("{path}/opening"), json!({ "float": francs(1_000) }));
    for role in ["client", "service", "support", "finance", "admin", "auditor"] {
        till(&api, role, &open, float.clone()).await.problem(403, "auth.role_forbidden");
    }
    for role in ["other_manager", "other_cashier"] {
        till(&api, role, &open, float.clone()).await.problem(404, "object.not_found");
    }
    // Of two who open it at once one does.
    api.settle().await;
    let both = [api.post("cashier", &open, float.clone()), api.post("manager", &open, float.clone())];
    // Whoever comes second is decided again, on what the views have caught up with.
    let pump = async {
        loop {
            api.settle().await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    let answers = tokio::select! {
        answers = futures_util::future::join_all(both) => answers,
        () = pump => Vec::new(),
    };
    let mut codes: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    codes.sort_unstable();
    assert_eq!(codes, [200, 422]);
    for role in ["cashier", "manager", "finance", "admin", "auditor"] {
        api.settle().await;
        api.get(role, &path).await.is(200);
    }
    for role in ["client", "service"] {
        api.get(role, &path).await.problem(403, "auth.role_forbidden");
    }
    api.get("other_manager", &path).await.problem(404, "object.not_found");
    api.get("other_manager", &format!("{path}/sessions")).await.problem(404, "object.not_found");
    // The same closing sent twice is one.
    api.settle().await;
    let (key, body) = (fresh_key(), json!({ "counted": francs(1_000) }));
    let close = format!("{path}/closure");
    let send = || api.ask(reqwest::Method::POST, &close).role("cashier").key(&key).json(&body).send();
    let first = send().await.is(200);
    let again = send().await.is(200);
    assert_eq!((&first.body, again.header("idempotent-replayed")), (&again.body, "true"));
}
