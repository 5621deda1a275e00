//! A copy of the past: what was then is in it, as it was, what came later is not, and nothing is ever written to it.

use std::path::Path;
use std::process::{Command, Output};

use eventstore::{Append, AppendError, ForkError, Meta, Store};
use nix::sys::signal::Signal;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{PgPool, Row};

use crate::{
    api::{Api, fresh_key, ground, slot},
    faults::served::config,
    up::{Data, Up},
    world::{KALEL, World},
};

/// What the guards say, and the keys of people, as text.
async fn tables(pool: &PgPool) -> Vec<String> {
    let mut tables = Vec::new();
    for table in ["slot_claims", "unique_claims", "holdings", "subject_keys", "test_clock"] {
        let select =
            format!("SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM event_log.{table} AS t");
        let text: String = sqlx::query_scalar(sqlx::AssertSqlSafe(select)).fetch_one(pool).await.unwrap();
        tables.push(format!("{table}\n{text}"));
    }
    tables
}

/// The export lines up to a position: every byte that is proven.
async fn lines(store: &Store, until: i64) -> Vec<String> {
    store.read_after(0, until).await.unwrap().iter().map(eventstore::Recorded::export_line).collect()
}

async fn copy(store: &Store, until: i64) -> (World, Result<(), ForkError>) {
    let world = World::new().await;
    let mut owner = kalel::up::postgres::connect(&world.owner_url).await.unwrap();
    let outcome = store.fork(until, &mut owner).await;
    (world, outcome)
}

#[tokio::test(flavor = "multi_thread")]
async fn guards_of_a_copy_are_those_of_then_and_whoever_was_erased_since_stays_erased() {
    let api = Api::new().await;
    let (site, _) = api.site().await;
    let me = api.principal("client");
    let mut wish = slot(&site, "nord", api.midday(4), 60);
    wish["payment"] = json!({ "method": "wave", "pays": "deposit" });
    wish["client"] = json!({ "phone": "771980799", "name": "Awa Ndiaye" });
    let released = api.post("client", "/v1/reservations", wish.clone()).await.is(201);
    wish["client"] = json!({ "phone": "771980798", "name": "Moussa Fall" });
    wish["pitch_id"] = json!("sud");
    let firm = api.post("manager", "/v1/reservations", wish.clone()).await.is(201);
    api.settle().await;
    let path = |of: &crate::api::Answer| format!("/v1/reservations/{}", of.text("/id"));
    api.post("manager", "/v1/reservations", slot(&site, "grand", api.midday(6), 60)).await.is(201);
    let then = api.store.head().await.unwrap();
    let (before, told) = (tables(&api.store.pool().clone()).await, lines(&api.store, then).await);

    // Everything goes on: a hold becomes firm, another one ends with its person, a new slot is taken.
    let cash = json!({ "method": "cash", "purpose": "deposit" });
    api.post("manager", &format!("{}/payments", path(&firm)), cash).await.is(201);
    let off = json!({ "reason": "client" });
    api.post("client", &format!("{}/cancellation", path(&released)), off).await.is(200);
    api.settle().await;
    api.post("client", &format!("/v1/clients/{me}/erasure"), Value::Null).await.is(200);
    api.post("manager", "/v1/reservations", slot(&site, "grand", api.midday(7), 60)).await.is(201);
    let now = tables(api.store.pool()).await;
    for (was, is) in before.iter().zip(&now).filter(|(was, _)| !was.starts_with("test_clock")) {
        assert_ne!(was, is, "nothing happened to it that could be taken back");
    }

    let (world, outcome) = copy(&api.store, then).await;
    outcome.unwrap();
    let fork = world.store().await;
    assert_eq!(
        (fork.log().id, fork.log().mode, fork.log().fork),
        (api.store.log().id, api.store.log().mode, Some(then))
    );
    assert_eq!(api.store.log().fork, None);
    assert_eq!((fork.head().await.unwrap(), lines(&fork, i64::MAX).await), (then, told));
    let copied = tables(fork.pool()).await;
    for (was, is) in before.iter().zip(&copied).filter(|(was, _)| !was.starts_with("subject_keys")) {
        assert_eq!(was, is);
    }
    assert_eq!(copied.get(3), now.get(3), "keys are those of today");
    let key: Option<Vec<u8>> = sqlx::query_scalar("SELECT wrapped FROM event_log.subject_keys WHERE subject = $1")
        .bind(me)
        .fetch_one(fork.pool())
        .await
        .unwrap();
    assert_eq!(key, None, "erased");

    // At the head, nothing is different at all; the erasure is in it.
    let (whole, outcome) = copy(&api.store, api.store.head().await.unwrap()).await;
    outcome.unwrap();
    assert_eq!(tables(&whole.pool).await, now);
    api.store.close().await;
    fork.close().await;
}

