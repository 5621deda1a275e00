//! How the rails of payment fare: written by the workers who call them, read by whoever offers them to payers. Here,
//! because the two share it without seeing each other.
//!
//! It is advice. A row says nothing once its time is over, so a worker that dies leaves nothing wrong behind.

use std::time::Duration;

use domain::{Timestamp, payment::Method};
use sqlx::PgPool;

/// A rail that is out of order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwell {
    pub method: Method,
    /// Which merchant account there; empty for the platform's own.
    pub account: String,
    /// By the database's clock.
    pub since: Timestamp,
    /// Until then it counts as out of order, unless somebody says so again.
    pub until: Timestamp,
    /// What went wrong last: a class, such as `timeout`.
    pub error: String,
}

/// Says that a rail is out of order, since `for_as_long`, and for `lasts` from now unless it is said again.
///
/// # Errors
/// The database's.
pub async fn say_unwell(
    pool: &PgPool,
    method: Method,
    account: &str,
    error: &str,
    for_as_long: Duration,
    lasts: Duration,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO work.rail_health AS known (method, account, error, since, until)
         VALUES ($1, $2, $3, clock_timestamp() - $4 * interval '1 millisecond',
                 clock_timestamp() + $5 * interval '1 millisecond')
         ON CONFLICT (method, account) DO UPDATE SET error = excluded.error, until = excluded.until,
             since = CASE WHEN known.until > clock_timestamp() THEN known.since ELSE excluded.since END",
        method.as_str(),
        account,
        error,
        for_as_long.as_secs_f64() * 1_000.0,
        lasts.as_secs_f64() * 1_000.0
    )
    .execute(pool)
    .await
    .map(drop)
}

/// Says that a rail answers again.
///
/// # Errors
/// The database's.
pub async fn say_well(pool: &PgPool, method: Method, account: &str) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM work.rail_health WHERE method = $1 AND account = $2", method.as_str(), account)
        .execute(pool)
        .await
        .map(drop)
}

/// The rails that are out of order now.
///
/// # Errors
/// The database's.
pub async fn unwell(pool: &PgPool) -> Result<Vec<Unwell>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT method, account, since, until, error FROM work.rail_health WHERE until > clock_timestamp()
         ORDER BY method, account"
    )
    .fetch_all(pool)
    .await?;
    let known = |name: &str| Method::WITH_PROVIDER.into_iter().find(|method| method.as_str() == name);
    Ok(rows
        .into_iter()
        .filter_map(|row| {
            let method = known(&row.method)?;
            Some(Unwell { method, account: row.account, since: row.since, until: row.until, error: row.error })
        })
        .collect())
}
