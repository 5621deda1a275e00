//! Ready answers in Redis. What a key names never changes (it holds the position it was made from), so nothing is ever
//! deleted, and a lost Redis costs time only.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use redis::{
    AsyncCommands, Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use tokio::sync::OnceCell;
use uuid::Uuid;

/// The longest an answer may wait for Redis.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long Redis is left alone after it failed.
const BREAK: Duration = Duration::from_secs(5);
const SECONDS_KEPT: u64 = 120;

/// A cache that may be gone at any moment.
pub struct Cache {
    client: Option<Client>,
    connection: OnceCell<ConnectionManager>,
    prefix: String,
    begun: Instant,
    /// Milliseconds since `begun` until which Redis is left alone.
    broken_until: AtomicI64,
}

impl Cache {
    pub fn new(url: Option<&str>, log: Uuid) -> Self {
        Self {
            client: url.and_then(|url| Client::open(url).ok()),
            connection: OnceCell::new(),
            prefix: format!("kalel:{log}:api:"),
            begun: Instant::now(),
            broken_until: AtomicI64::new(0),
        }
    }

    /// A ready answer.
    pub async fn get(&self, key: &str) -> Option<String> {
        let mut redis = self.reach().await?;
        let asked = redis.get::<_, Option<String>>(format!("{}{key}", self.prefix));
        self.within(asked).await.flatten()
    }

    /// Keeps an answer for a while.
    pub async fn put(&self, key: &str, answer: &str) {
        let Some(mut redis) = self.reach().await else { return };
        let put = redis.set_ex::<_, _, ()>(format!("{}{key}", self.prefix), answer, SECONDS_KEPT);
        self.within(put).await;
    }

    async fn reach(&self) -> Option<ConnectionManager> {
        let client = self.client.as_ref()?;
        if self.elapsed_ms() < self.broken_until.load(Ordering::Relaxed) {
            return None;
        }
        let config = ConnectionManagerConfig::new().set_number_of_retries(0).set_connection_timeout(Some(PATIENCE));
        let connect = self.connection.get_or_try_init(|| client.get_connection_manager_with_config(config));
        self.within(connect).await.cloned()
    }

    /// Waits a little; whatever goes wrong breaks the circuit.
    async fn within<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> Option<T> {
        match tokio::time::timeout(PATIENCE, work).await {
            Ok(Ok(done)) => Some(done),
            Ok(Err(_)) | Err(_) => {
                let until = self.elapsed_ms() + i64::try_from(BREAK.as_millis()).unwrap_or(i64::MAX);
                self.broken_until.store(until, Ordering::Relaxed);
                metrics::counter!("api_cache_broken_total").increment(1);
                None
            }
        }
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn without_redis_there_is_no_answer_and_no_error() {
        let cache = Cache::new(Some("redis://127.0.0.1:1/"), Uuid::nil());
        assert_eq!(cache.get("x").await, None);
        cache.put("x", "y").await;
        let begun = Instant::now();
        assert_eq!(cache.get("x").await, None);
        assert!(begun.elapsed() < PATIENCE, "the circuit is not broken");
        assert_eq!(Cache::new(None, Uuid::nil()).get("x").await, None);
    }
}
