//! Somebody comes in with a telephone whose number they have proven to have.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, ids::SecretId};

use super::{Client, NewDevice, NumberVerified, Person, PinSet, Refusal, device, register};

/// What they bring. Sealed under their own key by the edge, which has compared the code and the PIN.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Who they are, when nobody is known by the number.
    pub person: Option<Person>,
    /// The PIN that they chose, when they have none.
    pub pin: Option<SecretId>,
    pub device: NewDevice,
}

/// Registers them when they are new, sets their PIN when they have none, and binds the telephone. The number is theirs: they
/// knew what was sent to it.
///
/// # Errors
/// [`Refusal::HasPin`] when a PIN is brought for somebody who has one, [`Refusal::NoPin`] when none is brought and there is
/// none; as [`register()`].
pub fn enter(client: &Loaded<Client>, entry: Entry, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let mut decision = match entry.person {
        Some(person) => register(client, person, by, now)?,
        None if !client.state.is_registered() => return Err(Refusal::Unknown),
        None => Decision::nothing(),
    };
    if !client.state.number_verified {
        decision = decision.then(client, NumberVerified { client_id: client.id, payment_id: None, at: now });
    }
    decision = match (client.state.pin, entry.pin) {
        (Some(_), Some(_)) => return Err(Refusal::HasPin),
        (None, None) => return Err(Refusal::NoPin),
        (None, Some(secret_id)) => decision.then(client, PinSet { client_id: client.id, secret_id, by, at: now }),
        (Some(_), None) => decision,
    };
    Ok(device::bind(client, decision, entry.device, by, now))
}
