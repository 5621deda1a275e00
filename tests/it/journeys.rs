//! The main jobs over real HTTP, as a client, a manager, a gate and finance live them.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;

use crate::api::{Api, fresh_key, slot};

#[tokio::test]
async fn two_hundred_at_once_on_one_slot_are_one_201_and_199_times_409() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let body = slot(&site, "grand", api.midday(4), 60);
    let all = (0..200).map(|_| api.post("service", "/v1/reservations", body.clone()));
    let answers = futures_util::future::join_all(all).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((count(201), count(409)), (1, 199), "{:?}", answers.iter().map(|a| a.status).collect::<BTreeSet<_>>());
    let loser = answers.iter().find(|answer| answer.status == 409).unwrap();
    assert_eq!(loser.body["code"], "reservation.slot_taken");
    assert!(!loser.body["alternatives"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn two_halves_and_the_whole_never_overlap_whoever_is_faster() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let noon = api.midday(4);
    let mut asked = Vec::new();
    for half_hour in 0..8 {
        for pitch in ["grand", "nord", "sud"] {
            asked.push(slot(&site, pitch, noon + TimeDelta::minutes(30 * half_hour), 60));
        }
    }
    let all = asked.into_iter().map(|body| api.post("service", "/v1/reservations", body));
    let answers = futures_util::future::join_all(all).await;
    assert!(answers.iter().all(|answer| matches!(answer.status, 201 | 409)));
    let cells = |name: &str| {
        if name == "grand" {
            vec!["nord", "sud"]
        } else {
            vec![name].into_iter().map(|n| if n == "nord" { "nord" } else { "sud" }).collect()
        }
    };
    let shown = api.store.load::<domain::site::Site>(domain::ids::SiteId::new(site.parse().unwrap())).await.unwrap();
    let slug = |id: &str| shown.state.pitches.iter().find(|pitch| pitch.id.to_string() == id).unwrap().slug.to_string();
    let mut taken: BTreeSet<(String, String)> = BTreeSet::new();
    for answer in answers.iter().filter(|answer| answer.status == 201) {
        let start: chrono::DateTime<chrono::Utc> = answer.text("/starts_at").parse().unwrap();
        for part in [start, start + TimeDelta::minutes(30)] {
            for cell in cells(&slug(answer.text("/pitch_id"))) {
                assert!(taken.insert((cell.to_owned(), part.to_rfc3339())), "{cell} at {part} is sold twice");
            }
        }
    }
}

#[tokio::test]
async fn a_format_finds_the_smallest_pitch_then_its_sibling() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut body = slot(&site, "x", api.midday(4), 60);
    body.as_object_mut().unwrap().remove("pitch_id");
    body["format"] = json!("5x5");
    let first = api.post("service", "/v1/reservations", body.clone()).await.is(201);
    let second = api.post("service", "/v1/reservations", body.clone()).await.is(201);
    assert_ne!(first.text("/pitch_id"), second.text("/pitch_id"));
    api.post("service", "/v1/reservations", body).await.problem(409, "reservation.slot_taken");
}

