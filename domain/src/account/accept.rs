//! Whoever was invited comes.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, ids::SecretId};

use super::{Accepted, Account, PassphraseSet, Refusal};

/// They come, with a passphrase and a second factor that the edge has kept and compared.
///
/// # Errors
/// [`Refusal::Unknown`], [`Refusal::NotApproved`], [`Refusal::Suspended`], [`Refusal::Accepted`].
pub fn accept(
    account: &Loaded<Account>,
    passphrase_id: SecretId,
    totp_id: SecretId,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let state = &account.state;
    if state.duty.is_none() {
        return Err(Refusal::Unknown);
    }
    if state.passphrase.is_some() {
        return Err(Refusal::Accepted);
    }
    if state.suspended {
        return Err(Refusal::Suspended);
    }
    if !state.approved {
        return Err(Refusal::NotApproved);
    }
    let accepted = Accepted { account_id: account.id, passphrase_id, totp_id, at: now };
    Ok(Decision::nothing().then(account, accepted))
}

/// Another passphrase counts. The edge has compared the one before.
///
/// # Errors
/// [`Refusal::NotAccepted`] when there is none to replace, [`Refusal::Suspended`].
pub fn set_passphrase(
    account: &Loaded<Account>,
    passphrase_id: SecretId,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    if account.state.passphrase.is_none() {
        return Err(Refusal::NotAccepted);
    }
    if account.state.suspended {
        return Err(Refusal::Suspended);
    }
    Ok(Decision::nothing().then(account, PassphraseSet { account_id: account.id, passphrase_id, by, at: now }))
}
