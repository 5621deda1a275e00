//! A client goes by another name.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, sealed::Sealed};

use super::{Client, Refusal, Renamed};

/// Sets or removes the name. The edge opens the old one and does not ask when the two are equal: sealing the same text
/// twice gives two ciphertexts.
///
/// # Errors
/// [`Refusal::Unknown`] before registration.
pub fn rename(client: &Loaded<Client>, name: Option<Sealed>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if !client.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if client.state.name == name {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(client, Renamed { client_id: client.id, name, by, at: now }))
}
