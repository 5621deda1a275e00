//! A key ceases to work.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision};

use super::{Key, Refusal, Revoked};

/// Revokes a key, for good.
///
/// # Errors
/// [`Refusal::Unknown`] when it was never granted. Again is nothing to do.
pub fn revoke(key: &Loaded<Key>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if key.state.granted.is_none() {
        return Err(Refusal::Unknown);
    }
    if key.state.revoked {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(key, Revoked { key_id: key.id, by, at: now }))
}
