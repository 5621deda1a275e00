//! PINs: a try is counted before it is compared, and forgotten when it was right.

use domain::{
    Timestamp,
    ids::{ClientId, SecretId},
    sign_in::{Lock, Pin, after_wrong, may_try},
};

use super::AuthError;
use crate::{Store, failpoint};

/// What became of a try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    Right,
    /// So many are left before it rests.
    Wrong {
        left: u16,
    },
    /// Nothing was compared. A code as well, after `until` when there is one.
    Locked {
        until: Option<Timestamp>,
        needs_code: bool,
    },
}

/// Keeps the hash of a PIN. It counts once the log says so; one that never does is swept.
///
/// # Errors
/// [`AuthError`].
pub async fn keep(store: &Store, client: ClientId, secret: SecretId, pin: &Pin) -> Result<(), AuthError> {
    let hash = store.hasher().hash(secret.uuid(), pin.expose()).await?;
    sqlx::query!(
        "INSERT INTO auth.pins (secret_id, subject, hash, made_at) VALUES ($1, $2, $3, $4)",
        secret.uuid(),
        client.uuid(),
        hash,
        store.clock().now()
    )
    .execute(store.pool())
    .await?;
    failpoint("auth.pin_kept");
    Ok(())
}

/// Compares a PIN with the one that counts. `beside_a_code`: whoever tries has just proven to have the number, too.
///
/// # Errors
/// [`AuthError`]; once it is counted the try counts, whatever comes then.
pub async fn compare(store: &Store, secret: SecretId, pin: &str, beside_a_code: bool) -> Result<Compared, AuthError> {
    let place = store.hasher().place().await?;
    let now = store.clock().now();
    let mut tx = store.pool().begin().await?;
    let row = sqlx::query!(
        "SELECT hash, wrong, locked_until, needs_code FROM auth.pins WHERE secret_id = $1 FOR UPDATE",
        secret.uuid()
    )
    .fetch_one(&mut *tx)
    .await?;
    let wrong = u16::try_from(row.wrong).unwrap_or(u16::MAX);
    let lock = Lock { wrong, until: row.locked_until, needs_code: row.needs_code };
    if let Err(until) = may_try(lock, now) {
        return Ok(Compared::Locked { until: Some(until), needs_code: lock.needs_code });
    }
    if lock.needs_code && !beside_a_code {
        return Ok(Compared::Locked { until: None, needs_code: true });
    }
    let after = after_wrong(lock, now);
    sqlx::query!(
        "UPDATE auth.pins SET wrong = $2, locked_until = $3, needs_code = $4 WHERE secret_id = $1",
        secret.uuid(),
        i16::try_from(after.wrong).unwrap_or(i16::MAX),
        after.until,
        after.needs_code
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    failpoint("auth.pin_counted");
    if !store.hasher().verify(place, secret.uuid(), pin, &row.hash).await? {
        return Ok(Compared::Wrong { left: after.left() });
    }
    sqlx::query!(
        "UPDATE auth.pins SET wrong = 0, locked_until = NULL, needs_code = false WHERE secret_id = $1",
        secret.uuid()
    )
    .execute(store.pool())
    .await?;
    Ok(Compared::Right)
}
