//! `kalel bench http`: `POST /v1/reservations` against a bare axum endpoint that does one unordered INSERT, in one run;
//! the same with relay, projectors and workers in the process; then a thousand clients on one slot.
//!
//! Both servers and the clients share the machine and speak HTTP/1.1 over loopback with kept connections. The bare
//! endpoint reads the same JSON, writes one row in a transaction of its own and answers; it checks nothing.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    actor::Role,
    ids::{KeyId, PrincipalId},
};
use eventstore::{Keyring, Mode, Options, Store};
use reqwest::Client;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio_util::sync::CancellationToken;

use super::append::{Figure, Problem};
use crate::key::{Wanted, grant};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// A migrated database of its own, as its owner.
    pub database_url: String,
    /// Where the relay publishes; without it everything but the relay is on.
    pub nats_url: Option<String>,
    pub connections: usize,
    /// How long each measurement takes, in one round.
    pub lasting: Duration,
    pub rounds: usize,
    /// Clients that want one and the same slot.
    pub crowd: usize,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Report {
    pub bare: Figure,
    pub reservations: Figure,
    /// The median of the rounds' ratios.
    pub ratio: f64,
    pub all_on: AllOn,
    /// How the crowd was answered: 201, 409, anything else.
    pub crowd: (usize, usize, usize),
    pub crowd_p99_ms: f64,
}

/// All roles in one process.
#[derive(Clone, Copy, Debug)]
pub struct AllOn {
    pub reservations: Figure,
    /// From the last answer until every view had everything.
    pub drained: Duration,
}

/// Pitches of the site: with an hour each for 85 days they are enough for a long run.
const PITCHES: usize = 190;
const DAYS: u64 = 85;
const HOURS: u64 = 24 * DAYS;

/// Measures.
///
/// # Errors
/// When a server cannot be started or an answer is not what it must be.
pub async fn run(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    let mut options = Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 32;
    let store = Store::open(options).await?;
    let secrets = Secrets::grant(&store).await?;
    let watch = projections::Watch::new(store.clone());
    let settings = api::Settings::default();
    let webhooks = api::payment::Verifiers::default();
    let app = api::App::new(api::Options { store: store.clone(), watch: watch.clone(), settings, webhooks });
    let base = serve(api::router(app)).await?;
    let bare = serve(bare(&plan.database_url, plan.connections).await?).await?;
    let http = Client::builder().pool_max_idle_per_host(plan.connections.max(plan.crowd)).build()?;
    let site = register(&http, &base, &secrets.manager).await?;
    let first = (store.clock().now() + TimeDelta::days(1)).date_naive().and_time(chrono::NaiveTime::MIN).and_utc();

    let next = Arc::new(AtomicU64::new(0));
    let mut rounds = Vec::new();
    for round in 1..=plan.rounds {
        say(&format!("{} connections, round {round} of {}", plan.connections, plan.rounds));
        let plain = load(plan, &http, &format!("{bare}/reservations"), "", Arc::clone(&next), {
            let site = site.clone();
            move |number| wish(&site, first, number)
        })
        .await?;
        let ours = load(plan, &http, &format!("{base}/v1/reservations"), &secrets.service, Arc::clone(&next), {
            let site = site.clone();
            move |number| wish(&site, first, number)
        })
        .await?;
        rounds.push((plain, ours));
    }
    rounds.sort_by(|a, b| (a.1.per_second / a.0.per_second).total_cmp(&(b.1.per_second / b.0.per_second)));
    let (plain, ours) = rounds.get(rounds.len() / 2).copied().ok_or("no round")?;
    say("relay, projectors and workers catch up");
    let others = Others::start(&store, watch, plan.nats_url.as_deref()).await?;
    caught_up(&store).await?;
    say(&format!("{} connections, all roles on", plan.connections));
    let reservations = load(plan, &http, &format!("{base}/v1/reservations"), &secrets.service, Arc::clone(&next), {
        let site = site.clone();
        move |number| wish(&site, first, number)
    })
    .await?;
    let drained = caught_up(&store).await?;
    others.stop().await?;
    say(&format!("{} clients on one slot", plan.crowd));
    let contested = wish(&site, first, HOURS * PITCHES as u64 - 1);
    let (crowd, crowd_p99_ms) = crowd(plan, &http, &base, &secrets.service, &contested).await?;
    store.close().await;
    Ok(Report {
        bare: plain,
        reservations: ours,
        ratio: ours.per_second / plain.per_second,
        all_on: AllOn { reservations, drained },
        crowd,
        crowd_p99_ms,
    })
}

/// What runs beside the API.
struct Others {
    ending: CancellationToken,
    running: tokio::task::JoinHandle<Result<(), workers::runtime::StepError>>,
}

