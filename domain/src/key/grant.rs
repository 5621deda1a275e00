//! A key begins to work.

use crate::{
    Timestamp,
    account::Account,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    ids::{PrincipalId, SiteId},
    text::Name,
};

use super::{Granted, Key, Refusal, Scope, SecretHash, scopes_of};

/// What a key is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    pub label: Name,
    pub secret_hash: SecretHash,
    pub role: Role,
    /// Who will act with it; for a client key the UUID of the client.
    pub principal_id: PrincipalId,
    /// `None` means all that the role may have.
    pub scopes: Option<Vec<Scope>>,
    pub sites: Option<Vec<SiteId>>,
}

/// With real money it must be known whose key it is: a program's, or that of somebody who works here in this very role. Else one
/// person with two keys would be two people.
///
/// # Errors
/// [`Refusal::NoAccount`].
pub fn belongs(role: Role, account: &Account) -> Result<(), Refusal> {
    match role {
        Role::Service => Ok(()),
        _ if account.working().is_some_and(|duty| duty.role == role) => Ok(()),
        _ => Err(Refusal::NoAccount { role }),
    }
}

/// Grants a key; never with more than its role may have.
///
/// # Errors
/// [`Refusal`] when a scope is not the role's, the role takes no keys, or the key exists with other contents. The same
/// again is nothing to do.
pub fn grant(key: &Loaded<Key>, grant: Grant, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let allowed = scopes_of(grant.role);
    if allowed.is_empty() {
        return Err(Refusal::NotForKeys { role: grant.role });
    }
    let mut scopes = grant.scopes.unwrap_or_else(|| allowed.to_vec());
    scopes.sort_unstable();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Refusal::NoScope);
    }
    if let Some(scope) = scopes.iter().copied().find(|scope| !allowed.contains(scope)) {
        return Err(Refusal::TooWide { role: grant.role, scope });
    }
    let mut sites = grant.sites;
    if let Some(sites) = &mut sites {
        sites.sort_unstable();
        sites.dedup();
        if sites.is_empty() {
            return Err(Refusal::NoSites);
        }
    }
    let granted = Granted {
        key_id: key.id,
        label: grant.label,
        secret_hash: grant.secret_hash,
        role: grant.role,
        principal_id: grant.principal_id,
        scopes,
        sites,
        by,
        at: now,
    };
    match &key.state.granted {
        None => Ok(Decision::nothing().then(key, granted)),
        Some(_) if key.state.revoked => Err(Refusal::Revoked),
        // Who asked and when do not matter to what the key is.
        Some(before) if (Granted { by: before.by, at: before.at, ..granted }) == *before => Ok(Decision::nothing()),
        Some(_) => Err(Refusal::AlreadyGranted),
    }
}
