//! The load of `kalel bench compare` on `cqrs-es` and `postgres-es`, used as their documentation shows: the tables of
//! their `db/init.sql`, `postgres_cqrs` over a pool, commands through `execute`, events from `QueryReplay`.
//!
//! DATABASE_URL; CALLERS (32); SECONDS of each measurement (3); STREAMS of 20 events to begin with (1000); SETTING, the
//! connections of the pool, without which the library's default of 10 and one for each caller are tried, and the faster
//! is used.
//! Prints one line of JSON. It drops and makes the schema `peer_postgres_es`.

mod aggregate;
mod race;

use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use cqrs_es::{
    EventEnvelope, Query,
    persist::{PersistedEventRepository as _, QueryReplay, SerializedEvent},
};
use postgres_es::{PostgresEventRepository, default_postgress_pool, postgres_cqrs};
use serde_json::json;
use sqlx::{Executor as _, PgPool, postgres::PgPoolOptions};
use uuid::Uuid;

use aggregate::{Command, Event, Refund, Services};
use race::{Figure, race};

type Problem = Box<dyn Error + Send + Sync>;

const SCHEMA: &str = "peer_postgres_es";

/// `db/init.sql` of postgres-es 0.5.0, but for its example rows and its example view.
const TABLES: &str = "
    DROP SCHEMA IF EXISTS peer_postgres_es CASCADE;
    CREATE SCHEMA peer_postgres_es;
    CREATE TABLE peer_postgres_es.events (
        aggregate_type text NOT NULL, aggregate_id text NOT NULL,
        sequence bigint CHECK (sequence >= 0) NOT NULL,
        event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, sequence));
    CREATE TABLE peer_postgres_es.snapshots (
        aggregate_type text NOT NULL, aggregate_id text NOT NULL,
        last_sequence bigint CHECK (last_sequence >= 0) NOT NULL,
        current_snapshot bigint CHECK (current_snapshot >= 0) NOT NULL, payload json NOT NULL,
        PRIMARY KEY (aggregate_type, aggregate_id, last_sequence))";

/// Streams to begin with, as its own inserts would have written them.
const SEED: &str = "
    INSERT INTO peer_postgres_es.events
    SELECT 'refund', id, sequence, 'RefundDeclined', '1.0', $2::json, '{}'
    FROM unnest($1::text[]) AS id, generate_series(1, 20) AS sequence";

/// Streams written by one statement of the seed.
const AT_ONCE: usize = 1_000;

#[tokio::main]
async fn main() -> Result<(), Problem> {
    let base = std::env::var("DATABASE_URL")?;
    let callers: usize = setting("CALLERS", 32)?;
    let lasting = Duration::from_secs(setting("SECONDS", 3)?);
    let streams = prepare(&base, setting("STREAMS", 1_000)?).await?;
    let url = format!("{base}{}options=-csearch_path%3D{SCHEMA}", if base.contains('?') { '&' } else { '?' });

    let (streams, next) = (Arc::new(streams), Arc::new(AtomicUsize::new(0)));
    let mut tried = Vec::new();
    let connections = match std::env::var("SETTING") {
        Ok(text) => text.parse()?,
        Err(_) => {
            for connections in [DEFAULT_POOL, u32::try_from(callers)?] {
                let pool = pool(&url, connections).await?;
                let trial = Duration::from_secs(1).min(lasting);
                let figure = load_and_append(&pool, callers, trial, &streams, &next).await?;
                pool.close().await;
                tried.push((connections, figure.per_second));
            }
            tried.iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(DEFAULT_POOL, |(connections, _)| *connections)
        }
    };
    let pool = pool(&url, connections).await?;
    let load_and_append = load_and_append(&pool, callers, lasting, &streams, &next).await?;
    let append = append(&pool, callers, lasting).await?;
    let (read, took) = read_all(&pool).await?;
    let bytes = serde_json::to_string(&Event::example())?.len();
    println!(
        "{}",
        json!({
            "library": "postgres-es", "version": "0.5.0",
            "setting": connections.to_string(), "how": format!("a pool of {connections} connections"),
            "tried": tried.iter().map(|(size, rate)| json!({ "setting": size.to_string(), "per_second": rate })).collect::<Vec<_>>(),
            "callers": callers, "event_bytes": bytes,
            "load_and_append": load_and_append.as_json(), "append": append.as_json(),
            "read_all": { "events": read, "seconds": took.as_secs_f64(), "per_second": read as f64 / took.as_secs_f64() },
        })
    );
    Ok(())
}

