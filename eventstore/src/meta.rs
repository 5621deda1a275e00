//! What is recorded about an event beside the event: who, where, why. Never an IP address, never anything personal.

use domain::{actor::Actor, ids::SiteId};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The same for every event of one command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    pub actor: Actor,
    /// The site it concerns: feeds are scoped by it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub site_id: Option<SiteId>,
    /// The id of the HTTP request, as in the access log.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// The event this one follows from.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub causation: Option<Uuid>,
    /// The same for everything that followed from one wish.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<Uuid>,
    /// W3C Trace Context.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub traceparent: Option<String>,
}

impl Meta {
    /// Of a command by somebody, with nothing else known about it.
    pub const fn by(actor: Actor) -> Self {
        Self { actor, site_id: None, request: None, causation: None, correlation: None, traceparent: None }
    }

    /// Kalel itself.
    pub const fn system() -> Self {
        Self::by(Actor::SYSTEM)
    }

    #[must_use]
    pub fn at_site(mut self, site_id: SiteId) -> Self {
        self.site_id = Some(site_id);
        self
    }

    /// Following from an event, in the same correlation.
    #[must_use]
    pub fn caused_by(mut self, event_id: Uuid, meta: &Self) -> Self {
        self.causation = Some(event_id);
        self.correlation = meta.correlation.or(Some(event_id));
        self.site_id = self.site_id.or(meta.site_id);
        self
    }
}
