//! What waits for each endpoint, in order, and whose turn it is.

use std::time::Duration;

use chrono::TimeDelta;
use domain::Timestamp;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::Attempt;
use crate::{Position, Store};

/// The name of what is no event.
pub const PING: &str = "ping";

/// Something to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub endpoint_id: Uuid,
    /// The same for the same: written down twice it is there once.
    pub key: String,
    pub message_id: String,
    /// `None` for a ping.
    pub position: Option<Position>,
    pub name: String,
}

/// A turn with one endpoint, until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub endpoint_id: Uuid,
    /// Since when it has taken nothing.
    pub failing_since: Option<Timestamp>,
    /// Tries of what is first, so far.
    pub attempts: u32,
    token: i64,
}

/// What is first in the row of an endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub id: i64,
    pub message_id: String,
    pub position: Option<Position>,
    pub name: String,
}

/// A turn, and what is first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next {
    pub turn: Turn,
    /// `None`: nothing waits any more.
    pub waiting: Option<Waiting>,
}

/// Begins to keep a row for an endpoint, in the transaction that read the event.
///
/// # Errors
/// The database's.
pub async fn open(tx: &mut PgConnection, endpoint: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!("INSERT INTO work.endpoint_queues (endpoint_id) VALUES ($1) ON CONFLICT DO NOTHING", endpoint)
        .execute(tx)
        .await
        .map(drop)
}

/// Keeps no row any more; what waited is dropped.
///
/// # Errors
/// The database's.
pub async fn close(tx: &mut PgConnection, endpoint: Uuid, why: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    drop_all(tx, endpoint, why, now).await?;
    sqlx::query!("DELETE FROM work.endpoint_queues WHERE endpoint_id = $1", endpoint).execute(&mut *tx).await?;
    sqlx::query!("DELETE FROM work.endpoint_replays WHERE endpoint_id = $1", endpoint).execute(tx).await.map(drop)
}

/// Drops what waits; the row is empty then.
///
/// # Errors
/// The database's.
pub async fn drop_all(tx: &mut PgConnection, endpoint: Uuid, why: &str, now: Timestamp) -> Result<(), sqlx::Error> {
    // The row first, as whoever ends a turn: two who lock in another order wait for each other.
    sqlx::query!(
        "UPDATE work.endpoint_queues SET due_at = NULL, attempts = 0, failing_since = NULL WHERE endpoint_id = $1",
        endpoint
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(
        "UPDATE work.deliveries SET state = 'dropped', note = $2, finished_at = $3
         WHERE endpoint_id = $1 AND state = 'waiting'",
        endpoint,
        why,
        now
    )
    .execute(tx)
    .await
    .map(drop)
}

/// The endpoints that a row is kept for.
///
/// # Errors
/// The database's.
pub async fn queues(db: &PgPool) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT endpoint_id FROM work.endpoint_queues ORDER BY endpoint_id").fetch_all(db).await
}

/// Puts things at the end of endpoints' rows, in this order. What no row is kept for is left out.
///
/// # Errors
/// The database's.
pub async fn enqueue(tx: &mut PgConnection, items: &[Item], now: Timestamp) -> Result<(), sqlx::Error> {
    if items.is_empty() {
        return Ok(());
    }
    let endpoints: Vec<Uuid> = items.iter().map(|item| item.endpoint_id).collect();
    let keys: Vec<String> = items.iter().map(|item| item.key.clone()).collect();
    let messages: Vec<String> = items.iter().map(|item| item.message_id.clone()).collect();
    let positions: Vec<Option<Position>> = items.iter().map(|item| item.position).collect();
    let names: Vec<String> = items.iter().map(|item| item.name.clone()).collect();
    sqlx::query!(
        "INSERT INTO work.deliveries (endpoint_id, key, message_id, position, name, created_at)
         SELECT q.endpoint_id, i.key, i.message_id, i.position, i.name, $6
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[])
             WITH ORDINALITY AS i (endpoint_id, key, message_id, position, name, nth)
         JOIN work.endpoint_queues AS q ON q.endpoint_id = i.endpoint_id
         ORDER BY i.nth
         ON CONFLICT (endpoint_id, key) DO NOTHING",
        &endpoints,
        &keys,
        &messages,
        &positions as &[Option<Position>],
        &names,
        now
    )
    .execute(&mut *tx)
    .await?;
    wake(tx, &endpoints, now).await
}

