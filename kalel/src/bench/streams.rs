//! What an event store does all day, ours beside the published libraries on the same Postgres, in turns: load a stream of 20
//! events and append 2 with its version; append an event to a new stream; read everything there is.

use std::{
    fmt::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use domain::{
    ids::{RefundId, StreamId},
    refund::Refund,
};
use eventstore::{Append, Keyring, Meta, Mode, Options, Store};
use sqlx::{Connection as _, Executor as _, PgConnection};
use uuid::Uuid;

use super::{
    append::{Figure, Problem, race},
    compare::{
        install::{Peers, why},
        peer::{Load, Program, ReadAll, Told},
    },
    sample,
};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// A migrated, empty database of its own, as its owner.
    pub database_url: String,
    pub callers: usize,
    pub lasting: Duration,
    pub rounds: usize,
}

/// Ours and theirs. Figures are those of the round in the middle, each by itself.
#[derive(Clone, Debug)]
pub struct Report {
    pub callers: usize,
    pub load_and_append: Figure,
    pub append: Figure,
    pub read_all: ReadAll,
    /// Bytes of an event's payload.
    pub event_bytes: usize,
    pub libraries: Vec<Library>,
}

/// A library: what it did, or why it is not measured.
#[derive(Clone, Debug)]
pub struct Library {
    pub name: &'static str,
    pub told: Result<Told, String>,
    /// The medians of the rounds' ratios, ours to it; 0 when it was not measured.
    pub load_and_append: f64,
    pub append: f64,
    pub read_all: f64,
}

/// Streams that a second needs at most, so that none is loaded twice; whoever is faster ends early, and is timed so.
const PER_SECOND: usize = 8_000;
const PER_SECOND_OF_PYTHON: usize = 1_500;
/// Rounds of a second that a library may take to choose its setting.
const TRIALS: usize = 3;
/// Events in a stream before.
const LENGTH: usize = 20;
/// Streams of one statement of the seed.
const AT_ONCE: usize = 1_000;
/// Events of a page, reading everything.
const PAGE: i64 = 1_000;

/// As the lane would have written them; the peers' streams are made in the same way.
const SEED: &str = "
    INSERT INTO event_log.events (position, event_id, stream_id, version, type, schema, data, meta, recorded_at)
    SELECT $1 + number, event_id, ($3::uuid[])[(number - 1) / 20 + 1], (number - 1) % 20 + 1, $4, $5, $6::json,
           $7::json, clock_timestamp()
    FROM unnest($2::uuid[]) WITH ORDINALITY AS seeds (event_id, number)";

/// What one side did in one round.
#[derive(Clone, Copy, Debug)]
struct Round {
    load_and_append: Figure,
    append: Figure,
    read_all: ReadAll,
}

