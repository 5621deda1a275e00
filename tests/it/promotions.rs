//! Promo codes over HTTP: what they take off, for whom they count, and a crowd that wants the last of one.

use serde_json::{Value, json};

use crate::api::{Api, slot};

fn francs(amount: i64) -> Value {
    json!({ "amount": amount, "currency": "XOF" })
}

/// A code as a body, valid from yesterday on; with some members replaced.
fn code(api: &Api, word: &str, site: &str, replaced: Value) -> Value {
    let now = api.store.clock().now();
    let (from, to) = (now - chrono::TimeDelta::days(1), now + chrono::TimeDelta::days(30));
    let mut body = json!({
        "code": word, "site_id": site, "percent_basis_points": 1_000,
        "valid": { "from": from.to_rfc3339(), "to": to.to_rfc3339() },
    });
    for (name, value) in replaced.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

fn wish(api: &Api, site: &str, pitch: &str, days: i64, phone: &str, word: &str) -> Value {
    let mut body = slot(site, pitch, api.midday(days), 60);
    body["client"] = json!({ "phone": phone });
    body["promo_code"] = json!(word);
    body
}

#[tokio::test]
async fn a_quote_shows_the_discount_and_placing_takes_it_of_the_budget() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let made =
        api.post("manager", "/v1/promotions", code(&api, "tabaski-10", &site, json!({ "uses": 1 }))).await.is(201);
    assert_eq!((made.text("/code"), made.text("/status")), ("TABASKI-10", "active"));
    let asked = json!({
        "site_id": site, "pitch_id": "nord", "starts_at": api.midday(3).to_rfc3339(), "minutes": 90,
        "promo_code": "Tabaski-10",
    });
    let quote = api.post("service", "/v1/quotes", asked).await.is(200);
    let price = &quote.body["price"];
    assert_eq!((&price["total"]["amount"], &price["deposit"]["amount"]), (&json!(40_500), &json!(12_200)));
    let discount = &price["discounts"][0];
    assert_eq!(discount["amount"]["amount"], json!(-4_500));
    assert_eq!((&discount["promotion_id"], &discount["promotion_version"]), (&made.body["id"], &json!(1)));
    // Nothing is taken by asking.
    let carry =
        json!({ "quote": quote.text("/quote"), "client": { "phone": "771234567" }, "payment": { "pays": "none" } });
    let placed = api.post("service", "/v1/reservations", carry.clone()).await.is(201);
    assert_eq!(placed.body["price"]["total"]["amount"], json!(40_500));
    assert_eq!(placed.body["deposit_due"]["amount"], json!(12_200));
    api.settle().await;
    let shown = api.get("manager", &format!("/v1/promotions/{}", made.text("/id"))).await.is(200);
    assert_eq!((&shown.body["used"], &shown.body["given"]["amount"]), (&json!(1), &json!(4_500)));
    assert_eq!((&shown.body["uses_left"], shown.text("/status")), (&json!(0), "exhausted"));
    // The view and the reservation say the same.
    let seen = api.get("service", &format!("/v1/reservations/{}", placed.text("/id"))).await.is(200);
    assert_eq!(seen.body["price"], placed.body["price"]);
    // The quote was a promise of the price, not of the budget.
    api.post("service", "/v1/reservations", carry).await.problem(422, "promotion.exhausted");
    let both = json!({ "quote": quote.text("/quote"), "promo_code": "TABASKI-10" });
    api.post("service", "/v1/reservations", both).await.problem(400, "request.invalid_field");
}

