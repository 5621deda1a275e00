//! What the predecessor got wrong and this engine must not: each line a test by name. More of them stand where the rule is
//! (`grep -r never_again`).

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::{Answer, Api, fresh_key, slot};

/// What decides about money and rights, and is nobody's to send.
const NOT_YOURS: [(&str, &str); 16] = [
    ("role", "\"manager\""),
    ("channel", "\"manual\""),
    ("status", "\"confirmed\""),
    ("placed_by", "{\"role\":\"manager\"}"),
    ("client_id", "\"019ab2c4-5f00-7000-8000-000000000001\""),
    ("manager_id", "\"019ab2c4-5f00-7000-8000-000000000001\""),
    ("price", "{\"amount\":1,\"currency\":\"XOF\"}"),
    ("total", "{\"amount\":1,\"currency\":\"XOF\"}"),
    ("deposit", "{\"amount\":1,\"currency\":\"XOF\"}"),
    ("commission", "0"),
    ("commission_rate", "0"),
    ("commission_basis_points", "0"),
    ("payout_to", "\"+221770000009\""),
    ("recipient", "\"+221770000009\""),
    ("received", "{\"amount\":30000,\"currency\":\"XOF\"}"),
    ("transaction", "\"T_1\""),
];

/// A booked game with money in it, and who is who.
struct Booked {
    api: Api,
    site: String,
    reservation: String,
    payment: String,
}

impl Booked {
    async fn new() -> Self {
        let api = Api::new().await;
        let (site, _) = api.site().await;
        let mut body = slot(&site, "nord", api.midday(4), 60);
        body["payment"] = json!({ "method": "cash", "pays": "deposit" });
        let booked = api.post("manager", "/v1/reservations", body).await.is(201);
        let (reservation, payment) = (booked.text("/id").to_owned(), booked.text("/payment/id").to_owned());
        Self { api, site, reservation, payment }
    }

    async fn sends(&self, role: &str, method: Method, path: &str, body: &Value) -> Answer {
        let ask = self.api.ask(method, path).role(role).key(&fresh_key()).header("if-match", "*");
        ask.json(body).send().await
    }
}

/// Sends a body with one field too many, and insists that it is named and that nothing was written.
async fn refuses(api: &Api, role: &str, path: &str, body: Value, at: &str, field: (&str, &str)) {
    let mut body = body;
    let value: Value = serde_json::from_str(field.1).unwrap();
    let inside = if at.is_empty() { &mut body } else { body.pointer_mut(at).unwrap() };
    inside[field.0] = value;
    let head = api.store.head().await.unwrap();
    let answer = api.post(role, path, body).await;
    assert_eq!(api.store.head().await.unwrap(), head, "{role} {path}: {} was written", field.0);
    let problem = answer.problem(400, "request.invalid_field").body;
    assert_eq!(problem["errors"][0]["pointer"], format!("{at}/{}", field.0), "{role} {path}: {problem}");
}

#[tokio::test]
async fn never_again_the_client_chooses_the_role_the_commission_or_where_the_money_goes() {
    let Booked { api, site, reservation, payment } = Booked::new().await;
    let mut place = slot(&site, "sud", api.midday(4), 60);
    place["client"] = json!({ "phone": "771234567" });
    place["payment"] = json!({ "method": "wave", "pays": "deposit" });
    let pay = json!({ "method": "wave", "purpose": "balance" });
    let quote = json!({ "site_id": site, "pitch_id": "sud", "starts_at": api.midday(5).to_rfc3339(), "minutes": 60 });
    let give_back = json!({ "note": "Panne" });
    let (payments, refunds) =
        (format!("/v1/reservations/{reservation}/payments"), format!("/v1/payments/{payment}/refunds"));
    for field in NOT_YOURS {
        for role in ["client", "service", "manager"] {
            for at in ["", "/client", "/payment"] {
                refuses(&api, role, "/v1/reservations", place.clone(), at, field).await;
            }
            refuses(&api, role, "/v1/quotes", quote.clone(), "", field).await;
        }
        refuses(&api, "manager", &payments, pay.clone(), "", field).await;
        refuses(&api, "finance", &refunds, give_back.clone(), "", field).await;
        refuses(&api, "manager", &format!("/v1/reservations/{reservation}/cancellation"), json!({}), "", field).await;
    }
    let amount = ("amount", "{\"amount\":1,\"currency\":\"XOF\"}");
    for role in ["client", "service", "manager"] {
        refuses(&api, role, "/v1/reservations", place.clone(), "/payment", amount).await;
    }
    // Known there, for cash; at a provider it is what is due.
    refuses(&api, "manager", &payments, pay, "", amount).await;
    // The same bodies without the extra are fine.
    api.post("client", "/v1/quotes", quote).await.is(200);
    let held = api.post("client", "/v1/reservations", place).await.is(201);
    assert_eq!((held.text("/status"), &held.body["payment"]["amount"]["amount"]), ("held", &json!(9_000)));
    // Keys are granted by admins only: nobody makes themselves one.
    for role in ["client", "manager", "service", "finance", "support", "auditor"] {
        let wanted = json!({ "label": "more", "role": "admin" });
        api.post(role, "/v1/keys", wanted).await.problem(403, "auth.role_forbidden");
    }
}

