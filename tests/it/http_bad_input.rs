//! Each line of "Bad input" as a test: a clear problem document, and nothing lost or written.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Api, fresh_key, slot};

async fn refused(api: &Api, body: Value, status: u16, code: &str) -> Value {
    let before = api.store.head().await.unwrap();
    let answer = api.post("service", "/v1/reservations", body).await.problem(status, code);
    assert_eq!(api.store.head().await.unwrap(), before, "{code} wrote something");
    answer.body
}

#[tokio::test]
async fn malformed_bodies_and_unknown_fields_are_400_with_a_pointer() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let good = slot(&site, "nord", api.midday(2), 60);
    for body in ["", "{", "[]]", "{\"a\":1e309}", "{\"minutes\":60,\"minutes\":60}", "\u{0}"] {
        let ask = api.ask(Method::POST, "/v1/reservations").role("service").key(&fresh_key());
        ask.header("content-type", "application/json").raw(body).send().await.problem(400, "request.malformed_json");
    }
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let ask = api.ask(Method::POST, "/v1/reservations").role("service").key(&fresh_key());
    ask.header("content-type", "application/json").raw(deep).send().await.problem(400, "request.malformed_json");

    let mut unknown = good.clone();
    unknown["colour"] = json!("red");
    let problem = refused(&api, unknown, 400, "request.invalid_field").await;
    assert_eq!(problem["errors"][0]["pointer"], "/colour");
    let mut nested = good.clone();
    nested["client"] = json!({ "phone": "771234567", "pin": "1234" });
    let problem = refused(&api, nested, 400, "request.invalid_field").await;
    assert_eq!(problem["errors"][0]["pointer"], "/client/pin");
    for (field, value) in [
        ("minutes", json!(-60)),
        ("minutes", json!(60.5)),
        ("minutes", json!("60")),
        ("starts_at", json!("2026-11-28T18:00:00")),
        ("starts_at", json!("9999-01-01T00:00:00Z")),
        ("starts_at", json!("2026-02-30T18:00:00Z")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let problem = refused(&api, body, 400, "request.invalid_field").await;
        assert_eq!(problem["errors"][0]["pointer"], format!("/{field}"), "{value}");
    }
    for phone in ["", "abc", "77123456", "33 821 99 03", "+221 77 123 45 67 ext 5", "٧٧١٢٣٤٥٦٧"] {
        let mut body = good.clone();
        body["client"] = json!({ "phone": phone });
        let problem = refused(&api, body, 400, "request.invalid_field").await;
        assert_eq!(problem["errors"][0]["pointer"], "/client/phone", "{phone}");
    }
    for name in ["", "a\u{202e}b", "x\u{0}y", &"é".repeat(121)] {
        let mut body = good.clone();
        body["client"] = json!({ "phone": "771234567", "name": name });
        refused(&api, body, 400, "request.invalid_field").await;
    }
}

#[tokio::test]
async fn size_type_and_parameters_are_checked() {
    let api = Api::new().await;
    let ask = || api.ask(Method::POST, "/v1/reservations").role("service").key(&fresh_key());
    ask().raw("{}").send().await.problem(415, "request.unsupported_media_type");
    ask().header("content-type", "text/plain").raw("{}").send().await.problem(415, "request.unsupported_media_type");
    let large = json!({ "quote": "x".repeat(70_000) });
    ask().json(&large).send().await.problem(413, "request.too_large");
    for path in [
        "/v1/sites?nearby=1,2",
        "/v1/sites?near=91,0",
        "/v1/sites?near=NaN,0",
        "/v1/sites?near=14.7",
        "/v1/sites?radius_m=100",
        "/v1/sites?limit=0",
        "/v1/sites?limit=101",
        "/v1/sites?cursor=AAAA",
        "/v1/sites?limit=5&limit=6",
        "/v1/sites?price[lte]=-1",
        "/v1/sites?minutes=60",
    ] {
        api.ask(Method::GET, path).send().await.problem(400, "request.invalid_parameter");
    }
    api.ask(Method::PATCH, "/v1/sites").send().await.problem(405, "request.method_not_allowed");
}

