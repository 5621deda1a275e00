//! The same thing, or things that exclude each other, in one tick: as many of them win as may, and nothing else is written.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use kalel::seeded::Seeded;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    house::House,
    run::{Answer, Case, Must, Tally, send},
};
use crate::api::{fresh_key, slot};

/// Groups that run at the same time, on slots of their own.
const GROUPS: usize = 4;

/// Slots of a site, two hours apart.
const PER_GROUND: usize = 1_000;

/// Whether what came of a group may have.
type Fair = fn(&[(Case, Answer)]) -> Result<(), String>;

/// A group, and what may come of it.
struct Race {
    cases: Vec<Case>,
    /// What the winners answered, with what each asked for.
    fair: Fair,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_things_that_exclude_each_other_as_many_win_as_may() {
    let count = super::count(500, 20_000);
    let house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let mut tally = Tally::new("races");
    let mut grounds = Vec::new();
    for _ in 0..=count / PER_GROUND {
        grounds.push(house.api.site().await.0);
    }
    let first = house.api.midday(2);
    let mut calls = 0;
    let begun_at = house.api.store.head().await.unwrap();
    for begun in (0..count).step_by(GROUPS) {
        let mut races = Vec::new();
        for number in begun..(begun + GROUPS).min(count) {
            let site = &grounds[number / PER_GROUND];
            let at = first + TimeDelta::hours(2 * i64::try_from(number % PER_GROUND).unwrap());
            races.push(prepared(&house, number, site, at, &mut seeded).await);
        }
        let before = house.api.store.head().await.unwrap();
        let house = &house;
        let run = races.into_iter().map(|race| async move {
            let answers = futures_util::future::join_all(race.cases.iter().map(|case| send(house, case))).await;
            let answers: Vec<(Case, Answer)> =
                race.cases.into_iter().zip(answers).map(|(case, answer)| (case, answer.unwrap().0)).collect();
            (answers, race.fair)
        });
        let mut accepted = BTreeSet::new();
        for (answers, fair) in futures_util::future::join_all(run).await {
            calls += answers.len();
            let slowest = answers.iter().map(|(_, answer)| answer.took).max().unwrap_or_default();
            tally.count(answers.iter().map(|(_, answer)| answer.status).min().unwrap_or_default(), slowest);
            let mut judged = Tally::new("races");
            for (case, answer) in &answers {
                accepted.extend(answer.accepted());
                judged.judge(house, case, answer).await;
            }
            tally.take_wrong(judged);
            if let Err(why) = fair(&answers) {
                let said: Vec<String> = answers
                    .iter()
                    .map(|(case, answer)| format!("{}: {} {}", case.about, answer.status, answer.code()))
                    .collect();
                tally.wrong(format!("{why}: {said:?}"));
            }
        }
        tally.written(house, before, &accepted, Vec::new).await;
        tally.remember(&house.process);
    }
    println!("{calls} requests");
    // Who asks for what is done already is told so, and nothing is written.
    let mut once = BTreeSet::new();
    for event in house.api.store.read_after(begun_at, 1_000_000).await.unwrap() {
        let single = ["reservation.cancelled", "reservation.held"].contains(&event.name.as_str());
        if single && !once.insert((event.stream_id, event.name.clone())) {
            tally.wrong(format!("{} twice", event.name));
        }
    }
    assert!(once.len() > count / 2, "only {} were held or cancelled", once.len());
    house.api.settle().await;
    tally.report(Some(&house.process), count);
}

fn case(about: &str, who: &str, method: Method, path: &str, body: &Value) -> Case {
    let headers =
        vec![("content-type".to_owned(), "application/json".to_owned()), ("idempotency-key".to_owned(), fresh_key())];
    Case {
        about: about.to_owned(),
        method,
        path: path.to_owned(),
        who: Some(who.to_owned()),
        headers,
        body: body.to_string().into_bytes(),
        must: Must::May,
    }
}

fn won(answers: &[(Case, Answer)]) -> Vec<&(Case, Answer)> {
    answers.iter().filter(|(_, answer)| (200..300).contains(&answer.status)).collect()
}

fn one_wins(answers: &[(Case, Answer)]) -> Result<(), String> {
    let winners = won(answers).len();
    if winners == 1 { Ok(()) } else { Err(format!("{winners} won")) }
}

/// The whole pitch, or its halves.
fn disjoint(answers: &[(Case, Answer)]) -> Result<(), String> {
    let mut names: Vec<&str> = won(answers).iter().map(|(case, _)| case.about.as_str()).collect();
    names.sort_unstable();
    match names.as_slice() {
        ["grand"] | ["nord"] | ["sud"] | ["nord", "sud"] => Ok(()),
        other => Err(format!("{other:?} are played at once")),
    }
}

/// All may be told that it is so; all tell of the same.
fn alike(answers: &[(Case, Answer)]) -> Result<(), String> {
    let ids: BTreeSet<String> = won(answers)
        .iter()
        .map(|(_, answer)| {
            serde_json::from_str::<Value>(&answer.text).map(|made| made["id"].to_string()).unwrap_or_default()
        })
        .collect();
    if ids.len() == 1 { Ok(()) } else { Err(format!("{} things were made", ids.len())) }
}

/// Either the game is moved or it is called off first; whatever is told was so in some order.
fn at_least_one(answers: &[(Case, Answer)]) -> Result<(), String> {
    if won(answers).is_empty() { Err("nobody won".into()) } else { Ok(()) }
}

fn one_discount(answers: &[(Case, Answer)]) -> Result<(), String> {
    let cheaper = |answer: &Answer| {
        let made: Value = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
        made["price"]["total"]["amount"].as_i64().is_some_and(|amount| amount < 30_000)
    };
    let discounts = won(answers).iter().filter(|(_, answer)| cheaper(answer)).count();
    if discounts == 1 { Ok(()) } else { Err(format!("{discounts} of one discount")) }
}

/// What a race is about, made before it; asked for again where the process is busy.
async fn made(house: &House, path: &str, body: &Value) -> Value {
    let (answer, _) = send(house, &case("before the race", "manager", Method::POST, path, body)).await.unwrap();
    assert_eq!(answer.status, 201, "{}", answer.text);
    serde_json::from_str(&answer.text).unwrap()
}

/// One of the kinds, on a slot that nobody else has.
async fn prepared(house: &House, number: usize, site: &str, at: DateTime<Utc>, seeded: &mut Seeded) -> Race {
    let many = 3 + usize::try_from(seeded.below(5)).unwrap();
    let who = |n: usize| ["manager", "service", "other_service"][n % 3];
    let book = |about: &str, n: usize, pitch: &str| {
        case(
            about,
            if n.is_multiple_of(2) { "manager" } else { "admin" },
            Method::POST,
            "/v1/reservations",
            &slot(site, pitch, at, 60),
        )
    };
    match number % 8 {
        0 => Race { cases: (0..many).map(|n| book("nord", n, "nord")).collect(), fair: one_wins },
        1 => Race {
            cases: (0..many)
                .map(|n| book(["grand", "nord", "sud"][n % 3], n, ["grand", "nord", "sud"][n % 3]))
                .collect(),
            fair: disjoint,
        },
        2 => {
            let path = format!("/v1/reservations/{}", house.api.store.clock().new_id());
            let put = |_| case("put", "manager", Method::PUT, &path, &slot(site, "nord", at, 60));
            Race { cases: (0..many).map(put).collect(), fair: alike }
        }
        3 => {
            let mut wish = case("the same key", who(0), Method::POST, "/v1/reservations", &slot(site, "nord", at, 60));
            wish.headers[1].1 = fresh_key();
            Race { cases: vec![wish; many], fair: alike }
        }
        4 => {
            let made = made(house, "/v1/reservations", &slot(site, "nord", at, 60)).await;
            let path = format!("/v1/reservations/{}/cancellation", made["id"].as_str().unwrap());
            let cancel = |_| case("cancel", "manager", Method::POST, &path, &json!({ "reason": "weather" }));
            Race { cases: (0..many).map(cancel).collect(), fair: alike }
        }
        5 => {
            let made = made(house, "/v1/reservations", &slot(site, "nord", at, 60)).await;
            let path = format!("/v1/reservations/{}", made["id"].as_str().unwrap());
            let mut cases = vec![case(
                "cancel",
                "manager",
                Method::POST,
                &format!("{path}/cancellation"),
                &json!({ "reason": "weather" }),
            )];
            let other = json!({ "starts_at": at.to_rfc3339(), "minutes": 90, "pitch_id": "sud" });
            cases.extend(
                (1..many).map(|_| case("move", "manager", Method::POST, &format!("{path}/reschedule"), &other)),
            );
            Race { cases, fair: at_least_one }
        }
        6 => {
            let during = json!({ "from": at.to_rfc3339(), "to": (at + TimeDelta::hours(1)).to_rfc3339() });
            let closure = json!({ "during": during, "reason": "maintenance" });
            let mut cases: Vec<Case> = (1..many).map(|n| book("grand", n, "grand")).collect();
            cases.push(case("close", "manager", Method::POST, &format!("/v1/sites/{site}/closures"), &closure));
            Race { cases, fair: at_least_one }
        }
        _ => {
            let now = house.api.store.clock().now();
            let code = format!("RACE-{number}");
            let promotion = json!({ "code": code, "site_id": site, "percent_basis_points": 1_000, "uses": 1,
                "valid": { "from": now.to_rfc3339(), "to": (now + TimeDelta::days(300)).to_rfc3339() } });
            made(house, "/v1/promotions", &promotion).await;
            let mut cases = Vec::new();
            for pitch in ["nord", "sud"] {
                let mut wish = slot(site, pitch, at, 60);
                wish["promo_code"] = json!(code);
                wish["client"] = json!({ "phone": format!("+22177{:07}", number * 10 + cases.len()) });
                cases.push(case(pitch, "manager", Method::POST, "/v1/reservations", &wish));
            }
            Race { cases, fair: one_discount }
        }
    }
}
