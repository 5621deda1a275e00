//! `kalel bench rebuild`: each projection rebuilt and swapped while commands and readers go on, beside a plain `COPY` of
//! the resulting rows into empty tables of the same shape.

pub(super) mod fill;
mod load;

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use eventstore::{Keyring, Mode, Store};
use futures_util::TryStreamExt;
use projections::{PROJECTORS, Projector, Shadow, progress};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use tokio::io::AsyncWriteExt;
use workers::lease::Lease;

use super::append::Problem;
use load::{Counts, Load};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// A migrated database of its own, as its owner.
    pub database_url: String,
    /// Events in the log.
    pub events: i64,
    /// Commands a second meanwhile.
    pub commands: u32,
    /// How long the same commands go on alone afterwards, for the lag of the live views.
    pub alone: Duration,
}

/// From the acknowledgement of a command until it is in every live view.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Lag {
    pub commands: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub worst_ms: f64,
}

impl Lag {
    fn of(mut lags: Vec<Duration>) -> Self {
        lags.sort_unstable();
        let at = |index: usize| lags.get(index).map_or(0.0, |lag| lag.as_secs_f64() * 1_000.0);
        let last = lags.len().saturating_sub(1);
        Self {
            commands: lags.len(),
            p50_ms: at(lags.len() / 2),
            p99_ms: at((lags.len() * 99 / 100).min(last)),
            worst_ms: at(last),
        }
    }
}

/// One projector.
#[derive(Clone, Debug)]
pub struct Line {
    pub projector: &'static str,
    pub events: i64,
    pub rows: i64,
    /// From nothing to standing where the live rows stand, indexes included.
    pub build: Duration,
    pub compare: Duration,
    pub swap: Duration,
    pub equal: bool,
    /// A plain `COPY` of the same rows.
    pub copy: Duration,
}

impl Line {
    pub fn per_second(&self) -> f64 {
        self.events as f64 / self.build.as_secs_f64().max(1e-6)
    }

    /// Rows that `COPY` writes in a second; meaningless for a handful.
    pub fn copied_per_second(&self) -> Option<f64> {
        (self.rows >= 1_000).then(|| self.rows as f64 / self.copy.as_secs_f64().max(1e-6))
    }

    /// Events a second beside rows a second of `COPY`.
    pub fn of_copy(&self) -> Option<f64> {
        self.copied_per_second().map(|rows| self.per_second() / rows)
    }

    /// The time that `COPY` takes for the same rows, as a part of the time the rebuild took. A log in which much has come
    /// and gone leaves few rows for many events.
    pub fn of_time(&self) -> Option<f64> {
        (self.rows >= 1_000).then(|| self.copy.as_secs_f64() / self.build.as_secs_f64().max(1e-6))
    }
}

/// Everything that was measured.
#[derive(Clone, Debug)]
pub struct Report {
    pub lines: Vec<Line>,
    pub commands_per_second: f64,
    pub reads: u64,
    pub reads_failed: u64,
    pub slowest_read: Duration,
    /// While projections were rebuilt.
    pub lag: Lag,
    /// While nothing but the commands went on.
    pub lag_alone: Lag,
}

impl Report {
    /// The projector that took longest for an event, the one a deadline depends on.
    pub fn slowest(&self) -> Option<&Line> {
        self.lines.iter().min_by(|a, b| a.per_second().total_cmp(&b.per_second()))
    }
}

/// Measures.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn run(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    let mut options = eventstore::Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 32;
    let store = Store::open(options).await?;
    say(&format!("filling a log with {} events", plan.events));
    let known = fill::fill(&store, plan.events, say).await?;
    say("the live rows first");
    let began = Instant::now();
    let load = Load::start(&store, plan.commands, Vec::new());
    caught_up(&store).await?;
    say(&format!("live caught up after {:.1} s", began.elapsed().as_secs_f64()));
    load.end().await?;
    let load = Load::start(&store, plan.commands, known);
    let began = Instant::now();
    let mut lines = Vec::new();
    for projector in PROJECTORS {
        say(&format!("rebuilding {}", projector.name));
        lines.push(rebuild(&store, projector, plan).await?);
    }
    let took = began.elapsed();
    let (counts, lags) = load.end().await?;
    say("the live lag without a rebuild");
    let load = Load::start(&store, plan.commands, Vec::new());
    tokio::time::sleep(plan.alone).await;
    let (_, alone) = load.end().await?;
    store.close().await;
    Ok(report(lines, &counts, took, (Lag::of(lags), Lag::of(alone))))
}

fn report(lines: Vec<Line>, counts: &Counts, took: Duration, (lag, lag_alone): (Lag, Lag)) -> Report {
    Report {
        lines,
        commands_per_second: counts.commands.load(Ordering::Relaxed) as f64 / took.as_secs_f64(),
        reads: counts.reads.load(Ordering::Relaxed),
        reads_failed: counts.failed.load(Ordering::Relaxed),
        slowest_read: Duration::from_micros(counts.slowest.load(Ordering::Relaxed)),
        lag,
        lag_alone,
    }
}

