//! The sealer as in production: the role in a process of its own.

use std::{io::Read as _, path::Path, process::Stdio, sync::Arc};

use clap::Args;
use ed25519_dalek::SigningKey;
use eventstore::{Keyring, Mode, Options, Store, note::Signer, seal::Pace};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;
use workers::{Context, Providers, Role, sealer::Sealing};

use crate::bench::append::Problem;

const ORIGIN: &str = "kalel.bench/log";

/// The process.
#[derive(Debug, Args)]
pub struct SealWorker {
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

/// Seals until its input ends.
///
/// # Errors
/// When the log cannot be opened.
pub async fn work(worker: SealWorker) -> Result<(), Problem> {
    let mut options = Options::new(&worker.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 4;
    let store = Store::open(options).await?;
    let signer = Signer::new(ORIGIN, SigningKey::from_bytes(&[7; 32]))?;
    let mut config = workers::Config::new("bench-sealer");
    config.sealing = Some(Sealing { signer, origin: ORIGIN.into(), pace: Pace::default() });
    let context = Context::new(store.clone(), config, Providers::default(), Arc::new(|_| String::new()));
    let ending = CancellationToken::new();
    let asked = ending.clone();
    std::thread::spawn(move || {
        // It ends with whoever started it, too.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        asked.cancel();
    });
    workers::run(context, &[Role::Sealer], None, None, ending).await?;
    store.close().await;
    Ok(())
}

/// The process, seen from outside.
pub(super) struct Process(Child);

/// Starts it.
pub(super) fn start(program: &Path, database_url: &str) -> Result<Process, Problem> {
    let child = Command::new(program)
        .args(["bench", "seal-worker"])
        .env("DATABASE_URL", database_url)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    Ok(Process(child))
}

impl Process {
    pub(super) async fn end(mut self) -> Result<(), Problem> {
        drop(self.0.stdin.take());
        let ended = self.0.wait().await?;
        if ended.success() { Ok(()) } else { Err("the sealer failed".into()) }
    }
}
