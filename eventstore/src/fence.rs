//! Fencing tokens: what a former owner of a lease still sends is refused (reliability.md R8).

use sqlx::PgConnection;

/// Grows with every change of owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub i64);

/// What a command must still own when it is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    /// The name of the lease.
    pub key: String,
    pub token: Token,
}

/// Takes the next token of a key, in the transaction that takes the lease: every earlier token is stale once that
/// transaction commits, and while it is open.
///
/// # Errors
/// The database's.
pub async fn raise(tx: &mut PgConnection, key: &str) -> Result<Token, sqlx::Error> {
    sqlx::query_scalar!(
        "INSERT INTO event_log.fences AS fence (key, token) VALUES ($1, 1)
         ON CONFLICT (key) DO UPDATE SET token = fence.token + 1 RETURNING token",
        key
    )
    .fetch_one(tx)
    .await
    .map(Token)
}
