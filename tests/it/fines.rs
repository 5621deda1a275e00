//! The fine of whoever did not come, over HTTP: a debt that is paid, appealed or waived before the next booking.

use domain::{
    aggregate::Loaded,
    client::Client,
    ids::{ClientId, PaymentId, ReservationId},
    money::Money,
    payment::Payment,
    policy::Policy,
    reservation::{self, Reservation, Source},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    api::{Answer, Api, fresh_key, slot},
    credit::{land, write},
};

const FINE: i64 = 5_000;

/// A site that fines, and a game there that its client paid a deposit for and did not come to; its path.
async fn missed(api: &Api) -> (String, String) {
    let policy = Policy { no_show_fine: Some(Money::xof(FINE)), ..Policy::default() };
    let (site, _) = api.site_with(json!({ "policy": policy })).await;
    let path = miss(api, &site, 1).await;
    (site, path)
}

async fn miss(api: &Api, site: &str, days: i64) -> String {
    let starts_at = api.midday(days);
    let mut body = slot(site, "nord", starts_at, 60);
    body["client"] = json!({ "phone": "77 123 45 67" });
    body["payment"] = json!({ "method": "wave", "pays": "deposit" });
    let held = api.post("client", "/v1/reservations", body).await.is(201);
    land(api, held.text("/payment/id"), 9_000).await;
    api.store.clock().advance_to(starts_at + chrono::TimeDelta::hours(2)).await.unwrap();
    // What the timer does when the game is over.
    let id = ReservationId::new(held.text("/id").parse().unwrap());
    let reservation: Loaded<Reservation> = api.store.load(id).await.unwrap();
    let payment: Loaded<Payment> = api.store.load(reservation.state.paying()[0]).await.unwrap();
    let client: Loaded<Client> = api.store.load(ClientId::new(api.principal("client"))).await.unwrap();
    let sources = [Source { payment: &payment, refund_id: api.store.clock().new_id().into() }];
    let now = api.store.clock().now();
    write(api, reservation::finish(&reservation, &sources, Some(client.version), now).unwrap()).await;
    api.settle().await;
    format!("/v1/reservations/{id}")
}

fn debt(method: &str) -> Value {
    json!({ "method": method, "purpose": "debt" })
}

async fn pays(api: &Api, path: &str, role: &str, body: Value) -> Answer {
    api.post(role, &format!("{path}/payments"), body).await
}

async fn books(api: &Api, site: &str, days: i64) -> Answer {
    api.post("client", "/v1/reservations", slot(site, "sud", api.midday(days), 60)).await
}

async fn balance(api: &Api) -> Answer {
    api.get("client", &format!("/v1/clients/{}/balance", api.principal("client"))).await.is(200)
}

async fn status(api: &Api, path: &str) -> String {
    api.get("manager", &format!("{path}/fine")).await.is(200).text("/status").to_owned()
}

