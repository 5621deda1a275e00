//! What a key is, folded from its events.

use crate::{
    actor::{Actor, Role},
    aggregate::Aggregate,
    ids::{KeyId, PrincipalId, SiteId},
};

use super::{Event, Granted, Scope};

/// An API key. Nothing until [`Granted`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Key {
    /// Everything that was granted; `None` before.
    pub granted: Option<Granted>,
    pub revoked: bool,
}

/// What a working key stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Holder<'a> {
    pub role: Role,
    pub principal_id: PrincipalId,
    pub scopes: &'a [Scope],
    /// `None` does not restrict beyond what the role owns.
    pub sites: Option<&'a [SiteId]>,
}

impl Key {
    /// Who acts with it, or `None` when it does not work.
    pub fn holder(&self) -> Option<Holder<'_>> {
        let granted = self.granted.as_ref().filter(|_| !self.revoked)?;
        Some(Holder {
            role: granted.role,
            principal_id: granted.principal_id,
            scopes: &granted.scopes,
            sites: granted.sites.as_deref(),
        })
    }
}

impl Holder<'_> {
    pub const fn actor(&self) -> Actor {
        Actor::new(self.role, self.principal_id)
    }

    pub fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope)
    }

    /// Whether the key itself allows this site; what the role owns is asked elsewhere.
    pub fn reaches(&self, site: SiteId) -> bool {
        self.sites.is_none_or(|sites| sites.contains(&site))
    }
}

impl Aggregate for Key {
    type Id = KeyId;
    type Event = Event;

    fn select(event: crate::event::Event) -> Option<Event> {
        match event {
            crate::event::Event::Key(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Granted(granted) => self.granted = Some(granted),
            Event::Revoked(_) => self.revoked = true,
        }
    }
}