#[tokio::test]
async fn a_crowd_gets_a_code_as_often_as_it_says_and_not_once_more() {
    let api = Api::new().await;
    let (site, _) = api
        .site_with(json!({ "pitches": [
        { "slug": "nord", "name": "Nord", "format": "5x5", "cells": ["nord"] },
        { "slug": "sud", "name": "Sud", "format": "5x5", "cells": ["sud"] },
    ] }))
        .await;
    let made = api.post("manager", "/v1/promotions", code(&api, "DIX", &site, json!({ "uses": 10 }))).await.is(201);
    // Slots that nobody else wants: 2 pitches, 20 days, 5 hours.
    let wishes: Vec<Value> = (0..200_i64)
        .map(|number| {
            let pitch = if number % 2 == 0 { "nord" } else { "sud" };
            let mut body =
                wish(&api, &site, pitch, 2 + number / 2 % 20, &format!("77{:07}", 1_000_000 + number), "dix");
            let start = api.midday(2 + number / 2 % 20) + chrono::TimeDelta::hours(number / 40);
            body["starts_at"] = json!(start.to_rfc3339());
            body
        })
        .collect();
    let asked = wishes.into_iter().map(|body| api.post("service", "/v1/reservations", body));
    let answers = futures_util::future::join_all(asked).await;
    let placed: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
    assert_eq!(placed.len(), 10);
    assert!(placed.iter().all(|answer| answer.body["price"]["total"]["amount"] == json!(27_000)));
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status, refused.text("/code")), (422, "promotion.exhausted"));
    }
    api.settle().await;
    let shown = api.get("manager", &format!("/v1/promotions/{}", made.text("/id"))).await.is(200);
    assert_eq!((&shown.body["used"], &shown.body["given"]["amount"]), (&json!(10), &json!(30_000)));
}

#[tokio::test]
async fn a_budget_in_money_and_a_limit_of_each_client_hold_in_a_crowd() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let terms = json!({ "budget": francs(10_000), "uses_per_client": 2 });
    api.post("manager", "/v1/promotions", code(&api, "CHACUN", &site, terms)).await.is(201);
    // One client, five games at once: two at the lower price.
    let asked = (0..5)
        .map(|day| api.post("service", "/v1/reservations", wish(&api, &site, "nord", 2 + day, "770000001", "CHACUN")));
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 2);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        assert_eq!((refused.status, refused.text("/code")), (422, "promotion.client_limit"));
    }
    // 6 000 are given: of ten others one gets 3 000 more, and 1 000 are left for nobody.
    let asked = (0..10).map(|number| {
        let phone = format!("7700001{number:02}");
        api.post("service", "/v1/reservations", wish(&api, &site, "sud", 2 + number, &phone, "CHACUN"))
    });
    let answers = futures_util::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.body["code"] == json!("promotion.exhausted")).count(), 9);
    // Nobody in particular cannot be counted.
    let each = json!({ "uses_per_client": 1 });
    api.post("manager", "/v1/promotions", code(&api, "PERSONNE", &site, each)).await.is(201);
    let mut body = wish(&api, &site, "nord", 20, "770000001", "PERSONNE");
    body.as_object_mut().unwrap().remove("client");
    api.post("service", "/v1/reservations", body).await.problem(422, "promotion.client_required");
}

#[tokio::test]
async fn whoever_tries_words_learns_nothing() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let (elsewhere, _) = api.site().await;
    let ended = api.post("manager", "/v1/promotions", code(&api, "FINI", &site, json!({}))).await.is(201);
    api.post("manager", &format!("/v1/promotions/{}/end", ended.text("/id")), json!({ "reason": "fini" }))
        .await
        .is(200);
    api.post("manager", "/v1/promotions", code(&api, "AILLEURS", &elsewhere, json!({}))).await.is(201);
    let later = api.store.clock().now() + chrono::TimeDelta::days(2);
    let valid =
        json!({ "valid": { "from": later.to_rfc3339(), "to": (later + chrono::TimeDelta::days(1)).to_rfc3339() } });
    api.post("manager", "/v1/promotions", code(&api, "DEMAIN", &site, valid)).await.is(201);
    let mut details = std::collections::HashSet::new();
    for word in ["FINI", "AILLEURS", "DEMAIN", "JAMAIS-VU", "x", "é é é"] {
        let asked = json!({
            "site_id": site, "pitch_id": "nord", "starts_at": api.midday(3).to_rfc3339(), "minutes": 60, "promo_code": word,
        });
        let refused = api.post("service", "/v1/quotes", asked).await.problem(422, "promotion.invalid");
        details.insert(refused.text("/detail").to_owned());
        api.post("service", "/v1/reservations", wish(&api, &site, "nord", 3, "770000002", word))
            .await
            .problem(422, "promotion.invalid");
    }
    assert_eq!(details.len(), 1);
    // The word is free again.
    api.post("manager", "/v1/promotions", code(&api, "FINI", &site, json!({}))).await.is(201);
    api.post("manager", "/v1/promotions", code(&api, "fini", &site, json!({}))).await.problem(409, "object.exists");
}

