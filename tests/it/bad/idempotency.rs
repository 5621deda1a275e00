//! Keys that are none, keys of others, the same key for something else, at the same time, after the process was killed.

use kalel::seeded::Seeded;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    house::House,
    run::{Answer, Case, Must, Tally, send},
};
use crate::api::{fresh_key, slot};

const AT_ONCE: usize = 100;
/// Rounds whose keys are asked again after the kill.
const AFTER: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_one_request_of_one_caller_whatever_happens() {
    let count = super::count(300, 5_000);
    let mut house = House::new().await;
    let mut seeded = Seeded(super::seed());
    let mut tally = Tally::new("idempotency");
    let site = house.api.site().await.0;
    forms(&house, &site, &mut tally).await;
    let rounds = (count - tally.asked() - AT_ONCE - AFTER) / 4;
    let mut firsts: Vec<(Case, Answer)> = Vec::new();
    for round in 0..rounds {
        firsts.extend(one_round(&house, &site, round, &mut seeded, &mut tally).await);
    }
    together(&house, &site, rounds, &mut tally).await;
    // Nothing of this is in the memory of the process.
    house.process.kill();
    house.process.start().await;
    let rest = count - tally.asked();
    for number in 0..rest {
        let (case, first) = &firsts[number % firsts.len()];
        let again = asked(&house, case, &mut tally).await;
        same(&again, first, "after the process was killed", &mut tally);
    }
    tally.report(Some(&house.process), count);
}

fn wish(house: &House, site: &str, number: usize, pitch: &str) -> Value {
    let after = i64::try_from(number).unwrap();
    slot(site, pitch, house.api.midday(2) + chrono::TimeDelta::hours(after), 60)
}

fn case(who: &str, key: &str, body: &Value) -> Case {
    let headers = vec![
        ("content-type".to_owned(), "application/json".to_owned()),
        ("idempotency-key".to_owned(), key.to_owned()),
    ];
    Case {
        about: format!("with the key {key:.40?}"),
        method: Method::POST,
        path: "/v1/reservations".to_owned(),
        who: Some(who.to_owned()),
        headers,
        body: body.to_string().into_bytes(),
        must: Must::May,
    }
}

