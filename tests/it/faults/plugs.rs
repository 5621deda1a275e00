//! Postgres, NATS and Redis are killed under a running `kalel up` while clients book: nothing acknowledged is lost, nothing
//! is done twice, and whoever repeats with the same key gets the same answer.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    api::{ground, slot},
    up::Data,
};

const CLIENTS: usize = 8;
const PITCHES: usize = 16;
/// Answers that must come between one plug and the next.
const BETWEEN: usize = 60;
const PATIENCE: Duration = Duration::from_secs(90);

/// What the clients do, and what they were told.
struct Crowd {
    http: Client,
    base: String,
    service: String,
    site: String,
    noon: DateTime<Utc>,
    next: AtomicUsize,
    stop: AtomicBool,
    /// By number of the slot: the id that was answered.
    answered: Mutex<BTreeMap<usize, String>>,
    /// Every status that came, 0 for none, with a code where it says one.
    heard: Mutex<BTreeMap<(u16, String), usize>>,
}

impl Crowd {
    /// The body of a slot: each its own pitch and hour.
    fn wish(&self, number: usize) -> Value {
        let hour = TimeDelta::hours(i64::try_from(number / PITCHES).unwrap());
        slot(&self.site, &format!("p{}", number % PITCHES), self.noon + hour, 60)
    }

    async fn book(&self, number: usize) -> Option<(bool, Value)> {
        let ask = self.http.post(format!("{}/v1/reservations", self.base)).bearer_auth(&self.service);
        let ask = ask.header("idempotency-key", format!("the key of slot {number:08}"));
        let answer = ask.header("content-type", "application/json").body(self.wish(number).to_string()).send().await;
        let (status, replayed, body) = match answer {
            Ok(answer) => {
                let (status, replayed) = (answer.status(), answer.headers().contains_key("idempotent-replayed"));
                (status.as_u16(), replayed, answer.json::<Value>().await.ok())
            }
            Err(_) => (0, false, None),
        };
        // A connection that breaks in the middle of the answer is no answer.
        let status = if body.is_some() { status } else { 0 };
        let code = body.as_ref().and_then(|body| body["code"].as_str()).filter(|_| status != 201);
        *self.heard.lock().unwrap().entry((status, code.unwrap_or_default().to_owned())).or_default() += 1;
        body.filter(|_| status == 201).map(|body| (replayed, body))
    }

    /// Books one slot after the other, each until it is answered.
    async fn client(&self) {
        let began = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let booked = loop {
                if let Some((_, booked)) = self.book(number).await {
                    break booked;
                }
                assert!(began.elapsed() < 4 * PATIENCE, "slot {number} is never answered: {:?}", self.heard.lock());
                // As a client is told to: not at once.
                tokio::time::sleep(Duration::from_millis(50)).await;
            };
            self.answered.lock().unwrap().insert(number, booked["id"].as_str().unwrap().to_owned());
        }
    }

    fn count(&self) -> usize {
        self.answered.lock().unwrap().len()
    }

    async fn until(&self, count: usize) {
        let began = Instant::now();
        while self.count() < count {
            assert!(began.elapsed() < PATIENCE, "{} of {count} answers: {:?}", self.count(), self.heard.lock());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn get(&self, path: &str, position: &str) -> Value {
        let began = Instant::now();
        loop {
            let ask = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.service);
            let answer = ask.header("kalel-min-position", position).send().await.unwrap();
            match answer.status() {
                StatusCode::OK => return answer.json().await.unwrap(),
                StatusCode::SERVICE_UNAVAILABLE if began.elapsed() < PATIENCE => {}
                other => panic!("{other} {}", answer.text().await.unwrap()),
            }
        }
    }
}