impl Others {
    async fn start(store: &Store, watch: projections::Watch, nats_url: Option<&str>) -> Result<Self, Problem> {
        let config = workers::Config::new("bench");
        let bus = match nats_url {
            Some(url) => Some(workers::Bus::connect(url, store.log().id, config.stream_bytes).await?),
            None => None,
        };
        let pay_url = Arc::new(|id| format!("http://localhost/p/{id}"));
        let context = workers::Context::new(store.clone(), config, workers::Providers::default(), pay_url);
        let ending = CancellationToken::new();
        let over = ending.clone();
        let running = tokio::spawn(async move {
            let roles = [workers::Role::Relay, workers::Role::Projector, workers::Role::Worker];
            workers::run(context, &roles, bus, Some(watch), over).await
        });
        Ok(Self { ending, running })
    }

    async fn stop(self) -> Result<(), Problem> {
        self.ending.cancel();
        Ok(self.running.await??)
    }
}

/// Waits until every view has every event; how long that took.
async fn caught_up(store: &Store) -> Result<Duration, Problem> {
    let began = Instant::now();
    loop {
        let views = projections::progress(store).await?;
        if !views.is_empty() && views.iter().all(|view| view.lag() == 0) {
            return Ok(began.elapsed());
        }
        if began.elapsed() > Duration::from_secs(120) {
            return Err("the views do not catch up".into());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

struct Secrets {
    manager: String,
    service: String,
}

impl Secrets {
    async fn grant(store: &Store) -> Result<Self, Problem> {
        let (manager, service) = (Self::one(store, Role::Manager).await?, Self::one(store, Role::Service).await?);
        Ok(Self { manager, service })
    }

    async fn one(store: &Store, role: Role) -> Result<String, Problem> {
        let secret = format!("kk_test_{}", store.clock().new_id().simple());
        let wanted = Wanted {
            id: KeyId::new(store.clock().new_id()),
            label: "bench",
            role,
            principal: PrincipalId::new(store.clock().new_id()),
            secret: &secret,
            sites: None,
        };
        grant(store, &wanted).await?;
        Ok(secret)
    }
}

async fn serve(router: Router) -> Result<String, Problem> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(base)
}

/// The endpoint it is compared with.
async fn bare(database_url: &str, connections: usize) -> Result<Router, Problem> {
    let most = u32::try_from(connections)?;
    let pool = PgPoolOptions::new().max_connections(most).min_connections(most).connect(database_url).await?;
    sqlx::query("DROP SCHEMA IF EXISTS bench_http CASCADE").execute(&pool).await?;
    sqlx::query("CREATE SCHEMA bench_http").execute(&pool).await?;
    sqlx::query(
        "CREATE TABLE bench_http.reservations (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body json NOT NULL,
             created_at timestamptz NOT NULL DEFAULT clock_timestamp())",
    )
    .execute(&pool)
    .await?;
    Ok(Router::new().route("/reservations", post(insert)).with_state(pool))
}

async fn insert(State(pool): State<PgPool>, Json(body): Json<Value>) -> Result<(StatusCode, Json<Value>), StatusCode> {
    let id: i64 = sqlx::query_scalar("INSERT INTO bench_http.reservations (body) VALUES ($1::text::json) RETURNING id")
        .bind(body.to_string())
        .fetch_one(&pool)
        .await
        .map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id, "status": "held" }))))
}

async fn register(http: &Client, base: &str, manager: &str) -> Result<String, Problem> {
    let cells: Vec<String> = (0..PITCHES).map(|index| format!("c{index}")).collect();
    let pitches: Vec<Value> =
        cells.iter().map(|cell| json!({ "slug": cell, "name": cell, "format": "5x5", "cells": [cell] })).collect();
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let body = json!({
        "slug": "bench", "time_zone": "Africa/Dakar", "currency": "XOF",
        "profile": { "name": "Bench", "country": "SN" }, "cells": cells, "pitches": pitches,
        "hours": [{ "days": days, "opens": "00:00", "closes": "00:00" }],
        "tariffs": [{ "price": { "amount": 30000, "currency": "XOF" }, "minutes": 60 }],
    });
    let answer = http
        .post(format!("{base}/v1/sites"))
        .bearer_auth(manager)
        .header("idempotency-key", "the site of the benchmark")
        .json(&body)
        .send()
        .await?;
    let status = answer.status();
    let site: Value = answer.json().await?;
    match site["id"].as_str() {
        Some(id) => Ok(id.to_owned()),
        None => Err(format!("the site was answered {status}: {site}").into()),
    }
}

