//! An endpoint begins to be sent to.

use crate::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    event::Event,
    ids::{EndpointSecretId, SiteId},
    key::{Holder, Key, Scope},
};

use super::{Added, Address, Endpoint, Refusal, Wanted};

/// Endpoints of one owner.
pub const MOST_AT_ONCE: u32 = 10;
/// Types named by one endpoint.
pub const MOST_TYPES: usize = 100;

/// What is to be sent where.
#[derive(Clone, Debug, PartialEq)]
pub struct Wish {
    pub url: Address,
    /// Empty for all.
    pub types: Vec<Wanted>,
    pub sites: Option<Vec<SiteId>>,
}

/// Adds an endpoint for whoever holds the key. `test` allows what only the fakes of a test log need.
///
/// # Errors
/// [`Refusal`] when the wish is not one, the key may not read events, or the endpoint exists.
pub fn add(
    endpoint: &Loaded<Endpoint>,
    wish: Wish,
    key: &Loaded<Key>,
    secret_id: EndpointSecretId,
    test: bool,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if endpoint.version > 0 {
        return Err(Refusal::AlreadyAdded);
    }
    let wish = checked(wish, test)?;
    let holder = reading(key)?;
    let added = Added {
        endpoint_id: endpoint.id,
        owner: holder.principal_id,
        key_id: key.id,
        url: wish.url,
        types: wish.types,
        sites: wish.sites,
        secret_id,
        by: holder.actor(),
        at: now,
    };
    Ok(Decision::nothing().then(endpoint, added).relying_on(key))
}

/// Who holds the key, if it may read what would be sent.
pub(super) fn reading(key: &Loaded<Key>) -> Result<Holder<'_>, Refusal> {
    key.state.holder().filter(|holder| holder.may(Scope::EventsRead)).ok_or(Refusal::MayNotRead)
}

/// The wish in its one form: sorted, nothing twice.
pub(super) fn checked(mut wish: Wish, test: bool) -> Result<Wish, Refusal> {
    let sendable = wish.url.is_encrypted() || (test && wish.url.is_loopback());
    if !sendable {
        return Err(Refusal::NotEncrypted);
    }
    wish.types.sort_unstable();
    wish.types.dedup();
    if wish.types.len() > MOST_TYPES {
        return Err(Refusal::TooManyTypes { most: MOST_TYPES });
    }
    if let Some(unknown) = wish.types.iter().find(|wanted| !Event::CHOICES.contains(&wanted.0.as_str())) {
        return Err(Refusal::UnknownType { name: unknown.0.clone() });
    }
    if let Some(sites) = &mut wish.sites {
        sites.sort_unstable();
        sites.dedup();
        if sites.is_empty() {
            return Err(Refusal::NoSites);
        }
    }
    Ok(wish)
}