/// Until every projector is within a second's commands of the head.
async fn caught_up(store: &Store) -> Result<(), Problem> {
    loop {
        let all = progress(store).await?;
        if let Some((at, why)) = all.iter().find_map(|status| status.halted.clone()) {
            return Err(format!("a projector stopped at {at}: {why}").into());
        }
        if all.len() == PROJECTORS.len() && all.iter().all(|status| status.lag() < 1_000) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn rebuild(store: &Store, projector: &'static Projector, plan: &Plan) -> Result<Line, Problem> {
    // As `kalel rebuild`: the projector role of this process stands aside.
    let name = workers::shadow::lease_of(projector);
    let lease = Lease::new(store.pool().clone(), name, "bench-rebuild", Duration::from_secs(24 * 3_600));
    lease.seize().await?;
    let began = Instant::now();
    let mut shadow = Shadow::own(projector, store.clone(), "bench-rebuild").await?;
    let events = shadow.follow().await?;
    let build = began.elapsed();
    let began = Instant::now();
    let compared = shadow.compare().await?;
    let compare = began.elapsed();
    let began = Instant::now();
    shadow.swap().await?;
    let swap = began.elapsed();
    lease.give_back().await?;
    let mut copy = Duration::ZERO;
    for table in projector.tables {
        copy += copied(&plan.database_url, table).await?;
    }
    let rows = compared.tables.iter().map(|table| table.live.rows).sum();
    let equal = compared.is_equal();
    Ok(Line { projector: projector.name, events, rows, build, compare, swap, equal, copy })
}

/// How long a plain `COPY` of a table's rows into an empty one of its shape takes. Reading them out is not counted.
async fn copied(database_url: &str, table: &str) -> Result<Duration, Problem> {
    let mut connection = PgConnection::connect(database_url).await?;
    let shape = format!(
        "DROP SCHEMA IF EXISTS bench_copy CASCADE; CREATE SCHEMA bench_copy;
         CREATE TABLE bench_copy.{table} (LIKE read.{table} INCLUDING ALL)"
    );
    connection.execute(sqlx::raw_sql(AssertSqlSafe(shape))).await?;
    let file = tempfile::NamedTempFile::new()?;
    let mut written = tokio::fs::File::create(file.path()).await?;
    {
        let mut rows = connection.copy_out_raw(&format!("COPY read.{table} TO STDOUT (FORMAT binary)")).await?;
        while let Some(bytes) = rows.try_next().await? {
            written.write_all(&bytes).await?;
        }
    }
    written.flush().await?;
    let source = tokio::fs::File::open(file.path()).await?;
    let began = Instant::now();
    let mut sink = connection.copy_in_raw(&format!("COPY bench_copy.{table} FROM STDIN (FORMAT binary)")).await?;
    sink.read_from(source).await?;
    sink.finish().await?;
    let took = began.elapsed();
    connection.execute("DROP SCHEMA bench_copy CASCADE").await?;
    connection.close().await?;
    Ok(took)
}

/// The report as a Markdown table.
pub fn table(report: &Report) -> String {
    let mut text = String::from(
        "| projector | events | rows | built in | events/s | rows/s of COPY | events/s of it | COPY's time of ours | digests | \
         compared in | swapped in |\n|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---:|\n",
    );
    for line in &report.lines {
        let times = |ratio: Option<f64>| ratio.map_or_else(|| "–".into(), |ratio| format!("{ratio:.2}×"));
        let (of_copy, of_time) = (times(line.of_copy()), times(line.of_time()));
        let copied = line.copied_per_second().map_or_else(|| "–".into(), |rows| format!("{rows:.0}"));
        text.push_str(&format!(
            "| {} | {} | {} | {:.1} s | {:.0} | {copied} | {of_copy} | {of_time} | {} | {:.1} s | {:.0} ms |\n",
            line.projector,
            line.events,
            line.rows,
            line.build.as_secs_f64(),
            line.per_second(),
            if line.equal { "equal" } else { "**differ**" },
            line.compare.as_secs_f64(),
            line.swap.as_secs_f64() * 1_000.0,
        ));
    }
    text.push_str(&format!(
        "\nMeanwhile {:.0} commands a second and {} reads, of which {} failed or went back in time; the slowest took {:.0} ms.",
        report.commands_per_second,
        report.reads,
        report.reads_failed,
        report.slowest_read.as_secs_f64() * 1_000.0,
    ));
    let Report { lag, lag_alone, .. } = report;
    text.push_str(&format!(
        "\nFrom a command's acknowledgement until every live view had it: p50 {:.0} ms, p99 {:.0} ms, at worst {:.0} ms while \
         projections were rebuilt; p50 {:.0} ms, p99 {:.0} ms, at worst {:.0} ms while none was.",
        lag.p50_ms, lag.p99_ms, lag.worst_ms, lag_alone.p50_ms, lag_alone.p99_ms, lag_alone.worst_ms,
    ));
    text
}

/// The report as JSON.
pub fn as_json(report: &Report) -> Value {
    let lines: Vec<Value> = report
        .lines
        .iter()
        .map(|line| {
            json!({
                "projector": line.projector, "events": line.events, "rows": line.rows, "equal": line.equal,
                "build_seconds": line.build.as_secs_f64(), "events_per_second": line.per_second(),
                "copy_seconds": line.copy.as_secs_f64(), "copy_rows_per_second": line.copied_per_second(),
                "of_copy": line.of_copy(), "of_time": line.of_time(),
                "compare_seconds": line.compare.as_secs_f64(), "swap_seconds": line.swap.as_secs_f64(),
            })
        })
        .collect();
    json!({
        "projectors": lines, "commands_per_second": report.commands_per_second, "reads": report.reads,
        "reads_failed": report.reads_failed, "slowest_read_seconds": report.slowest_read.as_secs_f64(),
        "lag": lag_json(&report.lag), "lag_alone": lag_json(&report.lag_alone),
    })
}

fn lag_json(lag: &Lag) -> Value {
    json!({ "commands": lag.commands, "p50_ms": lag.p50_ms, "p99_ms": lag.p99_ms, "worst_ms": lag.worst_ms })
}
