//! Two of everything, each a process of its own, restarted one after the other while clients book: no request fails.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use kalel::up::{
    children::Keeper,
    keeper::{Run, Stop},
};
use serde_json::{Value, json};

use super::served::config;
use crate::{
    api::{fresh_key, ground, slot},
    world::{KALEL, World, wait_until},
};

const CLIENTS: usize = 6;
const PITCHES: usize = 12;
/// Answers that must come between one restart and the next.
const BETWEEN: usize = 40;

/// The processes, by name, with their roles; APIs each listen at a port of their own.
const PROCESSES: [(&str, &str); 8] = [
    ("api-1", "api"),
    ("api-2", "api"),
    ("projector-1", "projector"),
    ("projector-2", "projector"),
    ("worker-1", "worker"),
    ("worker-2", "worker"),
    ("sealer", "sealer"),
    ("relay", "relay"),
];

struct Cluster {
    world: World,
    keeper: Keeper,
    folder: tempfile::TempDir,
    /// Of the two APIs.
    bases: [String; 2],
    http: reqwest::Client,
}

impl Cluster {
    async fn new() -> Self {
        kalel::tls::install();
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("seal.key");
        let signer = kalel::audit::new_key("kalel.test/rolling").unwrap();
        kalel::up::folder::write_private(&key, signer.to_secret_text().as_bytes()).unwrap();
        let mut ports = Vec::new();
        for name in ["api-1", "api-2"] {
            let port = kalel::up::ports::free(None, &ports).unwrap();
            ports.push(port);
            let text = format!("{}[seal]\nkey_file = {key:?}\n[shutdown]\nnotice_ms = 300\n", config(port));
            std::fs::write(folder.path().join(format!("{name}.toml")), text).unwrap();
        }
        let keeper = Keeper::start(Path::new(KALEL), &folder.path().join("lock"), None).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(15)).build().unwrap();
        let bases = [0, 1].map(|number| format!("http://127.0.0.1:{}", ports[number]));
        Self { world, keeper, folder, bases, http }
    }

    fn start(&self, name: &str, generation: usize) {
        let roles = PROCESSES.iter().find(|(known, _)| *known == name).unwrap().1;
        let file = if name == "api-2" { "api-2.toml" } else { "api-1.toml" };
        let run = Run {
            name: name.into(),
            program: KALEL.into(),
            // A name of its own each time: nobody gets a lease back because of its name.
            args: ["serve", "--roles", roles, "--instance", &format!("{name}-{generation}"), "--config"]
                .map(str::to_owned)
                .into_iter()
                .chain([self.folder.path().join(file).display().to_string()])
                .collect(),
            env: vec![
                ("DATABASE_URL".into(), self.world.database_url.clone()),
                ("NATS_URL".into(), self.world.nats_url.clone()),
            ],
            user: None,
            log: self.folder.path().join(format!("{name}.log")),
            stop: Stop::Gently,
        };
        self.keeper.run(run).unwrap();
    }

    /// SIGTERM, its end, and the next of that name.
    async fn restart(&self, name: &str, generation: usize) {
        let base = self.bases[usize::from(name == "api-2")].clone();
        self.keeper.end(name).unwrap();
        if name.starts_with("api") {
            let asked = Instant::now();
            while self.is_ready(&base).await {}
            assert!(asked.elapsed() < Duration::from_millis(300), "{name} said it was ready for {:?}", asked.elapsed());
        }
        wait_until(&format!("{name} has ended"), || self.keeper.exit_of(name).is_some());
        let exit = self.keeper.exit_of(name).unwrap();
        assert!(exit.clean, "{name}: {}\n{}", exit.status, self.log(name));
        self.start(name, generation);
        if name.starts_with("api") {
            while !self.is_ready(&base).await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    async fn is_ready(&self, base: &str) -> bool {
        self.http.get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    fn log(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(format!("{name}.log"))).unwrap_or_default()
    }

    /// A call as a client behind a balancer makes it: to an API that says it is ready, and once more when the connection
    /// is refused or reset.
    async fn call(&self, turn: usize, path: &str, bearer: &str, key: &str, body: &Value) -> (u16, Value) {
        for attempt in 0..2 {
            let mut base = &self.bases[(turn + attempt) % 2];
            if !self.is_ready(base).await {
                base = &self.bases[(turn + attempt + 1) % 2];
            }
            let ask = self.http.post(format!("{base}{path}")).bearer_auth(bearer).header("idempotency-key", key);
            let ask = ask.header("content-type", "application/json").body(body.to_string());
            if let Ok(answer) = ask.send().await {
                let status = answer.status().as_u16();
                if let Ok(body) = answer.json::<Value>().await {
                    return (status, body);
                }
            }
        }
        (0, Value::Null)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_restarted_one_by_one_and_no_request_fails() {
    let cluster = Arc::new(Cluster::new().await);
    for (name, _) in PROCESSES {
        cluster.start(name, 0);
    }
    for base in &cluster.bases {
        while !cluster.is_ready(base).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    let store = cluster.world.store().await;
    let secret = format!("kk_test_{}", store.clock().new_id().simple());
    let wanted = kalel::key::Wanted {
        id: domain::ids::KeyId::new(store.clock().new_id()),
        label: "rolling",
        role: domain::actor::Role::Manager,
        principal: domain::ids::PrincipalId::new(store.clock().new_id()),
        secret: &secret,
        sites: None,
    };
    kalel::key::grant(&store, &wanted).await.unwrap();
    let names: Vec<String> = (0..PITCHES).map(|number| format!("p{number}")).collect();
    let pitches: Vec<Value> =
        names.iter().map(|name| json!({ "slug": name, "name": name, "format": "5x5", "cells": [name] })).collect();
    let body = ground("rolling", json!({ "cells": names, "pitches": pitches }));
    let (status, site) = cluster.call(0, "/v1/sites", &secret, &fresh_key(), &body).await;
    assert_eq!(status, 201, "{site}");
    let site = site["id"].as_str().unwrap().to_owned();
    let noon = (store.clock().now() + TimeDelta::days(2)).date_naive().and_hms_opt(12, 0, 0).unwrap().and_utc();

    let (answered, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let next = Arc::new(AtomicUsize::new(0));
    let booked = Arc::new(Mutex::new(BTreeMap::<String, usize>::new()));
    let failed = Arc::new(Mutex::new(Vec::<String>::new()));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (cluster, answered, stop, next) = (cluster.clone(), answered.clone(), stop.clone(), next.clone());
            let (booked, failed, secret, site) = (booked.clone(), failed.clone(), secret.clone(), site.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let hour = TimeDelta::hours(i64::try_from(number / PITCHES).unwrap());
                    let wish = slot(&site, &format!("p{}", number % PITCHES), noon + hour, 60);
                    let key = format!("the key of slot {number:08}");
                    let (status, body) = cluster.call(number, "/v1/reservations", &secret, &key, &wish).await;
                    match body["id"].as_str() {
                        Some(id) if status == 201 => drop(booked.lock().unwrap().insert(id.to_owned(), number)),
                        _ => failed.lock().unwrap().push(format!("slot {number}: {status} {body}")),
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        })
        .collect();
    for (generation, (name, _)) in PROCESSES.iter().enumerate() {
        let enough = answered.load(Ordering::Relaxed) + BETWEEN;
        let began = Instant::now();
        while answered.load(Ordering::Relaxed) < enough {
            assert!(
                began.elapsed() < Duration::from_secs(60),
                "nothing is answered any more\n{}",
                cluster.log("api-1")
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        cluster.restart(name, generation + 1).await;
    }
    stop.store(true, Ordering::Relaxed);
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(*failed.lock().unwrap(), Vec::<String>::new());
    let booked = booked.lock().unwrap().clone();
    assert!(booked.len() > BETWEEN * PROCESSES.len(), "{}", booked.len());

    // Whoever took over went on where the others were: views, seal and bus reach the head, and nothing is there twice.
    let head = store.head().await.unwrap();
    let watch = projections::Watch::new(store.clone());
    watch.wait_for(projections::PROJECTORS, head, Duration::from_secs(30)).await.unwrap();
    let began = Instant::now();
    while store.sealed_size().await.unwrap() < head {
        assert!(began.elapsed() < Duration::from_secs(30), "not sealed\n{}", cluster.log("sealer"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (count, ids): (i64, i64) = sqlx::query_as(
        "SELECT count(*), count(DISTINCT stream_id) FROM event_log.events WHERE type = 'reservation.held'",
    )
    .fetch_one(&cluster.world.pool)
    .await
    .unwrap();
    assert_eq!((count, ids), (i64::try_from(booked.len()).unwrap(), count));
    // The leases went from hand to hand, and each new owner has a token of its own.
    let leases: Vec<(String, String)> =
        sqlx::query_as("SELECT name, holder FROM work.leases WHERE until > clock_timestamp() ORDER BY name")
            .fetch_all(&cluster.world.pool)
            .await
            .unwrap();
    for name in ["relay", "sealer"] {
        let holder = leases.iter().find(|(known, _)| known == name).map(|(_, holder)| holder.as_str());
        assert!(holder.is_some_and(|holder| !holder.ends_with("-0")), "{name}: {leases:?}");
    }
    store.close().await;
}
