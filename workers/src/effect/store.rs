//! The table of effects: writing, taking, finishing.

use std::time::Duration;

use domain::Timestamp;
use eventstore::{Fence, failpoint, fence};
use sqlx::{PgConnection, PgPool, types::Json};

use super::{Intent, Outcome, Taken, Work};

/// Writes an intent, in the transaction of its cause. Written twice it is there once.
///
/// # Errors
/// The database's.
pub async fn intend(tx: &mut PgConnection, intent: &Intent, cause: i64, now: Timestamp) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO work.effects (key, kind, group_key, payload, due_at, cause_position, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (key) DO NOTHING",
        intent.key,
        intent.work.kind(),
        intent.work.group(),
        Json(&intent.work) as _,
        intent.due_at,
        cause,
        now
    )
    .execute(tx)
    .await
    .map(drop)
}

/// Takes the effect that has been due longest, or one whose worker hangs. `None` when there is nothing to take.
///
/// # Errors
/// The database's.
pub async fn take(pool: &PgPool, now: Timestamp, lease: Duration) -> Result<Option<Taken>, sqlx::Error> {
    if !is_any_due(pool, now).await? {
        return Ok(None);
    }
    let mut tx = pool.begin().await?;
    let found = sqlx::query!(
        r#"SELECT id, key, group_key, due_at, attempts, cause_position, created_at, called_at,
                  payload AS "payload: Json<Work>"
           FROM work.effects AS effect
           WHERE (state = 'running' AND leased_until <= clock_timestamp())
              OR (state = 'ready' AND due_at <= $1 AND NOT EXISTS (
                  SELECT FROM work.effects AS other WHERE other.group_key = effect.group_key AND other.state = 'running'))
           ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED"#,
        now
    )
    .fetch_optional(&mut *tx)
    .await?;
    let Some(found) = found else { return Ok(None) };
    let taken = sqlx::query!(
        "UPDATE work.effects SET state = 'running', attempts = attempts + 1,
             leased_until = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE id = $1",
        found.id,
        millis(lease)
    )
    .execute(&mut *tx)
    .await;
    match taken {
        Ok(_) => {}
        // Another worker took one of the same group at the same moment: theirs first.
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Ok(None),
        Err(error) => return Err(error),
    }
    // Only now that the group is ours: a raised fence makes the owner's token stale even before it is committed.
    let key = format!("effects:{}", found.group_key);
    let token = fence::raise(&mut tx, &key).await?;
    sqlx::query!("UPDATE work.effects SET token = $2 WHERE id = $1", found.id, token.0).execute(&mut *tx).await?;
    tx.commit().await?;
    failpoint("effect.taken");
    Ok(Some(Taken {
        id: found.id,
        key: found.key,
        work: found.payload.0,
        due_at: found.due_at,
        attempts: u32::try_from(found.attempts).unwrap_or(u32::MAX).saturating_add(1),
        called_at: found.called_at,
        cause: found.cause_position,
        created_at: found.created_at,
        fence: Fence { key, token },
    }))
}

/// One round trip for the usual answer: nothing.
async fn is_any_due(pool: &PgPool, now: Timestamp) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM work.effects WHERE state = 'ready' AND due_at <= $1)
               OR EXISTS (SELECT FROM work.effects WHERE state = 'running' AND leased_until <= clock_timestamp()) AS "due!""#,
        now
    )
    .fetch_one(pool)
    .await
}

/// Notes that the provider is about to be called. From here on a crash leaves a trace. False when it is no longer ours.
///
/// # Errors
/// The database's.
pub async fn about_to_call(pool: &PgPool, taken: &Taken, now: Timestamp) -> Result<bool, sqlx::Error> {
    let marked = sqlx::query!(
        "UPDATE work.effects SET called_at = $3
         WHERE id = $1 AND token = $2 AND state = 'running' AND leased_until > clock_timestamp()",
        taken.id,
        taken.fence.token.0,
        now
    )
    .execute(pool)
    .await?;
    failpoint("effect.about_to_call");
    Ok(marked.rows_affected() == 1)
}

/// Takes the mark of [`about_to_call`] back: it is certain that nothing happened.
///
/// # Errors
/// The database's.
pub async fn not_called(pool: &PgPool, taken: &Taken) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE work.effects SET called_at = NULL WHERE id = $1 AND token = $2 AND state = 'running'",
        taken.id,
        taken.fence.token.0
    )
    .execute(pool)
    .await?;
    failpoint("effect.not_called");
    Ok(())
}

/// Puts an effect down. False when it was no longer ours, and then nothing changed.
///
/// # Errors
/// The database's.
pub async fn finish(pool: &PgPool, taken: &Taken, outcome: &Outcome, now: Timestamp) -> Result<bool, sqlx::Error> {
    let (state, why) = match outcome {
        Outcome::Done => ("done", None),
        Outcome::Dropped(why) => ("dropped", Some(why)),
        Outcome::Failed(why) => ("failed", Some(why)),
        Outcome::Unknown(why) => ("unknown", Some(why)),
        Outcome::Later { why, .. } => ("ready", why.as_ref()),
    };
    let (due_at, work) = match outcome {
        Outcome::Later { due_at, work, .. } => (Some(*due_at), *work),
        _ => (None, None),
    };
    let done = sqlx::query!(
        "UPDATE work.effects SET state = $3, leased_until = NULL, last_error = $4,
             due_at = coalesce($5, due_at), payload = coalesce($6, payload),
             finished_at = CASE WHEN $3 = 'ready' THEN NULL ELSE $7::timestamptz END
         WHERE id = $1 AND token = $2 AND state = 'running'",
        taken.id,
        taken.fence.token.0,
        state,
        why.map(|why| why.chars().take(500).collect::<String>()),
        due_at,
        work.map(Json) as _,
        now
    )
    .execute(pool)
    .await?;
    failpoint("effect.finished");
    Ok(done.rows_affected() == 1)
}

/// Forgets effects that were finished before `before`; answers how many. Those that ended badly stay.
///
/// # Errors
/// The database's.
pub async fn sweep(pool: &PgPool, before: Timestamp) -> Result<u64, sqlx::Error> {
    let swept = sqlx::query!(
        "DELETE FROM work.effects WHERE finished_at < $1 AND state IN ('done', 'dropped', 'unknown')",
        before
    );
    Ok(swept.execute(pool).await?.rows_affected())
}

/// Effects that are due or running, by kind: what a test waits for and what an operator looks at.
///
/// # Errors
/// The database's.
pub async fn pending(pool: &PgPool, now: Timestamp) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM work.effects WHERE state = 'running' OR (state = 'ready' AND due_at <= $1)"#,
        now
    )
    .fetch_one(pool)
    .await
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

/// What an event led to, for people who read along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consequence {
    pub cause_position: i64,
    pub kind: String,
    pub state: String,
    pub due_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// The effects that the events at these positions caused, in the order in which they were written.
///
/// # Errors
/// The database's.
pub async fn caused_by(pool: &PgPool, positions: &[i64]) -> Result<Vec<Consequence>, sqlx::Error> {
    sqlx::query_as!(
        Consequence,
        "SELECT cause_position, kind, state, due_at, finished_at FROM work.effects
         WHERE cause_position = ANY ($1) ORDER BY id",
        positions
    )
    .fetch_all(pool)
    .await
}
