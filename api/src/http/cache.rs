//! Ready answers in Redis. What a key names never changes (it holds the position it was made from), so nothing is ever
//! deleted, and a lost Redis costs time only.

use std::sync::Arc;

use redis::AsyncCommands;
use uuid::Uuid;

use crate::http::redis::Redis;

const SECONDS_KEPT: u64 = 120;

/// A cache that may be gone at any moment.
pub struct Cache {
    redis: Arc<Redis>,
    prefix: String,
}

impl Cache {
    pub fn new(redis: Arc<Redis>, log: Uuid) -> Self {
        Self { redis, prefix: format!("kalel:{log}:api:") }
    }

    /// A ready answer.
    pub async fn get(&self, key: &str) -> Option<String> {
        let key = format!("{}{key}", self.prefix);
        self.redis.ask(async move |mut redis| redis.get::<_, Option<String>>(key).await).await.flatten()
    }

    /// Keeps an answer for a while.
    pub async fn put(&self, key: &str, answer: &str) {
        let key = format!("{}{key}", self.prefix);
        self.redis.ask(async move |mut redis| redis.set_ex::<_, _, ()>(key, answer, SECONDS_KEPT).await).await;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::http::redis::PATIENCE;

    #[tokio::test]
    async fn without_redis_there_is_no_answer_and_no_error() {
        let cache = Cache::new(Arc::new(Redis::new(Some("redis://127.0.0.1:1/"))), Uuid::nil());
        assert_eq!(cache.get("x").await, None);
        cache.put("x", "y").await;
        let begun = Instant::now();
        assert_eq!(cache.get("x").await, None);
        assert!(begun.elapsed() < PATIENCE, "the circuit is not broken");
        assert_eq!(Cache::new(Arc::new(Redis::new(None)), Uuid::nil()).get("x").await, None);
    }
}
