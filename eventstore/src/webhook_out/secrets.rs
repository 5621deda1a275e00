//! The secrets of endpoints, sealed.

use uuid::Uuid;

use crate::Store;

const FIELD: &str = "endpoint_secret";

/// Keeps a secret, before the event that names it: whoever reads the event finds it. One whose event never came is of no use.
///
/// # Errors
/// The database's.
pub async fn keep(store: &Store, endpoint: Uuid, secret_id: Uuid, secret: &str) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "INSERT INTO work.endpoint_secrets (secret_id, endpoint_id, sealed, created_at) VALUES ($1, $2, $3, $4)",
        secret_id,
        endpoint,
        store.subjects().seal_for_store(secret_id, FIELD, secret),
        store.clock().now()
    )
    .execute(store.pool())
    .await?;
    Ok(())
}

/// A secret by its name; `None` when it is not there, or cannot be opened with the keys of this process.
///
/// # Errors
/// The database's.
pub async fn secret(store: &Store, secret_id: Uuid) -> Result<Option<String>, sqlx::Error> {
    let sealed = sqlx::query_scalar!("SELECT sealed FROM work.endpoint_secrets WHERE secret_id = $1", secret_id);
    let sealed = sealed.fetch_optional(store.pool()).await?;
    Ok(sealed.and_then(|sealed| store.subjects().open_for_store(secret_id, FIELD, &sealed)))
}

/// Forgets the secrets of an endpoint but for those that still sign, and for those that somebody has just kept and is about to
/// name.
///
/// # Errors
/// The database's.
pub async fn forget(store: &Store, endpoint: Uuid, but: &[Uuid]) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "DELETE FROM work.endpoint_secrets WHERE endpoint_id = $1 AND NOT secret_id = ANY ($2) AND created_at < $3",
        endpoint,
        but,
        store.clock().now() - chrono::TimeDelta::hours(1)
    )
    .execute(store.pool())
    .await
    .map(drop)
}
