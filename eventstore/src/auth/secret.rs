//! PINs and passphrases: a try is counted before it is compared, and forgotten when it was right.

use domain::{
    Timestamp,
    ids::SecretId,
    sign_in::{Lock, after_wrong, may_try},
};
use uuid::Uuid;

use super::{
    AuthError,
    hasher::{Asker, Kind},
};
use crate::Store;

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

/// Keeps the hash of what somebody chose. It counts once the log says so; one that never does is swept.
///
/// # Errors
/// [`AuthError`].
pub async fn keep(store: &Store, subject: Uuid, secret: SecretId, chosen: &str) -> Result<(), AuthError> {
    // Whoever chooses has proven who they are, and is one, wherever they are.
    let place = store.hasher().place(Asker { kind: Kind::Client, who: &subject.to_string() }).await?;
    let hash = store.hasher().hash_at(place, secret.uuid(), chosen).await?;
    sqlx::query!(
        "INSERT INTO auth.secrets (secret_id, subject, hash, made_at) VALUES ($1, $2, $3, $4)",
        secret.uuid(),
        subject,
        hash,
        store.clock().now()
    )
    .execute(store.pool())
    .await?;
    Ok(())
}

/// Compares with the one that counts. `beside_more`: whoever tries has just proven more than that they have a device: the
/// number, or that they come with a second factor as well. `address`: where they are.
///
/// # Errors
/// [`AuthError`]; once it is counted the try counts, whatever comes then.
pub async fn compare(
    store: &Store,
    secret: SecretId,
    given: &str,
    beside_more: bool,
    address: &str,
) -> Result<Compared, AuthError> {
    let asker = Asker { kind: Kind::Client, who: address };
    counted(store, asker, secret, given, beside_more, async || Ok(true)).await
}

/// The same for what counts only together with something else, such as the code of a second factor: wrong is wrong, whichever of
/// the two it was. Of somebody who is signed in, so no stranger counts here: signing in has `tries`.
///
/// # Errors
/// As [`compare`].
pub async fn compare_with(
    store: &Store,
    secret: SecretId,
    given: &str,
    address: &str,
    other: impl AsyncFnOnce() -> Result<bool, AuthError>,
) -> Result<Compared, AuthError> {
    counted(store, Asker { kind: Kind::Known, who: address }, secret, given, true, other).await
}

async fn counted(
    store: &Store,
    asker: Asker<'_>,
    secret: SecretId,
    given: &str,
    beside_more: bool,
    other: impl AsyncFnOnce() -> Result<bool, AuthError>,
) -> Result<Compared, AuthError> {
    let place = store.hasher().place(asker).await?;
    let now = store.clock().now();
    let mut tx = store.pool().begin().await?;
    let row = sqlx::query!(
        "SELECT hash, wrong, locked_until, needs_code FROM auth.secrets WHERE secret_id = $1 FOR UPDATE",
        secret.uuid()
    )
    .fetch_optional(&mut *tx)
    .await?;
    // Erased a moment ago: whatever they say is wrong.
    let Some(row) = row else { return Ok(Compared::Wrong { left: 0 }) };
    let wrong = u16::try_from(row.wrong).unwrap_or(u16::MAX);
    let lock = Lock { wrong, until: row.locked_until, needs_code: row.needs_code };
    if let Err(until) = may_try(lock, now) {
        return Ok(Compared::Locked { until: Some(until), needs_code: lock.needs_code });
    }
    if lock.needs_code && !beside_more {
        return Ok(Compared::Locked { until: None, needs_code: true });
    }
    let after = after_wrong(lock, now);
    sqlx::query!(
        "UPDATE auth.secrets SET wrong = $2, locked_until = $3, needs_code = $4 WHERE secret_id = $1",
        secret.uuid(),
        i16::try_from(after.wrong).unwrap_or(i16::MAX),
        after.until,
        after.needs_code
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    let right = store.hasher().verify(place, secret.uuid(), given, &row.hash).await?;
    // A code is used up by the right passphrase only.
    if !(right && other().await?) {
        return Ok(Compared::Wrong { left: after.left() });
    }
    sqlx::query!(
        "UPDATE auth.secrets SET wrong = 0, locked_until = NULL, needs_code = false WHERE secret_id = $1",
        secret.uuid()
    )
    .execute(store.pool())
    .await?;
    Ok(Compared::Right)
}