#[tokio::test]
async fn a_quote_is_honoured_when_prices_rise_and_only_for_who_asked() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let wish = json!({ "site_id": site, "pitch_id": "nord", "starts_at": api.midday(4).to_rfc3339(), "minutes": 90 });
    let quote = api.post("client", "/v1/quotes", wish).await.is(200);
    assert_eq!(quote.body["price"]["total"]["amount"], 45_000);
    assert_eq!(quote.body["price"]["deposit"]["amount"], 13_500);
    let other = json!({ "site_id": site, "pitch_id": "nord", "starts_at": api.midday(5).to_rfc3339(), "minutes": 60 });
    let other = api.post("client", "/v1/quotes", other).await.is(200);
    let raised = json!({ "tariffs": [{ "price": { "amount": 90000, "currency": "XOF" }, "minutes": 60 }] });
    api.put("manager", &format!("/v1/sites/{site}/tariffs"), "*", raised).await.is(200);
    let body = json!({ "quote": quote.text("/quote"), "payment": { "pays": "none" } });
    api.post("other_client", "/v1/reservations", body.clone()).await.problem(422, "quote.invalid");
    let mut forged = body.clone();
    forged["quote"] = json!(format!("{}x", quote.text("/quote")));
    api.post("client", "/v1/reservations", forged).await.problem(422, "quote.invalid");
    let held = api.post("client", "/v1/reservations", body.clone()).await.is(201);
    assert_eq!(held.body["price"]["total"]["amount"], 45_000);
    let none = json!({ "tariffs": [{ "price": { "amount": 90000, "currency": "XOF" }, "minutes": 60, "formats": ["11x11"] }] });
    api.put("manager", &format!("/v1/sites/{site}/tariffs"), "*", none).await.is(200);
    let unsold = json!({ "site_id": site, "pitch_id": "nord", "starts_at": api.midday(6).to_rfc3339(), "minutes": 60 });
    api.post("client", "/v1/quotes", unsold).await.problem(422, "quote.no_tariff");
    let promised = json!({ "quote": other.text("/quote"), "payment": { "pays": "none" } });
    let held = api.post("client", "/v1/reservations", promised).await.is(201);
    assert_eq!(held.body["price"]["total"]["amount"], 30_000, "promised while there was a tariff");
    api.store.clock().advance(std::time::Duration::from_secs(16 * 60)).await.unwrap();
    api.post("client", "/v1/reservations", body).await.problem(410, "quote.expired");
}

#[tokio::test]
async fn a_manager_books_as_quick_as_a_phone_call_takes_cash_and_lets_them_in_once() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let start = api.midday(4);
    let mut body = slot(&site, "nord", start, 60);
    body["client"] = json!({ "phone": "77 123 45 67", "name": "Awa Ndiaye" });
    let booked = api.post("manager", "/v1/reservations", body).await.is(201);
    assert_eq!((booked.text("/status"), booked.text("/payment/method")), ("confirmed", "on_account"));
    assert!(!booked.body.to_string().contains("771234567"), "a number in the clear");
    let path = format!("/v1/reservations/{}", booked.text("/id"));

    let cash = json!({ "method": "cash", "purpose": "balance" });
    api.post("client", &format!("{path}/payments"), cash.clone()).await.problem(404, "object.not_found");
    let paid = api.post("manager", &format!("{path}/payments"), cash).await.is(201);
    assert_eq!((paid.text("/status"), &paid.body["received"]["amount"]), ("succeeded", &json!(30_000)));
    api.settle().await;
    let shown = api.get("manager", &format!("{path}?expand[]=client")).await.is(200);
    assert_eq!(shown.body["balance_due"]["amount"], 0);
    assert_eq!((shown.text("/client/name"), shown.text("/client/phone")), ("Awa Ndiaye", "+221771234567"));
    let audited = api.get("auditor", &format!("{path}?expand[]=client")).await.is(200);
    assert!(audited.body.get("client").is_none(), "the auditor knows people by id only");

    let ticket = api.get("manager", &format!("{path}/ticket")).await.is(200);
    let picture = api.get("manager", &format!("{path}/ticket.png")).await.is(200);
    assert!(picture.bytes.starts_with(b"\x89PNG"));
    let show = json!({ "ticket": ticket.text("/payload") });
    api.post("manager", "/v1/check-ins", show.clone()).await.problem(422, "reservation.too_early_to_check_in");
    let wait = start - TimeDelta::minutes(20) - api.store.clock().now();
    api.store.clock().advance(wait.to_std().unwrap()).await.unwrap();
    api.post("manager", &format!("{path}/check-in"), json!({ "code": "WRONG1" }))
        .await
        .problem(422, "ticket.wrong_code");
    api.post("other_manager", "/v1/check-ins", show.clone()).await.problem(404, "object.not_found");
    let entered = api.post("manager", "/v1/check-ins", show.clone()).await.is(200);
    assert_eq!(entered.text("/status"), "checked_in");
    api.post("manager", "/v1/check-ins", show).await.problem(422, "reservation.already_checked_in");
    api.settle().await;
    let history = api.get("manager", &format!("{path}/history")).await.is(200);
    let told: Vec<&str> =
        history.body["data"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(told.first(), Some(&"reservation.held"));
    assert_eq!(told.last(), Some(&"reservation.checked_in"));
}

