//! What can happen to an account.

use serde::{Deserialize, Serialize};

use crate::{
    Timestamp,
    actor::{Actor, Role},
    event::events,
    ids::{PrincipalId, SecretId, SiteId},
    sealed::Sealed,
    text::Note,
};

events! { "account" {
    Invited = "account.invited" v 1,
    Approved = "account.approved" v 1,
    Accepted = "account.accepted" v 1,
    PassphraseSet = "account.passphrase_set" v 1,
    RoleProposed = "account.role_proposed" v 1,
    RoleGranted = "account.role_granted" v 1,
    Suspended = "account.suspended" v 1,
    Resumed = "account.resumed" v 1,
} }

/// HMAC-SHA-256 of an address in small letters under a key kept outside the database, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EmailHash(pub String);

/// Somebody is asked to work here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Invited {
    pub account_id: PrincipalId,
    pub email_hash: EmailHash,
    pub email: Sealed,
    pub role: Role,
    /// Where they work; `None` for who works everywhere, and for managers, whose sites say who runs them.
    pub sites: Option<Vec<SiteId>>,
    pub by: Actor,
    pub at: Timestamp,
}

/// A second admin agrees that they get this role.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Approved {
    pub account_id: PrincipalId,
    pub by: Actor,
    pub at: Timestamp,
}

/// They came, with a passphrase and a second factor of their own. The secrets are kept beside the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Accepted {
    pub account_id: PrincipalId,
    /// Which passphrase counts.
    pub passphrase_id: SecretId,
    /// Which second factor counts.
    pub totp_id: SecretId,
    pub at: Timestamp,
}

/// Another passphrase counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PassphraseSet {
    pub account_id: PrincipalId,
    pub passphrase_id: SecretId,
    pub by: Actor,
    pub at: Timestamp,
}

/// Somebody is to do something else: once a second admin agrees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RoleProposed {
    pub account_id: PrincipalId,
    pub role: Role,
    pub sites: Option<Vec<SiteId>>,
    pub by: Actor,
    pub at: Timestamp,
}

/// They do something else from now on, in every session that is open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RoleGranted {
    pub account_id: PrincipalId,
    pub role: Role,
    pub sites: Option<Vec<SiteId>>,
    pub proposed_by: Actor,
    pub by: Actor,
    pub at: Timestamp,
}

/// Nothing is read or written under it from now on, by session or by key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Suspended {
    pub account_id: PrincipalId,
    pub reason: Note,
    pub by: Actor,
    pub at: Timestamp,
}

/// It may be used again; whoever it belongs to signs in anew.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Resumed {
    pub account_id: PrincipalId,
    pub by: Actor,
    pub at: Timestamp,
}
