//! The servers that are measured: each a process of its own, so that none shares threads with the clients.

use std::{process::Stdio, sync::Arc};

use adapters::{
    payments::{origin::Origin, wave::webhook::WebhookSecret},
    secret::Secret,
};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use clap::{Args, ValueEnum};
use eventstore::{Keyring, Mode, Options, Store};
use serde::Serialize;
use serde_json::{Value, json};
use sqlx::{PgPool, postgres::PgPoolOptions};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::{Child, Command},
};
use tokio_util::sync::CancellationToken;

use super::Plan;
use crate::{
    bench::{append::Problem, overload::WAVE_SECRET},
    serve::listen,
};

/// One of the servers: started by `bench http`.
#[derive(Debug, Args)]
pub struct Server {
    what: What,
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
    /// Where the relay publishes; without it everything but the relay is on.
    #[arg(long, env = "NATS_URL", hide_env_values = true)]
    nats_url: Option<String>,
    #[arg(long)]
    connections: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// An axum endpoint that does one unordered INSERT and checks nothing.
    Bare,
    /// The API alone.
    Api,
    /// The API with relay, projectors and workers in the same process.
    All,
    /// The same as `kalel serve` has it: its listener, its pool, admission control, and Wave's webhooks.
    Guarded,
    /// The same without admission control.
    Unguarded,
}

/// A server that runs; it ends with this value.
#[derive(Debug)]
pub struct Running {
    pub authority: String,
    process: Child,
}

/// Resident memory of a process, in MB.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Memory {
    pub now: f64,
    /// The most it ever had.
    pub most: f64,
}

impl Running {
    /// How much memory the process has; `None` where `/proc` does not say.
    pub fn memory(&self) -> Option<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()?)).ok()?;
        let megabytes = |name: &str| -> Option<f64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.split_whitespace().next()?.parse::<f64>().ok()? * 1_024.0 / 1e6)
        };
        Some(Memory { now: megabytes("VmRSS:")?, most: megabytes("VmHWM:")? })
    }

    /// Starts one of ours and waits until it listens.
    pub async fn start(plan: &Plan, what: What) -> Result<Self, Problem> {
        let mut command = Command::new(&plan.program);
        let what = what.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        command.args(["bench", "http-server", &what, "--connections", &plan.connections.to_string()]);
        if let Some(url) = &plan.nats_url {
            command.env("NATS_URL", url);
        }
        Self::of(command.env("DATABASE_URL", &plan.database_url)).await
    }

    /// Starts a command that says where it listens, and ends when its standard input does.
    pub async fn of(command: &mut Command) -> Result<Self, Problem> {
        let mut process =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true).spawn()?;
        let output = process.stdout.take().ok_or("a process without output")?;
        let line = BufReader::new(output).lines().next_line().await?.ok_or("a server ended before it listened")?;
        let told: Value = serde_json::from_str(&line)?;
        let authority = told["listening"].as_str().ok_or("a server does not say where it listens")?.to_owned();
        Ok(Self { authority, process })
    }
}

/// Serves until standard input ends.
///
/// # Errors
/// When the database cannot be reached or no port be had.
pub async fn serve(server: Server) -> Result<(), Problem> {
    crate::logs::warnings();
    let ending = CancellationToken::new();
    let mut others = None;
    let mut door = None;
    let router = match server.what {
        What::Bare => bare(&server.database_url, server.connections).await?,
        What::Api | What::All | What::Guarded | What::Unguarded => {
            let as_served = matches!(server.what, What::Guarded | What::Unguarded);
            let mut options = Options::new(&server.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
            options.connections = if as_served { server.connections } else { 32 };
            options.keep_connections = true;
            if as_served {
                (options.acquire_timeout, options.kept_for_urgent) = crate::serve::POOL;
            }
            let store = Store::open(options).await?;
            let watch = projections::Watch::new(store.clone());
            let most_at_once = (server.what == What::Guarded).then_some(crate::config::Limits::default().most_at_once);
            let settings = api::Settings { most_at_once, ..api::Settings::default() };
            let webhooks = if as_served { wave()? } else { api::payment::Verifiers::default() };
            let app = api::App::new(api::Options { store: store.clone(), watch: watch.clone(), settings, webhooks });
            if server.what != What::Api {
                others = Some(start_others(&store, watch, server.nats_url.as_deref(), ending.clone()).await?);
            }
            door = as_served.then(|| api::door(app.clone()));
            api::router(app)
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", json!({ "listening": listener.local_addr()?.to_string() }));
    let over = ending.clone();
    // A thread of its own: a read of standard input cannot be called off.
    std::thread::spawn(move || {
        let _ = std::io::read_to_string(std::io::stdin());
        over.cancel();
    });
    if let Some(door) = door {
        // Everybody comes from one address.
        let bounds = listen::Bounds { per_address: usize::MAX, ..Default::default() };
        listen::serve(listener, door, bounds, ending.clone()).await;
        return Ok(others.ok_or("no others")?.await??);
    }
    tokio::select! {
        served = axum::serve(listener, router.into_make_service()) => served?,
        () = ending.cancelled() => {}
    }
    match others {
        Some(others) => Ok(others.await??),
        None => Ok(()),
    }
}

/// Messages of a Wave that signs with the secret of `bench overload`.
fn wave() -> Result<api::payment::Verifiers, Problem> {
    let secret = Secret::new(WAVE_SECRET).map_err(|error| error.to_string())?;
    Ok(api::payment::Verifiers(vec![Origin::Wave(vec![WebhookSecret::Signing(secret)]).into()]))
}

type Others = tokio::task::JoinHandle<Result<(), workers::runtime::StepError>>;

async fn start_others(
    store: &Store,
    watch: projections::Watch,
    nats_url: Option<&str>,
    ending: CancellationToken,
) -> Result<Others, Problem> {
    let config = workers::Config::new("bench");
    let bus = match nats_url {
        Some(url) => Some(workers::Bus::connect(url, store.log().id, config.stream_bytes).await?),
        None => None,
    };
    let pay_url = Arc::new(|id| format!("http://localhost/p/{id}"));
    let context = workers::Context::new(store.clone(), config, workers::Providers::default(), pay_url);
    Ok(tokio::spawn(async move {
        let roles = [workers::Role::Relay, workers::Role::Projector, workers::Role::Worker];
        workers::run(context, &roles, bus, Some(watch), ending).await
    }))
}

/// The endpoint ours is compared with: it reads the same JSON, writes one row in a transaction of its own and answers.
async fn bare(database_url: &str, connections: u32) -> Result<Router, Problem> {
    let pool =
        PgPoolOptions::new().max_connections(connections).min_connections(connections).connect(database_url).await?;
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
