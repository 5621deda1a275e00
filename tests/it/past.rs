//! Time travel: what was shown then is shown again, by position and by time, under the rights of today.

use std::process::Command;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    api::{Api, slot},
    faults::served::Served,
    world::KALEL,
};

/// Times of an answer that a page of today would say otherwise are none: everything it says is from the log.
/// What the present alone says: how far the views are, and by which methods one can pay now.
fn without_the_present(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.remove("as_of_position");
        members.remove("payment_methods");
    }
    body
}

fn query(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[tokio::test]
async fn every_answer_of_a_reservation_s_life_is_given_again_as_of_its_position() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let start = api.midday(4);
    let mut body = slot(&site, "nord", start, 60);
    body["payment"] = json!({ "method": "cash", "pays": "deposit" });
    let booked = api.post("manager", "/v1/reservations", body).await.is(201);
    let reservation = format!("/v1/reservations/{}", booked.text("/id"));
    let payment = format!("/v1/payments/{}", booked.text("/payment/id"));
    let date = start.date_naive();
    let availability = format!("/v1/sites/{site}/availability?date={date}&minutes=60&format=5x5");
    let mut told: Vec<(i64, Vec<Value>, DateTime<Utc>)> = Vec::new();
    let mut note = async || {
        api.settle().await;
        let head = api.store.head().await.unwrap();
        let mut answers = Vec::new();
        for path in [&reservation, &payment, &availability] {
            answers.push(without_the_present(api.get("manager", path).await.is(200).body));
        }
        told.push((head, answers, api.store.clock().now()));
        api.store.clock().advance(std::time::Duration::from_secs(60)).await.unwrap();
    };
    note().await;
    let pay = json!({ "method": "cash", "purpose": "balance" });
    api.post("manager", &format!("{reservation}/payments"), pay).await.is(201);
    note().await;
    let to = json!({ "starts_at": (start + TimeDelta::hours(2)).to_rfc3339() });
    api.post("manager", &format!("{reservation}/reschedule"), to).await.is(200);
    note().await;
    let hour = |hours| (start + TimeDelta::hours(hours)).to_rfc3339();
    let close = json!({ "cells": ["sud"], "during": { "from": hour(5), "to": hour(7) }, "reason": "maintenance" });
    let closed = api.post("manager", &format!("/v1/sites/{site}/closures"), close).await;
    assert!(matches!(closed.status, 200 | 201), "{}", closed.body);
    note().await;
    let off = json!({ "reason": "weather" });
    api.post("manager", &format!("{reservation}/cancellation"), off).await.is(200);
    note().await;

    let mut changes = 0;
    for (number, (position, answers, at)) in told.iter().enumerate() {
        for (path, then) in [&reservation, &payment, &availability].iter().zip(answers) {
            let join = if path.contains('?') { '&' } else { '?' };
            for moment in [position.to_string(), query(*at)] {
                let again = api.get("manager", &format!("{path}{join}as_of={moment}")).await.is(200);
                assert_eq!(again.position(), *position, "{path} as of {moment}");
                assert_eq!(again.header("etag"), "", "{path}");
                assert_eq!(&without_the_present(again.body), then, "{path} as of {moment}");
            }
        }
        changes += usize::from(number > 0 && told[number - 1].1 != *answers);
    }
    assert_eq!(changes, 4, "each step showed something new");
    let refund = api.get("manager", &reservation).await.is(200).text("/refunds/0/id").to_owned();
    let refund = format!("/v1/refunds/{refund}");
    let now = api.get("manager", &refund).await.is(200);
    let last = told.last().unwrap().0;
    let then = api.get("manager", &format!("{refund}?as_of={last}")).await.is(200);
    assert_eq!(without_the_present(then.body), without_the_present(now.body));
    api.get("manager", &format!("{refund}?as_of={}", told[0].0)).await.problem(404, "object.not_found");
}

#[tokio::test]
async fn the_past_is_shown_to_whoever_may_see_the_present_and_only_as_far_as_it_goes() {
    let api = Api::new().await;
    let before = api.store.head().await.unwrap();
    let (site, _) = api.site().await;
    let booked = api.post("manager", "/v1/reservations", slot(&site, "nord", api.midday(4), 60)).await.is(201);
    let path = format!("/v1/reservations/{}", booked.text("/id"));
    api.settle().await;
    let head = api.store.head().await.unwrap();
    api.get("other_manager", &format!("{path}?as_of={head}")).await.problem(404, "object.not_found");
    api.get("other_client", &format!("{path}?as_of={head}")).await.problem(404, "object.not_found");
    api.get("manager", &format!("{path}?as_of={before}")).await.problem(404, "object.not_found");
    api.get("manager", &format!("{path}?as_of={}", head + 1)).await.problem(400, "position.beyond_head");
    api.get("manager", &format!("{path}?as_of=2199-01-01T00:00:00Z")).await.problem(400, "position.beyond_head");
    for early in ["0", "-5", "2001-01-01T00:00:00Z"] {
        api.get("manager", &format!("{path}?as_of={early}")).await.problem(400, "position.before_start");
    }
    for odd in ["", "yesterday", "2026-11-23", "1e3", "99999999999999999999"] {
        api.get("manager", &format!("{path}?as_of={odd}")).await.problem(400, "request.invalid_parameter");
    }
    // Elsewhere it is unknown, as any other parameter.
    api.get("manager", &format!("/v1/reservations?as_of={head}")).await.problem(400, "request.invalid_parameter");
}