#[tokio::test]
async fn never_again_any_logged_in_user_edits_pitches() {
    let booked = Booked::new().await;
    let (api, site) = (&booked.api, &booked.site);
    let closures = format!("/v1/sites/{site}/closures");
    let noon = api.midday(6);
    let during = json!({ "from": noon.to_rfc3339(), "to": (noon + TimeDelta::hours(1)).to_rfc3339() });
    let closed = api.post("manager", &closures, json!({ "during": during, "reason": "maintenance" })).await.is(201);
    let later = noon + TimeDelta::hours(4);
    let other = json!({ "from": later.to_rfc3339(), "to": (later + TimeDelta::hours(1)).to_rfc3339() });
    let policy = json!({ "policy": domain::policy::Policy { hold_seconds: 60, ..Default::default() } });
    let pitches = json!({ "cells": ["nord", "sud"], "pitches": [
        { "slug": "grand", "name": "Volé", "format": "8x8", "cells": ["nord", "sud"] },
        { "slug": "nord", "name": "Nord", "format": "5x5", "cells": ["nord"] },
        { "slug": "sud", "name": "Sud", "format": "5x5", "cells": ["sud"] },
    ]});
    let hours = json!([{ "days": ["mon"], "opens": "08:00", "closes": "10:00" }]);
    let tariffs = json!({ "tariffs": [{ "price": { "amount": 1, "currency": "XOF" }, "minutes": 60 }] });
    let at = |what: &str| format!("/v1/sites/{site}/{what}");
    let edits = [
        (Method::PUT, at("pitches"), pitches),
        (Method::PUT, at("tariffs"), tariffs),
        (Method::PUT, at("policies"), policy),
        (Method::POST, closures.clone(), json!({ "during": other, "reason": "weather" })),
        (Method::DELETE, format!("{closures}/{}", closed.text("/id")), json!({})),
        (Method::PUT, at("hours"), json!({ "hours": hours })),
    ];
    let head = api.store.head().await.unwrap();
    for (method, path, body) in &edits {
        for role in ["client", "other_client", "auditor", "finance", "support"] {
            booked.sends(role, method.clone(), path, body).await.problem(403, "auth.role_forbidden");
        }
        for role in ["other_manager", "service", "other_service"] {
            booked.sends(role, method.clone(), path, body).await.problem(404, "object.not_found");
        }
    }
    assert_eq!(api.store.head().await.unwrap(), head, "a stranger changed the site");
    // Whose it is may: the bodies were not at fault.
    for (method, path, body) in &edits {
        let answer = booked.sends("manager", method.clone(), path, body).await;
        assert!(answer.status < 300, "{method} {path}: {}", answer.body);
    }
}