#[tokio::test]
async fn codes_of_a_site_are_its_managers_and_codes_of_all_are_finances() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let made = api.post("manager", "/v1/promotions", code(&api, "MIEN", &site, json!({}))).await.is(201);
    let path = format!("/v1/promotions/{}", made.text("/id"));
    api.post("other_manager", "/v1/promotions", code(&api, "SIEN", &site, json!({})))
        .await
        .problem(404, "object.not_found");
    for role in ["client", "admin", "auditor", "support"] {
        let answer = api.post(role, "/v1/promotions", code(&api, "SIEN", &site, json!({}))).await;
        assert_eq!(answer.status, 403, "{role}: {}", answer.body);
    }
    api.post("finance", "/v1/promotions", code(&api, "SIEN", &site, json!({})))
        .await
        .problem(422, "promotion.role_not_allowed");
    let mut all = code(&api, "PARTOUT", &site, json!({ "amount": francs(2_000), "percent_basis_points": null }));
    all.as_object_mut().unwrap().remove("site_id");
    let without = all.clone();
    all["budget"] = francs(50_000);
    api.post("finance", "/v1/promotions", without).await.problem(422, "promotion.out_of_range");
    api.post("manager", "/v1/promotions", all.clone()).await.problem(422, "promotion.role_not_allowed");
    let everywhere = api.post("finance", "/v1/promotions", all).await.is(201);
    let placed =
        api.post("service", "/v1/reservations", wish(&api, &site, "nord", 3, "770000003", "partout")).await.is(201);
    assert_eq!(placed.body["price"]["total"]["amount"], json!(28_000));
    api.settle().await;
    api.get("manager", &path).await.is(200);
    api.get("auditor", &path).await.is(200);
    for role in ["other_manager", "service"] {
        api.get(role, &path).await.problem(404, "object.not_found");
        api.get(role, &format!("/v1/promotions/{}", everywhere.text("/id"))).await.problem(404, "object.not_found");
    }
    api.get("client", &path).await.problem(403, "auth.role_forbidden");
    let codes = |list: crate::api::Answer| -> Vec<String> {
        let data = list.body["data"].as_array().unwrap().clone();
        data.iter().map(|row| row["code"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(codes(api.get("manager", "/v1/promotions").await.is(200)), ["MIEN"]);
    assert!(codes(api.get("other_manager", "/v1/promotions").await.is(200)).is_empty());
    assert_eq!(codes(api.get("finance", "/v1/promotions").await.is(200)), ["PARTOUT", "MIEN"]);
    let first = api.get("finance", "/v1/promotions?limit=1").await.is(200);
    let next = format!("/v1/promotions?limit=1&cursor={}", first.text("/next_cursor"));
    assert_eq!(codes(api.get("finance", &next).await.is(200)), ["MIEN"]);
    api.post("other_manager", &format!("{path}/end"), json!({})).await.problem(404, "object.not_found");
}

#[tokio::test]
async fn a_move_keeps_what_was_taken_off() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    api.post("manager", "/v1/promotions", code(&api, "SUIT", &site, json!({ "uses": 1 }))).await.is(201);
    let mut body = wish(&api, &site, "nord", 3, "770000004", "SUIT");
    body["payment"] = json!({ "method": "cash", "pays": "deposit" });
    let placed = api.post("manager", "/v1/reservations", body).await.is(201);
    api.settle().await;
    let path = format!("/v1/reservations/{}/reschedule", placed.text("/id"));
    let moved = json!({ "starts_at": api.midday(5).to_rfc3339(), "minutes": 120 });
    let moved = api.post("manager", &path, moved).await.is(200);
    // 60 000 less the 3 000 of the code.
    assert_eq!(moved.body["price"]["total"]["amount"], json!(57_000));
    assert_eq!(moved.body["price"]["discounts"][0]["amount"]["amount"], json!(-3_000));
}
