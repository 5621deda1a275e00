//! One batch, one transaction: rows, checkpoint, digest.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::Poll,
};

use domain::Timestamp;
use eventstore::failpoint;
use sqlx::{Connection, PgConnection, PgPool};

use super::{
    ApplyError, Entry, RunError,
    batch::{Batch, Chain, chained},
    entry::Read,
    error::{Setback, unreadable},
    park,
    projector::Applying,
    rows::Hold,
};
use crate::Position;

/// Where a projector stands, read under its row lock.
pub(super) struct Checkpoint {
    pub position: Position,
    pub digest: Vec<u8>,
    #[expect(dead_code, reason = "the calls that set it are what counts")]
    settings: Option<String>,
}

/// Where it stands after a write.
#[derive(Clone)]
pub(super) struct Stand {
    pub position: Position,
    pub digest: Vec<u8>,
}

/// Applies the whole batch, or nothing.
///
/// The batch begins right after the checkpoint; should it have moved (another run of the same owner whose answer was
/// lost), nothing is written and the caller learns where it stands.
pub(super) async fn attempt(
    pool: &PgPool,
    hold: &Hold,
    batch: &[Read],
    chain: Option<&Chain>,
    parks: Option<&str>,
) -> Result<Stand, Setback> {
    let mut connection = pool.acquire().await?;
    let outcome = transact(&mut connection, hold, batch, chain, parks).await;
    if matches!(&outcome, Err(Setback::Poison(_))) {
        // After a panic the wire may be in the middle of a message.
        connection.close_on_drop();
    }
    outcome
}

async fn transact(
    connection: &mut PgConnection,
    hold: &Hold,
    batch: &[Read],
    chain: Option<&Chain>,
    parks: Option<&str>,
) -> Result<Stand, Setback> {
    let mut transaction = connection.begin().await?;
    let checkpoint = lock(&mut transaction, hold).await?;
    let stand = write(&mut transaction, hold, checkpoint, batch, chain, parks).await?;
    failpoint(hold.rows.point("projector.before_commit", "shadow.before_commit"));
    transaction.commit().await?;
    failpoint(hold.rows.point("projector.after_commit", "shadow.after_commit"));
    Ok(stand)
}

/// Writes a batch behind a checkpoint that is locked.
pub(super) async fn write(
    transaction: &mut PgConnection,
    hold: &Hold,
    checkpoint: Checkpoint,
    batch: &[Read],
    chain: Option<&Chain>,
    parks: Option<&str>,
) -> Result<Stand, Setback> {
    let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
        return Ok(Stand { position: checkpoint.position, digest: checkpoint.digest });
    };
    if first.recorded.position != checkpoint.position + 1 {
        return Err(Setback::Moved(checkpoint.position));
    }
    match parks {
        Some(why) => park::set_aside(transaction, hold, &first.recorded, why).await?,
        None => {
            let entries = park::without_parked(transaction, hold, batch).await?;
            if !entries.is_empty() {
                caught((hold.projector.apply)(transaction, &entries)).await?;
            }
        }
    }
    failpoint(hold.rows.point("projector.rows_written", "shadow.rows_written"));
    let digest = match chain {
        Some(chain) if chain.from == checkpoint.digest => chain.to.clone(),
        _ => chained(&checkpoint.digest, batch),
    };
    let stand = Stand { position: last.recorded.position, digest };
    move_to(transaction, hold, &stand, Some(last.recorded.recorded_at)).await?;
    Ok(stand)
}

/// Moves a checkpoint that is locked. So the epoch cannot have changed; saying it again costs nothing and needs no proof.
pub(super) async fn move_to(
    transaction: &mut PgConnection,
    hold: &Hold,
    to: &Stand,
    recorded_at: Option<Timestamp>,
) -> Result<(), RunError> {
    let written = sqlx::query!(
        "UPDATE read.checkpoints
         SET position = $3, digest = $4, recorded_at = $5, halted_at = NULL, halted_why = NULL
         WHERE name = $1 AND epoch = $2",
        hold.key,
        hold.epoch,
        to.position,
        to.digest,
        recorded_at,
    )
    .execute(transaction)
    .await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(RunError::Fenced { projector: hold.projector.name }) }
}

/// Writes a batch that was read ahead, in a transaction of the caller's that holds the lock.
pub(super) async fn write_whole(
    transaction: &mut PgConnection,
    hold: &Hold,
    checkpoint: Checkpoint,
    batch: &Batch,
) -> Result<Stand, Setback> {
    write(transaction, hold, checkpoint, &batch.reads, Some(&batch.chain), None).await
}

/// Locks the checkpoint for its owner: a second owner waits here, then finds that it is not the owner. For the rest of
/// the transaction statements find the tables of these rows, and may take longer than a reader's.
pub(super) async fn lock(connection: &mut PgConnection, hold: &Hold) -> Result<Checkpoint, RunError> {
    sqlx::query_as!(
        Checkpoint,
        "SELECT position, digest,
                set_config('statement_timeout', $3, true) || set_config('search_path', $4, true)
                || set_config('synchronous_commit', $5, true) AS settings
         FROM read.checkpoints WHERE name = $1 AND epoch = $2 FOR UPDATE",
        hold.key,
        hold.epoch,
        hold.rows.statement_timeout(),
        hold.rows.path(),
        hold.rows.synchronous_commit(),
    )
    .fetch_optional(connection)
    .await?
    .ok_or(RunError::Fenced { projector: hold.projector.name })
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
