//! Second factors: codes of an authenticator app (TOTP, RFC 6238: SHA-1, 30 seconds, six digits, one step either way), each of
//! which counts once.

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::ids::SecretId;
use totp_rs::{Builder, Secret, Totp};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::AuthError;
use crate::{Store, cipher};

const FIELD: &str = "totp";
/// 160 bits, as RFC 4226 §4 asks.
const SEED: usize = 20;

/// A second factor that somebody is about to take up.
pub struct Offered {
    pub id: SecretId,
    /// What their app reads, in base32; shown once.
    pub seed: Zeroizing<String>,
}

/// Makes one.
///
/// # Errors
/// [`AuthError::Database`].
pub async fn make(store: &Store, subject: Uuid) -> Result<Offered, AuthError> {
    let id = SecretId::new(store.clock().new_id());
    let mut bytes = Zeroizing::new([0; SEED]);
    cipher::random(bytes.as_mut_slice());
    sqlx::query!(
        "INSERT INTO auth.totps (secret_id, subject, seed, made_at) VALUES ($1, $2, $3, $4)",
        id.uuid(),
        subject,
        store.subjects().seal_for_store(id.uuid(), FIELD, &STANDARD.encode(bytes.as_slice())),
        store.clock().now()
    )
    .execute(store.pool())
    .await?;
    Ok(Offered { id, seed: Zeroizing::new(Secret::from(*bytes).to_base32()) })
}

/// Whether a code is that of the factor, now: each step once, and none before one that was used.
///
/// # Errors
/// [`AuthError::Database`].
pub async fn check(store: &Store, id: SecretId, code: &str) -> Result<bool, AuthError> {
    check_if(store, id, code, true).await
}

/// The same when it matters; when not, it takes as long, uses nothing up and says no.
///
/// # Errors
/// As [`check`].
pub(super) async fn check_if(store: &Store, id: SecretId, code: &str, matters: bool) -> Result<bool, AuthError> {
    let mut tx = store.pool().begin().await?;
    let row = sqlx::query!("SELECT seed, last_step FROM auth.totps WHERE secret_id = $1 FOR UPDATE", id.uuid())
        .fetch_optional(&mut *tx)
        .await?;
    let Some(row) = row else { return Ok(false) };
    let seed = store.subjects().open_for_store(id.uuid(), FIELD, &row.seed);
    let Some(seed) = seed.and_then(|text| STANDARD.decode(text).ok()) else { return Ok(false) };
    let now = store.clock().now().timestamp().unsigned_abs();
    let step = step_of(seed, code, now).filter(|step| *step > row.last_step && matters);
    let Some(step) = step else { return Ok(false) };
    sqlx::query!("UPDATE auth.totps SET last_step = $2 WHERE secret_id = $1", id.uuid(), step)
        .execute(&mut *tx)
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// The step that a code is of, at a time in seconds since 1970.
fn step_of(seed: Vec<u8>, code: &str, now: u64) -> Option<i64> {
    // Anything but six digits would not even be compared.
    if code.len() != 6 || !code.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let totp: Totp = Builder::new().with_secret(Secret::from(seed)).build().ok()?;
    totp.check(code, now).and_then(|step| i64::try_from(step).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, SHA-1: the last six of its eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let seed = b"12345678901234567890".to_vec();
        for (at, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step_of(seed.clone(), code, at), Some(i64::try_from(at / 30).unwrap()), "{at}");
            assert_eq!(step_of(seed.clone(), code, at + 30), Some(i64::try_from(at / 30).unwrap()), "a step late");
            assert_eq!(step_of(seed.clone(), code, at + 90), None, "two late");
        }
        for nonsense in ["", "28708", "2870822", "abcdef", "２８７０８２"] {
            assert_eq!(step_of(seed.clone(), nonsense, 59), None);
        }
    }
}