#[tokio::test]
async fn nothing_can_be_written_to_a_copy_not_even_by_its_owner() {
    let api = Api::new().await;
    let until = 3;
    let (world, outcome) = copy(&api.store, until).await;
    outcome.unwrap();
    let fork = world.store().await;
    let nothing = Append::new(domain::decision::Decision::nothing(), Meta::system());
    let refused = fork.append(nothing).await.unwrap_err();
    assert!(matches!(refused, AppendError::Fork { until: 3 }), "{refused}");
    for url in [&world.database_url, &world.owner_url, &world.superuser_url()] {
        let mut connection = kalel::up::postgres::connect(url).await.unwrap();
        let refused = sqlx::query(
            "INSERT INTO event_log.events
             SELECT position + 100, gen_random_uuid(), gen_random_uuid(), 1, type, schema, data, meta, now()
             FROM event_log.events WHERE position = 1",
        )
        .execute(&mut connection)
        .await
        .unwrap_err();
        assert!(refused.to_string().contains("a copy of the past: INSERT refused"), "{refused}");
    }
    assert_eq!(fork.head().await.unwrap(), until);
    // A database that holds a log already becomes no copy.
    let mut owner = kalel::up::postgres::connect(&world.owner_url).await.unwrap();
    assert!(matches!(api.store.fork(2, &mut owner).await, Err(ForkError::Database(_))));
    assert_eq!(fork.head().await.unwrap(), until);
    let (beyond, outcome) = copy(&api.store, 1_000_000).await;
    assert!(matches!(outcome, Err(ForkError::Short { .. })), "{outcome:?}");
    let left: i64 = sqlx::query("SELECT count(*) FROM event_log.events").fetch_one(&beyond.pool).await.unwrap().get(0);
    assert_eq!(left, 0, "all of it or nothing");
    fork.close().await;
    api.store.close().await;
}

fn fork(config: &Path, database: &str, at: &str) -> Command {
    let mut command = Command::new(KALEL);
    command.args(["fork", "--at", at, "--config"]).arg(config).env("DATABASE_URL", database);
    command
}

/// It ended with one line that says this.
fn refused(output: &Output, words: &str) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("kalel: ") && said.contains(words), "{words}: {said}");
}

