//! What can happen to an endpoint.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::Actor,
    event::events,
    ids::{EndpointId, EndpointSecretId, KeyId, PrincipalId, SiteId},
    text::Note,
};

use super::Address;

events! { "endpoint" {
    Added = "endpoint.added" v 1,
    Changed = "endpoint.changed" v 1,
    SecretRotated = "endpoint.secret_rotated" v 1,
    Disabled = "endpoint.disabled" v 1,
    Removed = "endpoint.removed" v 1,
} }

/// A name of an event, or `<noun>.*`: what an endpoint may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Wanted(pub String);

impl Wanted {
    /// Whether an event of this name is wanted.
    pub fn takes(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(noun) => name.starts_with(noun),
            None => name == self.0,
        }
    }
}

/// Events are sent there from now on: those that the key which made it may read, at the moment of sending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Added {
    pub endpoint_id: EndpointId,
    pub owner: PrincipalId,
    /// Whose rights decide what is sent.
    pub key_id: KeyId,
    #[cfg_attr(test, schemars(with = "String"))]
    pub url: Address,
    /// Empty for all.
    pub types: Vec<Wanted>,
    /// Only of these sites; `None` narrows nothing.
    pub sites: Option<Vec<SiteId>>,
    /// Names the secret that signs; it is kept elsewhere.
    pub secret_id: EndpointSecretId,
    pub by: Actor,
    pub at: Timestamp,
}

/// Another address or another choice of events. What was disabled is sent to again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Changed {
    pub endpoint_id: EndpointId,
    pub key_id: KeyId,
    #[cfg_attr(test, schemars(with = "String"))]
    pub url: Address,
    /// Empty for all.
    pub types: Vec<Wanted>,
    pub sites: Option<Vec<SiteId>>,
    pub by: Actor,
    pub at: Timestamp,
}

/// Another secret signs. Until then the one before signs beside it, so that whoever verifies can change theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SecretRotated {
    pub endpoint_id: EndpointId,
    pub secret_id: EndpointSecretId,
    pub older_until: Timestamp,
    pub by: Actor,
    pub at: Timestamp,
}

/// Why nothing more is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It answered 410.
    Gone,
    /// It took nothing for as long as it is tried.
    Unreachable,
    /// The key that it was made with works no more, or may not read events.
    KeyRevoked,
}

impl Why {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::Unreachable => "unreachable",
            Self::KeyRevoked => "key_revoked",
        }
    }
}

/// Nothing more is sent until somebody changes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Disabled {
    pub endpoint_id: EndpointId,
    pub why: Why,
    /// What was seen last, such as `HTTP 410`.
    pub last: Option<Note>,
    pub by: Actor,
    pub at: Timestamp,
}

/// Nothing is ever sent there again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Removed {
    pub endpoint_id: EndpointId,
    pub owner: PrincipalId,
    pub by: Actor,
    pub at: Timestamp,
}
