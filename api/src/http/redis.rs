//! Redis, which may be gone at any moment: nobody waits for it longer than [`PATIENCE`], and after a failure nobody asks it
//! for [`BREAK`].

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use redis::{
    Client, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::sync::OnceCell;

/// The longest an answer may wait for Redis (reliability.md §5.3).
pub const PATIENCE: Duration = Duration::from_millis(50);
/// How long Redis is left alone after it failed.
pub const BREAK: Duration = Duration::from_secs(5);

/// A connection that may be gone.
pub struct Redis {
    client: Option<Client>,
    connection: OnceCell<ConnectionManager>,
    begun: Instant,
    /// Milliseconds since `begun` until which Redis is left alone.
    broken_until: AtomicI64,
}

impl Redis {
    /// `None`, or an address that is none: there is no Redis.
    pub fn new(url: Option<&str>) -> Self {
        Self {
            client: url.and_then(|url| Client::open(url).ok()),
            connection: OnceCell::new(),
            begun: Instant::now(),
            broken_until: AtomicI64::new(0),
        }
    }

    /// Whether there is one at all.
    pub fn is_set(&self) -> bool {
        self.client.is_some()
    }

    /// Whether it may be asked now.
    pub fn is_well(&self) -> bool {
        self.is_set() && self.elapsed_ms() >= self.broken_until.load(Ordering::Relaxed)
    }

    /// Asks, and waits a little for the answer; whatever goes wrong breaks the circuit.
    pub async fn ask<T>(&self, question: impl AsyncFnOnce(ConnectionManager) -> RedisResult<T>) -> Option<T> {
        if !self.is_well() {
            return None;
        }
        let client = self.client.as_ref()?;
        let config = ConnectionManagerConfig::new().set_number_of_retries(0).set_connection_timeout(Some(PATIENCE));
        let answer = async {
            let connect = self.connection.get_or_try_init(|| client.get_connection_manager_with_config(config));
            question(connect.await?.clone()).await
        };
        match tokio::time::timeout(PATIENCE, answer).await {
            Ok(Ok(answer)) => Some(answer),
            Ok(Err(_)) | Err(_) => {
                let until = self.elapsed_ms() + i64::try_from(BREAK.as_millis()).unwrap_or(i64::MAX);
                self.broken_until.store(until, Ordering::Relaxed);
                metrics::counter!("api_redis_broken_total").increment(1);
                None
            }
        }
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}
