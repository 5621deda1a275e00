//! `kalel bench append`: the append lane against an unordered one-row-per-transaction INSERT, in one run.
//!
//! The plain INSERT goes to a table with the columns and indexes of the log, one connection per caller, each row its own
//! transaction, positions from a sequence: what one writes without a lane. It gives no order (a reader by position
//! misses events) and checks nothing but its constraints.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use domain::ids::StreamId;
use eventstore::{Append, AppendError, Clock, Keyring, Meta, Mode, Store};
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::sync::Notify;

use super::sample::{self, Ground};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// A migrated database of its own, as its owner.
    pub database_url: String,
    pub callers: Vec<usize>,
    /// How long each measurement takes, in one round.
    pub lasting: Duration,
    /// Both sides take turns this often; the figures are the median round's.
    pub rounds: usize,
}

/// Why nothing was measured.
pub type Problem = Box<dyn std::error::Error + Send + Sync>;

/// One measurement.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// The lane beside what it is compared with.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    pub what: String,
    pub callers: usize,
    pub plain: Option<Figure>,
    pub lane: Figure,
    /// The median of the rounds' ratios, not the ratio of medians: both sides of a round had the same machine.
    pub ratio: Option<f64>,
    pub goal: Option<f64>,
}

const PLAIN: &str = "
    DROP SCHEMA IF EXISTS bench_plain CASCADE;
    CREATE SCHEMA bench_plain;
    CREATE TABLE bench_plain.events (
        position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id uuid NOT NULL UNIQUE,
        stream_id uuid NOT NULL, version integer NOT NULL CHECK (version > 0), type text NOT NULL,
        schema smallint NOT NULL, data json NOT NULL, meta json NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(), UNIQUE (stream_id, version))";

const INSERT: &str = "INSERT INTO bench_plain.events (event_id, stream_id, version, type, schema, data, meta)
    VALUES ($1, $2, $3, $4, $5, $6::json, $7::json)";

/// Measures.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn run(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<Vec<Line>, Problem> {
    let mut owner = PgConnection::connect(&plan.database_url).await?;
    owner.execute(PLAIN).await?;
    let mut lines = Vec::new();
    for &callers in &plan.callers {
        let mut rounds = Vec::new();
        for round in 1..=plan.rounds {
            say(&format!("{callers} callers, round {round} of {}", plan.rounds));
            let plain = plain(plan, callers).await?;
            let lane = lane(plan, callers, 1, Work::Plain).await?;
            rounds.push((plain, lane, lane.per_second / plain.per_second.max(0.001)));
        }
        rounds.sort_by(|a, b| a.2.total_cmp(&b.2));
        if let Some((plain, lane, ratio)) = rounds.get(rounds.len() / 2).copied() {
            let what = format!("{callers} caller{}", if callers == 1 { "" } else { "s" });
            lines.push(Line { what, callers, plain: Some(plain), lane, ratio: Some(ratio), goal: goal(callers) });
        }
    }
    let most = plan.callers.iter().copied().max().unwrap_or(256);
    for (what, stores, work) in [
        (format!("{most} callers, two lanes competing"), 2, Work::Plain),
        (format!("{most} callers, each claiming a slot of its own"), 1, Work::Claims),
        (format!("{most} callers fighting for 100 taken slots, attempts"), 1, Work::Fights),
    ] {
        say(&what);
        let lane = lane(plan, most, stores, work).await?;
        lines.push(Line { what, callers: most, plain: None, lane, ratio: None, goal: None });
    }
    owner.execute("DROP SCHEMA bench_plain CASCADE").await?;
    Ok(lines)
}

/// design.md §8.
pub fn goal(callers: usize) -> Option<f64> {
    match callers {
        1 => Some(0.8),
        32 => Some(1.7),
        256 => Some(3.0),
        _ => None,
    }
}

/// What a caller of the lane does over and over.
#[derive(Clone, Copy, Debug)]
enum Work {
    Plain,
    Claims,
    Fights,
}

/// Lets callers go on until the time is over, and counts.
#[derive(Default)]
pub(super) struct Race {
    pub(super) over: AtomicBool,
    pub(super) done: AtomicU64,
    /// Rung by whoever finds that nothing is left to do: the time is over then.
    pub(super) dry: Notify,
}

async fn plain(plan: &Plan, callers: usize) -> Result<Figure, Problem> {
    let clock = Clock::system();
    let mut connections = Vec::new();
    for _ in 0..callers {
        connections.push(PgConnection::connect(&plan.database_url).await?);
    }
    let meta = serde_json::to_string(&Meta::system())?;
    let figure = race(
        plan.lasting,
        connections.into_iter().map(|mut connection| {
            let (clock, meta) = (clock.clone(), meta.clone());
            move |race: Arc<Race>| async move {
                let mut took = Vec::new();
                while !race.over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let stream = clock.new_id();
                    let event = sample::plain(stream, clock.now());
                    sqlx::query(INSERT)
                        .bind(clock.new_id())
                        .bind(stream)
                        .bind(1_i32)
                        .bind(event.name())
                        .bind(event.schema())
                        .bind(event.to_json()?)
                        .bind(&meta)
                        .execute(&mut connection)
                        .await?;
                    race.done.fetch_add(1, Ordering::Relaxed);
                    took.push(began.elapsed());
                }
                connection.close().await?;
                Ok(took)
            }
        }),
    )
    .await?;
    Ok(figure)
}

