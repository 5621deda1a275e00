//! Streams set aside: an event that cannot be applied holds up its own stream and no other, and nothing is lost.

use std::collections::HashSet;

use eventstore::{Recorded, Store};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::{
    Entry, Poison, Projector, RunError,
    apply::{caught, lock, wanted},
    entry::Read,
    error::{Setback, unreadable},
};

/// The wanted events of a batch but for those of parked streams, which are counted as waiting.
pub(super) async fn without_parked(
    connection: &mut PgConnection,
    projector: &Projector,
    batch: &[Read],
) -> Result<Vec<Entry>, Setback> {
    if projector.poison == Poison::Stop {
        return wanted(batch.iter());
    }
    let streams: Vec<Uuid> = batch.iter().map(|read| read.recorded.stream_id).collect();
    // One row per event, so that several events of one stream count as several.
    let parked: HashSet<Uuid> = sqlx::query_scalar!(
        "UPDATE read.parked AS parked SET waiting = parked.waiting + batch.events
         FROM (SELECT stream_id, count(*)::int AS events FROM unnest($2::uuid[]) AS s (stream_id) GROUP BY 1) AS batch
         WHERE parked.projector = $1 AND parked.stream_id = batch.stream_id
         RETURNING parked.stream_id",
        projector.name,
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
    projector: &Projector,
    poison: &Recorded,
    why: &str,
) -> Result<(), sqlx::Error> {
    tracing::error!(projector = projector.name, position = poison.position, stream = %poison.stream_id, why, "parked");
    metrics::counter!("kalel_projection_parked_total", "projector" => projector.name).increment(1);
    sqlx::query!(
        "INSERT INTO read.parked (projector, stream_id, version, position, why) VALUES ($1, $2, $3, $4, $5)",
        projector.name,
        poison.stream_id,
        poison.version,
        poison.position,
        why,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Tries every parked stream again from the event it stumbled on: after a fix nothing is missing. Answers how many
/// streams are no longer parked.
///
/// # Errors
/// [`RunError::Fenced`] when somebody else owns the projector, or whatever the database or the log says.
pub(super) async fn resume(store: &Store, projector: &'static Projector, epoch: i64) -> Result<u64, RunError> {
    let parked = sqlx::query!(
        "SELECT stream_id, version FROM read.parked WHERE projector = $1 ORDER BY position",
        projector.name
    )
    .fetch_all(store.pool())
    .await?;
    let mut resumed = 0;
    for stream in parked {
        match resume_one(store, projector, epoch, stream.stream_id, stream.version).await {
            Ok(()) => resumed += 1,
            Err(Setback::Run(error)) => return Err(error),
            Err(setback) => {
                tracing::warn!(projector = projector.name, stream = %stream.stream_id, %setback, "still parked")
            }
        }
    }
    Ok(resumed)
}

async fn resume_one(
    store: &Store,
    projector: &'static Projector,
    epoch: i64,
    stream: Uuid,
    version: i32,
) -> Result<(), Setback> {
    let mut connection = store.pool().acquire().await?;
    let mut transaction = connection.begin().await?;
    let checkpoint = lock(&mut transaction, projector, epoch).await?;
    let events = store.read_stream(stream, version - 1, i64::from(i32::MAX)).await.map_err(RunError::from)?;
    // What lies beyond the checkpoint comes with the next batch.
    let batch: Vec<Read> = events
        .into_iter()
        .filter(|recorded| recorded.position <= checkpoint.position)
        .map(|recorded| Read::of(projector, recorded))
        .collect();
    let entries = wanted(batch.iter())?;
    if let Err(error) = caught((projector.apply)(&mut transaction, &entries)).await {
        drop(transaction);
        connection.close_on_drop();
        return Err(error.into());
    }
    sqlx::query!("DELETE FROM read.parked WHERE projector = $1 AND stream_id = $2", projector.name, stream)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(())
}
