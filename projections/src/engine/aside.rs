//! A place aside in which events become rows for one question: what the views said, or would say, of a few streams.
//!
//! The tables are temporary, filled by the same projectors and asked with the same queries as the live ones. Nobody else
//! sees them, and they are gone with the value.

use eventstore::{Recorded, Store};
use sqlx::{PgConnection, Postgres, Transaction};

use super::{
    Entry, Projector, RunError,
    apply::{caught, wanted},
    entry::Read,
    error::Setback,
};
use crate::Position;

/// Empty tables of some projectors, to be filled and asked. Everything is undone when it is dropped.
pub struct Aside {
    transaction: Transaction<'static, Postgres>,
}

impl Aside {
    /// Makes the tables. What is asked there answers `as_of` as its position.
    ///
    /// # Errors
    /// Whatever the database says; the login needs the right to make temporary tables, which everybody has by default.
    pub async fn open(store: &Store, projectors: &[&'static Projector], as_of: Position) -> Result<Self, RunError> {
        let mut transaction = store.pool().begin().await?;
        sqlx::raw_sql("CREATE TEMPORARY TABLE checkpoints (LIKE read.checkpoints INCLUDING DEFAULTS) ON COMMIT DROP")
            .execute(&mut *transaction)
            .await?;
        for projector in projectors {
            sqlx::query!("SELECT read.make_shape($1, 'pg_temp')", projector.name).execute(&mut *transaction).await?;
            // Checked when the program is built, so under the live table's path, and carried out under this one's.
            sqlx::query("INSERT INTO pg_temp.checkpoints (name, version, position) VALUES ($1, $2, $3)")
                .bind(projector.name)
                .bind(projector.version)
                .bind(as_of)
                .execute(&mut *transaction)
                .await?;
        }
        // Without `read`: a table that was not asked for is missing instead of live.
        sqlx::query!("SELECT set_config('search_path', 'pg_temp,public', true) AS path")
            .fetch_one(&mut *transaction)
            .await?;
        Ok(Self { transaction })
    }

    /// Applies events to the tables of one of the projectors, in the order of the log; those of nouns it does not want
    /// change nothing. May be called again with later events.
    ///
    /// # Errors
    /// [`RunError::Poisoned`] for an event that cannot be applied or whose stream lacks its beginning; whatever the
    /// database says. It cannot be used afterwards.
    pub async fn apply(&mut self, projector: &'static Projector, events: Vec<Recorded>) -> Result<(), RunError> {
        let Some(last) = events.last().map(|event| event.position) else { return Ok(()) };
        let batch: Vec<Read> = events.into_iter().map(|recorded| Read::of(projector, recorded)).collect();
        let written = match wanted(batch.iter()) {
            Ok(entries) => write(&mut self.transaction, projector, &entries).await,
            Err(setback) => Err(setback),
        };
        written.map_err(|setback| match setback {
            Setback::Run(error) => error,
            other => RunError::Poisoned { projector: projector.name, position: last, why: other.to_string() },
        })
    }

    /// Where to ask: every query of this crate that takes a connection.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }
}

async fn write(connection: &mut PgConnection, projector: &'static Projector, entries: &[Entry]) -> Result<(), Setback> {
    if !entries.is_empty() {
        caught((projector.apply)(connection, entries)).await?;
    }
    Ok(())
}