async fn lane(plan: &Plan, callers: usize, stores: usize, work: Work) -> Result<Figure, Problem> {
    let mut opened = Vec::new();
    for _ in 0..stores {
        let mut options = eventstore::Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
        options.connections = 2;
        opened.push(Store::open(options).await?);
    }
    let ground = Arc::new(match opened.first() {
        Some(store) => ground(store, work).await?,
        None => return Err("no store".into()),
    });
    let next = Arc::new(AtomicU64::new(0));
    let figure = race(
        plan.lasting,
        (0..callers).filter_map(|caller| opened.get(caller % stores)).map(|store| {
            let (store, ground, next) = (store.clone(), Arc::clone(&ground), Arc::clone(&next));
            move |race: Arc<Race>| async move {
                let mut took = Vec::new();
                while !race.over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    once(&store, &ground, work, next.fetch_add(1, Ordering::Relaxed)).await?;
                    race.done.fetch_add(1, Ordering::Relaxed);
                    took.push(began.elapsed());
                }
                Ok(took)
            }
        }),
    )
    .await?;
    for store in opened {
        store.close().await;
    }
    Ok(figure)
}

/// For a fight: ground of which the first 100 hours are taken.
async fn ground(store: &Store, work: Work) -> Result<Ground, Problem> {
    let ground = Ground::new(store.clock(), 1);
    if let Work::Fights = work {
        for hour in 0..100 {
            let taken = ground.closure(store.clock(), hour * 2)?;
            let stream = StreamId::new(store.clock().new_id());
            store.append(Append::new(sample::one(stream, 0, [taken.into()]), Meta::system())).await?;
        }
    }
    Ok(ground)
}

/// One command, as a caller of the store makes it.
async fn once(store: &Store, ground: &Ground, work: Work, number: u64) -> Result<(), Problem> {
    let clock = store.clock();
    let decision = match work {
        Work::Plain => {
            let stream = clock.new_id();
            sample::one(StreamId::new(stream), 0, [sample::plain(stream, clock.now())])
        }
        Work::Claims => {
            // A day on a ground of its own for every 40 commands: no slot is ever asked for twice.
            let mine = Ground { cells: vec![clock.new_id().into()], ..ground.clone() };
            mine.wish(clock, u32::try_from(number % 40)?, clock.now() + chrono::TimeDelta::hours(1))?.place()
        }
        Work::Fights => {
            ground.wish(clock, u32::try_from(number % 100)? * 2, clock.now() + chrono::TimeDelta::hours(1))?.place()
        }
    };
    match store.append(Append::new(decision, Meta::system())).await {
        Ok(_) => Ok(()),
        Err(AppendError::Refused(_)) if matches!(work, Work::Fights) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Callers at once, until the time is over.
///
/// # Errors
/// The first caller's.
pub(super) async fn race<C, F>(lasting: Duration, callers: impl Iterator<Item = C>) -> Result<Figure, Problem>
where
    C: FnOnce(Arc<Race>) -> F,
    F: Future<Output = Result<Vec<Duration>, Problem>> + Send + 'static,
{
    let race = Arc::new(Race::default());
    let began = Instant::now();
    let tasks: Vec<_> = callers.map(|caller| tokio::spawn(caller(Arc::clone(&race)))).collect();
    tokio::select! {
        () = tokio::time::sleep(lasting) => {}
        () = race.dry.notified() => {}
    }
    let (done, seconds) = (race.done.load(Ordering::Relaxed), began.elapsed().as_secs_f64());
    race.over.store(true, Ordering::Relaxed);
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await??);
    }
    took.sort_unstable();
    let at = |part: usize| took.get(took.len() * part / 100).map_or(0.0, |took| took.as_secs_f64() * 1_000.0);
    Ok(Figure { per_second: done as f64 / seconds, p50_ms: at(50), p99_ms: at(99) })
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.0}/s, p50 {:.2} ms, p99 {:.2} ms", self.per_second, self.p50_ms, self.p99_ms)
    }
}

/// The lines as a Markdown table.
pub fn table(lines: &[Line]) -> String {
    let mut text = String::from("| | plain INSERT, no order | lane | ratio | goal |\n|---|---|---|---|---|\n");
    for line in lines {
        let plain = line.plain.map_or_else(|| "–".into(), |figure| figure.to_string());
        let ratio = line.ratio.map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}×"));
        let goal = line.goal.map_or_else(|| "–".into(), |goal| format!("≥ {goal}×"));
        text.push_str(&format!("| {} | {plain} | {} | {ratio} | {goal} |\n", line.what, line.lane));
    }
    text
}
