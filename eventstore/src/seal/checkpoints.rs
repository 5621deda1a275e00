//! The table of signed checkpoints.

use domain::Timestamp;
use sqlx::PgExecutor;

use crate::{Store, recorded::Position};

/// A signed checkpoint as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Events under it: positions 1 to `size`.
    pub size: Position,
    /// The signed note.
    pub note: String,
    /// What it can be checked with: `name+id+key`.
    pub verifier: String,
    /// By the database's clock.
    pub signed_at: Timestamp,
}

impl Store {
    /// The newest checkpoint; `None` before the first.
    ///
    /// # Errors
    /// The database's.
    pub async fn checkpoint(&self) -> Result<Option<Sealed>, sqlx::Error> {
        newest(self.pool()).await
    }

    /// The smallest checkpoint over a position.
    ///
    /// # Errors
    /// The database's.
    pub async fn checkpoint_over(&self, position: Position) -> Result<Option<Sealed>, sqlx::Error> {
        sqlx::query_as!(
            Sealed,
            "SELECT size, note, verifier, signed_at FROM event_log.checkpoints WHERE size >= $1 ORDER BY size LIMIT 1",
            position
        )
        .fetch_optional(self.pool())
        .await
    }

    /// The checkpoints of sizes `after < size <= until`, the smallest first, at most `limit`.
    ///
    /// # Errors
    /// The database's.
    pub async fn checkpoints(&self, after: Position, until: Position, limit: i64) -> Result<Vec<Sealed>, sqlx::Error> {
        sqlx::query_as!(
            Sealed,
            "SELECT size, note, verifier, signed_at FROM event_log.checkpoints
             WHERE size > $1 AND size <= $2 ORDER BY size LIMIT $3",
            after,
            until,
            limit
        )
        .fetch_all(self.pool())
        .await
    }

    /// The keys that signed the checkpoints of sizes `after < size <= until`.
    ///
    /// # Errors
    /// The database's.
    pub async fn verifiers(&self, after: Position, until: Position) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar!(
            "SELECT DISTINCT verifier FROM event_log.checkpoints WHERE size > $1 AND size <= $2 ORDER BY verifier",
            after,
            until
        )
        .fetch_all(self.pool())
        .await
    }

    /// Asks the sealer for a checkpoint over a position: it signs at its next step, but not more often than once a
    /// second.
    ///
    /// # Errors
    /// The database's.
    pub async fn want_checkpoint(&self, position: Position) -> Result<(), sqlx::Error> {
        sqlx::query!("UPDATE event_log.seal SET wanted = $1 WHERE wanted < $1", position)
            .execute(self.pool())
            .await
            .map(drop)
    }

    /// How many events are in the tree.
    ///
    /// # Errors
    /// The database's.
    pub async fn sealed_size(&self) -> Result<Position, sqlx::Error> {
        sqlx::query_scalar!("SELECT size FROM event_log.seal").fetch_one(self.pool()).await
    }
}

pub(super) async fn newest(executor: impl PgExecutor<'_>) -> Result<Option<Sealed>, sqlx::Error> {
    sqlx::query_as!(
        Sealed,
        "SELECT size, note, verifier, signed_at FROM event_log.checkpoints ORDER BY size DESC LIMIT 1"
    )
    .fetch_optional(executor)
    .await
}
