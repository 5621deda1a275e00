//! Building the rows again from the first event.

use eventstore::Store;
use sqlx::{Connection, PgConnection};

use super::{Projector, RunError, Runner, Watch};
use crate::Position;

/// Empties the tables of a projector and puts its checkpoint in front of the first event, at the program's version.
pub(super) async fn clear(connection: &mut PgConnection, projector: &Projector) -> Result<(), sqlx::Error> {
    unhurried(connection).await?;
    let tables: Vec<String> = projector.tables.iter().map(|&table| table.to_owned()).collect();
    sqlx::query!("SELECT read.clear($1)", &tables).execute(&mut *connection).await?;
    sqlx::query!("DELETE FROM read.parked WHERE projector = $1", projector.name).execute(&mut *connection).await?;
    sqlx::query!(
        "UPDATE read.checkpoints
         SET position = 0, version = $2, recorded_at = NULL, digest = decode(repeat('00', 32), 'hex'),
             halted_at = NULL, halted_why = NULL
         WHERE name = $1",
        projector.name,
        projector.version,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Takes the projector over, throws its rows away and builds them again up to the head. Readers see it grow; the
/// blue/green rebuild beside live rows is another matter. Sends nothing: projectors have no effects.
///
/// # Errors
/// As [`Runner::run_batch`].
pub async fn reset_and_replay(
    projector: &'static Projector,
    store: &Store,
    owner: &str,
    watch: Option<Watch>,
) -> Result<Position, RunError> {
    let runner = Runner::own(projector, store.clone(), owner, None).await?;
    let mut connection = store.pool().acquire().await?;
    let mut transaction = connection.begin().await?;
    super::apply::lock(&mut transaction, projector, runner.epoch()).await?;
    clear(&mut transaction, projector).await?;
    transaction.commit().await?;
    drop(connection);
    // Under an epoch of its own, so that a watcher takes the lower position for what it is.
    Runner::own(projector, store.clone(), owner, watch).await?.catch_up().await
}

/// SHA-256 over all rows of a projector's tables, in the order of their text. Two builds from the same log are equal.
///
/// # Errors
/// Whatever the database says.
pub async fn content_digest(projector: &Projector, store: &Store) -> Result<Vec<u8>, sqlx::Error> {
    let tables: Vec<String> = projector.tables.iter().map(|&table| table.to_owned()).collect();
    let mut transaction = store.pool().begin().await?;
    unhurried(&mut transaction).await?;
    sqlx::query_scalar!(r#"SELECT read.content_digest($1) AS "digest!""#, &tables).fetch_one(&mut *transaction).await
}

/// Whole tables take longer than the pool gives a statement.
async fn unhurried(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::query!("SET LOCAL statement_timeout = '10min'").execute(connection).await?;
    Ok(())
}
