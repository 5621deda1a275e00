//! What providers told us: kept before it is read, each dealt with exactly once.
//!
//! The webhook endpoint verifies a message in memory, stores it here and answers; a worker takes it, asks the provider
//! and concludes it with one [`Disposition`]. The raw body is ciphertext. Here, because the endpoint and the worker
//! share it without seeing each other.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Timestamp;
use uuid::Uuid;

use crate::{Store, failpoint};

const FIELD: &str = "inbox";

/// A message whose origin is proven.
#[derive(Clone, Copy, Debug)]
pub struct Webhook<'a> {
    /// `wave`.
    pub provider: &'a str,
    /// Which of our accounts there; empty when there is one.
    pub account: &'a str,
    /// The provider's id of the event: the same when it is sent again. At most 255 bytes; a message without one goes
    /// by a hash of its body.
    pub event_id: &'a str,
    /// As received.
    pub body: &'a [u8],
}

/// What became of storing a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    New(Uuid),
    /// It was here before: nothing changed, and it is answered as before.
    Again,
}

/// How a message ended. Each ends in exactly one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// It led to a change.
    Applied,
    /// What it says was already known.
    Duplicate,
    /// What it says is over, or is about nothing that we use.
    Stale,
    /// Genuine, but about nothing that we know.
    Parked,
    /// Genuine, but it contradicts what the provider says when asked.
    Refused,
}

impl Disposition {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Parked => "parked",
            Self::Refused => "refused",
        }
    }
}

/// A message that this worker has, until its lease ends.
#[derive(Clone, Debug)]
pub struct Taken {
    pub id: Uuid,
    pub provider: String,
    pub account: String,
    pub event_id: String,
    /// `None` when it cannot be opened with the keys of this process.
    pub body: Option<Vec<u8>>,
    pub received_at: Timestamp,
    /// How often it was taken, this time included.
    pub attempts: u32,
    token: i64,
}

/// The payment whose checkout's id at its provider begins so: `page` is what messages name it by that have no other name of
/// it (`migrations/20261127002100_payment_page.sql`).
///
/// # Errors
/// The database's.
pub async fn payment_of_page(store: &Store, page: &str) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT payment_id FROM work.payments WHERE provider_id LIKE 'om-%' AND left(provider_id, 25) = $1",
        page
    )
    .fetch_optional(store.pool())
    .await
}

/// Keeps a message. Committed when this returns: the sender may be told that we have it.
///
/// # Errors
/// The database's; the sender is then told to send it again.
pub async fn store(store: &Store, webhook: Webhook<'_>) -> Result<Stored, sqlx::Error> {
    let id = store.clock().new_id();
    let body = store.subjects().seal_for_store(id, FIELD, &STANDARD.encode(webhook.body));
    let now = store.clock().now();
    // What one account's events are called says nothing about another's. Whoever runs an account can make up their names,
    // but not those of others: theirs begin with its own.
    let event_id = match webhook.account {
        "" => webhook.event_id.to_owned(),
        account => format!("{account}/{}", webhook.event_id),
    };
    let stored = sqlx::query!(
        "INSERT INTO work.inbox (id, provider, account, event_id, body, received_at, due_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (provider, event_id) DO NOTHING",
        id,
        webhook.provider,
        webhook.account,
        event_id,
        body,
        now
    )
    .execute(store.pool())
    .await?;
    failpoint("inbox.stored");
    if stored.rows_affected() == 0 {
        return Ok(Stored::Again);
    }
    store.tell();
    Ok(Stored::New(id))
}

/// Takes the message that has waited longest. `None` when there is none.
///
/// # Errors
/// The database's.
pub async fn take(store: &Store, lease: Duration) -> Result<Option<Taken>, sqlx::Error> {
    let row = sqlx::query!(
        r#"UPDATE work.inbox SET token = token + 1, attempts = attempts + 1,
               leased_until = clock_timestamp() + $2 * interval '1 millisecond'
           WHERE id = (
               SELECT id FROM work.inbox
               WHERE finished_at IS NULL AND due_at <= $1 AND (leased_until IS NULL OR leased_until <= clock_timestamp())
               ORDER BY due_at, received_at LIMIT 1 FOR UPDATE SKIP LOCKED)
           RETURNING id, provider, account, event_id, body, received_at, attempts, token"#,
        store.clock().now(),
        lease.as_secs_f64() * 1_000.0
    )
    .fetch_optional(store.pool())
    .await?;
    if row.is_some() {
        failpoint("inbox.taken");
    }
    Ok(row.map(|row| Taken {
        body: store.subjects().open_for_store(row.id, FIELD, &row.body).and_then(|text| STANDARD.decode(text).ok()),
        id: row.id,
        provider: row.provider,
        account: row.account,
        event_id: row.event_id,
        received_at: row.received_at,
        attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
        token: row.token,
    }))
}

/// Ends a message. False when it was no longer ours, and then nothing changed.
///
/// # Errors
/// The database's.
pub async fn conclude(
    store: &Store,
    taken: &Taken,
    disposition: Disposition,
    note: Option<&str>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE work.inbox SET disposition = $3, note = $4, finished_at = $5, leased_until = NULL
         WHERE id = $1 AND token = $2 AND finished_at IS NULL",
        taken.id,
        taken.token,
        disposition.as_str(),
        note,
        store.clock().now()
    )
    .execute(store.pool())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Puts a message aside until `due_at`: parked when it is about nothing that we know (yet).
///
/// # Errors
/// The database's.
pub async fn later(
    store: &Store,
    taken: &Taken,
    due_at: Timestamp,
    parked: bool,
    note: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query!(
        "UPDATE work.inbox SET disposition = CASE WHEN $3 THEN 'parked' END, note = $4, due_at = $5, leased_until = NULL
         WHERE id = $1 AND token = $2 AND finished_at IS NULL",
        taken.id,
        taken.token,
        parked,
        note,
        due_at
    )
    .execute(store.pool())
    .await?;
    failpoint("inbox.later");
    Ok(done.rows_affected() == 1)
}

/// Forgets messages that were dealt with before `before`; answers how many. Long after providers have given up sending
/// them again.
///
/// # Errors
/// The database's.
pub async fn sweep(store: &Store, before: Timestamp) -> Result<u64, sqlx::Error> {
    let swept = sqlx::query!("DELETE FROM work.inbox WHERE finished_at < $1", before).execute(store.pool()).await?;
    Ok(swept.rows_affected())
}

/// How many messages have which disposition; `None` for those still waiting.
///
/// # Errors
/// The database's.
pub async fn count(store: &Store) -> Result<Vec<(Option<String>, i64)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT CASE WHEN finished_at IS NOT NULL OR disposition = 'parked' THEN disposition END AS disposition,
                  count(*) AS "count!" FROM work.inbox GROUP BY 1 ORDER BY 1"#
    )
    .fetch_all(store.pool())
    .await?;
    Ok(rows.into_iter().map(|row| (row.disposition, row.count)).collect())
}
