//! Another number, and a number that became somebody else's.

use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    ids::NumberChangeId,
    phone::PhoneHash,
    sealed::Sealed,
    sign_in::{COOLING, WAIT, is_recycled},
};

use super::{
    Client, NumberChangeBegun, NumberChangeCancelled, NumberChanged, NumberReleased, NumberWanted, Refusal, Stopped,
};

/// A number that is about to take the place of another.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberChange {
    pub id: NumberChangeId,
    pub phone_hash: PhoneHash,
    pub phone: Sealed,
    pub begun_at: Timestamp,
    pub ready_at: Timestamp,
}

/// A number that they have proven to have, sealed under their own key by the edge, which has compared their PIN, too.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNumber {
    pub change_id: NumberChangeId,
    pub phone_hash: PhoneHash,
    pub phone: Sealed,
}

/// They want to be known by another number. Again takes the place of the one before and waits from then on, whichever number it
/// is: nobody learns by asking twice what became of the first time.
///
/// # Errors
/// [`Refusal::SameNumber`]; [`Refusal::RecoveryWaits`] while somebody says that the PIN is lost, [`Refusal::CoolingOff`] for
/// a while after it was replaced, or the number was; [`Refusal::NoPin`], [`Refusal::Unknown`].
pub fn begin_number_change(
    client: &Loaded<Client>,
    number: NewNumber,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let state = &client.state;
    may_change(client, now)?;
    if state.phone_hash.as_ref() == Some(&number.phone_hash) {
        return Err(Refusal::SameNumber);
    }
    let decision = match &state.number_change {
        Some(before) => Decision::nothing().then(client, cancelled(client, before.id, Stopped::Replaced, by, now)),
        None => Decision::nothing(),
    };
    let NewNumber { change_id, phone_hash, phone } = number;
    let (client_id, ready_at) = (client.id, now + WAIT);
    Ok(decision.then(client, NumberChangeBegun { client_id, change_id, phone_hash, phone, ready_at, by, at: now }))
}

fn may_change(client: &Loaded<Client>, now: Timestamp) -> Result<(), Refusal> {
    let state = &client.state;
    if !state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if state.pin.is_none() {
        return Err(Refusal::NoPin);
    }
    if let Some(recovery) = state.recovery_now(now) {
        return Err(Refusal::RecoveryWaits { ready_at: recovery.ready_at });
    }
    match state.cools_until {
        Some(until) if now < until => Err(Refusal::CoolingOff { until }),
        _ => Ok(()),
    }
}

/// Somebody who is known by the number is told that another wanted it: nothing else comes of it.
///
/// # Errors
/// As [`begin_number_change`], for whoever asks: what they may not do anyway bothers nobody.
pub fn number_wanted(asks: &Loaded<Client>, holder: &Loaded<Client>, now: Timestamp) -> Result<Decision, Refusal> {
    may_change(asks, now)?;
    Ok(Decision::nothing().then(holder, NumberWanted { client_id: holder.id, at: now }).relying_on(asks))
}

/// Stops it: the number stays what it was. `None` is whichever there is; one that is over is nothing to do.
pub fn cancel_number_change(
    client: &Loaded<Client>,
    change_id: Option<NumberChangeId>,
    why: Stopped,
    by: Actor,
    now: Timestamp,
) -> Decision {
    match &client.state.number_change {
        Some(known) if change_id.is_none_or(|id| id == known.id) => {
            Decision::nothing().then(client, cancelled(client, known.id, why, by, now))
        }
        _ => Decision::nothing(),
    }
}

/// After a day they are known by the other number. That it belongs to nobody else is kept by the guard on its hash. One that is
/// over is nothing to do.
///
/// # Errors
/// [`Refusal::NumberChangeWaits`] before its time.
pub fn complete_number_change(
    client: &Loaded<Client>,
    change_id: NumberChangeId,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Some(known) = client.state.number_change.as_ref().filter(|known| known.id == change_id) else {
        return Ok(Decision::nothing());
    };
    if now < known.ready_at {
        return Err(Refusal::NumberChangeWaits { ready_at: known.ready_at });
    }
    let changed = NumberChanged {
        client_id: client.id,
        change_id,
        old_phone_hash: client.state.phone_hash.clone(),
        phone_hash: known.phone_hash.clone(),
        phone: known.phone.clone(),
        cools_until: now + COOLING,
        at: now,
    };
    Ok(Decision::nothing().then(client, changed))
}

/// The number is somebody else's, who proved to have it and has no PIN. `last_seen`: when somebody was here as this client, or
/// something of theirs was to happen. What they did stays with them, and so does whatever telephone they have.
///
/// # Errors
/// [`Refusal::NotIdle`] when that is not long ago; [`Refusal::Unknown`] when there is no number.
pub fn release_number(client: &Loaded<Client>, last_seen: Timestamp, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(phone_hash) = client.state.phone_hash.clone() else { return Err(Refusal::Unknown) };
    if !is_recycled(last_seen, now) {
        return Err(Refusal::NotIdle { last_seen });
    }
    Ok(Decision::nothing().then(client, NumberReleased { client_id: client.id, phone_hash, at: now }))
}

const fn cancelled(
    client: &Loaded<Client>,
    change_id: NumberChangeId,
    why: Stopped,
    by: Actor,
    now: Timestamp,
) -> NumberChangeCancelled {
    NumberChangeCancelled { client_id: client.id, change_id, why, by, at: now }
}
