//! `kalel bench audit`: how far the seal is behind while a log is written as fast as it goes, then an export of it verified
//! beside `sha256sum` of the same file.

mod lag;
mod sealer;

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use eventstore::{
    Keyring, Mode, Store,
    export::{Range, export},
};
pub use sealer::{SealWorker, work};

use super::{append::Problem, rebuild::fill};

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    /// This program.
    pub program: PathBuf,
    /// A migrated database of its own, as its owner.
    pub database_url: String,
    /// Events in the log.
    pub events: i64,
    /// How often both sides take turns.
    pub rounds: usize,
}

/// Everything that was measured.
#[derive(Clone, Debug)]
pub struct Report {
    pub events: i64,
    /// While it was written.
    pub written_per_second: f64,
    /// For how long the oldest event that was not sealed had been there for readers, at moments 10 ms apart; at most
    /// so long, since it counts from the last look at which it was not there yet.
    pub behind: Vec<Duration>,
    pub bytes: u64,
    pub exported_in: Duration,
    /// The fastest of the rounds.
    pub sha256sum: Duration,
    /// The fastest of the rounds.
    pub verify: Duration,
    /// The most memory a verification ever had, in kB.
    pub memory_kb: u64,
}

impl Report {
    /// Speed of `verify` beside that of `sha256sum`.
    pub fn ratio(&self) -> f64 {
        self.sha256sum.as_secs_f64() / self.verify.as_secs_f64().max(1e-6)
    }

    fn behind_at(&self, share: f64) -> Duration {
        let mut sorted = self.behind.clone();
        sorted.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index")]
        let at = (sorted.len() as f64 * share) as usize;
        sorted.get(at.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

/// Measures.
///
/// # Errors
/// When the database cannot be reached or refuses, or an export does not verify.
pub async fn run(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    let mut options = eventstore::Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 32;
    let store = Store::open(options).await?;
    let sealing = sealer::start(&plan.program, &plan.database_url)?;
    let sampling = lag::Sampler::start(&plan.database_url)?;
    say(&format!("writing a log of {} events, sealed meanwhile", plan.events));
    let began = Instant::now();
    fill::fill(&store, plan.events, say).await?;
    let took = began.elapsed();
    let head = store.head().await?;
    store.want_checkpoint(head).await?;
    while store.checkpoint().await?.is_none_or(|newest| newest.size < head) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let behind = sampling.end().await?;
    sealing.end().await?;

    say("exporting");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("log.ndjson");
    let began = Instant::now();
    let mut out = std::io::BufWriter::with_capacity(1 << 20, std::fs::File::create(&file)?);
    export(&store, Range::default(), &mut out, &mut |_| ()).await?;
    drop(out);
    let exported_in = began.elapsed();
    store.close().await;
    let bytes = std::fs::metadata(&file)?.len();

    let (mut sha256sum, mut verify, mut memory_kb) = (Duration::MAX, Duration::MAX, 0);
    for round in 1..=plan.rounds {
        say(&format!("sha256sum and verify, {round} of {}", plan.rounds));
        sha256sum = sha256sum.min(timed(Path::new("sha256sum"), &[], &file, &mut 0).await?);
        verify = verify.min(timed(&plan.program, &["audit", "verify"], &file, &mut memory_kb).await?);
    }
    let written_per_second = head as f64 / took.as_secs_f64();
    Ok(Report { events: head, written_per_second, behind, bytes, exported_in, sha256sum, verify, memory_kb })
}

/// How long a program takes for the file; remembers the most memory it had.
async fn timed(program: &Path, arguments: &[&str], file: &Path, memory_kb: &mut u64) -> Result<Duration, Problem> {
    let began = Instant::now();
    let mut child = std::process::Command::new(program).args(arguments).arg(file).stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    loop {
        if let Some(ended) = child.try_wait()? {
            let took = began.elapsed();
            return if ended.success() { Ok(took) } else { Err(format!("{} failed", program.display()).into()) };
        }
        let high = std::fs::read_to_string(&status).unwrap_or_default();
        let high = high.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        *memory_kb = (*memory_kb).max(high.unwrap_or(0));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// The report as a Markdown table.
pub fn table(report: &Report) -> String {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1_000.0;
    let megabytes = report.bytes as f64 / 1e6;
    format!(
        "| what | figure | goal |\n|---|---|---|\n\
         | the seal, of a process of its own, behind what readers saw while {:.0} events/s were written | p50 {:.0} ms, p99 {:.0} ms, at worst {:.0} ms | ≤ 100 ms |\n\
         | export of {} events, {megabytes:.0} MB | {:.1} s, {:.0} events/s | |\n\
         | `sha256sum` of the file | {:.2} s, {:.0} MB/s | |\n\
         | `kalel audit verify` of it | {:.2} s, {:.0} MB/s: {:.2}× of `sha256sum` | ≥ 0.4× |\n\
         | memory of `verify` at most | {:.1} MB | constant |",
        report.written_per_second,
        milliseconds(report.behind_at(0.5)),
        milliseconds(report.behind_at(0.99)),
        milliseconds(report.behind_at(1.0)),
        report.events,
        report.exported_in.as_secs_f64(),
        report.events as f64 / report.exported_in.as_secs_f64(),
        report.sha256sum.as_secs_f64(),
        megabytes / report.sha256sum.as_secs_f64(),
        report.verify.as_secs_f64(),
        megabytes / report.verify.as_secs_f64(),
        report.ratio(),
        report.memory_kb as f64 / 1_000.0,
    )
}
