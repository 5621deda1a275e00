//! Reading the log for a projector: decoded, with the digest, and while the batch before is still being written.

use eventstore::Store;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use super::{Projector, RunError, entry::Read};
use crate::Position;

/// Up to here decoding is not worth another thread.
const FEW: usize = 100;

/// What lies behind a position.
pub(super) struct Batch {
    pub reads: Vec<Read>,
    pub chain: Chain,
}

/// The digest of the log before and after a batch.
pub(super) struct Chain {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
}

/// SHA-256 of the last digest and the export line, event by event, so that it does not depend on the batches.
pub(super) fn chained(digest: &[u8], batch: &[Read]) -> Vec<u8> {
    batch.iter().fold(digest.to_vec(), |digest, read| {
        Sha256::new().chain_update(&digest).chain_update(read.recorded.export_line().as_bytes()).finalize().to_vec()
    })
}

/// Reads at most `limit` events behind a position.
pub(super) async fn read(
    store: Store,
    projector: &'static Projector,
    after: Position,
    limit: i64,
    digest: Vec<u8>,
) -> Result<Batch, RunError> {
    let events = store.read_after(after, limit).await?;
    let mut at = after;
    for event in &events {
        if event.position != at + 1 {
            return Err(RunError::Gap { projector: projector.name, at, found: event.position });
        }
        at = event.position;
    }
    let few = events.len() <= FEW;
    let decode = move || {
        let reads: Vec<Read> = events.into_iter().map(|recorded| Read::of(projector, recorded)).collect();
        let to = chained(&digest, &reads);
        Batch { reads, chain: Chain { from: digest, to } }
    };
    if few {
        return Ok(decode());
    }
    // Thousands of events are some tenths of a second of work: not on a thread that serves requests.
    tokio::task::spawn_blocking(decode).await.map_err(RunError::Interrupted)
}

/// The batch after the next, being read.
pub(super) struct Ahead {
    after: Position,
    limit: i64,
    /// One task; it ends with this value.
    reading: JoinSet<Result<Batch, RunError>>,
}

impl Ahead {
    pub(super) fn start(
        store: Store,
        projector: &'static Projector,
        after: Position,
        limit: i64,
        digest: Vec<u8>,
    ) -> Self {
        let mut reading = JoinSet::new();
        reading.spawn(read(store, projector, after, limit, digest));
        Self { after, limit, reading }
    }

    /// What was read, when it is what is wanted now.
    pub(super) async fn take(mut self, after: Position, limit: i64) -> Option<Result<Batch, RunError>> {
        if (self.after, self.limit) != (after, limit) {
            return None;
        }
        let read = self.reading.join_next().await?;
        Some(read.unwrap_or_else(|error| Err(RunError::Interrupted(error))))
    }
}
