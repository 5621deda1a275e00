//! A person becomes known by their number.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, phone::PhoneHash, sealed::Sealed};

use super::{Client, Language, Refusal, Registered};

/// Who they are, already sealed under their own key by the edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Person {
    pub phone_hash: PhoneHash,
    pub phone: Sealed,
    pub name: Option<Sealed>,
    pub language: Language,
}

/// Registers a client. That a number belongs to one client only is kept by the guard on its hash.
///
/// # Errors
/// [`Refusal::OtherNumber`] when this client is registered with another number, [`Refusal::Erased`] when the person behind
/// it was erased: whoever comes with that number is somebody new. Again with the same is nothing to do.
pub fn register(client: &Loaded<Client>, person: Person, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if client.state.erased_at.is_some() {
        return Err(Refusal::Erased);
    }
    match &client.state.phone_hash {
        Some(known) if *known == person.phone_hash => Ok(Decision::nothing()),
        Some(_) => Err(Refusal::OtherNumber),
        // Their number is somebody else's: another one is proven first.
        None if client.state.number_released_at.is_some() => Err(Refusal::OtherNumber),
        None => Ok(Decision::nothing().then(
            client,
            Registered {
                client_id: client.id,
                phone_hash: person.phone_hash,
                phone: person.phone,
                name: person.name,
                language: person.language,
                by,
                at: now,
            },
        )),
    }
}