async fn asked(house: &House, case: &Case, tally: &mut Tally) -> Answer {
    let (answer, _) = send(house, case).await.unwrap();
    tally.judge(house, case, &answer).await;
    tally.remember(&house.process);
    answer
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

fn same(again: &Answer, first: &Answer, when: &str, tally: &mut Tally) {
    if again.text != first.text || again.status != first.status || !replayed(again) {
        tally.wrong(format!("{when}: {} {} instead of {} {}", again.status, again.says(), first.status, first.says()));
    }
}

/// No keys, or odd ones: those that are none write nothing.
async fn forms(house: &House, site: &str, tally: &mut Tally) {
    let before = house.api.store.head().await.unwrap();
    let long = |length: usize| "k".repeat(length);
    let none = [
        String::new(),
        "a".into(),
        long(15),
        long(256),
        long(1_000),
        long(8_000),
        "clé de quinze lettres".into(),
        "tab\tin the middle of it".into(),
        "🔑🔑🔑🔑🔑🔑".into(),
        "\u{e9}".repeat(20),
        "a\u{80}bcdefghijklmnopqr".into(),
    ];
    for key in none {
        let mut case = case("manager", &key, &wish(house, site, 0, "nord"));
        case.must = Must::Be(vec![400]);
        asked(house, &case, tally).await;
        case.who = Some("client".to_owned());
        asked(house, &case, tally).await;
    }
    let mut twice = case("manager", &fresh_key(), &wish(house, site, 0, "nord"));
    twice.headers.push(("idempotency-key".into(), fresh_key()));
    twice.must = Must::Be(vec![400]);
    asked(house, &twice, tally).await;
    let mut without = case("manager", "", &wish(house, site, 0, "nord"));
    without.headers.pop();
    without.must = Must::Be(vec![400]);
    asked(house, &without, tally).await;
    if house.api.store.head().await.unwrap() != before {
        tally.wrong("a request without a good key has written".into());
    }
    // All that may be printed.
    let printable: String = (' '..='~').collect();
    for (number, key) in [
        long(16),
        long(255),
        format!("{}!", printable.trim()),
        "'; DROP TABLE keys; --".into(),
        "%00%0d%0a%2e%2e%2f..".into(),
    ]
    .into_iter()
    .enumerate()
    {
        let mut first = case("manager", &key, &wish(house, site, 500 + number, "nord"));
        first.must = Must::Be(vec![201]);
        let one = asked(house, &first, tally).await;
        let again = asked(house, &first, tally).await;
        same(&again, &one, "an odd key", tally);
    }
}

/// Something is asked for; asked for again; something else with its key; and by somebody else.
async fn one_round(
    house: &House,
    site: &str,
    round: usize,
    seeded: &mut Seeded,
    tally: &mut Tally,
) -> Option<(Case, Answer)> {
    let key = fresh_key();
    let body = wish(house, site, round, "nord");
    let mut first = case("manager", &key, &body);
    first.must = Must::Be(vec![201]);
    let one = asked(house, &first, tally).await;
    same(&asked(house, &first, tally).await, &one, "again", tally);
    let other = match seeded.below(4) {
        0 => wish(house, site, round, "sud"),
        1 => {
            let mut longer = body.clone();
            longer["minutes"] = json!(90);
            longer
        }
        2 => json!({}),
        _ => json!({ "colour": "red" }),
    };
    let mut reused = case("manager", &key, &other);
    reused.must = Must::Be(vec![400, 422]);
    let answer = asked(house, &reused, tally).await;
    if replayed(&answer) || (answer.status == 422 && answer.code() != "idempotency.key_reused") {
        tally.wrong(format!("another body with the same key: {} {}", answer.status, answer.says()));
    }
    // The same request by somebody else is another one: the slot is gone.
    let mut theirs = case(seeded.pick(&["other_manager", "service", "other_client"]).unwrap(), &key, &body);
    theirs.must = Must::Refuse;
    let answer = asked(house, &theirs, tally).await;
    let id = serde_json::from_str::<Value>(&one.text).ok().and_then(|made| made["id"].as_str().map(str::to_owned));
    if replayed(&answer) || id.is_none_or(|id| answer.text.contains(&id)) {
        tally.wrong(format!("somebody else's key: {} {}", answer.status, answer.says()));
    }
    Some((first, one))
}

/// A hundred at once are one.
async fn together(house: &House, site: &str, number: usize, tally: &mut Tally) {
    let head = house.api.store.head().await.unwrap();
    let mut first = case("manager", &fresh_key(), &wish(house, site, number + 10, "sud"));
    first.must = Must::Be(vec![201, 409]);
    let all = futures_util::future::join_all((0..AT_ONCE).map(|_| send(house, &first))).await;
    let answers: Vec<Answer> = all.into_iter().map(|answer| answer.unwrap().0).collect();
    let made: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
    for answer in &answers {
        tally.judge(house, &first, answer).await;
        // Who waited longer than two seconds is told to come back.
        if answer.status == 409 && answer.code() != "idempotency.in_progress" {
            tally.wrong(format!("a hundred at once: {}", answer.says()));
        }
    }
    let fresh = made.iter().filter(|answer| !replayed(answer)).count();
    let alike = made.iter().all(|answer| answer.text == made[0].text);
    let written = house.api.store.read_after(head, 1_000).await.unwrap();
    let written = written.iter().filter(|event| event.name == "reservation.held").count();
    if fresh != 1 || !alike || written != 1 {
        tally.wrong(format!("a hundred at once: {fresh} of {} are new, alike: {alike}, {written} held", made.len()));
    }
}