/// The n-th slot: pitches first, then hours, so that neighbours in time are on other ground.
fn wish(site: &str, first: DateTime<Utc>, number: u64) -> Value {
    let pitches = PITCHES as u64;
    let hour = i64::try_from(number / pitches % HOURS).unwrap_or_default();
    json!({
        "site_id": site, "pitch_id": format!("c{}", number % pitches), "minutes": 60,
        "starts_at": (first + TimeDelta::hours(hour)).to_rfc3339(), "payment": { "pays": "none" },
    })
}

async fn load(
    plan: &Plan,
    http: &Client,
    url: &str,
    secret: &str,
    next: Arc<AtomicU64>,
    wish: impl Fn(u64) -> Value + Clone + Send + 'static,
) -> Result<Figure, Problem> {
    let stop = Arc::new(AtomicBool::new(false));
    let begun = Instant::now();
    let callers: Vec<_> = (0..plan.connections)
        .map(|_| {
            let (http, url, secret, wish) = (http.clone(), url.to_owned(), secret.to_owned(), wish.clone());
            let (next, stop) = (Arc::clone(&next), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut took = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let asked = Instant::now();
                    let answer = http
                        .post(&url)
                        .bearer_auth(&secret)
                        .header("idempotency-key", format!("bench key number {number}"))
                        .json(&wish(number))
                        .send()
                        .await
                        .map_err(|error| error.to_string())?;
                    let status = answer.status();
                    let bytes = answer.bytes().await.map_err(|error| error.to_string())?;
                    if status != StatusCode::CREATED {
                        return Err(format!("{status}: {}", String::from_utf8_lossy(&bytes)));
                    }
                    took.push(asked.elapsed());
                }
                Ok(took)
            })
        })
        .collect();
    tokio::time::sleep(plan.lasting).await;
    stop.store(true, Ordering::Relaxed);
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    took.sort_unstable();
    Ok(Figure { per_second: took.len() as f64 / seconds, p50_ms: percentile(&took, 50), p99_ms: percentile(&took, 99) })
}

fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(index).map_or(0.0, Duration::as_secs_f64) * 1_000.0
}

/// Everybody at once on one slot.
async fn crowd(
    plan: &Plan,
    http: &Client,
    base: &str,
    secret: &str,
    body: &Value,
) -> Result<((usize, usize, usize), f64), Problem> {
    let asked = (0..plan.crowd).map(|number| {
        let request = http
            .post(format!("{base}/v1/reservations"))
            .bearer_auth(secret)
            .header("idempotency-key", format!("crowd key number {number}"))
            .json(body);
        async move {
            let begun = Instant::now();
            let status = request.send().await.map(|answer| answer.status().as_u16()).unwrap_or_default();
            (status, begun.elapsed())
        }
    });
    let answers = futures_util::future::join_all(asked).await;
    let count = |wanted: u16| answers.iter().filter(|(status, _)| *status == wanted).count();
    let (won, lost) = (count(201), count(409));
    let mut took: Vec<Duration> = answers.iter().map(|(_, took)| *took).collect();
    took.sort_unstable();
    Ok(((won, lost, answers.len() - won - lost), percentile(&took, 99)))
}

/// The figures as Markdown.
pub fn table(plan: &Plan, report: &Report) -> String {
    let mut text =
        String::from("| what | requests/s | p50 ms | p99 ms | ratio | goal |\n|---|---:|---:|---:|---:|---:|\n");
    let Report { bare, reservations, ratio, all_on, crowd, crowd_p99_ms } = report;
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "| bare axum endpoint, one unordered INSERT, {} connections | {:.0} | {:.1} | {:.1} | | |",
        plan.connections, bare.per_second, bare.p50_ms, bare.p99_ms
    );
    let _ = writeln!(
        text,
        "| `POST /v1/reservations`, spread slots, {} connections | {:.0} | {:.1} | {:.1} | {ratio:.2} | ≥ 0.8 |",
        plan.connections, reservations.per_second, reservations.p50_ms, reservations.p99_ms
    );
    let _ = writeln!(
        text,
        "| the same with relay, projectors and workers on; views {:.0} ms behind at the end | {:.0} | {:.1} | {:.1} | {:.2} | |",
        all_on.drained.as_secs_f64() * 1_000.0,
        all_on.reservations.per_second,
        all_on.reservations.p50_ms,
        all_on.reservations.p99_ms,
        all_on.reservations.per_second / bare.per_second
    );
    let _ = writeln!(
        text,
        "| {} clients on one slot: {} × 201, {} × 409, {} others | | | {crowd_p99_ms:.0} | | ≤ 250 ms |",
        plan.crowd, crowd.0, crowd.1, crowd.2
    );
    text
}
