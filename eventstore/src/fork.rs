//! A copy of the past: the log up to a position in a database of its own, with the guards as they were then.
//!
//! Events are copied as they are, byte by byte: their export lines are those of the log. The keys of people are copied as
//! they are now, so whoever was erased since stays erased in every copy of the time before. The guards are what the
//! events of the copy say, for a name that was given back since was taken then.
//!
//! COPY takes no parameters, so its statements are composed here, of positions and names of columns only.

mod guards;

use std::future::poll_fn;

use domain::event::DecodeError;
use sqlx::{Connection as _, PgConnection};
use thiserror::Error;

use crate::{
    Store,
    read::rows_after,
    recorded::{Position, Recorded},
};

use guards::Guards;

/// Events folded at once.
const PAGE: i64 = 5_000;

// What is copied of the tables.
const KEYS: &str = "subject, wrapped, master, created_at, destroyed_at";
const EVENTS: &str = "position, event_id, stream_id, version, type, schema, data, meta, recorded_at";
const CLAIMS: &str = "cell_id, during, holder, releasable_at, lapse, from_position, to_position";

/// Why there is no copy. Nothing of it was kept.
#[derive(Debug, Error)]
pub enum ForkError {
    #[error("the copy cannot be made")]
    Database(#[from] sqlx::Error),
    /// Stop, do not skip: guards without one event are not those of then.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    #[error("the log ends at position {found}, before {until}")]
    Short { until: Position, found: Position },
}

impl Store {
    /// Copies the log up to a position into a migrated database that holds none, which `target` connects to as its
    /// owner. This log is only read, in one snapshot; the copy is there whole, or not at all. Nothing can be written to
    /// it, by whoever it may be.
    ///
    /// # Errors
    /// [`ForkError`].
    pub async fn fork(&self, until: Position, target: &mut PgConnection) -> Result<(), ForkError> {
        let mut from = self.pool().begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY").await?;
        // A long log takes its time.
        sqlx::raw_sql("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = '5min'")
            .execute(&mut *from)
            .await?;
        let mut to = target.begin().await?;
        let log = sqlx::query!("SELECT id, mode, key_check, created_at FROM event_log.identity")
            .fetch_one(&mut *from)
            .await?;
        sqlx::query!(
            "INSERT INTO event_log.identity (id, mode, key_check, created_at, forked_at) VALUES ($1, $2, $3, $4, $5)",
            log.id,
            log.mode,
            log.key_check,
            log.created_at,
            until
        )
        .execute(&mut *to)
        .await?;
        copy(&mut from, &mut to, "test_clock", "one, offset_us", "SELECT one, offset_us FROM event_log.test_clock")
            .await?;
        // Before the events, so that the certificate of an erasure finds its key destroyed.
        copy(&mut from, &mut to, "subject_keys", KEYS, &format!("SELECT {KEYS} FROM event_log.subject_keys")).await?;
        let events = format!("SELECT {EVENTS} FROM event_log.events WHERE position <= {until} ORDER BY position");
        let found = copy(&mut from, &mut to, "events", EVENTS, &events).await?;
        if found != until.unsigned_abs() {
            return Err(ForkError::Short { until, found: i64::try_from(found).unwrap_or(i64::MAX) });
        }
        let claims = format!(
            "SELECT cell_id, during, holder, releasable_at, lapse, from_position,
                    CASE WHEN to_position <= {until} THEN to_position END
             FROM event_log.slot_claims WHERE from_position <= {until}"
        );
        copy(&mut from, &mut to, "slot_claims", CLAIMS, &claims).await?;
        from.rollback().await?;
        fold(&mut to).await?.write(&mut to).await?;
        // From here on even whoever owns the tables records nothing.
        sqlx::raw_sql(
            "CREATE TRIGGER a_copy BEFORE INSERT ON event_log.events
             FOR EACH STATEMENT EXECUTE FUNCTION event_log.refuse_in_a_fork()",
        )
        .execute(&mut *to)
        .await?;
        to.commit().await?;
        Ok(())
    }
}

/// Streams what a query gives into a table of the same columns, and says how many rows that were.
async fn copy(
    from: &mut PgConnection,
    to: &mut PgConnection,
    table: &str,
    columns: &str,
    query: &str,
) -> Result<u64, sqlx::Error> {
    let mut out = from.copy_out_raw(&format!("COPY ({query}) TO STDOUT (FORMAT binary)")).await?;
    let mut sink = to.copy_in_raw(&format!("COPY event_log.{table} ({columns}) FROM STDIN (FORMAT binary)")).await?;
    while let Some(piece) = poll_fn(|cx| out.as_mut().poll_next(cx)).await {
        sink.send(piece?).await?;
    }
    sink.finish().await
}

/// What the events of the copy say about its guards.
async fn fold(to: &mut PgConnection) -> Result<Guards, ForkError> {
    let (mut guards, mut after) = (Guards::default(), 0);
    loop {
        let rows = rows_after(&mut *to, after, PAGE).await?;
        let Some(last) = rows.last() else { return Ok(guards) };
        after = last.position;
        for row in rows {
            let recorded = Recorded::try_from(row)?;
            guards.follow(&recorded.event()?, recorded.position);
        }
    }
}
