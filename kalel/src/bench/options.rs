//! What each measurement can be told.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct AppendOptions {
    /// A migrated database, as its owner, that may be filled. Without it a private Postgres is started.
    #[arg(long)]
    pub database_url: Option<String>,
    /// How many callers, in turn.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 32, 256])]
    pub callers: Vec<usize>,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    pub seconds: u64,
    /// How often both sides take turns.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct HttpOptions {
    /// A migrated database, as its owner, that may be filled. Without it a private Postgres is started.
    #[arg(long)]
    pub database_url: Option<String>,
    #[arg(long, default_value_t = 64)]
    pub connections: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    pub seconds: u64,
    /// How often both sides take turns.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Clients that want one and the same slot.
    #[arg(long, default_value_t = 1_000)]
    pub crowd: usize,
    /// Also measures the booking API in this folder, with Node: peers/node.
    #[arg(long)]
    pub node: Option<PathBuf>,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct AuditOptions {
    /// A migrated database of its own, as its owner. Without it a private Postgres is started.
    #[arg(long)]
    pub database_url: Option<String>,
    /// Events in the log.
    #[arg(long, default_value_t = 1_000_000)]
    pub events: i64,
    /// How often both sides take turns.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct RebuildOptions {
    /// A migrated database, as its owner, that may be filled. Without it a private Postgres is started.
    #[arg(long)]
    pub database_url: Option<String>,
    /// Events in the log.
    #[arg(long, default_value_t = 1_000_000)]
    pub events: i64,
    /// Commands a second meanwhile.
    #[arg(long, default_value_t = 100)]
    pub commands: u32,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct SearchOptions {
    /// A migrated database of its own, as its owner. Without it a private Postgres is started.
    #[arg(long)]
    pub database_url: Option<String>,
    /// Sites that are searched.
    #[arg(long, default_value_t = 10_000)]
    pub sites: u64,
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 4)]
    pub seconds: u64,
    /// How often both sides take turns.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct StreamsOptions {
    /// Folder of the peers: what is not there, or cannot be installed, is named as not measured.
    #[arg(long, default_value = "peers")]
    pub peers: PathBuf,
    /// How many callers.
    #[arg(long, default_value_t = 32)]
    pub callers: usize,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 3)]
    pub seconds: u64,
    /// How often all sides take turns.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CompareOptions {
    /// Folder of the peers: what is not there, or cannot be installed, is named as not measured.
    #[arg(long, default_value = "peers")]
    pub peers: PathBuf,
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 3)]
    pub seconds: u64,
    /// How often all sides take turns.
    #[arg(long, default_value_t = 3)]
    pub rounds: usize,
    /// Events in the log that is rebuilt.
    #[arg(long, default_value_t = 200_000)]
    pub events: i64,
    /// Sites that are searched.
    #[arg(long, default_value_t = 10_000)]
    pub sites: u64,
    /// Clients that want one and the same slot.
    #[arg(long, default_value_t = 1_000)]
    pub crowd: usize,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct OverloadOptions {
    /// A migrated, empty database of its own, as its owner. Without it a private Postgres is started.
    #[arg(long)]
    pub database_url: Option<String>,
    /// Seconds of overload.
    #[arg(long, default_value_t = 300)]
    pub seconds: u64,
    /// How many times the most that can be done.
    #[arg(long, default_value_t = 10.0)]
    pub times: f64,
    /// Without admission control: what happens when everybody is let in.
    #[arg(long)]
    pub unguarded: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct GuessOptions {
    /// A migrated, empty database. Without it a private Postgres is started.
    #[arg(long)]
    pub database_url: Option<String>,
    /// Guesses, half of them at codes and half at PINs.
    #[arg(long, default_value_t = 1_000_000)]
    pub guesses: u64,
    /// Whom they are at.
    #[arg(long, default_value_t = 100)]
    pub people: u64,
    /// Another seed, other guesses.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
    /// Also replaces the section of this Markdown file, such as docs/benchmarks.md.
    #[arg(long)]
    pub write: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct CrashOptions {
    /// A migrated database that may be filled. Without it a private Postgres is started.
    #[arg(long)]
    pub database_url: Option<String>,
    #[arg(long, default_value_t = 100_000)]
    pub commands: u64,
    #[arg(long, default_value_t = 4)]
    pub processes: usize,
    /// Makes the run's choices; printed, so that a failure can be repeated.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}