/// Gives endpoints their turn, if they have none to come.
///
/// # Errors
/// The database's.
pub async fn wake(tx: &mut PgConnection, endpoints: &[Uuid], now: Timestamp) -> Result<(), sqlx::Error> {
    // Whatever stands there: a turn that ends just now would otherwise overlook what was put in and not be seen to.
    sqlx::query!(
        "UPDATE work.endpoint_queues SET due_at = coalesce(due_at, $2) WHERE endpoint_id = ANY ($1)",
        endpoints,
        now
    )
    .execute(tx)
    .await
    .map(drop)
}

/// How often an endpoint is pinged at most.
const PINGS_EVERY: TimeDelta = TimeDelta::seconds(10);

/// Sends nobody's event, to see whether the endpoint listens: after what waits, but at once. While one waits there is no second
/// one, and whoever asks again is told of that one. `Err`: it was pinged a moment ago, and may be again then.
///
/// # Errors
/// The database's.
pub async fn ping(store: &Store, endpoint: Uuid) -> Result<Result<String, Timestamp>, sqlx::Error> {
    let (id, now) = (store.clock().new_id(), store.clock().now());
    let mut tx = store.pool().begin().await?;
    // It may be new, and not read about by anybody yet.
    open(&mut tx, endpoint).await?;
    let last =
        sqlx::query_scalar!("SELECT pinged_at FROM work.endpoint_queues WHERE endpoint_id = $1 FOR UPDATE", endpoint)
            .fetch_one(&mut *tx)
            .await?;
    if let Some(again) = last.map(|last| last + PINGS_EVERY).filter(|again| now < *again) {
        return Ok(Err(again));
    }
    sqlx::query!("UPDATE work.endpoint_queues SET pinged_at = $2 WHERE endpoint_id = $1", endpoint, now)
        .execute(&mut *tx)
        .await?;
    let waiting = sqlx::query_scalar!(
        "SELECT message_id FROM work.deliveries
         WHERE endpoint_id = $1 AND state = 'waiting' AND position IS NULL ORDER BY id LIMIT 1",
        endpoint
    );
    let message_id = match waiting.fetch_optional(&mut *tx).await? {
        Some(message_id) => message_id,
        None => {
            let message_id = format!("ping_{id}");
            let item = Item {
                endpoint_id: endpoint,
                key: message_id.clone(),
                message_id: message_id.clone(),
                position: None,
                name: PING.to_owned(),
            };
            enqueue(&mut tx, &[item], now).await?;
            message_id
        }
    };
    tx.commit().await?;
    due_now(store.pool(), endpoint, now).await?;
    store.tell();
    Ok(Ok(message_id))
}

/// Makes what waits due at once: its owner says that the endpoint is well again.
///
/// # Errors
/// The database's.
async fn due_now(db: &PgPool, endpoint: Uuid, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!("UPDATE work.endpoint_queues SET due_at = $2 WHERE endpoint_id = $1 AND due_at > $2", endpoint, now)
        .execute(db)
        .await
        .map(drop)
}