#[tokio::test]
async fn a_wave_deposit_is_asked_for_with_a_page_of_ours_that_never_changes() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(4), 60);
    body["payment"] = json!({ "method": "wave", "pays": "deposit" });
    let key = fresh_key();
    let send = || api.ask(Method::POST, "/v1/reservations").role("client").key(&key).json(&body);
    let held = send().send().await.is(201);
    assert_eq!((held.text("/status"), held.text("/payment/status")), ("held", "requested"));
    assert!(held.body["payment"]["checkout_url"].is_null());
    let again = send().send().await.is(201);
    assert_eq!(held.bytes, again.bytes);
    let url = held.text("/payment/pay_url");
    let page = api.http.get(url).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let text = page.text().await.unwrap();
    assert!(text.contains("9\u{202f}000 F CFA") && text.contains("lang=\"fr\""), "{text}");
    let forged = api.http.get(format!("{}x", &url[..url.len() - 1])).send().await.unwrap();
    assert_eq!(forged.status(), 404);
    api.settle().await;
    let payment = api.get("client", &format!("/v1/payments/{}", held.text("/payment/id"))).await.is(200);
    assert_eq!(payment.body["amount"]["amount"], 9_000);
    api.get("other_client", &format!("/v1/payments/{}", held.text("/payment/id")))
        .await
        .problem(404, "object.not_found");
    body["payment"] = json!({ "method": "cash", "pays": "deposit" });
    let cash = api.post("client", "/v1/reservations", body.clone()).await;
    cash.problem(403, "payment.method_not_yours");
}

#[tokio::test]
async fn a_refund_above_the_limit_needs_a_second_person() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut body = slot(&site, "grand", api.midday(4), 180);
    body["payment"] = json!({ "method": "cash", "pays": "full" });
    let booked = api.post("manager", "/v1/reservations", body).await.is(201);
    let path = format!("/v1/payments/{}/refunds", booked.text("/payment/id"));
    let ask = |amount: i64| json!({ "amount": { "amount": amount, "currency": "XOF" }, "note": "Panne d'éclairage" });
    let small = api.post("finance", &path, ask(10_000)).await.is(201);
    assert_eq!((small.text("/status"), &small.body["needs_approval"]), ("approved", &json!(false)));
    let large = api.post("finance", &path, ask(60_000)).await.is(201);
    assert_eq!((large.text("/status"), &large.body["needs_approval"]), ("requested", &json!(true)));
    let approval = format!("/v1/refunds/{}/approval", large.text("/id"));
    api.post("finance", &approval, json!({ "approved": true })).await.problem(422, "refund.same_person");
    api.post("client", &approval, json!({ "approved": true })).await.problem(403, "auth.role_forbidden");
    let approved = api.post("second_finance", &approval, json!({ "approved": true })).await.is(200);
    assert_eq!(approved.text("/status"), "approved");
    assert_eq!(api.post("finance", &path, ask(1_000_000)).await.status, 422, "more than was received");
    api.settle().await;
    api.get("finance", &format!("/v1/refunds/{}", large.text("/id"))).await.is(200);
    api.get("other_manager", &format!("/v1/refunds/{}", large.text("/id"))).await.problem(404, "object.not_found");
}

