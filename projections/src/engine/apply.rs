//! One batch, one transaction: rows, checkpoint, digest.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

use sha2::{Digest, Sha256};
use sqlx::{Connection, PgConnection, PgPool};

use super::{
    ApplyError, Entry, Projector, RunError,
    entry::Read,
    error::{Setback, unreadable},
    park,
    projector::Applying,
};
use crate::Position;

/// Where a projector stands, read under its row lock.
pub(super) struct Checkpoint {
    pub position: Position,
    pub digest: Vec<u8>,
    #[expect(dead_code, reason = "the call that sets it is what counts")]
    patience: Option<String>,
}

/// Applies the whole batch, or nothing.
///
/// The batch begins right after the checkpoint; should it have moved (another run of the same owner whose answer was
/// lost), nothing is written and the caller learns where it stands.
pub(super) async fn attempt(
    pool: &PgPool,
    projector: &Projector,
    epoch: i64,
    batch: &[Read],
    parks: Option<&str>,
) -> Result<Position, Setback> {
    let mut connection = pool.acquire().await?;
    let outcome = transact(&mut connection, projector, epoch, batch, parks).await;
    if matches!(&outcome, Err(Setback::Poison(_))) {
        // After a panic the wire may be in the middle of a message.
        connection.close_on_drop();
    }
    outcome
}

async fn transact(
    connection: &mut PgConnection,
    projector: &Projector,
    epoch: i64,
    batch: &[Read],
    parks: Option<&str>,
) -> Result<Position, Setback> {
    let mut transaction = connection.begin().await?;
    let checkpoint = lock(&mut transaction, projector, epoch).await?;
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else { return Ok(checkpoint.position) };
    if first.recorded.position != checkpoint.position + 1 {
        return Err(Setback::Moved(checkpoint.position));
    }
    match parks {
        Some(why) => park::set_aside(&mut transaction, projector, &first.recorded, why).await?,
        None => {
            let entries = park::without_parked(&mut transaction, projector, batch).await?;
            if !entries.is_empty() {
                caught((projector.apply)(&mut transaction, &entries)).await?;
            }
        }
    }
    let digest = chained(&checkpoint.digest, batch);
    let recorded_at = last.recorded.recorded_at;
    // The lock is held, so the epoch cannot have changed; saying it again costs nothing and needs no proof.
    let written = sqlx::query!(
        "UPDATE read.checkpoints
         SET position = $3, digest = $4, recorded_at = $5, halted_at = NULL, halted_why = NULL
         WHERE name = $1 AND epoch = $2",
        projector.name,
        epoch,
        last.recorded.position,
        digest,
        recorded_at,
    )
    .execute(&mut *transaction)
    .await?;
    if written.rows_affected() != 1 {
        return Err(RunError::Fenced { projector: projector.name }.into());
    }
    transaction.commit().await?;
    Ok(last.recorded.position)
}

/// Locks the checkpoint for its owner: a second owner waits here, then finds that it is not the owner. For the rest of
/// the transaction a statement may take longer than a reader's: a batch is large, and its owner has nothing else to do.
pub(super) async fn lock(
    connection: &mut PgConnection,
    projector: &Projector,
    epoch: i64,
) -> Result<Checkpoint, RunError> {
    sqlx::query_as!(
        Checkpoint,
        "SELECT position, digest, set_config('statement_timeout', '20s', true) AS patience
         FROM read.checkpoints WHERE name = $1 AND epoch = $2 FOR UPDATE",
        projector.name,
        epoch,
    )
    .fetch_optional(connection)
    .await?
    .ok_or(RunError::Fenced { projector: projector.name })
}

/// SHA-256 of the last digest and the export line, event by event, so that it does not depend on the batches.
fn chained(digest: &[u8], batch: &[Read]) -> Vec<u8> {
    batch.iter().fold(digest.to_vec(), |digest, read| {
        Sha256::new().chain_update(&digest).chain_update(read.recorded.export_line().as_bytes()).finalize().to_vec()
    })
}

/// Turns a panic into an error: one bad event must not take the other projectors of the process with it (F30).
pub(super) async fn caught(mut applying: Applying<'_>) -> Result<(), ApplyError> {
    std::future::poll_fn(|context| {
        catch_unwind(AssertUnwindSafe(|| applying.as_mut().poll(context)))
            .unwrap_or_else(|_| Poll::Ready(Err(ApplyError::Panicked)))
    })
    .await
}

/// The events that are wanted, in order; an event that cannot be read fails the batch.
pub(super) fn wanted<'a>(batch: impl Iterator<Item = &'a Read>) -> Result<Vec<Entry>, Setback> {
    batch.filter_map(|read| read.entry.as_ref().map_err(unreadable).cloned().transpose()).collect()
}
