//! What can happen to an API key.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::{Actor, Role},
    event::{events, one_more_choice},
    ids::{KeyId, PrincipalId, SiteId},
    text::Name,
};

events! { "key" {
    Granted = "key.granted" v 3 from [1 => one_more_choice, 2 => one_more_choice],
    Rotated = "key.rotated" v 1,
    Revoked = "key.revoked" v 1,
} }

/// HMAC-SHA-256 of the key's secret under a pepper kept outside the database, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretHash(pub String);

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum Scope {
    #[serde(rename = "sites:read")]
    SitesRead,
    #[serde(rename = "sites:write")]
    SitesWrite,
    #[serde(rename = "reservations:read")]
    ReservationsRead,
    #[serde(rename = "reservations:write")]
    ReservationsWrite,
    #[serde(rename = "payments:read")]
    PaymentsRead,
    #[serde(rename = "payments:write")]
    PaymentsWrite,
    #[serde(rename = "refunds:create")]
    RefundsCreate,
    #[serde(rename = "refunds:approve")]
    RefundsApprove,
    /// Import statements, explain differences, close days.
    #[serde(rename = "reconciliations:write")]
    ReconciliationsWrite,
    #[serde(rename = "payouts:read")]
    PayoutsRead,
    #[serde(rename = "payouts:write")]
    PayoutsWrite,
    #[serde(rename = "check_in")]
    CheckIn,
    #[serde(rename = "events:read")]
    EventsRead,
    #[serde(rename = "keys:write")]
    KeysWrite,
    /// Say where events are sent.
    #[serde(rename = "webhooks:write")]
    WebhooksWrite,
    /// Set the clock of a test log.
    #[serde(rename = "test_clock:write")]
    TestClockWrite,
}

/// The key works from now on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Granted {
    pub key_id: KeyId,
    /// What it is for, in the words of whoever granted it.
    pub label: Name,
    pub secret_hash: SecretHash,
    pub role: Role,
    /// Who acts with it; for a client key the UUID of the client.
    pub principal_id: PrincipalId,
    pub scopes: Vec<Scope>,
    /// Restricts the key to these sites; `None` does not restrict beyond what the role owns.
    pub sites: Option<Vec<SiteId>>,
    pub by: Actor,
    pub at: Timestamp,
}

/// The key has another secret. The one before it opens until then, so that whoever uses it can be told; one before that no
/// longer opens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Rotated {
    pub key_id: KeyId,
    pub secret_hash: SecretHash,
    pub older_until: Timestamp,
    pub by: Actor,
    pub at: Timestamp,
}

/// The key no longer works.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Revoked {
    pub key_id: KeyId,
    pub by: Actor,
    pub at: Timestamp,
}
