//! Parts of the log that are to be sent to an endpoint once more.

use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use crate::{Position, Store};

/// What is left of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    pub id: Uuid,
    pub endpoint_id: Uuid,
    /// Written down up to here.
    pub position: Position,
    pub until: Position,
}

/// Asks for the events from `from` to `until`, both included, to be sent once more. `None` while another replay of the endpoint
/// is being written down: what is owed to one must not grow beyond measure, nor keep the others waiting.
///
/// # Errors
/// The database's.
pub async fn replay(
    store: &Store,
    endpoint: Uuid,
    from: Position,
    until: Position,
) -> Result<Option<Uuid>, sqlx::Error> {
    let id = store.clock().new_id();
    let asked = sqlx::query!(
        "INSERT INTO work.endpoint_replays (id, endpoint_id, position, until, created_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (endpoint_id) DO NOTHING",
        id,
        endpoint,
        from - 1,
        until,
        store.clock().now()
    )
    .execute(store.pool())
    .await?;
    store.tell();
    Ok((asked.rows_affected() == 1).then_some(id))
}

/// The oldest replay that is not written down, under its lock. `None` when there is none, or somebody else is at it.
///
/// # Errors
/// The database's.
pub async fn next_replay(tx: &mut PgConnection) -> Result<Option<Replay>, sqlx::Error> {
    sqlx::query_as!(
        Replay,
        "SELECT id, endpoint_id, position, until FROM work.endpoint_replays
         ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
    )
    .fetch_optional(tx)
    .await
}

/// A replay is written down up to `position`; at its end it is forgotten.
///
/// # Errors
/// The database's.
pub async fn advance(tx: &mut PgConnection, replay: &Replay, position: Position) -> Result<(), sqlx::Error> {
    if position >= replay.until {
        sqlx::query!("DELETE FROM work.endpoint_replays WHERE id = $1", replay.id).execute(tx).await.map(drop)
    } else {
        sqlx::query!("UPDATE work.endpoint_replays SET position = $2 WHERE id = $1", replay.id, position)
            .execute(tx)
            .await
            .map(drop)
    }
}

/// Whether any replay is not written down yet.
///
/// # Errors
/// The database's.
pub async fn replays(db: &PgPool) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM work.endpoint_replays) AS "any!""#).fetch_one(db).await
}
