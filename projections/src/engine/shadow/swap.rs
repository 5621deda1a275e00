//! The shadow takes the place of the live rows, in one transaction.

use std::time::Duration;

use eventstore::failpoint;
use sqlx::Connection;

use super::{Shadow, patient};
use crate::{
    Position,
    engine::{
        RunError,
        apply::{lock, write_whole},
        batch::read,
        error::Setback,
    },
};

/// Attempts at the exchange; with the rests between them, about half a minute.
const TRIES: u32 = 60;
/// The longest rest before the next attempt.
const REST: Duration = Duration::from_millis(500);
/// Events applied while the live projector waits, at most. More are applied before.
const FEW: i64 = 1_000;

/// Why an attempt did not exchange anything.
enum Missed {
    /// Somebody uses the tables, or the live rows have gone on too far.
    Again,
    Failed(RunError),
}

impl From<sqlx::Error> for Missed {
    fn from(error: sqlx::Error) -> Self {
        RunError::from(error).into()
    }
}

impl From<RunError> for Missed {
    fn from(error: RunError) -> Self {
        // Tables that are gone were exchanged or thrown away by somebody else; the next look at the shadow tells.
        if error.was_in_the_way() || error.is_without_its_table() { Self::Again } else { Self::Failed(error) }
    }
}

impl From<Setback> for Missed {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Run(error) => error.into(),
            // Left to the next step, which parks the stream or stops.
            Setback::Poison(_) | Setback::Unknown(_) | Setback::Moved(_) => Self::Again,
        }
    }
}

impl Shadow {
    /// Puts the shadow in the place of the live rows, at their position or further; answers that position.
    ///
    /// Readers wait for a fraction of a second at most and then find the new tables under the same names; what they saw
    /// before is there. Every former owner of the live rows is fenced out and takes them over anew.
    ///
    /// # Errors
    /// As [`Shadow::step`]; [`RunError::Busy`] when the tables were in use at every attempt.
    pub async fn swap(mut self) -> Result<Position, RunError> {
        for attempt in 1..=TRIES {
            if let Err(error) = self.follow().await {
                return self.unless_done(error).await;
            }
            match self.exchange().await {
                Ok(position) => {
                    tracing::info!(projector = self.projector().name, position, attempt, "the shadow is live");
                    return Ok(position);
                }
                Err(Missed::Again) => tokio::time::sleep(REST.min(Duration::from_millis(10) * attempt)).await,
                // The answer to a commit may be lost; the next look at the shadow tells.
                Err(Missed::Failed(RunError::Database(error))) if error.as_database_error().is_none() => {
                    tracing::warn!(projector = self.projector().name, %error, "an exchange was interrupted");
                    tokio::time::sleep(REST).await;
                }
                Err(Missed::Failed(error)) => return Err(error),
            }
        }
        Err(RunError::Busy { projector: self.projector().name })
    }

    async fn exchange(&mut self) -> Result<Position, Missed> {
        let (projector, hold) = (self.projector(), self.runner.hold.clone());
        let mut connection = self.runner.store.pool().acquire().await?;
        let mut transaction = connection.begin().await?;
        patient(&mut transaction).await?;
        sqlx::query!("SELECT read.shadow_guard($1)", projector.name).execute(&mut *transaction).await?;
        let live =
            sqlx::query!("SELECT position, version FROM read.checkpoints WHERE name = $1 FOR UPDATE", projector.name)
                .fetch_one(&mut *transaction)
                .await?;
        if live.version > projector.version {
            let (found, ours) = (live.version, projector.version);
            return Err(RunError::Outdated { projector: projector.name, found, ours }.into());
        }
        let checkpoint = lock(&mut transaction, &hold).await?;
        let missing = live.position - checkpoint.position;
        if missing > FEW {
            return Err(Missed::Again);
        }
        let mut position = checkpoint.position;
        if missing > 0 {
            let store = self.runner.store.clone();
            let batch = read(store, projector, position, missing, checkpoint.digest.clone()).await?;
            position = write_whole(&mut transaction, &hold, checkpoint, &batch).await?.position;
        }
        // Shorter than a reader's patience, and than the second after which Postgres looks for deadlocks: it is always
        // the exchange that gives way.
        sqlx::query!("SET LOCAL lock_timeout = '150ms'").execute(&mut *transaction).await?;
        sqlx::query!("SELECT read.shadow_swap($1)", projector.name).execute(&mut *transaction).await?;
        sqlx::query!("DELETE FROM read.parked WHERE projector = $1", projector.name).execute(&mut *transaction).await?;
        sqlx::query!(
            "UPDATE read.checkpoints AS live
             SET version = shadow.version, position = shadow.position, recorded_at = shadow.recorded_at,
                 digest = shadow.digest, epoch = greatest(live.epoch, shadow.epoch) + 1, owner = '',
                 halted_at = NULL, halted_why = NULL
             FROM read.checkpoints AS shadow
             WHERE live.name = $1 AND shadow.name = $2 AND shadow.position >= live.position",
            projector.name,
            hold.key,
        )
        .execute(&mut *transaction)
        .await?;
        sqlx::query!("UPDATE read.parked SET projector = $1 WHERE projector = $2", projector.name, hold.key)
            .execute(&mut *transaction)
            .await?;
        sqlx::query!("DELETE FROM read.checkpoints WHERE name = $1", hold.key).execute(&mut *transaction).await?;
        // What is acknowledged from here on is on disk, as every commit to live rows.
        sqlx::query!("SET LOCAL synchronous_commit = 'on'").execute(&mut *transaction).await?;
        self.committing = true;
        failpoint("shadow.before_swap");
        transaction.commit().await?;
        failpoint("shadow.after_swap");
        Ok(position)
    }

    /// An exchange whose answer was lost leaves no shadow behind and the live rows at this version, at least here.
    async fn unless_done(&self, error: RunError) -> Result<Position, RunError> {
        if !self.committing || !matches!(error, RunError::Fenced { .. }) {
            return Err(error);
        }
        let done = sqlx::query_scalar!(
            "SELECT position FROM read.checkpoints AS live
             WHERE name = $1 AND version = $3 AND position >= $4
               AND NOT EXISTS (SELECT FROM read.checkpoints WHERE name = $2)",
            self.projector().name,
            self.runner.hold.key,
            self.projector().version,
            self.position(),
        )
        .fetch_optional(self.runner.store.pool())
        .await?;
        done.ok_or(error)
    }
}
