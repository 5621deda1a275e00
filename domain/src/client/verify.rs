//! The number is known to be theirs.

use crate::{Timestamp, aggregate::Loaded, decision::Decision, ids::PaymentId};

use super::{Client, NumberVerified, Refusal};

/// A provider said that `payment_id` was paid from the client's own number. Again is nothing to do.
///
/// # Errors
/// [`Refusal::Unknown`] when there is no such client (any more).
pub fn verify(client: &Loaded<Client>, payment_id: PaymentId, now: Timestamp) -> Result<Decision, Refusal> {
    if !client.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if client.state.number_verified {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(client, NumberVerified { client_id: client.id, payment_id: Some(payment_id), at: now }))
}
