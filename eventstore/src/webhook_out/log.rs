//! How each try went, for whoever asks why nothing arrives.

use domain::Timestamp;
use serde::Deserialize;
use sqlx::{PgConnection, PgPool, types::Json};
use uuid::Uuid;

use crate::Position;

/// Bytes of an answer that are kept.
const KEPT: usize = 500;

/// One try.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Attempt {
    pub at: Timestamp,
    pub ms: i64,
    /// HTTP; `None` when there was no answer.
    pub status: Option<i16>,
    /// What was said, or why there was nothing. 500 bytes of it are kept.
    pub answer: String,
}

/// One event for one endpoint, and how it went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub id: i64,
    pub message_id: String,
    pub position: Option<Position>,
    pub name: String,
    /// `waiting`, `delivered` or `dropped`.
    pub state: String,
    pub note: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    /// The oldest first.
    pub attempts: Vec<Attempt>,
}

/// Notes a try, in the transaction that ends it.
///
/// # Errors
/// The database's.
pub async fn note(tx: &mut PgConnection, delivery: i64, attempt: &Attempt) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "WITH counted AS (UPDATE work.deliveries SET attempts = attempts + 1 WHERE id = $1 RETURNING attempts)
         INSERT INTO work.delivery_attempts (delivery_id, attempt, at, ms, status, answer)
         SELECT $1, attempts, $2, $3, $4, $5 FROM counted",
        delivery,
        attempt.at,
        attempt.ms,
        attempt.status,
        kept(&attempt.answer)
    )
    .execute(tx)
    .await
    .map(drop)
}

/// What can be kept of somebody's words: no zero byte, and at most so many bytes.
fn kept(text: &str) -> String {
    let text: String = text.chars().filter(|c| *c != '\0').collect();
    text.get(..text.floor_char_boundary(KEPT)).unwrap_or_default().to_owned()
}

/// The newest deliveries of an endpoint, before one of them.
///
/// # Errors
/// The database's.
pub async fn deliveries(
    db: &PgPool,
    endpoint: Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Delivery>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT d.id, d.message_id, d.position, d.name, d.state, d.note, d.created_at, d.finished_at,
               coalesce((SELECT json_agg(json_build_object(
                   'at', a.at, 'ms', a.ms, 'status', a.status, 'answer', a.answer) ORDER BY a.attempt)
                   FROM work.delivery_attempts AS a WHERE a.delivery_id = d.id), '[]') AS "attempts!: Json<Vec<Attempt>>"
           FROM work.deliveries AS d
           WHERE d.endpoint_id = $1 AND ($2::bigint IS NULL OR d.id < $2) ORDER BY d.id DESC LIMIT $3"#,
        endpoint,
        before,
        limit
    )
    .fetch_all(db)
    .await?;
    let deliveries = rows.into_iter().map(|row| Delivery {
        id: row.id,
        message_id: row.message_id,
        position: row.position,
        name: row.name,
        state: row.state,
        note: row.note,
        created_at: row.created_at,
        finished_at: row.finished_at,
        attempts: row.attempts.0,
    });
    Ok(deliveries.collect())
}

/// Forgets what was over before `before`; answers how much.
///
/// # Errors
/// The database's.
pub async fn sweep(db: &PgPool, before: Timestamp) -> Result<u64, sqlx::Error> {
    let swept = sqlx::query!("DELETE FROM work.deliveries WHERE finished_at < $1", before).execute(db).await?;
    Ok(swept.rows_affected())
}