#[tokio::test]
async fn never_again_any_logged_in_user_edits_payments() {
    let booked = Booked::new().await;
    let (api, payment, reservation) = (&booked.api, &booked.payment, &booked.reservation);
    let give_back = json!({ "amount": { "amount": 1_000, "currency": "XOF" }, "note": "Panne" });
    let refunds = format!("/v1/payments/{payment}/refunds");
    let cash = json!({ "method": "cash", "purpose": "balance" });
    let payments = format!("/v1/reservations/{reservation}/payments");
    let large = json!({ "note": "Panne" });
    let waiting = {
        let mut body = slot(&booked.site, "grand", api.midday(5), 240);
        body["payment"] = json!({ "method": "cash", "pays": "full" });
        let paid = api.post("manager", "/v1/reservations", body).await.is(201);
        let path = format!("/v1/payments/{}/refunds", paid.text("/payment/id"));
        api.post("finance", &path, large).await.is(201).text("/id").to_owned()
    };
    let approval = format!("/v1/refunds/{waiting}/approval");
    let yes = json!({ "approved": true });
    let head = api.store.head().await.unwrap();
    for stranger in ["client", "other_client", "auditor"] {
        booked.sends(stranger, Method::POST, &refunds, &give_back).await.problem(403, "auth.role_forbidden");
    }
    for stranger in ["other_manager", "service", "other_service"] {
        booked.sends(stranger, Method::POST, &refunds, &give_back).await.problem(404, "object.not_found");
    }
    for stranger in ["client", "other_client", "other_manager", "service", "other_service"] {
        booked.sends(stranger, Method::POST, &payments, &cash).await.problem(404, "object.not_found");
    }
    for stranger in ["auditor", "finance", "support", "admin"] {
        booked.sends(stranger, Method::POST, &payments, &cash).await.problem(403, "auth.role_forbidden");
    }
    for stranger in ["client", "manager", "other_manager", "service", "support", "auditor", "admin"] {
        booked.sends(stranger, Method::POST, &approval, &yes).await.problem(403, "auth.role_forbidden");
    }
    // A payment is a history: nobody at all writes over it.
    for role in ["client", "manager", "service", "finance", "admin"] {
        for method in [Method::PUT, Method::PATCH, Method::DELETE] {
            let path = format!("/v1/payments/{payment}");
            booked.sends(role, method, &path, &cash).await.problem(405, "request.method_not_allowed");
        }
    }
    assert_eq!(api.store.head().await.unwrap(), head, "a stranger moved money");
    booked.sends("manager", Method::POST, &payments, &cash).await.is(201);
    booked.sends("manager", Method::POST, &refunds, &give_back).await.is(201);
    booked.sends("second_finance", Method::POST, &approval, &yes).await.is(200);
}