/// What `default_postgress_pool` opens.
const DEFAULT_POOL: u32 = 10;

async fn pool(url: &str, connections: u32) -> Result<PgPool, Problem> {
    if connections == DEFAULT_POOL {
        return Ok(default_postgress_pool(url).await);
    }
    Ok(PgPoolOptions::new().max_connections(connections).connect(url).await?)
}

fn setting<T: std::str::FromStr<Err: Error + Send + Sync + 'static>>(name: &str, usual: T) -> Result<T, Problem> {
    match std::env::var(name) {
        Ok(text) => Ok(text.parse()?),
        Err(_) => Ok(usual),
    }
}

/// Makes the tables and so many streams of 20 events.
async fn prepare(url: &str, streams: usize) -> Result<Vec<String>, Problem> {
    let pool = PgPoolOptions::new().max_connections(1).connect(url).await?;
    pool.execute(TABLES).await?;
    let ids: Vec<String> = (0..streams).map(|_| Uuid::now_v7().to_string()).collect();
    let event = serde_json::to_string(&Event::example())?;
    for some in ids.chunks(AT_ONCE) {
        sqlx::query(SEED).bind(some).bind(&event).execute(&pool).await?;
    }
    pool.execute("VACUUM (ANALYZE) peer_postgres_es.events").await?;
    pool.close().await;
    Ok(ids)
}

/// A command on a stream of 20 events that records 2, each stream once.
async fn load_and_append(
    pool: &PgPool,
    callers: usize,
    lasting: Duration,
    streams: &Arc<Vec<String>>,
    next: &Arc<AtomicUsize>,
) -> Result<Figure, Problem> {
    let cqrs = Arc::new(postgres_cqrs::<Refund>(pool.clone(), Vec::new(), Services));
    let (streams, next) = (Arc::clone(streams), Arc::clone(next));
    race(callers, lasting, move || {
        let (cqrs, streams, next) = (Arc::clone(&cqrs), Arc::clone(&streams), Arc::clone(&next));
        async move {
            let Some(stream) = streams.get(next.fetch_add(1, Ordering::Relaxed)) else { return Ok(false) };
            cqrs.execute(stream, Command::DeclineTwice).await?;
            Ok(true)
        }
    })
    .await
}

/// One event for a new stream, without loading anything.
async fn append(pool: &PgPool, callers: usize, lasting: Duration) -> Result<Figure, Problem> {
    let repository = Arc::new(PostgresEventRepository::new(pool.clone()));
    race(callers, lasting, move || {
        let repository = Arc::clone(&repository);
        async move {
            let event = SerializedEvent::new(
                Uuid::now_v7().to_string(),
                1,
                "refund".into(),
                "RefundDeclined".into(),
                "1.0".into(),
                serde_json::to_value(Event::example())?,
                serde_json::to_value(HashMap::<String, String>::new())?,
            );
            repository.persist::<Refund>(&[event], None).await?;
            Ok(true)
        }
    })
    .await
}

/// Every event of the aggregate's type, typed, in the library's own way of replaying; how many, how long.
async fn read_all(pool: &PgPool) -> Result<(u64, Duration), Problem> {
    let counted = Arc::new(AtomicU64::new(0));
    let replay = QueryReplay::new(PostgresEventRepository::new(pool.clone()), Count(Arc::clone(&counted)));
    let began = Instant::now();
    replay.replay_all().await?;
    Ok((counted.load(Ordering::Relaxed), began.elapsed()))
}

struct Count(Arc<AtomicU64>);

#[async_trait]
impl Query<Refund> for Count {
    async fn dispatch(&self, _aggregate_id: &str, events: &[EventEnvelope<Refund>]) {
        self.0.fetch_add(events.len() as u64, Ordering::Relaxed);
    }
}
