//! Telephones that a client signs in with.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, ids::DeviceId, sealed::Sealed};

use super::{Client, DeviceBound, DeviceKey, DeviceReleased, Refusal, Release};

/// Bound at once; with one more, the one that was bound first is released.
pub const MOST_DEVICES: usize = 5;

/// A telephone that signs in.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub key: DeviceKey,
    pub name: Option<Sealed>,
    pub bound_at: Timestamp,
}

/// One that is about to be bound: whoever holds it has shown that they have its private key.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDevice {
    pub device_id: DeviceId,
    pub device_key: DeviceKey,
    pub name: Option<Sealed>,
}

/// Binds a telephone, and releases the oldest when there are too many.
pub(super) fn bind(
    client: &Loaded<Client>,
    decision: Decision,
    device: NewDevice,
    by: Actor,
    now: Timestamp,
) -> Decision {
    let mut known: Vec<(&DeviceId, &Device)> = client.state.devices.iter().collect();
    known.sort_by_key(|(id, device)| (device.bound_at, **id));
    let beyond = (known.len() + 1).saturating_sub(MOST_DEVICES);
    let decision = known
        .iter()
        .take(beyond)
        .fold(decision, |decision, (id, _)| decision.then(client, released(client, **id, Release::TooMany, by, now)));
    let NewDevice { device_id, device_key, name } = device;
    decision.then(client, DeviceBound { client_id: client.id, device_id, device_key, name, at: now })
}

/// Releases a telephone: it opens nothing any more.
///
/// # Errors
/// [`Refusal::NoSuchDevice`] when it is not bound.
pub fn release(client: &Loaded<Client>, device_id: DeviceId, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if !client.state.devices.contains_key(&device_id) {
        return Err(Refusal::NoSuchDevice);
    }
    Ok(Decision::nothing().then(client, released(client, device_id, Release::Asked, by, now)))
}

/// Releases all that there are.
pub(super) fn release_all(client: &Loaded<Client>, why: Release, by: Actor, now: Timestamp) -> Decision {
    let all = client.state.devices.keys();
    all.fold(Decision::nothing(), |decision, id| decision.then(client, released(client, *id, why, by, now)))
}

const fn released(
    client: &Loaded<Client>,
    device_id: DeviceId,
    why: Release,
    by: Actor,
    now: Timestamp,
) -> DeviceReleased {
    DeviceReleased { client_id: client.id, device_id, why, by, at: now }
}
