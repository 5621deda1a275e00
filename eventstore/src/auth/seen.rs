//! When somebody was here.

use domain::{Timestamp, ids::PrincipalId};

use crate::Store;

/// When somebody was here the last time, as far back as sessions are kept.
///
/// # Errors
/// The database's.
pub async fn last_seen(store: &Store, subject: PrincipalId) -> Result<Option<Timestamp>, sqlx::Error> {
    sqlx::query_scalar!("SELECT max(seen_at) FROM auth.sessions WHERE subject = $1", subject.uuid())
        .fetch_one(store.pool())
        .await
}
