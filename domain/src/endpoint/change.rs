//! An endpoint is changed, or taken away.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, key::Key};

use super::{
    Changed, Endpoint, Refusal, Removed, Wish,
    add::{checked, reading},
};

/// Changes where and what is sent, and begins to send again when it was disabled. The owner's key of this change is the one
/// whose rights count from now on; whoever else changes it leaves those as they are.
///
/// # Errors
/// [`Refusal`] when the wish is not one, the key may not read events, or the endpoint is not there.
pub fn change(
    endpoint: &Loaded<Endpoint>,
    wish: Wish,
    key: &Loaded<Key>,
    test: bool,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let settings = endpoint.state.there().ok_or(Refusal::Unknown)?;
    let wish = checked(wish, test)?;
    let holder = reading(key)?;
    let key_id = if holder.principal_id == settings.owner { key.id } else { settings.key_id };
    let same = settings.url == wish.url && settings.types == wish.types && settings.sites == wish.sites;
    if same && settings.key_id == key_id && endpoint.state.disabled.is_none() {
        return Ok(Decision::nothing());
    }
    let changed = Changed {
        endpoint_id: endpoint.id,
        key_id,
        url: wish.url,
        types: wish.types,
        sites: wish.sites,
        by: holder.actor(),
        at: now,
    };
    Ok(Decision::nothing().then(endpoint, changed).relying_on(key))
}

/// Takes an endpoint away, for good. Again is nothing to do.
///
/// # Errors
/// [`Refusal::Unknown`] when it never was.
pub fn remove(endpoint: &Loaded<Endpoint>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let settings = endpoint.state.settings.as_ref().ok_or(Refusal::Unknown)?;
    if endpoint.state.removed {
        return Ok(Decision::nothing());
    }
    let removed = Removed { endpoint_id: endpoint.id, owner: settings.owner, by, at: now };
    Ok(Decision::nothing().then(endpoint, removed))
}
