//! A key gets another secret.

use chrono::Duration;

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision};

use super::{Key, Refusal, Rotated, SecretHash};

/// How long the secret before may open beside the new one.
pub const LONGEST_OVERLAP: Duration = Duration::days(7);

/// Gives a key another secret; the present one opens for `overlap` longer, any other no more.
///
/// # Errors
/// [`Refusal`] for a key that was never granted or is revoked, and for an overlap that is too long.
pub fn rotate(
    key: &Loaded<Key>,
    secret_hash: SecretHash,
    overlap: Duration,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if key.state.granted.is_none() {
        return Err(Refusal::Unknown);
    }
    if key.state.revoked {
        return Err(Refusal::Revoked);
    }
    if overlap < Duration::zero() || overlap > LONGEST_OVERLAP {
        return Err(Refusal::OverlapTooLong { most_hours: LONGEST_OVERLAP.num_hours() });
    }
    let rotated = Rotated { key_id: key.id, secret_hash, older_until: now + overlap, by, at: now };
    Ok(Decision::nothing().then(key, rotated))
}
