//! Who may send webhooks: how the messages of each provider prove their origin, and how they are read.

use domain::Timestamp;
use reqwest::header::HeaderMap;

use super::{
    paydunya, paytech, sonatel, wave,
    webhook::{Event, Forged, NotAnEvent},
    webpay,
};
use crate::secret::Secret;

/// Bytes of an id that is kept.
const LONGEST_ID: usize = 255;

/// The secrets of one account at one provider, all that are live: two during a rotation.
#[derive(Clone, Debug)]
pub enum Origin {
    Wave(Vec<wave::webhook::WebhookSecret>),
    Sonatel(Vec<sonatel::webhook::Secrets>),
    PayTech(Vec<paytech::webhook::Secrets>),
    /// Master keys. Their hash is the same in every message: it proves who wrote one once.
    PayDunya {
        master_keys: Vec<Secret>,
        sandbox: bool,
    },
    /// No secret: each message names the token of its page, which whoever takes it in must know ([`Origin::page`]).
    WebPay,
}

impl Origin {
    /// As in the path of the webhook, and on what is kept of it.
    pub const fn provider(&self) -> &'static str {
        match self {
            Self::Wave(_) => wave::NAME,
            Self::Sonatel(_) => sonatel::NAME,
            Self::PayTech(_) => paytech::NAME,
            Self::PayDunya { .. } => paydunya::NAME,
            Self::WebPay => webpay::NAME,
        }
    }

    /// Without a secret nothing can be believed.
    pub const fn is_unset(&self) -> bool {
        match self {
            Self::Wave(secrets) => secrets.is_empty(),
            Self::Sonatel(secrets) => secrets.is_empty(),
            Self::PayTech(secrets) => secrets.is_empty(),
            Self::PayDunya { master_keys, .. } => master_keys.is_empty(),
            Self::WebPay => false,
        }
    }

    /// A provider that only wants to know whether somebody listens: answered with yes, proves and means nothing.
    pub fn is_probe(&self, body: &[u8]) -> bool {
        match self {
            Self::Wave(_) | Self::Sonatel(_) | Self::PayTech(_) | Self::WebPay => false,
            Self::PayDunya { .. } => paydunya::webhook::is_probe(body),
        }
    }

    /// How the id of the page begins that a message is about, where nothing else proves the message: one about a page that
    /// nobody waits for is answered and forgotten.
    pub fn page(&self, body: &[u8]) -> Option<String> {
        match self {
            Self::Wave(_) | Self::Sonatel(_) | Self::PayTech(_) | Self::PayDunya { .. } => None,
            Self::WebPay => webpay::webhook::token(body),
        }
    }

    /// Checks that a message comes from there. `body` is the raw bytes as received.
    ///
    /// # Errors
    /// [`Forged`] unless one live secret proves it.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Result<(), Forged> {
        match self {
            Self::Wave(secrets) => wave::webhook::verify(secrets, headers, body, now),
            Self::Sonatel(secrets) => sonatel::webhook::verify(secrets, headers, body, now),
            Self::PayTech(secrets) => paytech::webhook::verify(secrets, headers, body),
            Self::PayDunya { master_keys, sandbox } => paydunya::webhook::verify(master_keys, *sandbox, body),
            Self::WebPay => webpay::webhook::verify(body),
        }
    }

    /// The provider's id of a genuine message, the same when it is sent again; `None` when it gives none, or one that
    /// cannot be kept: longer than 255 bytes, or with control characters (a NUL is no text for the database).
    pub fn event_id(&self, headers: &HeaderMap, body: &[u8]) -> Option<String> {
        let event = match self {
            Self::Wave(_) => wave::webhook::parse(body),
            Self::Sonatel(_) => sonatel::webhook::parse(body, headers),
            Self::PayTech(_) | Self::PayDunya { .. } | Self::WebPay => return None,
        };
        event
            .ok()
            .map(|event| event.id)
            .filter(|id| (1..=LONGEST_ID).contains(&id.len()) && !id.chars().any(char::is_control))
    }
}

/// Reads a genuine message of a provider; `None` when there is no such provider.
pub fn read(provider: &str, body: &[u8]) -> Option<Result<Event, NotAnEvent>> {
    match provider {
        wave::NAME => Some(wave::webhook::parse(body)),
        // Its id, which comes in a header, was kept when it came.
        sonatel::NAME => Some(sonatel::webhook::parse(body, &HeaderMap::new())),
        // Whether it is a form or JSON is seen by looking.
        paytech::NAME => Some(paytech::webhook::parse(&HeaderMap::new(), body)),
        paydunya::NAME => Some(paydunya::webhook::parse(body)),
        webpay::NAME => Some(webpay::webhook::parse(body)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
