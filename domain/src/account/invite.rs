//! Somebody is asked to work here.

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    sealed::Sealed,
};

use super::{Account, Approved, Duty, EmailHash, Invited, Refusal};

/// Whom, and as what. The address is sealed under their own key by the edge.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    pub email_hash: EmailHash,
    pub email: Sealed,
    pub duty: Duty,
}

/// Invites somebody. Admins invite everybody; managers, who then stand at the gate or the till of their sites: the edge has
/// made sure that these are theirs. That an address belongs to one account is kept by the guard on its hash.
///
/// # Errors
/// [`Refusal::Exists`], [`Refusal::NoSuchRole`], [`Refusal::NoSites`], [`Refusal::RoleNotAllowed`].
pub fn invite(
    account: &Loaded<Account>,
    invitation: Invitation,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if account.state.duty.is_some() {
        return Err(Refusal::Exists);
    }
    let Invitation { email_hash, email, duty: Duty { role, sites } } = invitation;
    let sites = check(role, sites)?;
    match by.role {
        Role::Admin | Role::System => {}
        Role::Manager if matches!(role, Role::Gatekeeper | Role::Cashier) => {}
        role => return Err(Refusal::RoleNotAllowed { role }),
    }
    let invited = Invited { account_id: account.id, email_hash, email, role, sites, by, at: now };
    Ok(Decision::nothing().then(account, invited))
}

/// Begins an invitation anew that nobody has accepted: a mail got lost, or it took too long. What takes two takes two again.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::Accepted`], [`Refusal::RoleNotAllowed`].
pub fn invite_again(account: &Loaded<Account>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if !matches!(by.role, Role::Admin | Role::System) {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if account.state.passphrase.is_some() {
        return Err(Refusal::Accepted);
    }
    let state = account.state.clone();
    let (Some(duty), Some(email_hash), Some(email)) = (state.duty, state.email_hash, state.email) else {
        return Err(Refusal::Unknown);
    };
    let Duty { role, sites } = duty;
    let invited = Invited { account_id: account.id, email_hash, email, role, sites, by, at: now };
    Ok(Decision::nothing().then(account, invited))
}

/// Where a role works: at sites, or everywhere.
pub(super) fn check(
    role: Role,
    sites: Option<Vec<crate::ids::SiteId>>,
) -> Result<Option<Vec<crate::ids::SiteId>>, Refusal> {
    match role {
        Role::Gatekeeper | Role::Cashier => match sites {
            Some(mut sites) if !sites.is_empty() => {
                sites.sort_unstable();
                sites.dedup();
                Ok(Some(sites))
            }
            _ => Err(Refusal::NoSites),
        },
        Role::Manager | Role::Support | Role::Finance | Role::Admin | Role::Auditor => Ok(None),
        Role::Client | Role::Service | Role::System | Role::Provider => Err(Refusal::NoSuchRole { role }),
    }
}

/// A second admin agrees. Again is nothing to do, and so is agreeing to what takes one.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::RoleNotAllowed`]; [`Refusal::SamePerson`] for whoever invited them.
pub fn approve(account: &Loaded<Account>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    if account.state.duty.is_none() {
        return Err(Refusal::Unknown);
    }
    if by.role != Role::Admin {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if account.state.approved {
        return Ok(Decision::nothing());
    }
    if account.state.invited_by.is_some_and(|first| first.id == by.id) {
        return Err(Refusal::SamePerson);
    }
    Ok(Decision::nothing().then(account, Approved { account_id: account.id, by, at: now }))
}
