//! Any operation after any other, by anybody, on what came back before: sequences in which most is right and some is not.
//! Judged in the end, too: the books balance, every view has followed, and every event belongs to a request that was accepted.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use kalel::seeded::Seeded;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    document::with,
    house::{Door, House},
    run::{Answer, Case, Must, Tally, send},
};
use crate::api::fresh_key;

const STEPS: usize = 30;
const STEPS_BY_NIGHT: usize = 50;
/// Sequences on their way at the same time.
const AT_ONCE: usize = 8;
/// What takes the actors away, or everybody's time: now and then.
const SELDOM: [&str; 9] = [
    "session.end",
    "session.end_others",
    "client.erase",
    "key.revoke",
    "key.rotate",
    "test_clock.advance",
    "account.suspend",
    "device.release",
    "site.close",
];

/// What a sequence has seen, by noun: ids that can be gone on with.
type Seen = BTreeMap<String, Vec<String>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_operation_after_any_other_by_anybody_is_answered_and_adds_up() {
    let by_night = std::env::var_os("KALEL_BAD_NIGHTLY").is_some();
    let (sequences, steps) =
        (super::count(super::SEQUENCES_PER_RUN, 50_000), if by_night { STEPS_BY_NIGHT } else { STEPS });
    let house = House::new().await;
    crate::seal::seal(&house.api.store, crate::seal::every(10_000)).await;
    let doors: Vec<Door> =
        house.doors().await.into_iter().filter(|door| !door.operation.path.ends_with("/stream")).collect();
    let mut tally = Tally::new("sequences");
    let before = house.api.store.head().await.unwrap();
    let begun = Instant::now();
    let mut accepted = BTreeSet::new();
    let pump = async {
        loop {
            house.api.settle().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let work = async {
        let mut all =
            stream::iter(0..sequences).map(|number| sequence(&house, &doors, number, steps)).buffer_unordered(AT_ONCE);
        while let Some(done) = all.next().await {
            for (case, answer) in &done {
                accepted.extend(answer.accepted());
                tally.judge(&house, case, answer).await;
            }
            tally.remember(&house.process);
        }
    };
    tokio::select! { () = pump => {}, () = work => {} }
    println!("{sequences} sequences of {steps} after {:?}, {} accepted", begun.elapsed(), accepted.len());
    tally.written(&house, before, &accepted, Vec::new).await;
    house.api.settle().await;
    let books = house.api.get("finance", "/v1/ledger/trial-balance").await.is(200);
    for total in books.body["totals"].as_array().unwrap() {
        if total["debit"] != total["credit"] {
            tally.wrong(format!("the books do not balance: {total}"));
        }
    }
    assert!(accepted.len() > sequences, "only {} requests were accepted", accepted.len());
    tally.report(Some(&house.process), sequences * steps);
}

/// One after the other: what is asked, and what comes back.
async fn sequence(house: &House, doors: &[Door], number: usize, steps: usize) -> Vec<(Case, Answer)> {
    let mut seeded = Seeded(super::seed().wrapping_add(number as u64));
    let mut seen = Seen::new();
    let mut done = Vec::new();
    let who: Vec<&String> = house.bearers.keys().collect();
    while done.len() < steps {
        let door = seeded.pick(doors).unwrap();
        if SELDOM.contains(&door.operation.id) && seeded.below(40) > 0 {
            continue;
        }
        let mut case = step(house, door, &seen, &mut seeded);
        // Mostly by whoever may.
        if seeded.below(5) == 0 {
            case.who = seeded.pick(&who).map(|who| (*who).clone());
        }
        case.about = format!("step {} of sequence {number}: {}", done.len() + 1, case.about);
        match send(house, &case).await {
            Ok((answer, _)) => {
                learn(&answer, &mut seen);
                // Once more, as clients do who have heard nothing.
                if seeded.below(12) == 0 && done.len() + 1 < steps && answer.status < 300 && case.method != Method::GET
                {
                    let again = Case { about: format!("{} once more", case.about), ..case.clone() };
                    if let Ok((answer, _)) = send(house, &again).await {
                        done.push((again, answer));
                    }
                }
                done.push((case, answer));
            }
            Err(error) => panic!("{}: {error}", case.about),
        }
    }
    done
}

fn step(house: &House, door: &Door, seen: &Seen, seeded: &mut Seeded) -> Case {
    let mut path = door.path.clone();
    let noun = door.operation.path.trim_start_matches("/v1/").split('/').next().unwrap_or_default();
    let one_of_ours = house.here.ids.iter().find(|(_, id)| path.contains(id.as_str())).map(|(_, id)| id.clone());
    if let (Some(known), Some(found)) = (one_of_ours, seen.get(noun)) {
        // What this sequence has made, what there was, or something of another noun.
        match seeded.below(10) {
            0..=6 => path = path.replace(&known, seeded.pick(found).unwrap()),
            7 => {
                let any: Vec<&String> = seen.values().flatten().collect();
                path = path.replace(&known, seeded.pick(&any).unwrap());
            }
            _ => {}
        }
    }
    let body = door.body.as_ref().map(|body| filled(house, door, body, seen, seeded));
    let mut case = door.case("", body.as_ref().map(Value::to_string).unwrap_or_default(), Must::May);
    case.path = path;
    if seeded.below(15) == 0 {
        case.headers.retain(|(name, _)| name != "idempotency-key");
        case.headers.push(("idempotency-key".into(), fresh_key()));
    }
    case
}

/// A body that is right, or nearly.
fn filled(house: &House, door: &Door, body: &Value, seen: &Seen, seeded: &mut Seeded) -> Value {
    let mut body = body.clone();
    let slot = house.api.midday(2) + chrono::TimeDelta::minutes(i64::try_from(seeded.below(60 * 48)).unwrap() * 30);
    for (name, value) in [
        ("starts_at", json!(slot.to_rfc3339())),
        ("pitch_id", json!(*seeded.pick(&["grand", "nord", "sud"]).unwrap())),
        ("minutes", json!(*seeded.pick(&[60, 90, 120]).unwrap())),
    ] {
        if body.get(name).is_some() {
            body[name] = value;
        }
    }
    if body.get("slug").is_some() {
        body["slug"] = json!(format!("sequence-{}", seeded.next()));
    }
    if body.get("code").is_some_and(Value::is_string) && door.operation.id == "promotion.create" {
        body["code"] = json!(format!("S{}", seeded.next()));
    }
    if body.get("format").is_some() && body.get("pitch_id").is_none() {
        body["format"] = json!(*seeded.pick(&["5x5", "8x8"]).unwrap());
    }
    if let Some(payment) = body.get_mut("payment") {
        *payment = seeded
            .pick(&[
                json!({ "pays": "none" }),
                json!({ "method": "wave", "pays": "deposit" }),
                json!({ "method": "cash", "pays": "full" }),
                json!({ "method": "credit", "pays": "full" }),
            ])
            .cloned()
            .unwrap();
    }
    if seeded.below(6) == 0 {
        let members = house.document.members(door.operation, &body);
        if let Some(member) = seeded.pick(&members) {
            let any: Vec<&String> = seen.values().flatten().collect();
            let value = match seeded.below(5) {
                0 => None,
                1 => Some(json!(null)),
                2 => Some(json!(seeded.below(100_000))),
                3 => seeded.pick(&any).map(|id| json!(id)),
                _ => Some(json!("autre")),
            };
            body = with(&body, member, value);
        }
    }
    body
}

/// Ids of what came back, and of what it names.
fn learn(answer: &Answer, seen: &mut Seen) {
    if answer.status >= 300 {
        return;
    }
    let Ok(body) = serde_json::from_str::<Value>(&answer.text) else { return };
    let rows = body["data"].as_array().cloned().unwrap_or_default();
    for one in std::iter::once(&body).chain(rows.iter().take(5)) {
        for part in [one, &one["payment"], &one["refunds"][0]] {
            if let (Some(object), Some(id)) = (part["object"].as_str(), part["id"].as_str()) {
                let found = seen.entry(format!("{object}s")).or_default();
                if found.len() < 20 {
                    found.push(id.to_owned());
                }
            }
        }
        if let Some(id) = one["payment"]["id"].as_str() {
            seen.entry("payments".to_owned()).or_default().push(id.to_owned());
        }
    }
}