/// Measures.
///
/// # Errors
/// When ours cannot be measured; a library that fails is reported as not measured.
pub async fn run(plan: &Plan, peers: &Peers, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    let mut rounds: Vec<Round> = Vec::new();
    let mut libraries: Vec<(&'static str, Result<Vec<Told>, String>)> = Vec::new();
    for (name, program) in [("postgres-es", &peers.postgres_es), ("eventsourcing", &peers.eventsourcing)] {
        libraries.push((name, program.as_ref().map(|_| Vec::new()).map_err(Clone::clone)));
    }
    for round in 1..=plan.rounds {
        say(&format!("streams of {LENGTH} events, {} callers, round {round} of {}", plan.callers, plan.rounds));
        rounds.push(ours(plan).await?);
        for ((name, told), program) in libraries.iter_mut().zip([&peers.postgres_es, &peers.eventsourcing]) {
            let (Ok(rounds), Ok(program)) = (told.as_mut(), program) else { continue };
            say(&format!("the same by {name}"));
            match theirs(plan, program, rounds.last()).await {
                Ok(one) => rounds.push(one),
                Err(problem) => *told = Err(why(&problem)),
            }
        }
    }
    let event_bytes =
        sample::plain(Uuid::nil(), sample::day().and_time(chrono::NaiveTime::MIN).and_utc()).to_json()?.len();
    Ok(Report {
        callers: plan.callers,
        load_and_append: middle(rounds.iter().map(|round| round.load_and_append)),
        append: middle(rounds.iter().map(|round| round.append)),
        read_all: middle_of(rounds.iter().map(|round| round.read_all), |read| read.per_second),
        event_bytes,
        libraries: libraries.into_iter().map(|(name, told)| library(name, told, &rounds)).collect(),
    })
}

async fn theirs(plan: &Plan, program: &Program, before: Option<&Told>) -> Result<Told, Problem> {
    let seconds = usize::try_from(plan.lasting.as_secs().max(1))? + if before.is_none() { TRIALS } else { 0 };
    let per_second = if program.library == "eventsourcing" { PER_SECOND_OF_PYTHON } else { PER_SECOND };
    let load = Load { callers: plan.callers, lasting: plan.lasting, streams: seconds * per_second };
    program.run(&plan.database_url, load, before.map(|told| told.setting.as_str())).await
}

fn library(name: &'static str, told: Result<Vec<Told>, String>, ours: &[Round]) -> Library {
    let unmeasured = |why| Library { name, told: Err(why), load_and_append: 0.0, append: 0.0, read_all: 0.0 };
    let rounds = match told {
        Ok(rounds) => rounds,
        Err(why) => return unmeasured(why),
    };
    // The first round says what was tried.
    let Some(mut first) = rounds.first().cloned() else { return unmeasured("no round".into()) };
    let ratio = |of: fn(&Round) -> f64, by: fn(&Told) -> f64| {
        middle_of(ours.iter().zip(&rounds).map(|(ours, it)| of(ours) / by(it).max(0.001)), |ratio| *ratio)
    };
    let load_and_append = ratio(|ours| ours.load_and_append.per_second, |it| it.load_and_append.per_second);
    let append = ratio(|ours| ours.append.per_second, |it| it.append.per_second);
    let read_all = ratio(|ours| ours.read_all.per_second, |it| it.read_all.per_second);
    first.load_and_append = middle(rounds.iter().map(|round| round.load_and_append));
    first.append = middle(rounds.iter().map(|round| round.append));
    first.read_all = middle_of(rounds.iter().map(|round| round.read_all), |read| read.per_second);
    Library { name, told: Ok(first), load_and_append, append, read_all }
}

fn middle(figures: impl Iterator<Item = Figure>) -> Figure {
    middle_of(figures, |figure| figure.per_second)
}

fn middle_of<T: Copy + Default>(rounds: impl Iterator<Item = T>, by: fn(&T) -> f64) -> T {
    let mut rounds: Vec<T> = rounds.collect();
    rounds.sort_by(|a, b| by(a).total_cmp(&by(b)));
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}

/// One round of ours: a store with its usual pool.
async fn ours(plan: &Plan) -> Result<Round, Problem> {
    let options = Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    let store = Store::open(options).await?;
    let seconds = plan.lasting.as_secs_f64();
    let streams = Arc::new(seed(plan, &store, (seconds * PER_SECOND as f64) as usize).await?);
    let next = Arc::new(AtomicUsize::new(0));
    let load_and_append = race(
        plan.lasting,
        (0..plan.callers).map(|_| {
            let (store, streams, next) = (store.clone(), Arc::clone(&streams), Arc::clone(&next));
            move |race: Arc<super::append::Race>| async move {
                let mut took = Vec::new();
                while !race.over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let Some(stream) = streams.get(next.fetch_add(1, Ordering::Relaxed)) else {
                        race.dry.notify_one();
                        break;
                    };
                    load_and_append(&store, RefundId::new(*stream)).await?;
                    race.done.fetch_add(1, Ordering::Relaxed);
                    took.push(began.elapsed());
                }
                Ok(took)
            }
        }),
    )
    .await?;
    let append = race(
        plan.lasting,
        (0..plan.callers).map(|_| {
            let store = store.clone();
            move |race: Arc<super::append::Race>| async move {
                let mut took = Vec::new();
                while !race.over.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let (stream, at) = (store.clock().new_id(), store.clock().now());
                    let decision = sample::one(StreamId::new(stream), 0, [sample::plain(stream, at)]);
                    store.append(Append::new(decision, Meta::system())).await?;
                    race.done.fetch_add(1, Ordering::Relaxed);
                    took.push(began.elapsed());
                }
                Ok(took)
            }
        }),
    )
    .await?;
    let read_all = read_all(&store).await?;
    store.close().await;
    Ok(Round { load_and_append, append, read_all })
}

