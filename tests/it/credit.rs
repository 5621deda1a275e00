//! What is held of a client's is spent over HTTP: at once, once, and by nobody else.

use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::Client,
    decision::Decision,
    ids::{ClientId, PaymentId, RefundId},
    money::{Currency, Money},
    payment::{Cells, Landed, Payment, ProviderId, Settle},
    refund::{self, Means, Refund},
    reservation::Reservation,
};
use eventstore::{Append, Meta};
use serde_json::{Value, json};

use crate::api::{Answer, Api, slot};

/// A client who is known, and of whom so much is held: they paid too much for a game in a week.
pub async fn rich(api: &Api, site: &str, more: i64) -> ClientId {
    let mut body = slot(site, "sud", api.midday(7), 60);
    body["client"] = json!({ "phone": "77 123 45 67", "name": "Awa" });
    body["payment"] = json!({ "method": "wave", "pays": "full" });
    let held = api.post("client", "/v1/reservations", body).await.is(201);
    let total = held.body["price"]["total"]["amount"].as_i64().unwrap();
    land(api, held.text("/payment/id"), total + more).await;
    api.settle().await;
    ClientId::new(api.principal("client"))
}

/// So much arrives at Wave for a payment.
pub async fn land(api: &Api, payment: &str, amount: i64) {
    let payment: Loaded<Payment> = api.store.load(PaymentId::new(payment.parse().unwrap())).await.unwrap();
    let asked = payment.state.request.clone().unwrap();
    let reservation: Loaded<Reservation> = api.store.load(asked.reservation_id).await.unwrap();
    let client: Loaded<Client> = api.store.load(asked.client_id.unwrap()).await.unwrap();
    let settle = Settle {
        payment: &payment,
        reservation: &reservation,
        client: Some(client.version),
        fine: client.state.fines.get(&asked.reservation_id).copied(),
        promotion: None,
        refund_id: RefundId::new(api.store.clock().new_id()),
        landed: Landed {
            transaction: ProviderId::new(&format!("T_{}", api.store.clock().new_id().simple())).unwrap(),
            provider_id: None,
            received: Money::xof(amount),
            by: Actor { role: Role::Provider, id: None },
        },
        now: api.store.clock().now(),
    };
    write(api, settle.decide(Cells::Free).unwrap().decision).await;
}

pub async fn write(api: &Api, decision: Decision) {
    api.store.append(Append::new(decision, Meta::system())).await.unwrap();
}

async fn has(api: &Api, client: ClientId) -> i64 {
    api.store.load::<Client>(client).await.unwrap().state.credit(Currency::Xof).unwrap().amount
}

fn by_credit(site: &str, pitch: &str, api: &Api, days: i64) -> Value {
    let mut body = slot(site, pitch, api.midday(days), 60);
    body["payment"] = json!({ "method": "credit", "pays": "deposit" });
    body
}

fn on(answer: &Answer, account: &str) -> i64 {
    let accounts = answer.body["accounts"].as_array().unwrap().iter();
    accounts.filter(|one| one["account"] == account).map(|one| one["balance"]["amount"].as_i64().unwrap()).sum()
}

#[tokio::test]
async fn a_deposit_from_credit_confirms_at_once_and_the_ledger_says_the_same_as_the_client() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let client = rich(&api, &site, 12_000).await;
    assert_eq!(has(&api, client).await, 12_000);
    let body = by_credit(&site, "nord", &api, 4);
    let booked = api.post("client", "/v1/reservations", body.clone()).await.is(201);
    assert_eq!((booked.text("/status"), booked.text("/payment/status")), ("confirmed", "succeeded"));
    assert_eq!((booked.text("/payment/method"), &booked.body["payment"]["checkout_url"]), ("credit", &Value::Null));
    assert_eq!(has(&api, client).await, 3_000);
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    assert_eq!(on(&all, &format!("client:{client}:credit")), -3_000);
    assert_eq!(on(&all, "provider:wave:clearing"), 42_000);
    assert_eq!(on(&all, "suspense"), 0);
    // What is left does not cover another deposit: the rule says what there is.
    let mut more = by_credit(&site, "nord", &api, 5);
    let refused = api.post("client", "/v1/reservations", more.clone()).await.problem(422, "credit.insufficient");
    assert_eq!((&refused.body["rule"]["id"], &refused.body["rule"]["value"]), (&json!("credit"), &json!("3000")));
    // Nobody else has any, and a manager spends nobody's.
    more["client"] = json!({ "phone": "77 765 43 21" });
    api.post("other_client", "/v1/reservations", more.clone()).await.problem(422, "credit.insufficient");
    api.post("manager", "/v1/reservations", more).await.problem(422, "payment.role_not_allowed");
    assert_eq!(has(&api, client).await, 3_000);
}

#[tokio::test]
async fn two_tabs_cannot_spend_the_same_credit() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let client = rich(&api, &site, 9_000).await;
    let all = (1..=6).map(|day| api.post("client", "/v1/reservations", by_credit(&site, "nord", &api, day)));
    let answers = futures_util::future::join_all(all).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(422)), (1, 5), "{:?}", answers.iter().map(|a| &a.body).collect::<Vec<_>>());
    assert_eq!(has(&api, client).await, 0);
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    assert_eq!(on(&all, &format!("client:{client}:credit")), 0);
}