#[tokio::test]
async fn a_key_without_the_scope_is_403_and_somebody_else_s_object_404() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mine = api.post("client", "/v1/reservations", slot(&site, "nord", api.midday(2), 60)).await.is(201);
    api.settle().await;
    let path = format!("/v1/reservations/{}", mine.text("/id"));
    api.get("client", &path).await.is(200);
    api.get("manager", &path).await.is(200);
    for stranger in ["other_client", "other_manager", "other_service"] {
        api.get(stranger, &path).await.problem(404, "object.not_found");
        api.post(stranger, &format!("{path}/cancellation"), json!({})).await.problem(404, "object.not_found");
        let list = api.get(stranger, "/v1/reservations").await.is(200);
        assert_eq!(list.body["data"], json!([]), "{stranger} sees somebody else's");
    }
    let there = api.get("client", "/v1/reservations/019ab2c4-5f00-7000-8000-000000000009").await;
    there.problem(404, "object.not_found");
    api.get("client", "/v1/reservations/not-an-id").await.problem(404, "object.not_found");
    // The id of something else names no reservation.
    api.get("client", &format!("/v1/reservations/{site}/history")).await.problem(404, "object.not_found");
    let body = json!({ "label": "narrow", "role": "service", "scopes": ["reservations:read"] });
    let narrow = api.post("admin", "/v1/keys", body).await.is(201);
    let ask = api.ask(Method::POST, "/v1/reservations").bearer(narrow.text("/secret")).key(&fresh_key());
    ask.json(&json!({})).send().await.problem(403, "auth.scope_missing");
}

#[tokio::test]
async fn a_taken_slot_is_409_with_alternatives() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    api.post("client", "/v1/reservations", slot(&site, "nord", api.midday(2), 60)).await.is(201);
    api.settle().await;
    let problem = refused(&api, slot(&site, "nord", api.midday(2), 60), 409, "reservation.slot_taken").await;
    let alternatives = problem["alternatives"].as_array().unwrap();
    assert_eq!(alternatives.len(), 5, "{alternatives:?}");
    assert_eq!(alternatives[0]["pitch_name"], "Sud", "the sibling at the very time comes first");
    assert!(problem.to_string().find("holder").is_none(), "the winner is named");
}

#[tokio::test]
async fn what_the_rules_do_not_allow_says_which_rule_its_value_and_version() {
    let api = Api::new().await;
    let (site, _) = api
        .site_with(json!({
            "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "08:00", "closes": "01:00" }],
            "tariffs": [{ "price": { "amount": 30000, "currency": "XOF" }, "minutes": 60,
                          "band": { "opens": "08:00", "closes": "20:00" } }],
        }))
        .await;
    let noon = api.midday(2);
    let at = |hours: i64, minutes: u32| slot(&site, "nord", noon + TimeDelta::hours(hours), minutes);
    for (body, code) in [
        (at(-8, 60), "site.not_open"),
        (at(12, 90), "site.not_open"),
        (at(10, 60), "quote.no_tariff"),
        (at(-24 * 30, 60), "site.in_the_past"),
        (at(24 * 200, 60), "site.too_far"),
        (at(0, 30), "site.too_short"),
        (at(-4, 600), "site.too_long"),
        (at(0, 75), "site.length_off_grid"),
        (slot(&site, "nord", noon + TimeDelta::minutes(10), 60), "site.off_grid"),
    ] {
        let problem = refused(&api, body, 422, code).await;
        assert!(!problem["rule"]["id"].is_null() && !problem["rule"]["value"].is_null(), "{problem}");
        assert!(problem["rule"]["version"].is_number(), "{problem}");
        assert!(!problem["detail"].as_str().unwrap().contains('{'), "a value is missing: {problem}");
        let page = api.http.get(problem["type"].as_str().unwrap()).send().await.unwrap();
        assert_eq!(page.status(), 200, "{code} has no page");
    }
    refused(&api, slot(&site, "nowhere", noon, 60), 400, "request.invalid_field").await;
    refused(&api, slot("no-such-site", "nord", noon, 60), 404, "object.not_found").await;
}