async fn open(told: &Value) -> Crowd {
    kalel::tls::install();
    let http = Client::builder().no_proxy().timeout(Duration::from_secs(15)).build().unwrap();
    let base = told["base_url"].as_str().unwrap().to_owned();
    let pitch = |number: usize| format!("p{number}");
    let cells: Vec<String> = (0..PITCHES).map(pitch).collect();
    let pitches: Vec<Value> =
        cells.iter().map(|slug| json!({ "slug": slug, "name": slug, "format": "5x5", "cells": [slug] })).collect();
    let body = ground("prises", json!({ "cells": cells, "pitches": pitches }));
    let ask = http.post(format!("{base}/v1/sites")).bearer_auth(told["keys"]["manager"].as_str().unwrap());
    let site = ask.header("idempotency-key", "the key of the site").json(&body).send().await.unwrap();
    assert_eq!(site.status(), 201);
    let site: Value = site.json().await.unwrap();
    let url = told["postgres_url"].as_str().unwrap();
    let mut connection = kalel::up::postgres::connect(url).await.unwrap();
    let now: DateTime<Utc> = sqlx::query_scalar("SELECT now()").fetch_one(&mut connection).await.unwrap();
    Crowd {
        http,
        base,
        service: told["keys"]["service"].as_str().unwrap().to_owned(),
        site: site["id"].as_str().unwrap().to_owned(),
        noon: (now.date_naive() + chrono::Days::new(1)).and_hms_opt(12, 0, 0).unwrap().and_utc(),
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
        answered: Mutex::default(),
        heard: Mutex::default(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_killed_under_the_clients_lose_nothing_and_repeat_nothing() {
    let data = Data::new();
    let up = tokio::task::block_in_place(|| data.up());
    let crowd = open(&up.told).await;
    let clients = async {
        futures_util::future::join_all((0..CLIENTS).map(|_| crowd.client())).await;
    };
    let plugs = async {
        for name in ["postgres", "nats", "redis"] {
            crowd.until(crowd.count() + BETWEEN).await;
            let pid = data.pid(name);
            kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
            let began = Instant::now();
            while data.pid(name) == pid {
                assert!(began.elapsed() < PATIENCE, "{name} is not started again");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
        crowd.until(crowd.count() + BETWEEN).await;
        crowd.stop.store(true, Ordering::Relaxed);
    };
    tokio::join!(clients, plugs);
    let answered = crowd.answered.lock().unwrap().clone();
    let heard = crowd.heard.lock().unwrap().clone();
    assert_eq!(answered.len(), crowd.next.load(Ordering::Relaxed), "somebody was never answered");
    for (status, code) in heard.keys() {
        let fine = match status {
            0 | 201 | 503 => true,
            // Their slots are spread: nobody else's is in the way.
            409 => matches!(code.as_str(), "idempotency.in_progress" | "version.conflict"),
            _ => false,
        };
        assert!(fine, "an answer that is none of the promised ones: {heard:?}");
    }
    // Each server was seen to be another process afterwards. Clients need not have noticed: the lane tries again for
    // longer than a restart takes.

    everything_is_there_once(&up.told, &answered).await;
    caught_up(&crowd, &answered).await;
    // The same keys again: the same reservations, and nothing new.
    let numbers: Vec<usize> = answered.keys().copied().collect();
    let shares = numbers.chunks(numbers.len().div_ceil(CLIENTS));
    futures_util::future::join_all(shares.map(|share| again(&crowd, share, &answered))).await;
    everything_is_there_once(&up.told, &answered).await;
    tokio::task::block_in_place(|| up.end(Signal::SIGINT));
}

async fn again(crowd: &Crowd, numbers: &[usize], answered: &BTreeMap<usize, String>) {
    for number in numbers {
        let (replayed, body) = crowd.book(*number).await.expect("an answer");
        assert_eq!(body["id"], answered[number].as_str(), "slot {number}");
        assert!(replayed, "slot {number} was booked anew");
    }
}

/// Positions without a gap; each reservation that was answered once, and no other; no cell twice at a time.
async fn everything_is_there_once(told: &Value, answered: &BTreeMap<usize, String>) {
    let mut connection = kalel::up::postgres::connect(told["postgres_url"].as_str().unwrap()).await.unwrap();
    let gaps: (i64, i64, i64) = sqlx::query_as("SELECT count(*), min(position), max(position) FROM event_log.events")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!((gaps.1, gaps.2), (1, gaps.0), "positions 1 to N");
    let held: Vec<Uuid> =
        sqlx::query_scalar("SELECT stream_id FROM event_log.events WHERE type = 'reservation.held' ORDER BY position")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let once: BTreeSet<String> = held.iter().map(ToString::to_string).collect();
    assert_eq!(once.len(), held.len(), "a reservation is there twice");
    assert_eq!(once, answered.values().cloned().collect(), "what was answered is what is in the log");
    let live: (i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM event_log.slot_claims WHERE to_position IS NULL),
                (SELECT count(*) FROM event_log.slot_claims a JOIN event_log.slot_claims b
                   ON a.cell_id = b.cell_id AND a.during && b.during AND a.holder < b.holder
                 WHERE a.to_position IS NULL AND b.to_position IS NULL)",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(live, (i64::try_from(answered.len()).unwrap(), 0), "live claims, and those that overlap");
}

/// The read model shows every reservation that was answered, each with the id of its slot.
async fn caught_up(crowd: &Crowd, answered: &BTreeMap<usize, String>) {
    let ready: Value = crowd.http.get(format!("{}/readyz", crowd.base)).send().await.unwrap().json().await.unwrap();
    let head = ready["head"].to_string();
    for (number, id) in answered {
        let shown = crowd.get(&format!("/v1/reservations/{id}"), &head).await;
        let wanted = crowd.wish(*number)["starts_at"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
        let starts: DateTime<Utc> = shown["starts_at"].as_str().unwrap().parse().unwrap();
        assert_eq!((shown["id"].as_str().unwrap(), starts), (id.as_str(), wanted));
    }
}
