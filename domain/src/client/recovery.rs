//! A PIN that was lost: whoever has the number waits a day, and whoever has a telephone that is bound can stop it.

use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    ids::{RecoveryId, SecretId},
    sign_in::{COOLING, RECOVERY_LASTS, WAIT},
};

use super::{
    Client, DeviceBound, DeviceKey, NewDevice, NumberVerified, PinSet, RecoveryBegun, RecoveryCancelled,
    RecoveryCompleted, Refusal, Release, Stopped, device::release_all,
};

/// A PIN that is to be replaced.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovery {
    pub id: RecoveryId,
    /// The only device that may complete it.
    pub device_key: DeviceKey,
    pub begun_at: Timestamp,
    pub ready_at: Timestamp,
    pub lapses_at: Timestamp,
}

impl Recovery {
    /// Whether it can still be completed, or stopped.
    pub fn stands(&self, now: Timestamp) -> bool {
        now < self.lapses_at
    }
}

/// What completes a recovery. The edge has compared a new code, and checked the signature of the device.
#[derive(Clone, Debug, PartialEq)]
pub struct Recovered {
    pub recovery_id: RecoveryId,
    /// The PIN that they chose.
    pub pin: SecretId,
    pub device: NewDevice,
}

/// Whoever has the number says that the PIN is lost. Again with the same device is nothing to do: it does not wait longer. With
/// another device it begins anew, because a wish of somebody who has lost the number since may not stand in the way.
///
/// # Errors
/// [`Refusal::NothingToRecover`] when there is nobody, or no PIN: a code is enough then. [`Refusal::NumberChangeWaits`] while
/// the number is about to be another: whoever has it can stop that first.
pub fn begin_recovery(
    client: &Loaded<Client>,
    recovery_id: RecoveryId,
    device_key: DeviceKey,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let state = &client.state;
    if !state.is_registered() || state.pin.is_none() {
        return Err(Refusal::NothingToRecover);
    }
    if let Some(change) = &state.number_change {
        return Err(Refusal::NumberChangeWaits { ready_at: change.ready_at });
    }
    let decision = match state.recovery_now(now) {
        Some(before) if before.device_key == device_key => return Ok(Decision::nothing()),
        Some(before) => Decision::nothing().then(client, cancelled(client, before.id, Stopped::Replaced, by, now)),
        None => Decision::nothing(),
    };
    let ready_at = now + WAIT;
    let lapses_at = ready_at + RECOVERY_LASTS;
    let client_id = client.id;
    Ok(decision.then(client, RecoveryBegun { client_id, recovery_id, device_key, ready_at, lapses_at, at: now }))
}

/// Stops it: the PIN stays what it was.
///
/// # Errors
/// [`Refusal::RecoveryOver`] when it was completed, stopped or replaced, or lapsed.
pub fn cancel_recovery(
    client: &Loaded<Client>,
    recovery_id: RecoveryId,
    why: Stopped,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    match client.state.recovery_now(now) {
        Some(known) if known.id == recovery_id => {
            Ok(Decision::nothing().then(client, cancelled(client, recovery_id, why, by, now)))
        }
        _ => Err(Refusal::RecoveryOver),
    }
}

/// After a day: the PIN that they chose counts, with the device that asked for it, and nothing that was bound before does.
///
/// # Errors
/// [`Refusal::RecoveryOver`] when there is no such recovery any more, or it is another device's;
/// [`Refusal::RecoveryWaits`] before its time.
pub fn complete_recovery(
    client: &Loaded<Client>,
    recovered: Recovered,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Recovered { recovery_id, pin, device } = recovered;
    let known = client.state.recovery_now(now).ok_or(Refusal::RecoveryOver)?;
    if known.id != recovery_id || known.device_key != device.device_key {
        return Err(Refusal::RecoveryOver);
    }
    if now < known.ready_at {
        return Err(Refusal::RecoveryWaits { ready_at: known.ready_at });
    }
    let client_id = client.id;
    let mut decision = release_all(client, Release::Recovery, by, now);
    if !client.state.number_verified {
        decision = decision.then(client, NumberVerified { client_id, payment_id: None, at: now });
    }
    let NewDevice { device_id, device_key, name } = device;
    Ok(decision
        .then(client, PinSet { client_id, secret_id: pin, by, at: now })
        .then(client, DeviceBound { client_id, device_id, device_key, name, at: now })
        .then(client, RecoveryCompleted { client_id, recovery_id, cools_until: now + COOLING, at: now }))
}

const fn cancelled(
    client: &Loaded<Client>,
    recovery_id: RecoveryId,
    why: Stopped,
    by: Actor,
    now: Timestamp,
) -> RecoveryCancelled {
    RecoveryCancelled { client_id: client.id, recovery_id, why, by, at: now }
}