/// Takes the endpoint whose turn has been due longest, or one whose sender hangs. `None` when there is none.
///
/// # Errors
/// The database's.
pub async fn take(db: &PgPool, now: Timestamp, lease: Duration) -> Result<Option<Next>, sqlx::Error> {
    let row = sqlx::query!(
        "UPDATE work.endpoint_queues SET token = token + 1,
             leased_until = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE endpoint_id = (
             SELECT endpoint_id FROM work.endpoint_queues
             WHERE due_at <= $1 AND (leased_until IS NULL OR leased_until <= clock_timestamp())
             ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
         RETURNING endpoint_id, attempts, failing_since, token",
        now,
        lease.as_secs_f64() * 1_000.0
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let waiting = sqlx::query_as!(
        Waiting,
        "SELECT id, message_id, position, name FROM work.deliveries
         WHERE endpoint_id = $1 AND state = 'waiting' ORDER BY id LIMIT 1",
        row.endpoint_id
    )
    .fetch_optional(db)
    .await?;
    let turn = Turn {
        endpoint_id: row.endpoint_id,
        failing_since: row.failing_since,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        token: row.token,
    };
    Ok(Some(Next { turn, waiting }))
}

/// How a turn ended for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended<'a> {
    /// `None` when nothing was sent.
    pub attempt: Option<&'a Attempt>,
    /// Why it will not be sent; `None` when it was taken.
    pub dropped: Option<&'a str>,
}

/// Ends a turn: what was first is over, and the next is due. False when the turn was no longer ours, and then nothing changed.
///
/// # Errors
/// The database's.
pub async fn done(
    db: &PgPool,
    turn: &Turn,
    waiting: Option<&Waiting>,
    ended: Ended<'_>,
    now: Timestamp,
) -> Result<bool, sqlx::Error> {
    let mut tx = db.begin().await?;
    if !ours(&mut tx, turn).await? {
        return Ok(false);
    }
    if let Some(waiting) = waiting {
        if let Some(attempt) = ended.attempt {
            super::note(&mut tx, waiting.id, attempt).await?;
        }
        sqlx::query!(
            "UPDATE work.deliveries SET finished_at = $4, note = $3::text,
                 state = CASE WHEN $3::text IS NULL THEN 'delivered' ELSE 'dropped' END
             WHERE id = $1 AND endpoint_id = $2 AND state = 'waiting'",
            waiting.id,
            turn.endpoint_id,
            ended.dropped,
            now
        )
        .execute(&mut *tx)
        .await?;
    }
    // Locked by `ours`: whoever puts something in meanwhile waits, and wakes it again.
    sqlx::query!(
        "UPDATE work.endpoint_queues SET leased_until = NULL, attempts = 0,
             failing_since = CASE WHEN $3 THEN NULL ELSE failing_since END,
             due_at = CASE WHEN EXISTS (
                 SELECT FROM work.deliveries WHERE endpoint_id = $1 AND state = 'waiting') THEN $2::timestamptz END
         WHERE endpoint_id = $1",
        turn.endpoint_id,
        now,
        waiting.is_some() && ended.dropped.is_none()
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Ends a turn in which nothing was taken: again at `due_at`. False when it was no longer ours.
///
/// # Errors
/// The database's.
pub async fn later(
    db: &PgPool,
    turn: &Turn,
    waiting: &Waiting,
    attempt: &Attempt,
    due_at: Timestamp,
) -> Result<bool, sqlx::Error> {
    let mut tx = db.begin().await?;
    if !ours(&mut tx, turn).await? {
        return Ok(false);
    }
    super::note(&mut tx, waiting.id, attempt).await?;
    sqlx::query!(
        "UPDATE work.endpoint_queues SET leased_until = NULL, attempts = attempts + 1, due_at = $2,
             failing_since = coalesce(failing_since, $3)
         WHERE endpoint_id = $1",
        turn.endpoint_id,
        due_at,
        attempt.at
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(true)
}

/// Locks the row of a turn that is still ours.
async fn ours(tx: &mut PgConnection, turn: &Turn) -> Result<bool, sqlx::Error> {
    let found = sqlx::query_scalar!(
        "SELECT token FROM work.endpoint_queues WHERE endpoint_id = $1 AND token = $2 FOR UPDATE",
        turn.endpoint_id,
        turn.token
    );
    Ok(found.fetch_optional(tx).await?.is_some())
}

/// Endpoints whose turn is due or under way: what a test waits for and what an operator looks at.
///
/// # Errors
/// The database's.
pub async fn pending(db: &PgPool, now: Timestamp) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM work.endpoint_queues WHERE due_at <= $1"#, now)
        .fetch_one(db)
        .await
}
