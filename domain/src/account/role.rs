//! Somebody is to do something else: by two admins, neither of them the one it is about.

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
};

use super::{Account, Duty, Refusal, RoleGranted, RoleProposed, invite::check};

/// Proposes another role. A newer proposal takes the place of one that waits.
///
/// # Errors
/// [`Refusal::NotAccepted`], [`Refusal::NoSuchRole`], [`Refusal::NoSites`]; [`Refusal::SamePerson`] for one's own.
pub fn propose_role(account: &Loaded<Account>, duty: Duty, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may(account, by)?;
    let sites = check(duty.role, duty.sites)?;
    let proposed = RoleProposed { account_id: account.id, role: duty.role, sites, by, at: now };
    Ok(Decision::nothing().then(account, proposed))
}

/// A second admin agrees: it counts at once, in every session that is open.
///
/// # Errors
/// [`Refusal::NothingProposed`]; [`Refusal::SamePerson`] for whoever proposed it, and for whom it is about.
pub fn grant_role(account: &Loaded<Account>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may(account, by)?;
    let Some((duty, proposed_by)) = account.state.proposed.clone() else { return Err(Refusal::NothingProposed) };
    if proposed_by.id == by.id {
        return Err(Refusal::SamePerson);
    }
    let Duty { role, sites } = duty;
    let granted = RoleGranted { account_id: account.id, role, sites, proposed_by, by, at: now };
    Ok(Decision::nothing().then(account, granted))
}

fn may(account: &Loaded<Account>, by: Actor) -> Result<(), Refusal> {
    if by.role != Role::Admin {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if account.state.passphrase.is_none() {
        return Err(Refusal::NotAccepted);
    }
    if by.id == Some(account.id) {
        return Err(Refusal::SamePerson);
    }
    Ok(())
}