#[tokio::test]
async fn what_is_paid_from_credit_is_no_unpaid_hold() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    rich(&api, &site, 60_000).await;
    // More than the three unpaid holds that a client may have.
    for day in 1..=5 {
        api.post("client", "/v1/reservations", by_credit(&site, "nord", &api, day)).await.is(201);
    }
}

#[tokio::test]
async fn a_hold_and_then_its_balance_are_paid_from_credit_under_one_key_once() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let client = rich(&api, &site, 40_000).await;
    let held = api.post("client", "/v1/reservations", slot(&site, "nord", api.midday(4), 60)).await.is(201);
    let path = format!("/v1/reservations/{}/payments", held.text("/id"));
    let pay = json!({ "method": "credit" });
    let key = crate::api::fresh_key();
    let send = || api.ask(reqwest::Method::POST, &path).role("client").key(&key).json(&pay);
    let first = send().send().await.is(201);
    assert_eq!((first.text("/status"), &first.body["received"]["amount"]), ("succeeded", &json!(9_000)));
    assert_eq!(send().send().await.is(201).body["id"], first.body["id"], "said again is not done again");
    assert_eq!(has(&api, client).await, 31_000);
    api.post("other_client", &path, pay.clone()).await.problem(404, "object.not_found");
    api.post("manager", &path, pay.clone()).await.problem(422, "payment.role_not_allowed");
    api.post("auditor", &path, pay.clone()).await.is(403);
    let chosen = json!({ "method": "credit", "amount": { "amount": 1, "currency": "XOF" } });
    api.post("client", &path, chosen).await.problem(400, "request.invalid_field");
    api.post("client", &path, pay.clone()).await.is(201);
    assert_eq!(has(&api, client).await, 10_000);
    api.post("client", &path, pay).await.problem(422, "payment.nothing_due");
}

#[tokio::test]
async fn a_share_is_paid_from_the_credit_of_whoever_holds_it() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let client = rich(&api, &site, 10_000).await;
    let held = api.post("client", "/v1/reservations", slot(&site, "nord", api.midday(4), 60)).await.is(201);
    let path = format!("/v1/reservations/{}", held.text("/id"));
    let split = api
        .post("client", &format!("{path}/split"), json!({ "shares": 3, "deadline": api.midday(3).to_rfc3339() }))
        .await
        .is(201);
    let share = split.body["shares"][0]["id"].clone();
    let pay = json!({ "method": "credit", "share_id": share });
    let paid = api.post("client", &format!("{path}/payments"), pay.clone()).await.is(201);
    assert_eq!(paid.body["received"]["amount"], 10_000);
    assert_eq!(has(&api, client).await, 0);
    api.post("client", &format!("{path}/payments"), pay).await.problem(422, "payment.share_paid");
}

#[tokio::test]
async fn what_was_paid_from_credit_goes_back_to_credit_and_a_client_with_credit_is_not_forgotten_by_accident() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let client = rich(&api, &site, 9_000).await;
    let booked = api.post("client", "/v1/reservations", by_credit(&site, "nord", &api, 4)).await.is(201);
    let cancel = format!("/v1/reservations/{}/cancellation", booked.text("/id"));
    api.post("client", &cancel, json!({ "reason": "client" })).await.is(200);
    api.settle().await;
    let shown = api.get("client", &format!("/v1/reservations/{}", booked.text("/id"))).await.is(200);
    let id = RefundId::new(shown.text("/refunds/0/id").parse().unwrap());
    // What the worker does with an approved refund.
    let refund: Loaded<Refund> = api.store.load(id).await.unwrap();
    let version = api.store.load::<Client>(client).await.unwrap().version;
    let means = Means { client: Some(version), ..Means::default() };
    write(&api, refund::submit(&refund, &means, api.store.clock().now()).unwrap()).await;
    assert_eq!(has(&api, client).await, 9_000);
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    assert_eq!((on(&all, &format!("client:{client}:credit")), on(&all, "refunds:payable")), (-9_000, 0));
    // Nothing is ahead any more but the game that made them rich.
    let listed = api.get("client", "/v1/reservations").await.is(200);
    for one in listed.body["data"].as_array().unwrap() {
        if one["status"] == "confirmed" {
            let path = format!("/v1/reservations/{}/cancellation", one["id"].as_str().unwrap());
            api.post("client", &path, json!({ "reason": "client" })).await.is(200);
        }
    }
    api.settle().await;
    let erase = format!("/v1/clients/{client}/erasure");
    api.post("client", &erase, Value::Null).await.problem(409, "client.has_credit");
    api.post("client", &format!("{erase}?forfeit_credit=true"), Value::Null).await.is(200);
    assert_eq!(has(&api, client).await, 0);
    api.settle().await;
    let all = api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    assert_eq!((on(&all, &format!("client:{client}:credit")), on(&all, "platform:forfeited")), (0, -9_000));
}
