//! What a key is, folded from its events.

use crate::{
    Timestamp,
    account::Account,
    actor::{Actor, Role},
    aggregate::Aggregate,
    ids::{KeyId, PrincipalId, SiteId},
};

use super::{Event, Granted, Scope, SecretHash};

/// An API key. Nothing until [`Granted`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Key {
    /// Everything that was granted; `None` before.
    pub granted: Option<Granted>,
    /// The secret that opens, since the last rotation; before the first one it is what was granted.
    pub secret: Option<SecretHash>,
    pub rotated_at: Option<Timestamp>,
    /// The one before, and until when it opens.
    pub older: Option<(SecretHash, Timestamp)>,
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
    /// Whether the key works and this is a secret of it that opens now.
    pub fn opens(&self, secret: &SecretHash, now: Timestamp) -> bool {
        let older = self.older.as_ref().is_some_and(|(older, until)| older == secret && now < *until);
        !self.revoked && (self.secret.as_ref() == Some(secret) || older)
    }

    /// Whether whoever has this account may still work with it: not while they are suspended, nor in a role that they no longer
    /// have. Nobody has an account that nothing was ever written of: keys from before there were any go on.
    pub fn stands_by(&self, account: &Account) -> bool {
        let role = self.granted.as_ref().map(|granted| granted.role);
        match &account.duty {
            None => true,
            Some(_) if account.suspended => false,
            Some(duty) => account.passphrase.is_none() || Some(duty.role) == role,
        }
    }

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
            Event::Granted(granted) => {
                self.secret = Some(granted.secret_hash.clone());
                self.granted = Some(granted);
            }
            Event::Rotated(rotated) => {
                let before = self.secret.replace(rotated.secret_hash);
                self.rotated_at = Some(rotated.at);
                self.older = before.map(|before| (before, rotated.older_until));
            }
            Event::Revoked(_) => self.revoked = true,
        }
    }
}
