//! An account is stopped, and may go on.

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    text::Note,
};

use super::{Account, Refusal, Resumed, Suspended};

/// Stops an account at once: whoever has it reads and writes nothing any more. One admin is enough, because it must not wait.
/// Again is nothing to do.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::RoleNotAllowed`]; [`Refusal::SamePerson`] for one's own.
pub fn suspend(account: &Loaded<Account>, reason: Note, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may(account, by)?;
    if account.state.suspended {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(account, Suspended { account_id: account.id, reason, by, at: now }))
}

/// Lets an account go on. Again is nothing to do.
///
/// # Errors
/// As [`suspend`].
pub fn resume(account: &Loaded<Account>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    may(account, by)?;
    if !account.state.suspended {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(account, Resumed { account_id: account.id, by, at: now }))
}

fn may(account: &Loaded<Account>, by: Actor) -> Result<(), Refusal> {
    if account.state.duty.is_none() {
        return Err(Refusal::Unknown);
    }
    if !matches!(by.role, Role::Admin | Role::System) {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if by.id == Some(account.id) {
        return Err(Refusal::SamePerson);
    }
    Ok(())
}
