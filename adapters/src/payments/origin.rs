//! Who may send webhooks: how the messages of each provider prove their origin, and how they are read.

use domain::Timestamp;
use reqwest::header::HeaderMap;

use super::{
    wave,
    webhook::{Event, Forged, NotAnEvent},
};

/// The secrets of one account at one provider, all that are live: two during a rotation.
#[derive(Clone, Debug)]
pub enum Origin {
    Wave(Vec<wave::webhook::WebhookSecret>),
}

impl Origin {
    /// As in the path of the webhook, and on what is kept of it.
    pub const fn provider(&self) -> &'static str {
        match self {
            Self::Wave(_) => wave::NAME,
        }
    }

    /// Without a secret nothing can be believed.
    pub fn is_unset(&self) -> bool {
        match self {
            Self::Wave(secrets) => secrets.is_empty(),
        }
    }

    /// Checks that a message comes from there. `body` is the raw bytes as received.
    ///
    /// # Errors
    /// [`Forged`] unless one live secret proves it.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Forged> {
        match self {
            Self::Wave(secrets) => wave::webhook::verify(secrets, headers, body, now),
        }
    }

    /// The provider's id of a genuine message, the same when it is sent again; `None` when it gives none.
    pub fn event_id(&self, _headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let id = match self {
            Self::Wave(_) => wave::webhook::parse(body).ok()?.id,
        };
        (!id.is_empty()).then_some(id)
    }
}

/// Reads a genuine message of a provider; `None` when there is no such provider.
pub fn read(provider: &str, body: &[u8]) -> Option<Result<Event, NotAnEvent>> {
    match provider {
        wave::NAME => Some(wave::webhook::parse(body)),
        _ => None,
    }
}
