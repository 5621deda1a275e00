//! Another PIN.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, ids::SecretId};

use super::{Client, PinSet, Refusal};

/// Another PIN counts from now on. The edge has compared the one before.
///
/// # Errors
/// [`Refusal::Unknown`] when there is no such client (any more), [`Refusal::NoPin`] when there is none to replace: the first
/// one is chosen when they come in.
pub fn set_pin(client: &Loaded<Client>, secret_id: SecretId, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if !client.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if client.state.pin.is_none() {
        return Err(Refusal::NoPin);
    }
    Ok(Decision::nothing().then(client, PinSet { client_id: client.id, secret_id, by, at: now }))
}
