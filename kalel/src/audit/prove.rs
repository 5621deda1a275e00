//! `kalel audit prove`.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use domain::ids::ReservationId;
use eventstore::Store;
use eventstore::receipt::Receipt;
use eventstore::seal::ProofError;
use uuid::Uuid;

use super::Out;
use super::shown::Page;
use crate::admin::Log;

/// How long a checkpoint over the last event is waited for: a sealer signs within a second when it is asked.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Args)]
pub struct Options {
    /// The reservation's id.
    #[arg(long)]
    reservation: Uuid,
    /// The receipt to write; `-` for the standard output. It must not be there yet.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    log: Log,
}

pub(super) async fn run(options: &Options) -> Result<(), String> {
    let mut out = Out::open(&options.out)?;
    let store = options.log.open().await?;
    let receipt = receipt(&store, options.reservation).await;
    store.close().await;
    let receipt = receipt?;
    let mut text = serde_json::to_string_pretty(&receipt).map_err(|error| error.to_string())?;
    text.push('\n');
    out.write_all(text.as_bytes()).map_err(|error| format!("{} cannot be written: {error}", options.out.display()))?;
    let quiet = out.is_standard_output();
    out.keep()?;
    if !quiet {
        let page = Page::new();
        page.good("written", &options.out.display().to_string());
        page.good("events", &format!("{} of {} streams", receipt.events.len(), receipt.receipt.streams.len()));
    }
    Ok(())
}

async fn receipt(store: &Store, reservation: Uuid) -> Result<Receipt, String> {
    let begun = Instant::now();
    loop {
        match store.reservation_receipt(ReservationId::new(reservation)).await {
            Ok(Some(receipt)) => return Ok(receipt),
            Ok(None) => return Err(format!("there is no reservation {reservation} in this log")),
            Err(ProofError::NotYet(_)) if begun.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(ProofError::NotYet(position)) => {
                return Err(format!("position {position} is not under a checkpoint: no sealer seems to run"));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}
