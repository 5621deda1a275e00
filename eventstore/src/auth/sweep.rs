//! Forgetting what nobody needs to know any more.

use chrono::TimeDelta;
use domain::{
    Timestamp,
    sign_in::{INVITATION, RECYCLED, TRUSTED},
};

use crate::Store;

/// Challenges and what is counted of numbers and addresses: no rule looks further back than a day.
const COUNTED: TimeDelta = TimeDelta::days(2);
/// What is usual is that of a week.
const HOURS: TimeDelta = TimeDelta::days(9);
/// A secret that no event names by then never counted; the one before is of no use any more.
const UNUSED: TimeDelta = TimeDelta::hours(1);

/// Forgets challenges and counters of the day before yesterday, sessions that ended or that nobody came back to, secrets that do
/// not count, and invitations that nobody accepted. Answers how many rows.
///
/// # Errors
/// The database's.
pub async fn sweep(store: &Store, now: Timestamp) -> Result<u64, sqlx::Error> {
    let pool = store.pool();
    let challenges =
        sqlx::query!("DELETE FROM auth.challenges WHERE asked_at < $1", now - COUNTED).execute(pool).await?;
    let numbers = sqlx::query!("DELETE FROM auth.numbers WHERE touched_at < $1", now - COUNTED).execute(pool).await?;
    let nets = sqlx::query!("DELETE FROM auth.nets WHERE touched_at < $1", now - COUNTED).execute(pool).await?;
    let tries = sqlx::query!("DELETE FROM auth.tries WHERE touched_at < $1", now - COUNTED).execute(pool).await?;
    let trusted = sqlx::query!("DELETE FROM auth.trusted_nets WHERE seen_at < $1", now - TRUSTED).execute(pool).await?;
    let hours = sqlx::query!("DELETE FROM auth.hours WHERE hour < $1", now - HOURS).execute(pool).await?;
    // When somebody was here is known for as long as it says whose a number is. A fence that is gone is stale for whoever still
    // carries it.
    let sessions = sqlx::query!(
        "WITH gone AS (
             DELETE FROM auth.sessions WHERE coalesce(ended_at, seen_at) < $1 RETURNING id)
         DELETE FROM event_log.fences USING gone WHERE key = 'session:' || gone.id",
        now - RECYCLED - COUNTED
    )
    .execute(pool)
    .await?;
    let tokens = sqlx::query!("DELETE FROM auth.tokens WHERE expires_at < $1", now - COUNTED).execute(pool).await?;
    let secrets = sqlx::query!(
        "DELETE FROM auth.secrets AS secret WHERE made_at < $1 AND secret_id IS DISTINCT FROM (
             SELECT coalesce(data ->> 'secret_id', data ->> 'passphrase_id')::uuid FROM event_log.events
             WHERE stream_id = secret.subject
               AND type IN ('client.pin_set', 'account.accepted', 'account.passphrase_set')
             ORDER BY version DESC LIMIT 1)",
        now - UNUSED
    )
    .execute(pool)
    .await?;
    let totps = sqlx::query!(
        "DELETE FROM auth.totps AS totp WHERE made_at < $1 AND secret_id IS DISTINCT FROM (
             SELECT (data ->> 'totp_id')::uuid FROM event_log.events
             WHERE stream_id = totp.subject AND type = 'account.accepted' ORDER BY version DESC LIMIT 1)",
        now - INVITATION - UNUSED
    )
    .execute(pool)
    .await?;
    let invitations =
        sqlx::query!("DELETE FROM auth.invitations WHERE expires_at < $1", now - COUNTED).execute(pool).await?;
    let all = [challenges, numbers, nets, tries, trusted, hours, sessions, tokens, secrets, totps, invitations];
    Ok(all.iter().map(sqlx::postgres::PgQueryResult::rows_affected).sum())
}