/// Every `amount` in an answer, wherever it is.
fn amounts<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("amount").filter(|amount| !amount.is_object()));
            members.values().for_each(|value| amounts(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| amounts(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn never_again_money_is_a_float() {
    let Booked { api, site, reservation, payment } = Booked::new().await;
    let money = json!({ "amount": "HERE", "currency": "XOF" });
    let tariffs = json!({ "tariffs": [{ "price": money, "minutes": 60 }] });
    let mut policy = json!({ "policy": domain::policy::Policy::default() });
    policy["policy"]["four_eyes_above"] = money.clone();
    let cash = json!({ "method": "cash", "purpose": "balance", "amount": money });
    let give_back = json!({ "amount": money, "note": "Panne" });
    let places = [
        (Method::PUT, format!("/v1/sites/{site}/tariffs"), tariffs, "/tariffs/0/price/amount"),
        (Method::PUT, format!("/v1/sites/{site}/policies"), policy, "/policy/four_eyes_above/amount"),
        (Method::POST, format!("/v1/reservations/{reservation}/payments"), cash, "/amount/amount"),
        (Method::POST, format!("/v1/payments/{payment}/refunds"), give_back, "/amount/amount"),
    ];
    let head = api.store.head().await.unwrap();
    for (method, path, body, pointer) in places {
        for amount in ["3500.5", "3500.0", "1e3", "1E3", "\"3500\"", "\"3500.0\"", "null", "true", "1e18", "[3500]"] {
            let text = body.to_string().replace("\"HERE\"", amount);
            let ask = api.ask(method.clone(), &path).role("manager").key(&fresh_key()).header("if-match", "*");
            let answer = ask.header("content-type", "application/json").raw(text).send().await;
            let problem = answer.problem(400, "request.invalid_field").body;
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{amount} at {path}: {problem}");
        }
    }
    assert_eq!(api.store.head().await.unwrap(), head);
    for filter in ["price[lte]=35000.5", "price[lte]=1e3", "price[gte]=\"35000\""] {
        let path = format!("/v1/sites?{filter}");
        api.ask(Method::GET, &path).send().await.problem(400, "request.invalid_parameter");
    }
    // What is answered are integers, too.
    api.settle().await;
    let shown = api.get("manager", &format!("/v1/reservations/{reservation}")).await.is(200);
    let wish = json!({ "site_id": site, "pitch_id": "sud", "starts_at": api.midday(5).to_rfc3339(), "minutes": 90 });
    let quote = api.post("client", "/v1/quotes", wish).await.is(200);
    let mut found = Vec::new();
    amounts(&shown.body, &mut found);
    amounts(&quote.body, &mut found);
    assert!(found.len() > 8 && found.iter().all(|amount| amount.is_i64()), "{found:?}");
}

#[tokio::test]
async fn never_again_a_price_that_nobody_pays() {
    let api = Api::new().await;
    let xof = |amount: i64| json!({ "amount": amount, "currency": "XOF" });
    let day = json!({ "price": xof(20_000), "minutes": 60, "band": { "opens": "06:00", "closes": "18:00" } });
    let night = json!({ "price": xof(35_000), "minutes": 60, "band": { "opens": "18:00", "closes": "06:00" } });
    let (site, _) = api.site_with(json!({ "tariffs": [day, night] })).await;
    api.settle().await;
    let noon = api.midday(4);
    let at = |minutes: i64| noon + TimeDelta::minutes(minutes);
    // By day, by night, past midnight, and across the boundary: 30 minutes of one price and 60 of the other.
    for (start, minutes, price) in [
        (at(0), 60, 20_000),
        (at(420), 60, 35_000),
        (at(690), 90, 52_500),
        (at(330), 90, 45_000),
        (at(300), 90, 37_500),
    ] {
        let when = start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        let find = async |filter: &str| {
            let query = format!("/v1/sites?format=8x8&starts_at={when}&minutes={minutes}{filter}");
            api.ask(Method::GET, &query).send().await.is(200).body["data"].clone()
        };
        let offer = find("").await[0]["offers"][0]["total"]["amount"].clone();
        let date = start.date_naive();
        let free = format!("/v1/sites/{site}/availability?date={date}&minutes={minutes}&format=8x8");
        let free = api.ask(Method::GET, &free).send().await.is(200);
        let starts = free.body["pitches"][0]["starts"].as_array().unwrap();
        let same = |free: &&Value| free["starts_at"].as_str().unwrap().parse() == Ok(start);
        let shown = starts.iter().find(same).unwrap()["total"]["amount"].clone();
        let wish = json!({ "site_id": site, "pitch_id": "grand", "starts_at": when, "minutes": minutes });
        let quote = api.post("client", "/v1/quotes", wish).await.is(200);
        let quoted = quote.body["price"]["total"]["amount"].clone();
        assert_eq!([&offer, &shown, &quoted], [&json!(price); 3], "{when}, {minutes} minutes");
        let lines = quote.body["price"]["lines"].as_array().unwrap();
        let sum: i64 = lines.iter().map(|line| line["amount"]["amount"].as_i64().unwrap()).sum();
        assert_eq!(sum, price);
        let booked = api.post("service", "/v1/reservations", slot(&site, "grand", start, minutes)).await.is(201);
        assert_eq!(booked.body["price"]["total"]["amount"], price);
        let cancellation = format!("/v1/reservations/{}/cancellation", booked.text("/id"));
        api.post("service", &cancellation, json!({})).await.is(200);
        api.settle().await;
        // The filter knows this price and no other.
        assert_eq!(find(&format!("&price[gte]={price}&price[lte]={price}")).await.as_array().unwrap().len(), 1);
        assert_eq!(find(&format!("&price[lte]={}", price - 1)).await, json!([]));
        assert_eq!(find(&format!("&price[gte]={}", price + 1)).await, json!([]));
    }
}

#[tokio::test]
async fn never_again_a_public_answer_tells_who_runs_a_site() {
    let api = Api::new().await;
    let contact = json!({ "phone": "78 123 45 67", "email": "gerant@example.sn" });
    let (site, slug) = api.site_with(json!({ "contact": contact })).await;
    let manager = api.principal("manager");
    api.settle().await;
    let date = api.midday(3).format("%Y-%m-%d").to_string();
    for path in [
        "/v1/sites".to_owned(),
        "/v1/sites?near=14.6931,-17.4472".to_owned(),
        format!("/v1/sites?starts_at={date}T12:00:00Z"),
        "/v1/sites.geojson?near=14.6931,-17.4472".to_owned(),
        format!("/v1/sites/{site}"),
        format!("/v1/sites/{slug}"),
        format!("/v1/sites/{site}/availability?date={date}"),
    ] {
        for role in [None, Some("client"), Some("service"), Some("other_manager"), Some("auditor")] {
            let mut ask = api.ask(Method::GET, &path);
            if let Some(role) = role {
                ask = ask.role(role);
            }
            let text = String::from_utf8(ask.send().await.is(200).bytes).unwrap();
            assert!(text.contains(&slug) || text.contains(&site), "{path} is about the site: {text}");
            for secret in ["781234567", "gerant@example.sn", "manager", &manager.to_string(), "contact", "tax"] {
                assert!(!text.contains(secret), "{path} for {role:?} tells {secret}: {text}");
            }
        }
    }
    // There is no place for a tax number or a document, so none can leak.
    let mut body = json!({ "name": "Terrain", "country": "SN" });
    for field in ["tax_number", "ninea", "documents", "manager_phone"] {
        body[field] = json!("123");
        let wanted = crate::api::ground(&format!("autre-{field}"), json!({ "profile": body.clone() }));
        api.post("manager", "/v1/sites", wanted).await.problem(400, "request.invalid_field");
        body.as_object_mut().unwrap().remove(field);
    }
}