#[tokio::test]
async fn cancelling_shows_the_money_first_and_a_move_keeps_the_deposit() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(4), 60);
    body["payment"] = json!({ "method": "cash", "pays": "deposit" });
    let booked = api.post("manager", "/v1/reservations", body).await.is(201);
    let path = format!("/v1/reservations/{}", booked.text("/id"));
    let to = json!({ "starts_at": (api.midday(4) + TimeDelta::hours(2)).to_rfc3339() });
    let moved = api.post("manager", &format!("{path}/reschedule"), to).await.is(200);
    assert_eq!(moved.body["received"]["amount"], 9_000);
    let old = api.post("service", "/v1/reservations", slot(&site, "nord", api.midday(4), 60)).await.is(201);
    assert_eq!(old.text("/status"), "held", "the old time is free");
    let cancellation = format!("{path}/cancellation");
    let head = api.store.head().await.unwrap();
    let reason = json!({ "reason": "weather", "note": "Orage" });
    let preview = api.post("manager", &format!("{cancellation}?preview=true"), reason.clone()).await.is(200);
    assert_eq!((&preview.body["refund"]["amount"], &preview.body["kept"]["amount"]), (&json!(9_000), &json!(0)));
    assert_eq!(api.store.head().await.unwrap(), head, "a preview wrote something");
    api.post("manager", &cancellation, json!({})).await.problem(422, "reservation.reason_required");
    let cancelled = api.post("manager", &cancellation, reason).await.is(200);
    assert_eq!((cancelled.text("/status"), &cancelled.body["returned"]["amount"]), ("cancelled", &json!(9_000)));
}

#[tokio::test]
async fn a_closure_lists_what_it_hits_then_cancels_it_and_takes_the_ground() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let noon = api.midday(4);
    let hit = api.post("client", "/v1/reservations", slot(&site, "nord", noon, 60)).await.is(201);
    let body = json!({
        "during": { "from": noon.to_rfc3339(), "to": (noon + TimeDelta::hours(3)).to_rfc3339() },
        "reason": "maintenance", "note": "Nouveau gazon",
    });
    let path = format!("/v1/sites/{site}/closures");
    let preview = api.post("manager", &format!("{path}?preview=true"), body.clone()).await.is(200);
    assert_eq!(preview.text("/hits/0/reservation_id"), hit.text("/id"));
    api.post("other_manager", &path, body.clone()).await.problem(404, "object.not_found");
    let closed = api.post("manager", &path, body).await.is(201);
    api.settle().await;
    let gone = api.get("client", &format!("/v1/reservations/{}", hit.text("/id"))).await.is(200);
    assert_eq!((gone.text("/status"), gone.text("/cancel_reason")), ("cancelled", "closure"));
    let wish = slot(&site, "sud", noon, 60);
    api.post("client", "/v1/reservations", wish.clone()).await.problem(422, "site.closed");
    let lift = format!("{path}/{}", closed.text("/id"));
    api.ask(Method::DELETE, &lift).role("manager").header("if-match", "*").send().await.is(200);
    api.post("client", "/v1/reservations", wish).await.is(201);
}

#[tokio::test]
async fn a_revoked_key_writes_nothing_from_that_moment() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let granted = api.post("admin", "/v1/keys", json!({ "label": "site web", "role": "service" })).await.is(201);
    let secret = granted.text("/secret").to_owned();
    let ask = || {
        let ask = api.ask(Method::POST, "/v1/reservations").bearer(&secret).key(&fresh_key());
        ask.json(&slot(&site, "nord", api.midday(4), 60)).send()
    };
    ask().await.is(201);
    let path = format!("/v1/keys/{}", granted.text("/id"));
    let revoked = api.ask(Method::DELETE, &path).role("admin").send().await.is(200);
    assert_eq!(revoked.body["revoked"], true);
    assert!(revoked.body.get("secret").is_none());
    ask().await.problem(401, "auth.invalid");
}