async fn load_and_append(store: &Store, id: RefundId) -> Result<(), Problem> {
    let loaded = store.load::<Refund>(id).await?;
    if loaded.version != LENGTH as i32 {
        return Err(format!("a stream of {LENGTH} events has {}", loaded.version).into());
    }
    let now = store.clock().now();
    let events = [sample::plain(id.uuid(), now), sample::plain(id.uuid(), now)];
    store.append(Append::new(sample::one(id, loaded.version, events), Meta::system())).await?;
    Ok(())
}

/// Streams of 20 events at the end of the log.
async fn seed(plan: &Plan, store: &Store, streams: usize) -> Result<Vec<Uuid>, Problem> {
    let mut owner = PgConnection::connect(&plan.database_url).await?;
    let clock = store.clock();
    let ids: Vec<Uuid> = (0..streams.max(1)).map(|_| clock.new_id()).collect();
    let example = sample::plain(clock.new_id(), clock.now());
    let (data, meta) = (example.to_json()?, serde_json::to_string(&Meta::system())?);
    let mut head = store.head().await?;
    for some in ids.chunks(AT_ONCE) {
        let events: Vec<Uuid> = (0..some.len() * LENGTH).map(|_| clock.new_id()).collect();
        sqlx::query(SEED)
            .bind(head)
            .bind(&events)
            .bind(some)
            .bind(example.name())
            .bind(example.schema())
            .bind(&data)
            .bind(&meta)
            .execute(&mut owner)
            .await?;
        head += i64::try_from(events.len())?;
    }
    owner.execute("VACUUM (ANALYZE) event_log.events").await?;
    owner.close().await?;
    Ok(ids)
}

/// The whole log by position, a page at a time, each event decoded.
async fn read_all(store: &Store) -> Result<ReadAll, Problem> {
    let (began, mut position, mut events) = (Instant::now(), 0, 0);
    loop {
        let page = store.read_after(position, PAGE).await?;
        let Some(last) = page.last() else { break };
        position = last.position;
        for recorded in &page {
            recorded.event()?;
            events += 1;
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    Ok(ReadAll { events, seconds, per_second: events as f64 / seconds })
}

/// The report as Markdown.
pub fn table(ours: &Report) -> String {
    let mut text = String::from(
        "| | load 20 events, append 2 | ours to it | append 1 | ours to it | read and decode all | ours to it |\n\
         |---|---|---:|---|---:|---|---:|\n",
    );
    let _ = writeln!(
        text,
        "| Kalel, a pool of 16 connections and the lane's; {} bytes an event | {} | | {} | | {:.0}/s of {} | |",
        ours.event_bytes, ours.load_and_append, ours.append, ours.read_all.per_second, ours.read_all.events
    );
    for library in &ours.libraries {
        let _ = writeln!(text, "{}", line(library));
    }
    text
}

fn line(library: &Library) -> String {
    match &library.told {
        Ok(told) => format!(
            "| {} | {} | {:.2}× | {} | {:.2}× | {:.0}/s of {} | {:.2}× |",
            named(told),
            told.load_and_append,
            library.load_and_append,
            told.append,
            library.append,
            told.read_all.per_second,
            told.read_all.events,
            library.read_all,
        ),
        Err(why) => format!("| `{}`: not measured: {why} | | | | | | |", library.name),
    }
}

fn named(told: &Told) -> String {
    let tried: Vec<String> = told.tried.iter().map(|one| format!("{} {:.0}/s", one.setting, one.per_second)).collect();
    let tried = if tried.is_empty() { String::new() } else { format!(" (tried: {})", tried.join(", ")) };
    format!("`{}` {}, {}{tried}; {} bytes", told.library, told.version, told.how, told.event_bytes)
}
