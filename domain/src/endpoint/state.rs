//! What an endpoint is, folded from its events.

use crate::{
    Timestamp,
    aggregate::Aggregate,
    ids::{EndpointId, EndpointSecretId, KeyId, PrincipalId, SiteId},
};

use super::{Address, Event, Wanted, Why};

/// An endpoint. Nothing until it is added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    pub settings: Option<Settings>,
    /// The secret that signs.
    pub secret: Option<EndpointSecretId>,
    /// The one before, and until when it signs beside it.
    pub older: Option<(EndpointSecretId, Timestamp)>,
    pub disabled: Option<(Why, Timestamp)>,
    pub removed: bool,
}

/// What goes where, by whose rights.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub owner: PrincipalId,
    pub key_id: KeyId,
    pub url: Address,
    pub types: Vec<Wanted>,
    pub sites: Option<Vec<SiteId>>,
    pub created_at: Timestamp,
    pub changed_at: Timestamp,
}

impl Settings {
    /// Whether an event of this name, at this site, was asked for. What may be seen is another question.
    pub fn wants(&self, name: &str, site: Option<SiteId>) -> bool {
        let named = self.types.is_empty() || self.types.iter().any(|wanted| wanted.takes(name));
        named && self.sites.as_ref().is_none_or(|sites| site.is_some_and(|site| sites.contains(&site)))
    }
}

impl Endpoint {
    /// Its settings while something is sent there.
    pub fn open(&self) -> Option<&Settings> {
        self.settings.as_ref().filter(|_| !self.removed && self.disabled.is_none())
    }

    /// Its settings while it is there at all.
    pub fn there(&self) -> Option<&Settings> {
        self.settings.as_ref().filter(|_| !self.removed)
    }

    /// The secrets that sign now, the newest first.
    pub fn secrets(&self, now: Timestamp) -> impl Iterator<Item = EndpointSecretId> {
        let older = self.older.filter(|(_, until)| now < *until).map(|(older, _)| older);
        self.secret.into_iter().chain(older)
    }
}

impl Aggregate for Endpoint {
    type Id = EndpointId;
    type Event = Event;

    fn select(event: crate::event::Event) -> Option<Event> {
        match event {
            crate::event::Event::Endpoint(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Added(added) => {
                self.secret = Some(added.secret_id);
                self.settings = Some(Settings {
                    owner: added.owner,
                    key_id: added.key_id,
                    url: added.url,
                    types: added.types,
                    sites: added.sites,
                    created_at: added.at,
                    changed_at: added.at,
                });
            }
            Event::Changed(changed) => {
                if let Some(settings) = &mut self.settings {
                    settings.key_id = changed.key_id;
                    settings.url = changed.url;
                    settings.types = changed.types;
                    settings.sites = changed.sites;
                    settings.changed_at = changed.at;
                }
                self.disabled = None;
            }
            Event::SecretRotated(rotated) => {
                let before = self.secret.replace(rotated.secret_id);
                self.older = before.map(|before| (before, rotated.older_until));
            }
            Event::Disabled(disabled) => self.disabled = Some((disabled.why, disabled.at)),
            Event::Removed(_) => self.removed = true,
        }
    }
}
