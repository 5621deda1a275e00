//! The one clock of a process, and the ids made from it.
//!
//! A test log has a settable clock, as Stripe has: its offset is a row in the database, so every process of the log
//! shows the same time. A live log has no offset.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use domain::Timestamp;
use sqlx::PgPool;
use thiserror::Error;
use uuid::{ContextV7, Uuid};

use crate::identity::Mode;

/// How often the offset of a test clock is read again, in milliseconds: what a process may lag behind another.
const FOLLOW_MS: u64 = 100;
const SKEW_CHECK: Duration = Duration::from_secs(60);
/// The largest difference to the database's clock at which a process starts, in seconds.
const SKEW_MAX_S: i64 = 10;
const SKEW_WARN_MS: i64 = 1_000;

/// Why the clock could not be set or trusted.
#[derive(Debug, Error)]
pub enum ClockError {
    #[error("only the clock of a test log can be set")]
    NotATestLog,
    #[error("a clock only goes forward")]
    Backwards,
    #[error("this machine's clock is {seconds} s away from the database's")]
    Skewed { seconds: i64 },
    #[error("the test clock cannot be read")]
    Database(#[from] sqlx::Error),
}

/// Tells the time and makes ids. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    offset_us: AtomicI64,
    ids: Mutex<ContextV7>,
    log: OnceLock<(PgPool, Mode)>,
}

impl Clock {
    /// The clock of the machine, until a store ties it to a log.
    pub fn system() -> Self {
        Self::default()
    }

    /// UTC, in whole microseconds: what the database can store.
    pub fn now(&self) -> Timestamp {
        let offset = TimeDelta::microseconds(self.inner.offset_us.load(Ordering::Relaxed));
        machine_time().trunc_subsecs(6) + offset
    }

    /// What the clocks of the world outside show, by which it judges what it is sent: nobody else's clock is set with ours.
    pub fn outside(&self) -> Timestamp {
        machine_time().trunc_subsecs(6)
    }

    /// A new UUIDv7 (RFC 9562), later than every one this clock made before within the millisecond.
    pub fn new_id(&self) -> Uuid {
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(&self.inner.ids, seconds, now.timestamp_subsec_nanos()))
    }

    /// Moves the clock of a test log forward for every process, and answers the new time. Other processes follow
    /// within 100 ms; the lane at once.
    ///
    /// # Errors
    /// [`ClockError`] for a live log, a clock that is not tied to a log, or a step backwards.
    pub async fn advance(&self, by: Duration) -> Result<Timestamp, ClockError> {
        let Some((pool, Mode::Test)) = self.inner.log.get() else { return Err(ClockError::NotATestLog) };
        let by = i64::try_from(by.as_micros()).map_err(|_| ClockError::Backwards)?;
        let offset = sqlx::query_scalar!(
            "INSERT INTO event_log.test_clock AS clock (offset_us) VALUES ($1)
             ON CONFLICT (one) DO UPDATE SET offset_us = clock.offset_us + excluded.offset_us RETURNING offset_us",
            by
        )
        .fetch_one(pool)
        .await?;
        self.follow(offset);
        Ok(self.now())
    }

    /// Moves the clock of a test log forward to an instant.
    ///
    /// # Errors
    /// As [`Clock::advance`].
    pub async fn advance_to(&self, instant: Timestamp) -> Result<Timestamp, ClockError> {
        let by = (instant - self.now()).to_std().map_err(|_| ClockError::Backwards)?;
        self.advance(by).await
    }

    /// Ties the clock to its log: compares it with the database's, and follows the offset of a test log from now on.
    pub(crate) async fn bind(&self, pool: PgPool, mode: Mode) -> Result<(), ClockError> {
        let skew = measure(&pool).await?;
        if skew.num_seconds().abs() > SKEW_MAX_S {
            return Err(ClockError::Skewed { seconds: skew.num_seconds() });
        }
        if mode == Mode::Test {
            self.follow(read_offset(&pool).await?);
        }
        if self.inner.log.set((pool.clone(), mode)).is_ok() {
            let clock = Arc::downgrade(&self.inner);
            tokio::spawn(async move {
                let mut checked = tokio::time::Instant::now();
                loop {
                    tokio::time::sleep(Duration::from_millis(FOLLOW_MS)).await;
                    let Some(inner) = clock.upgrade() else { return };
                    if pool.is_closed() {
                        return;
                    }
                    let clock = Self { inner };
                    clock.watch(&pool, mode, &mut checked).await;
                }
            });
        }
        Ok(())
    }

    async fn watch(&self, pool: &PgPool, mode: Mode, checked: &mut tokio::time::Instant) {
        if mode == Mode::Test
            && let Ok(offset) = read_offset(pool).await
        {
            self.follow(offset);
        }
        if checked.elapsed() >= SKEW_CHECK
            && let Ok(skew) = measure(pool).await
        {
            *checked = tokio::time::Instant::now();
            metrics::gauge!("clock_skew_milliseconds").set(skew.num_milliseconds() as f64);
            if skew.num_milliseconds().abs() > SKEW_WARN_MS {
                tracing::warn!(skew_ms = skew.num_milliseconds(), "this machine's clock differs from the database's");
            }
        }
    }

    fn follow(&self, offset_us: i64) {
        self.inner.offset_us.fetch_max(offset_us, Ordering::Relaxed);
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the clock that everybody else asks")]
fn machine_time() -> DateTime<Utc> {
    Utc::now()
}

async fn read_offset(pool: &PgPool) -> Result<i64, sqlx::Error> {
    Ok(sqlx::query_scalar!("SELECT offset_us FROM event_log.test_clock").fetch_optional(pool).await?.unwrap_or(0))
}

/// How far the database's clock runs ahead of this machine's; half the round trip is allowed for.
async fn measure(pool: &PgPool) -> Result<TimeDelta, sqlx::Error> {
    let before = machine_time();
    let theirs = sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#).fetch_one(pool).await?;
    let after = machine_time();
    Ok(theirs - (before + (after - before) / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_clock_grow() {
        let clock = Clock::system();
        let ids: Vec<Uuid> = (0..10_000).map(|_| clock.new_id()).collect();
        assert!(ids.is_sorted());
        assert_eq!(ids[0].get_version_num(), 7);
    }

    #[test]
    fn the_time_is_in_whole_microseconds() {
        assert_eq!(Clock::system().now().timestamp_subsec_nanos() % 1_000, 0);
    }
}
