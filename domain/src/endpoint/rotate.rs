//! Another secret signs.

use chrono::Duration;

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, ids::EndpointSecretId};

use super::{Endpoint, Refusal, SecretRotated};

/// How long the secret before may sign beside the new one.
pub const LONGEST_OVERLAP: Duration = Duration::days(7);

/// Gives an endpoint another secret; the present one signs for `overlap` longer, any other no more.
///
/// # Errors
/// [`Refusal`] when the endpoint is not there, or the overlap is too long.
pub fn rotate(
    endpoint: &Loaded<Endpoint>,
    secret_id: EndpointSecretId,
    overlap: Duration,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if endpoint.state.there().is_none() {
        return Err(Refusal::Unknown);
    }
    if overlap < Duration::zero() || overlap > LONGEST_OVERLAP {
        return Err(Refusal::OverlapTooLong { most_hours: LONGEST_OVERLAP.num_hours() });
    }
    let rotated = SecretRotated { endpoint_id: endpoint.id, secret_id, older_until: now + overlap, by, at: now };
    Ok(Decision::nothing().then(endpoint, rotated))
}
