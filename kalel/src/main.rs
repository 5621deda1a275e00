//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Kalel, a booking engine for sports pitches.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start everything on this machine: private servers, the engine, the provider fakes. Ctrl-C stops it all.
    Up(kalel::up::run::Options),
    /// Run parts of the engine against servers that are there already (production).
    Serve(kalel::serve::Options),
    /// Bring sites from a file into the log; those that are there already are left alone.
    Import(kalel::admin::Import),
    /// Make an API key; it is shown once. The first admin key of a log is made here.
    Key(kalel::admin::NewKey),
    /// Invite somebody to work here, by mail. The first admin of a log is invited here.
    Account(kalel::admin::NewAccount),
    /// Build the rows of a projector again beside the ones that are read, compare the two, put them in their place.
    Rebuild(kalel::rebuild::Rebuild),
    /// How far every projector is, what is parked, and going on after a fix.
    Projections(kalel::projections::Projections),
    /// Run one provider fake as a server.
    #[command(subcommand)]
    Fake(kalel::fake::Fake),
    /// Play the main job against a running `kalel up`, step by step; exit code 1 if anything is off.
    Tour(kalel::tour::Options),
    /// Forget a person: destroys the key of their data, and records that.
    Erase(kalel::erase::Options),
    /// Prove that the log is what it was: export, verify, receipts, the signing key.
    #[command(subcommand)]
    Audit(kalel::audit::Audit),
    /// Messages as Standard Webhooks: whether one is what it says.
    #[command(subcommand)]
    Webhook(kalel::webhook::Webhook),
    /// Tell what happened to something up to a moment: who, why, and what it led to.
    Replay(kalel::replay::Options),
    /// Start a private copy of the past: what the log said at a moment, to be read.
    Fork(kalel::fork::Options),
    /// Kill, pause and restart every part of a private stack while clients book, then judge what they were told.
    Trial(kalel::trial::Options),
    /// Measure, or try to break, on a private Postgres.
    #[command(subcommand)]
    Bench(kalel::bench::Bench),
    /// Bring the database's schema up to date.
    Migrate {
        /// The database, as its owner.
        #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
        database_url: String,
    },
    /// Started by `up` and the tests: keeps the private servers and ends them when its standard input closes.
    #[command(hide = true)]
    Keeper {
        #[arg(long)]
        lock: PathBuf,
        #[arg(long)]
        parent: i32,
        #[arg(long)]
        remove: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    match Cli::parse().command {
        // Before any runtime: it must start its children from the main thread.
        Command::Keeper { lock, parent, remove } => {
            ExitCode::from(kalel::up::keeper::run(&lock, parent, remove.as_deref()))
        }
        Command::Up(options) => {
            finish(async move { kalel::up::run::up(&options).await.map_err(|error| error.to_string()) })
        }
        Command::Serve(options) => finish(async move {
            kalel::logs::begin()?;
            eventstore::failpoint::arm();
            kalel::serve::serve(&options).await.map_err(|error| error.to_string())
        }),
        Command::Import(import) => finish(kalel::admin::import(import)),
        Command::Key(key) => finish(kalel::admin::key(key)),
        Command::Account(account) => finish(kalel::admin::account(account)),
        Command::Rebuild(rebuild) => {
            eventstore::failpoint::arm();
            finish(kalel::rebuild::run(rebuild))
        }
        Command::Projections(projections) => finish(kalel::projections::run(projections)),
        Command::Tour(options) => {
            finish(async move { kalel::tour::run(&options).await.map_err(|error| error.to_string()) })
        }
        Command::Fake(fake) => finish(kalel::fake::run(fake)),
        Command::Erase(erase) => finish(async move { kalel::erase::run(&erase).await }),
        Command::Webhook(webhook) => finish(async move { kalel::webhook::run(&webhook) }),
        Command::Audit(audit) => finish(kalel::audit::run(audit)),
        Command::Replay(replay) => finish(async move { kalel::replay::run(&replay).await }),
        Command::Fork(options) => finish(async move { kalel::fork::run(&options).await }),
        Command::Trial(options) => finish(async move { kalel::trial::run(&options).await }),
        Command::Bench(bench) => finish(kalel::bench::run(bench)),
        Command::Migrate { database_url } => finish(async {
            let mut connection =
                kalel::up::postgres::connect(&database_url).await.map_err(|error| error.to_string())?;
            let count = kalel::migrate::migrate(&mut connection).await.map_err(|error| error.to_string())?;
            println!("{count} migrations, all applied");
            Ok(())
        }),
    }
}

/// Runs to the end on a runtime; an error is one line on standard error and exit code 1.
fn finish(work: impl Future<Output = Result<(), String>>) -> ExitCode {
    kalel::tls::install();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())
        .and_then(|runtime| runtime.block_on(work));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("kalel: {error}");
            ExitCode::FAILURE
        }
    }
}