fn names(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_and_a_log_that_cannot_be_read_leave_nothing_behind() {
    let api = Api::new().await;
    let head = api.store.head().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kalel.toml");
    std::fs::write(&file, config(1)).unwrap();
    let (data, url) = (folder.path().join("copy"), api.world.database_url.clone());
    let tried = |at: &str, data: &Path| fork(&file, &url, at).arg("--data").arg(data).output().unwrap();
    for (at, words) in [
        ((head + 1).to_string().as_str(), format!("--at: the log ends at position {head}").as_str()),
        ("2999-01-01T00:00:00Z", "--at: the log ends at position"),
        ("0", "--at: the log begins at position 1"),
        ("-1", "--at: the log begins at position 1"),
        ("2020-01-01T00:00:00Z", "--at: the log begins at position 1"),
        ("yesterday", "neither a position nor a time"),
        ("", "neither a position nor a time"),
        ("2026-11-23", "neither a position nor a time"),
    ] {
        refused(&tried(at, &data), words);
        assert_eq!(names(folder.path()), ["kalel.toml"], "{at}");
    }
    let held = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    refused(&fork(&file, &url, "1").args(["--port", &port, "--data"]).arg(&data).output().unwrap(), "is taken");
    refused(&tried("1", folder.path()), "is there already");
    refused(&tried("1", &file), "is there already");
    assert_eq!(names(folder.path()), ["kalel.toml"]);

    // An event that this program cannot read: without it, the guards would not be those of then.
    sqlx::query(
        r#"INSERT INTO event_log.events
           SELECT max(position) + 1, gen_random_uuid(), gen_random_uuid(), 1, 'site.dreamt', 1, '{}',
                  '{"actor":{"role":"system"}}', now() FROM event_log.events"#,
    )
    .execute(&api.world.pool)
    .await
    .unwrap();
    refused(&tried(&(head + 1).to_string(), &data), "site.dreamt");
    assert_eq!(names(folder.path()), ["kalel.toml"]);
    for entry in std::fs::read_dir("/var/lib/kalel").into_iter().flatten().flatten() {
        let owner = std::fs::read_to_string(entry.path().join("data-folder")).unwrap_or_default();
        assert!(!owner.contains(folder.path().to_str().unwrap()), "{} is left", entry.path().display());
    }
    api.store.close().await;
}

/// Asks a running `up` or copy of it, with a demo key of the `up`.
async fn ask(base: &Value, keys: &Value, method: Method, role: &str, path: &str, body: &Value) -> (u16, Value, i64) {
    let ask = reqwest::Client::new().request(method, format!("{}{path}", base.as_str().unwrap()));
    let ask = ask.bearer_auth(keys[role].as_str().unwrap()).header("idempotency-key", fresh_key());
    let ask = if body.is_null() { ask } else { ask.header("content-type", "application/json").body(body.to_string()) };
    let answer = ask.send().await.unwrap();
    let position = answer.headers().get("kalel-position").and_then(|value| value.to_str().ok()?.parse().ok());
    (answer.status().as_u16(), answer.json().await.unwrap_or_default(), position.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn kalel_fork_serves_the_past_and_leaves_the_log_alone() {
    crate::world::shared();
    let (data, past) = (Data::new(), Data::new());
    let up = data.up();
    let keys = &up.told["keys"];
    let here = async |method, role, path: &str, body| ask(&up.told["base_url"], keys, method, role, path, &body).await;
    let (status, site, _) = here(Method::POST, "manager", "/v1/sites", ground("fork", json!({}))).await;
    assert_eq!(status, 201, "{site}");
    let site = site["id"].as_str().unwrap().to_owned();
    let day = eventstore::Clock::system().now().date_naive() + chrono::Days::new(3);
    let noon = day.and_hms_opt(12, 0, 0).unwrap().and_utc();
    let (status, first, then) = here(Method::POST, "manager", "/v1/reservations", slot(&site, "nord", noon, 60)).await;
    assert_eq!(status, 201, "{first}");
    let evening = noon + chrono::TimeDelta::hours(6);
    let (status, second, _) = here(Method::POST, "manager", "/v1/reservations", slot(&site, "nord", evening, 60)).await;
    assert_eq!(status, 201, "{second}");
    let [first, second] = [first, second].map(|booked| format!("/v1/reservations/{}", booked["id"].as_str().unwrap()));
    let off = json!({ "reason": "weather" });
    let (status, _, last) = here(Method::POST, "manager", &format!("{first}/cancellation"), off).await;
    assert_eq!(status, 200);
    let url = up.told["postgres_url"].as_str().unwrap();
    let settings = kalel::config::Config::read(&data.path().join("kalel.toml")).unwrap();
    let open = async |url: &str| {
        let options = eventstore::Options::new(url, settings.keyring().unwrap(), eventstore::Mode::Test);
        Store::open(options).await.unwrap()
    };
    let log = open(url).await;
    let said = lines(&log, last).await;

    let copy: Up = past.begin(fork(&data.path().join("kalel.toml"), url, &then.to_string()));
    assert_eq!(copy.told["fork"]["position"], then, "{}", copy.told);
    assert_eq!((&copy.told["keys"], &copy.told["fakes"]), (&json!({}), &json!({})));
    let seen = async |copy: &Up| {
        let there = async |method, path: &str, body| {
            let (status, body, _) = ask(&copy.told["base_url"], keys, method, "manager", path, &body).await;
            (status, body)
        };
        let (status, shown) = there(Method::GET, &first, Value::Null).await;
        assert_eq!((status, &shown["status"]), (200, &json!("confirmed")), "cancelled later: {shown}");
        assert_eq!(there(Method::GET, &second, Value::Null).await.0, 404, "booked later");
        let day = format!("/v1/sites/{site}/availability?date={}&minutes=60&format=5x5", noon.format("%Y-%m-%d"));
        let (status, free) = there(Method::GET, &day, Value::Null).await;
        assert_eq!(status, 200, "{free}");
        let pitches = free["pitches"].as_array().unwrap();
        let nord = pitches.iter().find(|pitch| pitch.to_string().contains("\"nord\"")).unwrap();
        let starts: Vec<&str> =
            nord["starts"].as_array().unwrap().iter().map(|start| start["starts_at"].as_str().unwrap()).collect();
        assert!(starts.iter().any(|start| start.contains("T18:00")), "taken later: {starts:?}");
        assert!(!starts.iter().any(|start| start.contains("T12:00")), "free later: {starts:?}");
        let wish = slot(&site, "sud", noon, 60);
        let quote = json!({ "site_id": site, "pitch_id": "sud", "starts_at": noon.to_rfc3339(), "minutes": 60 });
        for (method, path, body) in [
            (Method::POST, "/v1/reservations", wish),
            (Method::POST, "/v1/quotes", quote),
            (Method::POST, &format!("{first}/cancellation"), json!({ "reason": "weather" })),
            (Method::POST, "/v1/sites", ground("fork-2", json!({}))),
        ] {
            let (status, problem) = there(method, path, body).await;
            assert_eq!((status, &problem["code"]), (403, &json!("log.is_a_fork")), "{path}: {problem}");
            assert_eq!(problem["outcome"], "not_done");
        }
    };
    seen(&copy).await;
    let there = open(copy.told["postgres_url"].as_str().unwrap()).await;
    let until = usize::try_from(then).unwrap();
    assert_eq!(lines(&there, i64::MAX).await, said[..until], "byte by byte");
    there.close().await;

    // Roles that write, and the command line.
    let config = past.path().join("kalel.toml");
    let kalel = |args: &[&str]| {
        let mut command = Command::new(KALEL);
        let url = copy.told["postgres_url"].as_str().unwrap();
        command.args(args).arg("--config").arg(&config).env("DATABASE_URL", url);
        command.env("NATS_URL", up.told["nats_url"].as_str().unwrap()).output().unwrap()
    };
    for roles in ["worker", "relay", "sealer", "api,projector,worker"] {
        refused(&kalel(&["serve", "--roles", roles]), "--roles api,projector");
    }
    refused(&kalel(&["serve"]), "--roles api,projector");
    refused(&kalel(&["key", "--role", "admin", "--label", "mine"]), "a copy of the past");

    // It can be started again, as what it is.
    copy.end(Signal::SIGINT);
    let again = past.up();
    assert_eq!(again.told["fork"]["position"], then);
    seen(&again).await;
    again.end(Signal::SIGTERM);
    // As if the machine had stopped while it was copied: it must not become a log of its own.
    let private = past.path().join("private.json");
    let text = std::fs::read_to_string(&private).unwrap();
    assert!(text.contains("\"ready\": true"));
    std::fs::write(&private, text.replace("\"ready\": true", "\"ready\": false")).unwrap();
    refused(&past.run(&[]), "never did");

    assert_eq!(lines(&log, last).await, said, "the log is as it was");
    assert_eq!(log.log().fork, None);
    log.close().await;
    let (status, ..) = here(Method::POST, "manager", "/v1/reservations", slot(&site, "sud", noon, 60)).await;
    assert_eq!(status, 201, "and goes on");
}
