//! Streams set aside: an event that cannot be applied holds up its own stream and no other, and nothing is lost.

use std::collections::HashSet;

use eventstore::{Recorded, Store};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{
    Entry, Poison, Projector, RunError,
    apply::{caught, wanted},
    entry::Read,
    error::{Setback, unreadable},
    rows::{Hold, Rows},
};
use crate::Position;

/// A stream that is set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    pub stream_id: Uuid,
    /// Version of its event that could not be applied; from there on it is tried again.
    pub version: i32,
    /// Position of that event.
    pub position: Position,
    pub why: String,
    /// Its events seen since, that one included.
    pub waiting: i32,
}

/// The wanted events of a batch but for those of parked streams, which are counted as waiting.
pub(super) async fn without_parked(
    connection: &mut PgConnection,
    hold: &Hold,
    batch: &[Read],
) -> Result<Vec<Entry>, Setback> {
    if hold.projector.poison == Poison::Stop {
        return wanted(batch.iter());
    }
    let streams: Vec<Uuid> = batch.iter().map(|read| read.recorded.stream_id).collect();
    // One row per event, so that several events of one stream count as several.
    let parked: HashSet<Uuid> = sqlx::query_scalar!(
        "UPDATE read.parked AS parked SET waiting = parked.waiting + batch.events
         FROM (SELECT stream_id, count(*)::int AS events FROM unnest($2::uuid[]) AS s (stream_id) GROUP BY 1) AS batch
         WHERE parked.projector = $1 AND parked.stream_id = batch.stream_id
         RETURNING parked.stream_id",
        hold.key,
        &streams,
    )
    .fetch_all(connection)
    .await?
    .into_iter()
    .collect();
    // An unknown type stops the projector wherever it stands: only data can be parked.
    batch.iter().try_for_each(known)?;
    wanted(batch.iter().filter(|read| !parked.contains(&read.recorded.stream_id)))
}

fn known(read: &Read) -> Result<(), Setback> {
    match read.entry.as_ref().map_err(unreadable) {
        Err(Setback::Unknown(why)) => Err(Setback::Unknown(why)),
        _ => Ok(()),
    }
}

/// Parks the stream of an event that cannot be applied.
pub(super) async fn set_aside(
    connection: &mut PgConnection,
    hold: &Hold,
    poison: &Recorded,
    why: &str,
) -> Result<(), sqlx::Error> {
    tracing::error!(projector = hold.key, position = poison.position, stream = %poison.stream_id, why, "parked");
    metrics::counter!("kalel_projection_parked_total", "projector" => hold.key.clone()).increment(1);
    sqlx::query!(
        "INSERT INTO read.parked (projector, stream_id, version, position, why) VALUES ($1, $2, $3, $4, $5)",
        hold.key,
        poison.stream_id,
        poison.version,
        poison.position,
        why,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The streams a projector has set aside, oldest first.
///
/// # Errors
/// Whatever the database says.
pub async fn parked(projector: &Projector, store: &Store) -> Result<Vec<Parked>, sqlx::Error> {
    sqlx::query_as!(
        Parked,
        "SELECT stream_id, version, position, why, waiting FROM read.parked WHERE projector = $1 ORDER BY position",
        projector.name
    )
    .fetch_all(store.pool())
    .await
}

/// Tries every parked stream again from the event it stumbled on: after a fix nothing is missing. Answers how many
/// streams are no longer parked.
///
/// Whoever owns the projector goes on meanwhile: each stream is tried under the lock of the checkpoint, in front of
/// which the owner's next batch waits, and the checkpoint itself does not move.
///
/// # Errors
/// [`RunError::Outdated`] or [`RunError::Older`] when the rows are of another version of the projector; whatever the
/// database or the log says.
pub async fn resume_parked(projector: &'static Projector, store: &Store) -> Result<u64, RunError> {
    let mut resumed = 0;
    for stream in parked(projector, store).await? {
        match resume_one(store, projector, &stream).await {
            Ok(()) => resumed += 1,
            Err(Setback::Run(error)) => return Err(error),
            Err(setback) => {
                tracing::warn!(projector = projector.name, stream = %stream.stream_id, %setback, "still parked");
            }
        }
    }
    Ok(resumed)
}

async fn resume_one(store: &Store, projector: &'static Projector, stream: &Parked) -> Result<(), Setback> {
    let mut connection = store.pool().acquire().await?;
    let mut transaction = connection.begin().await?;
    let checkpoint = sqlx::query!(
        "SELECT version, position, set_config('statement_timeout', $2, true) AS patience
         FROM read.checkpoints WHERE name = $1 FOR UPDATE",
        projector.name,
        Rows::Live.statement_timeout(),
    )
    .fetch_one(&mut *transaction)
    .await?;
    projector.accepts(checkpoint.version)?;
    let events = store.read_stream(stream.stream_id, stream.version - 1, i64::from(i32::MAX)).await;
    // What lies beyond the checkpoint comes with the next batch.
    let batch: Vec<Read> = events
        .map_err(RunError::from)?
        .into_iter()
        .filter(|recorded| recorded.position <= checkpoint.position)
        .map(|recorded| Read::of(projector, recorded))
        .collect();
    let gone = sqlx::query!(
        "DELETE FROM read.parked WHERE projector = $1 AND stream_id = $2 AND version = $3",
        projector.name,
        stream.stream_id,
        stream.version,
    )
    .execute(&mut *transaction)
    .await?;
    if gone.rows_affected() == 0 {
        // Somebody else has resumed it meanwhile.
        return Ok(());
    }
    let entries = wanted(batch.iter())?;
    if let Err(error) = caught((projector.apply)(&mut transaction, &entries)).await {
        drop(transaction);
        connection.close_on_drop();
        return Err(error.into());
    }
    transaction.commit().await?;
    Ok(())
}