#[tokio::test]
async fn a_moment_is_the_last_event_recorded_until_then() {
    let api = Api::new().await;
    let store = &api.store;
    let events = store.read_after(0, 1_000).await.unwrap();
    for event in &events {
        let moment = store.moment(eventstore::AsOf::Time(event.recorded_at)).await.unwrap();
        let last = events.iter().rev().find(|other| other.recorded_at <= event.recorded_at).unwrap();
        assert_eq!(moment.position, last.position);
        let before = event.recorded_at - TimeDelta::microseconds(1);
        match events.iter().rev().find(|other| other.recorded_at <= before) {
            Some(other) => {
                let found = store.moment(eventstore::AsOf::Time(before)).await.unwrap();
                assert_eq!(found.position, other.position);
            }
            None => assert!(store.moment(eventstore::AsOf::Time(before)).await.is_err()),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kalel_replay_tells_the_story_with_actor_cause_and_state() {
    let served = Served::new().await;
    served.start().await;
    let manager = served.secret("manager");
    let call = async |method: reqwest::Method, path: &str, body: &Value| {
        let ask = served.http.request(method, format!("{}{path}", served.base)).bearer_auth(&manager);
        let ask = ask.header("content-type", "application/json").header("idempotency-key", crate::api::fresh_key());
        ask.body(body.to_string()).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let site = call(reqwest::Method::POST, "/v1/sites", &crate::api::ground("replay", json!({}))).await;
    let noon = eventstore::Clock::system().now() + TimeDelta::days(3);
    let noon = noon.date_naive().and_hms_opt(12, 0, 0).unwrap().and_utc();
    let mut wish = slot(site["id"].as_str().unwrap(), "nord", noon, 60);
    wish["payment"] = json!({ "method": "cash", "pays": "full" });
    let booked = call(reqwest::Method::POST, "/v1/reservations", &wish).await;
    let id = booked["id"].as_str().unwrap();
    let store = served.world.store().await;
    let confirmed = store.head().await.unwrap();
    let off =
        call(reqwest::Method::POST, &format!("/v1/reservations/{id}/cancellation"), &json!({"reason": "weather"}))
            .await;
    assert_eq!(off["status"], "cancelled", "{off}");
    let replay = |arguments: &[&str]| {
        Command::new(KALEL)
            .arg("replay")
            .args(arguments)
            .arg("--config")
            .arg(served.config())
            .env("DATABASE_URL", &served.world.database_url)
            .output()
            .unwrap()
    };
    let told = |arguments: &[&str]| {
        let output = replay(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let text = told(&["--show", "reservation", id]);
    for part in ["reservation.held", "reservation.cancelled", "manager ", "reason weather", "reservation  cancelled"] {
        assert!(text.contains(part), "{part} is missing in\n{text}");
    }
    let before = told(&["--as-of", &confirmed.to_string(), "--show", "reservation", id]);
    assert!(!before.contains("cancelled") && before.contains("reservation  confirmed"), "{before}");
    let json: Value = serde_json::from_str(&told(&["--json", "--show", "site", site["id"].as_str().unwrap()])).unwrap();
    assert_eq!(json["events"][0]["type"], "site.registered");
    let head = store.head().await.unwrap();
    for (arguments, what) in [
        (vec!["--show", "reservation", site["id"].as_str().unwrap()], "is no reservation"),
        (vec!["--show", "reservation", "019ab2c4-5f00-7000-8000-0000000000b1"], "there was no reservation"),
        (vec!["--show", "match", id], "is none of reservation"),
        (vec!["--show", "reservation", "7"], "is no id"),
        (vec!["--as-of", "1", "--show", "reservation", id], "at position 1"),
        (vec!["--as-of", "0", "--show", "reservation", id], "--as-of: the log begins at position 1"),
        (vec!["--as-of", "soon", "--show", "reservation", id], "neither a position nor a time"),
        (vec!["--as-of", "99999", "--show", "reservation", id], &format!("--as-of: the log ends at position {head}")),
    ] {
        let output = replay(&arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(said.contains(what) && said.lines().count() == 1 && output.stdout.is_empty(), "{arguments:?}: {said}");
    }
}
