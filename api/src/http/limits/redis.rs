//! What all processes count together: one key per purpose and caller, the sum of [`gcra`](super::gcra) as a script, by the
//! clock of Redis. Gone or flushed it is a fresh limit, and grants nothing else.

use std::sync::{Arc, LazyLock};

use ::redis::Script;
use uuid::Uuid;

use super::gcra::{Rate, Tally};
use crate::http::redis::Redis;

/// [`Rate::take`]. Arguments: interval, burst, and a moment if not that of Redis.
pub static TAKE: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));
/// [`Rate::give_back`]. Argument: interval.
pub static GIVE_BACK: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("give_back.lua")));

/// Counts that are shared.
pub struct Shared {
    redis: Arc<Redis>,
    prefix: String,
}

impl Shared {
    /// Of one log, by its id.
    pub fn new(redis: Arc<Redis>, log: Uuid) -> Self {
        Self { redis, prefix: format!("kalel:{log}:limit:") }
    }

    /// Whether counts are meant to be shared.
    pub fn is_set(&self) -> bool {
        self.redis.is_set()
    }

    /// Whether it may be asked now.
    pub fn is_well(&self) -> bool {
        self.redis.is_well()
    }

    /// Asks for one call; `None` when Redis does not answer.
    pub async fn take(&self, key: &str, rate: Rate) -> Option<Tally> {
        let mut call = TAKE.prepare_invoke();
        call.key(format!("{}{key}", self.prefix)).arg(rate.interval()).arg(rate.burst());
        let told = self.redis.ask(async move |mut redis| call.invoke_async::<(bool, i64, i64)>(&mut redis).await).await;
        told.map(|(admitted, due, now)| Tally { admitted, due, now })
    }

    /// Gives one call back.
    pub async fn give_back(&self, key: &str, rate: Rate) {
        let mut call = GIVE_BACK.prepare_invoke();
        call.key(format!("{}{key}", self.prefix)).arg(rate.interval());
        self.redis.ask(async move |mut redis| call.invoke_async::<()>(&mut redis).await).await;
    }
}