#[tokio::test]
async fn half_open_edges_do_not_conflict_and_overlaps_do() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let noon = api.midday(2);
    api.post("service", "/v1/reservations", slot(&site, "grand", noon, 60)).await.is(201);
    let next = noon + TimeDelta::hours(1);
    api.post("service", "/v1/reservations", slot(&site, "nord", next, 60)).await.is(201);
    refused(&api, slot(&site, "sud", noon + TimeDelta::minutes(30), 60), 409, "reservation.slot_taken").await;
    refused(&api, slot(&site, "grand", next, 60), 409, "reservation.slot_taken").await;
    api.post("service", "/v1/reservations", slot(&site, "sud", next, 60)).await.is(201);
}

#[tokio::test]
async fn a_night_past_midnight_and_past_the_end_of_a_month_is_one_reservation() {
    let api = Api::new().await;
    let (site, _) = api
        .site_with(json!({
            "hours": [{ "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "08:00", "closes": "01:00" }],
        }))
        .await;
    let today = api.store.clock().now().date_naive();
    let month = today.iter_days().skip(2).find(|day| chrono::Datelike::day(&day.succ_opt().unwrap()) == 1).unwrap();
    let start = month.and_hms_opt(23, 30, 0).unwrap().and_utc();
    let night = api.post("service", "/v1/reservations", slot(&site, "nord", start, 90)).await.is(201);
    assert_eq!(night.body["price"]["total"]["amount"], 45_000);
    refused(&api, slot(&site, "nord", start + TimeDelta::minutes(60), 60), 422, "site.not_open").await;
    refused(&api, slot(&site, "nord", start + TimeDelta::minutes(30), 60), 409, "reservation.slot_taken").await;
}

#[tokio::test]
async fn a_stale_if_match_is_412_a_missing_one_428() {
    let api = Api::new().await;
    let (site, slug) = api.site().await;
    api.settle().await;
    let path = format!("/v1/sites/{site}");
    let shown = api.ask(Method::GET, &path).send().await.is(200);
    let etag = shown.header("etag").to_owned();
    let tariffs =
        |amount: i64| json!({ "tariffs": [{ "price": { "amount": amount, "currency": "XOF" }, "minutes": 60 }] });
    let ask = api.ask(Method::PUT, &format!("{path}/tariffs")).role("manager").json(&tariffs(35_000));
    ask.send().await.problem(428, "precondition.required");
    let set = api.put("manager", &format!("{path}/tariffs"), &etag, tariffs(35_000)).await.is(200);
    assert_eq!(set.body["tariffs"][0]["price"]["amount"], 35_000);
    api.put("manager", &format!("{path}/tariffs"), &etag, tariffs(36_000)).await.problem(412, "precondition.failed");
    api.put("manager", &format!("{path}/tariffs"), "nonsense", tariffs(1)).await.problem(400, "request.invalid_header");
    let stranger = api.put("other_manager", &format!("{path}/tariffs"), "*", tariffs(1)).await;
    stranger.problem(404, "object.not_found");
    api.settle().await;
    let ask = api.ask(Method::GET, &format!("/v1/sites/{slug}")).header("if-none-match", &etag);
    let fresh = ask.send().await.is(200);
    let ask = api.ask(Method::GET, &format!("/v1/sites/{slug}")).header("if-none-match", fresh.header("etag"));
    assert!(ask.send().await.is(304).bytes.is_empty());
}

#[tokio::test]
async fn problems_speak_the_language_that_was_asked_for() {
    let api = Api::new().await;
    let ask = |language: &str| api.ask(Method::GET, "/v1/reservations").header("accept-language", language);
    let french = ask("fr-SN").send().await.problem(401, "auth.missing");
    let english = ask("en").send().await.problem(401, "auth.missing");
    let wolof = ask("wo, fr;q=0.5").send().await.problem(401, "auth.missing");
    assert_eq!(french.text("/title"), "Clé manquante");
    assert_eq!(english.text("/title"), "Key missing");
    assert_eq!(wolof.header("content-language"), "wo");
}
