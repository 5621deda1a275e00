//! Signing in: challenges, PINs, passphrases, second factors and sessions. The only writer of schema `auth`.
//!
//! Here, because the API asks and the workers send without seeing each other, and because a session is ended by raising a
//! fence of the lane. What may be tried is said by `domain::sign_in`; here it is counted, before anything is compared.

pub mod challenge;
mod counters;
pub mod hasher;
pub mod invitation;
pub mod secret;
mod seen;
pub mod session;
mod sweep;
pub mod totp;
pub mod tries;

use domain::{
    account::Account,
    actor::Role,
    aggregate::Loaded,
    ids::PrincipalId,
    key::{Holder, Key},
};
use thiserror::Error;

use crate::{LoadError, Store};

pub use hasher::{Hasher, Hashing};
pub use seen::last_seen;
pub use sweep::sweep;

/// Why nothing was compared.
#[derive(Debug, Error)]
pub enum AuthError {
    #[error("the database cannot be reached")]
    Database(#[from] sqlx::Error),
    /// Hashing is what takes long here, so it is what is bounded.
    #[error("too many are signing in at this moment")]
    Busy,
    #[error("a secret cannot be hashed")]
    Hashing,
}

/// The account of somebody; `None` for what is something else: keys of people are older than accounts.
///
/// # Errors
/// [`LoadError`].
pub async fn account_of(store: &Store, id: PrincipalId) -> Result<Option<Loaded<Account>>, LoadError> {
    match store.load(id).await {
        Ok(account) => Ok(Some(account)),
        Err(LoadError::OtherNoun { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Who acts with a key at this moment: nobody whose account is suspended, or who has another role now.
///
/// # Errors
/// [`LoadError`].
pub async fn holder_now<'a>(store: &Store, key: &'a Key) -> Result<Option<Holder<'a>>, LoadError> {
    let Some(holder) = key.holder() else { return Ok(None) };
    if matches!(holder.role, Role::Client | Role::Service) {
        return Ok(Some(holder));
    }
    let account = account_of(store, holder.principal_id).await?;
    Ok(Some(holder).filter(|_| account.is_none_or(|account| key.stands_by(&account.state))))
}
