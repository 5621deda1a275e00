//! What is sent to endpoints: the secrets that sign it, the rows of what waits, and how each try went. Here, because the API
//! and the workers share it without seeing each other.

mod log;
mod queue;
mod replay;
mod secrets;

pub use log::{Attempt, Delivery, deliveries, note, sweep};
pub use queue::{
    Ended, Item, Next, PING, Turn, Waiting, close, done, drop_all, enqueue, later, open, pending, ping, queues, take,
    wake,
};
pub use replay::{Replay, advance, next_replay, replay, replays};
pub use secrets::{forget, keep, secret};

use uuid::Uuid;

use crate::Store;

/// The seed of the key by which a log signs what it sends (`v1a`): the log's own, and used for nothing else.
pub fn key_seed(store: &Store) -> [u8; 32] {
    store.keyring().hash("webhook key v1a", store.log().id.as_bytes())
}

/// The endpoints of an owner, as the guards count them.
///
/// # Errors
/// The database's.
pub async fn endpoints_of(store: &Store, scope: &str) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT holder FROM event_log.holdings WHERE scope = $1 ORDER BY holder", scope)
        .fetch_all(store.pool())
        .await
}
