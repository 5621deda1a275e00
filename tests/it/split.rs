//! Paying together over HTTP: who may split, what the links lead to, and what nobody can cheat at.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Answer, Api, slot};

/// A hold of a client, nothing asked for.
async fn held(api: &Api) -> (String, Answer) {
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(4), 60);
    body["client"] = json!({ "phone": "+221771234567" });
    let made = api.post("service", "/v1/reservations", body).await.is(201);
    api.settle().await;
    (format!("/v1/reservations/{}", made.text("/id")), made)
}

fn noon(api: &Api) -> String {
    (api.midday(4) - chrono::TimeDelta::hours(3)).to_rfc3339()
}

fn amounts(split: &Answer) -> Vec<i64> {
    split.body["shares"].as_array().unwrap().iter().map(|share| share["amount"]["amount"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn what_is_due_is_cut_into_shares_with_a_link_each() {
    let api = Api::new().await;
    let (path, made) = held(&api).await;
    let total = made.body["price"]["total"]["amount"].as_i64().unwrap();
    let split = format!("{path}/split");
    api.get("service", &split).await.problem(404, "object.not_found");
    let body = json!({ "shares": 7, "deadline": noon(&api) });
    let first = api.ask(Method::POST, &split).role("service").key("a key for a split once").json(&body).send().await;
    let first = first.is(201);
    let shares = amounts(&first);
    assert_eq!((shares.len(), shares.iter().sum::<i64>()), (7, total), "exact, whatever does not divide");
    assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
    // Again is the same; another one is refused.
    let again = api.ask(Method::POST, &split).role("service").key("a key for a split once").json(&body).send().await;
    assert_eq!(again.is(201).body, first.body);
    api.post("service", &split, body).await.problem(422, "reservation.already_split");
    let shown = api.get("service", &split).await.is(200);
    assert_eq!(shown.body, first.body);
    assert_eq!((&shown.body["pledged"], &shown.body["missing"]["amount"]), (&json!(false), &json!(total)));
    // Neither the deposit nor the price can be paid beside it.
    api.post("service", &format!("{path}/payments"), json!({ "method": "wave" })).await.problem(422, "payment.split");
    // Nobody else's business.
    api.get("other_service", &split).await.problem(404, "object.not_found");
    api.get("other_client", &split).await.problem(404, "object.not_found");
}

#[tokio::test]
async fn a_share_is_paid_by_its_link_and_by_nothing_that_looks_like_it() {
    let api = Api::new().await;
    let (path, _) = held(&api).await;
    let split =
        api.post("service", &format!("{path}/split"), json!({ "shares": 2, "deadline": noon(&api) })).await.is(201);
    let link = split.text("/shares/0/pay_url");
    let own = link.strip_prefix(&api.base).unwrap().to_owned();
    let page = api.ask(Method::GET, &own).send().await;
    let shown = String::from_utf8(page.bytes.clone()).unwrap();
    assert_eq!(page.status, 200);
    assert!(shown.contains("value=\"wave\"") && !shown.contains("orange_money"), "{shown}");
    assert!(!shown.contains("771234567"), "nobody's number is on it");
    let press = |path: String, form: &'static str| {
        let ask = api.ask(Method::POST, &path).header("content-type", "application/x-www-form-urlencoded");
        async move { ask.raw(form).send().await }
    };
    // No number, another method, another's link: nothing is asked for.
    for wrong in ["method=wave&phone=12", "method=orange_money&phone=770000011", "method=cash&phone=770000011"] {
        assert_eq!(press(own.clone(), wrong).await.status, 422, "{wrong}");
    }
    assert_eq!(press(format!("{}x", own), "method=wave&phone=770000011").await.status, 404);
    let asked = press(own.clone(), "method=wave&phone=770000011").await;
    assert_eq!(asked.status, 303, "{:?}", asked.body);
    let leads_to = asked.header("location").to_owned();
    assert!(leads_to.starts_with(&format!("{}/pay/", api.base)), "{leads_to}");
    api.settle().await;
    // Whoever comes back goes on where it is asked for already.
    let again = press(own.clone(), "method=wave&phone=770000011").await;
    assert_eq!((again.status, again.header("location")), (303, leads_to.as_str()));
    let reservation = api.get("service", &path).await.is(200);
    let payments = reservation.body["payments"].as_array().unwrap();
    assert_eq!(payments.len(), 1);
    assert_eq!(payments[0]["amount"], split.body["shares"][0]["amount"], "the amount is ours to say");
    // By the API: for what is due of the share, and once by a method.
    let share = split.text("/shares/1/id").to_owned();
    let pay = |share: &str| json!({ "method": "wave", "share_id": share, "client": { "phone": "77 000 00 12" } });
    let paid = api.post("service", &format!("{path}/payments"), pay(&share)).await.is(201);
    assert_eq!(paid.body["amount"], split.body["shares"][1]["amount"]);
    api.settle().await;
    api.post("service", &format!("{path}/payments"), pay(&share)).await.problem(422, "payment.share_open");
    let stranger = uuid::Uuid::from_u128(7).to_string();
    api.post("service", &format!("{path}/payments"), pay(&stranger)).await.problem(422, "payment.no_such_share");
}

#[tokio::test]
async fn a_split_that_cannot_be_is_refused_and_changes_nothing() {
    let api = Api::new().await;
    let (path, made) = held(&api).await;
    let total = made.body["price"]["total"]["amount"].as_i64().unwrap();
    let francs = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
    let deadline = noon(&api);
    let late = api.midday(4).to_rfc3339();
    let of = |body: Value| {
        let mut body = body;
        if body.get("deadline").is_none() {
            body["deadline"] = json!(deadline);
        }
        body
    };
    for (body, status, code) in [
        (json!({ "shares": 1 }), 422, "reservation.share_count"),
        (json!({ "shares": 31 }), 422, "reservation.share_count"),
        (json!({ "amounts": [francs(1), francs(2)] }), 422, "reservation.shares_do_not_add_up"),
        (json!({ "amounts": [francs(1), francs(total - 1)] }), 422, "reservation.share_too_small"),
        (json!({ "shares": 2, "deadline": late }), 422, "reservation.deadline_out_of_range"),
        (json!({ "shares": 2, "quorum": francs(1) }), 422, "reservation.quorum_out_of_range"),
        (json!({ "shares": 2, "amounts": [francs(1)] }), 400, "request.invalid_field"),
        (json!({}), 400, "request.invalid_field"),
        (json!({ "shares": 2, "of": "difference" }), 422, "payment.nothing_due"),
        (json!({ "amounts": [francs(-1), francs(total + 1)] }), 400, "request.invalid_field"),
    ] {
        let shown = body.to_string();
        let answer = api.post("service", &format!("{path}/split"), of(body)).await;
        assert_eq!((answer.status, answer.text("/code")), (status, code), "{shown}: {}", answer.body);
    }
    assert_eq!(api.get("service", &path).await.is(200).body["version"], made.body["version"]);
}