#[tokio::test]
async fn search_finds_the_nearest_with_a_free_pitch_and_pages_without_loss() {
    let api = Api::new().await;
    let far = json!({ "profile": { "name": "Loin", "country": "SN", "location": { "lat": 14.75, "lon": -17.40 } } });
    let (near, _) = api.site().await;
    let (far, _) = api.site_with(far).await;
    let (unknown, _) = api.site_with(json!({ "profile": { "name": "Nulle part", "country": "SN" } })).await;
    api.settle().await;
    let find = async |query: String| api.ask(Method::GET, &format!("/v1/sites?{query}")).send().await.is(200);
    let found = find("near=14.6868,-17.4547".to_owned()).await;
    let ids = |answer: &crate::api::Answer| -> Vec<String> {
        answer.body["data"].as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&found), [near.clone(), far.clone()]);
    let mut seen = Vec::new();
    let mut query = "limit=1".to_owned();
    loop {
        let page = find(query.clone()).await;
        seen.extend(ids(&page));
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        assert!(page.header("link").contains("rel=\"next\""));
        query = format!("limit=1&cursor={cursor}");
    }
    assert_eq!(seen, [near.clone(), far.clone(), unknown]);
    let noon = api.midday(5);
    api.post("service", "/v1/reservations", slot(&near, "grand", noon, 60)).await.is(201);
    api.settle().await;
    let at = noon.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    let free = find(format!("near=14.6868,-17.4547&starts_at={at}&minutes=60&price[lte]=30000")).await;
    assert_eq!(ids(&free), [far]);
    assert_eq!(free.body["data"][0]["offers"][0]["total"]["amount"], 30_000);
    let map = api.ask(Method::GET, "/v1/sites.geojson?near=14.6868,-17.4547").send().await.is(200);
    assert_eq!(map.body["type"], "FeatureCollection");
    assert_eq!(map.body["features"][0]["geometry"]["coordinates"][0], -17.4472);
    let date = noon.format("%Y-%m-%d");
    let day = api.ask(Method::GET, &format!("/v1/sites/{near}/availability?date={date}&minutes=60&format=5x5"));
    let day = day.send().await.is(200);
    let starts = day.body["pitches"][0]["starts"].as_array().unwrap();
    assert!(!starts.iter().any(|start| start["starts_at"].as_str().unwrap().contains("T12:00")));
    assert!(starts.iter().any(|start| start["starts_at"].as_str().unwrap().contains("T13:00")));
    assert!(!day.body.to_string().contains("manager"));
}

#[tokio::test]
async fn the_log_is_read_in_order_pseudonymously_and_within_one_s_sites() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let mut body = slot(&site, "nord", api.midday(4), 60);
    body["client"] = json!({ "phone": "771234567", "name": "Awa Ndiaye" });
    let held = api.post("service", "/v1/reservations", body).await.is(201);
    let mut positions = Vec::new();
    let mut after = 0;
    loop {
        let page = api.get("auditor", &format!("/v1/events?after={after}&limit=7")).await.is(200);
        positions.extend(page.body["data"].as_array().unwrap().iter().map(|event| event["position"].as_i64().unwrap()));
        let text = page.body.to_string();
        assert!(!text.contains("771234567") && !text.contains("Awa") && !text.contains("secret_hash"), "{text}");
        after = page.body["next_after"].as_i64().unwrap();
        if page.body["has_more"] == false {
            break;
        }
    }
    assert_eq!(positions, (1..=api.store.head().await.unwrap()).collect::<Vec<_>>());
    let mine = api.get("manager", "/v1/events").await.is(200);
    assert!(mine.body["data"].as_array().unwrap().iter().all(|event| event["site_id"] == site.as_str()));
    let other = api.get("other_manager", "/v1/events").await.is(200);
    assert_eq!(other.body["data"], json!([]));
    let stream = format!("/v1/streams/{}/events", held.text("/id"));
    assert_eq!(api.get("auditor", &stream).await.is(200).text("/data/0/type"), "reservation.held");
    api.get("other_manager", &stream).await.problem(404, "object.not_found");
}