async fn on(api: &Api, account: &str) -> i64 {
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    let accounts = all.body["accounts"].as_array().unwrap().iter();
    accounts.filter(|one| one["account"] == account).map(|one| one["balance"]["amount"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn whoever_owes_a_fine_books_nothing_until_it_is_paid() {
    let api = Api::new().await;
    let (site, path) = missed(&api).await;
    let refused = books(&api, &site, 3).await.problem(422, "client.debt");
    assert_eq!(refused.body["retryable"], json!(false));
    let owed = balance(&api).await;
    assert_eq!((&owed.body["debt"][0]["amount"], owed.text("/fines/0/status")), (&json!(FINE), "owed"));
    let account = format!("client:{}:debt", api.principal("client"));
    assert_eq!((on(&api, &account).await, on(&api, "fines:unpaid").await), (FINE, -FINE));
    // A manager takes whom they like.
    let mut by_phone = slot(&site, "nord", api.midday(3), 60);
    by_phone["client"] = json!({ "phone": "77 123 45 67" });
    api.post("manager", "/v1/reservations", by_phone).await.is(201);
    // The amount is ours, and nobody else's.
    let mut chosen = debt("wave");
    chosen["amount"] = json!({ "amount": 1, "currency": "XOF" });
    pays(&api, &path, "client", chosen).await.problem(400, "request.invalid_field");
    pays(&api, &path, "other_client", debt("wave")).await.problem(404, "object.not_found");
    pays(&api, &path, "client", debt("cash")).await.problem(422, "payment.role_not_allowed");
    pays(&api, &path, "manager", debt("on_account")).await.problem(422, "payment.role_not_allowed");
    pays(&api, &path, "client", debt("credit")).await.problem(422, "credit.insufficient");
    let asked = pays(&api, &path, "client", debt("wave")).await.is(201);
    assert_eq!((&asked.body["amount"]["amount"], asked.text("/purpose")), (&json!(FINE), "debt"));
    land(&api, asked.text("/id"), FINE).await;
    assert_eq!(status(&api, &path).await, "settled");
    let paid = balance(&api).await;
    assert_eq!((&paid.body["debt"][0]["amount"], &paid.body["fines"]), (&json!(0), &json!([])));
    assert_eq!((on(&api, &account).await, on(&api, "fines:unpaid").await), (0, 0));
    // The deposit and the fine, less a tenth.
    assert_eq!(on(&api, &format!("site:{site}:payable")).await, -(9_000 + FINE) * 9 / 10);
    books(&api, &site, 4).await.is(201);
    pays(&api, &path, "client", debt("wave")).await.problem(422, "payment.nothing_due");
}

#[tokio::test]
async fn a_fine_is_appealed_by_who_is_fined_and_decided_by_the_manager_of_its_site() {
    let api = Api::new().await;
    let (site, path) = missed(&api).await;
    let (appeal, decision) = (format!("{path}/fine/appeal"), format!("{path}/fine/decision"));
    let said = json!({ "statement": "Le pont était coupé" });
    let verdict = |verdict: &str| json!({ "verdict": verdict, "note": "Vu avec le gardien" });
    api.post("other_client", &appeal, said.clone()).await.problem(404, "object.not_found");
    api.post("manager", &appeal, said.clone()).await.problem(403, "auth.role_forbidden");
    api.post("manager", &decision, verdict("uphold")).await.problem(422, "fine.not_appealed");
    let key = fresh_key();
    let send = || api.ask(Method::POST, &appeal).role("client").key(&key).json(&said);
    let appealed = send().send().await.is(200);
    assert_eq!(appealed.text("/status"), "appealed");
    assert_eq!(send().send().await.is(200).body, appealed.body, "said again is not done again");
    api.post("client", &appeal, said.clone()).await.problem(422, "fine.already_appealed");
    // Until it is decided they are a client like any other.
    books(&api, &site, 3).await.is(201);
    // What they say is for the site, and nobody reads it in the log.
    let fine = format!("{path}/fine");
    assert_eq!(api.get("manager", &fine).await.is(200).text("/statement"), "Le pont était coupé");
    for role in ["finance", "auditor", "support", "admin"] {
        assert_eq!(api.get(role, &fine).await.is(200).body.get("statement"), None, "{role}");
    }
    api.get("other_manager", &fine).await.problem(404, "object.not_found");
    let told = api.get("auditor", "/v1/events?type=client.fine_appealed").await.is(200);
    assert_eq!((told.body["data"].as_array().unwrap().len(), told.body.to_string().contains("statement")), (1, false));
    // Neither another manager nor anybody else decides.
    api.post("other_manager", &decision, verdict("waive")).await.problem(404, "object.not_found");
    for role in ["client", "finance", "admin", "support", "auditor", "service"] {
        api.post(role, &decision, verdict("waive")).await.problem(403, "auth.role_forbidden");
    }
    assert_eq!(api.post("manager", &decision, verdict("uphold")).await.is(200).text("/status"), "upheld");
    books(&api, &site, 4).await.problem(422, "client.debt");
    let waived = api.post("manager", &decision, verdict("waive")).await.is(200);
    assert_eq!((waived.text("/status"), waived.text("/note")), ("waived", "Vu avec le gardien"));
    books(&api, &site, 4).await.is(201);
    api.post("client", &appeal, said).await.problem(422, "fine.over");
}

#[tokio::test]
async fn an_appeal_comes_within_48_hours() {
    let api = Api::new().await;
    let (_, path) = missed(&api).await;
    api.store.clock().advance(std::time::Duration::from_secs(48 * 3_600 + 1)).await.unwrap();
    let late = api.post("client", &format!("{path}/fine/appeal"), json!({ "statement": "Trop tard" })).await;
    let late = late.problem(422, "fine.appeal_too_late");
    assert_eq!((&late.body["rule"]["id"], &late.body["rule"]["value"]), (&json!("appeal_hours"), &json!("48")));
    let other = api.post(
        "client",
        "/v1/reservations/019ab2c4-5f00-7000-8000-000000000003/fine/appeal",
        json!({ "statement": "?" }),
    );
    other.await.problem(404, "object.not_found");
}

#[tokio::test]
async fn money_for_a_fine_that_was_waived_while_they_paid_goes_back() {
    let api = Api::new().await;
    let (_, path) = missed(&api).await;
    let asked = pays(&api, &path, "client", debt("wave")).await.is(201);
    let waive = json!({ "verdict": "waive", "note": "Erreur du gardien" });
    api.post("manager", &format!("{path}/fine/decision"), waive).await.is(200);
    land(&api, asked.text("/id"), FINE).await;
    assert_eq!(backs(&api, &path, asked.text("/id")).await, [FINE]);
    assert_eq!(status(&api, &path).await, "waived");
    assert_eq!((on(&api, "refunds:payable").await, on(&api, "fines:unpaid").await), (-FINE, 0));
    assert_eq!(balance(&api).await.body["credit"][0]["amount"], 0);
}

/// What goes back of a payment.
async fn backs(api: &Api, path: &str, payment: &str) -> Vec<i64> {
    api.settle().await;
    let shown = api.get("manager", path).await.is(200);
    let refunds = shown.body["refunds"].as_array().unwrap().iter().filter(|one| one["payment_id"] == payment);
    refunds.map(|one| one["amount"]["amount"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_fine_paid_twice_from_two_tabs_gives_one_back() {
    let api = Api::new().await;
    let (_, path) = missed(&api).await;
    let first = pays(&api, &path, "client", debt("wave")).await.is(201);
    let second = pays(&api, &path, "client", debt("wave")).await.is(201);
    assert_ne!(first.body["id"], second.body["id"]);
    land(&api, second.text("/id"), FINE).await;
    land(&api, first.text("/id"), FINE).await;
    assert_eq!(backs(&api, &path, first.text("/id")).await, [FINE]);
    assert_eq!(backs(&api, &path, second.text("/id")).await, [] as [i64; 0]);
    let client: Loaded<Client> = api.store.load(ClientId::new(api.principal("client"))).await.unwrap();
    let settled = api.get("auditor", "/v1/events?type=client.fine_settled").await.is(200);
    assert_eq!(settled.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(client.state.debts().count(), 0);
    assert_eq!((on(&api, "fines:unpaid").await, on(&api, "suspense").await), (0, 0));
}

#[tokio::test]
async fn cash_for_a_fine_from_two_tills_at_once_is_taken_once() {
    let api = Api::new().await;
    let (_, path) = missed(&api).await;
    pays(&api, &path, "other_manager", debt("cash")).await.problem(404, "object.not_found");
    let all = futures_util::future::join_all((0..4).map(|_| pays(&api, &path, "manager", debt("cash")))).await;
    let count = |status: u16| all.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(422)), (1, 3), "{:?}", all.iter().map(|one| &one.body).collect::<Vec<_>>());
    let paid = all.iter().find(|answer| answer.status == 201).unwrap();
    assert_eq!((paid.text("/status"), &paid.body["received"]["amount"]), ("succeeded", &json!(FINE)));
    let payment: Loaded<Payment> = api.store.load(PaymentId::new(paid.text("/id").parse().unwrap())).await.unwrap();
    assert_eq!(payment.state.captured(), Money::xof(FINE));
    assert_eq!(status(&api, &path).await, "settled");
}

#[tokio::test]
async fn a_client_who_owes_a_fine_is_forgotten_when_it_is_waived_and_what_they_said_with_them() {
    let api = Api::new().await;
    let (_, path) = missed(&api).await;
    let erase = format!("/v1/clients/{}/erasure", api.principal("client"));
    api.settle().await;
    api.post("client", &erase, Value::Null).await.problem(409, "client.in_debt");
    let said = json!({ "statement": "Le pont était coupé" });
    api.post("client", &format!("{path}/fine/appeal"), said).await.is(200);
    api.settle().await;
    api.post("client", &erase, Value::Null).await.problem(409, "client.in_debt");
    let waive = json!({ "verdict": "waive", "note": "Soit" });
    api.post("manager", &format!("{path}/fine/decision"), waive).await.is(200);
    api.settle().await;
    api.post("client", &erase, Value::Null).await.is(200);
    let fine = api.get("manager", &format!("{path}/fine")).await.is(200);
    assert_eq!((fine.text("/status"), fine.body.get("statement")), ("waived", None));
}

#[tokio::test]
async fn a_balance_is_the_client_s_own_and_of_those_who_look_after_money() {
    let api = Api::new().await;
    let (_, path) = missed(&api).await;
    let of = format!("/v1/clients/{}/balance", api.principal("client"));
    for role in ["client", "support", "finance", "admin", "auditor"] {
        assert_eq!(api.get(role, &of).await.is(200).body["debt"][0]["amount"], FINE, "{role}");
    }
    api.get("other_client", &of).await.problem(404, "object.not_found");
    for role in ["manager", "service"] {
        api.get(role, &of).await.problem(403, "auth.role_forbidden");
    }
    let nobody = format!("/v1/clients/{}/balance", path.rsplit('/').next().unwrap());
    api.get("finance", &nobody).await.problem(404, "object.not_found");
    // Whoever never booked has neither credit nor debts.
    let new = api.get("other_client", &format!("/v1/clients/{}/balance", api.principal("other_client"))).await.is(200);
    assert_eq!((&new.body["credit"][0]["amount"], &new.body["debt"][0]["amount"]), (&json!(0), &json!(0)));
    // A reservation that nobody missed has no fine.
    let (site, _) = api.site().await;
    let booked = api.post("manager", "/v1/reservations", slot(&site, "nord", api.midday(4), 60)).await.is(201);
    let fine = format!("/v1/reservations/{}/fine", booked.text("/id"));
    api.get("manager", &fine).await.problem(404, "fine.not_found");
}
