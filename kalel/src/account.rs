//! Accounts from the command line: `kalel account --role admin --email awa@kalel.sn`. The first admin of a log is invited here,
//! by whoever runs the installation; after that admins invite each other.

use adapters::email::address;
use domain::account::{self, Account, EMAIL, Invitation, Refusal};
use domain::actor::Actor;
use domain::aggregate::Loaded;
use domain::ids::PrincipalId;
use domain::sealed::field;
use eventstore::{Append, AppendError, Meta, Store};

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    #[error("the address {0}")]
    Address(#[from] adapters::email::NoAddress),
    #[error("{0}")]
    Refused(#[from] Refusal),
    #[error("{0}")]
    Load(#[from] eventstore::LoadError),
    #[error("the address cannot be sealed: {0}")]
    Subject(#[from] eventstore::SubjectError),
    #[error("{0}")]
    Append(#[from] AppendError),
}

/// Invites somebody, or invites them once more when they have not come yet. The mail goes out by a worker.
///
/// # Errors
/// [`InviteError`].
pub async fn invite(store: &Store, email: &str, duty: account::Duty) -> Result<PrincipalId, InviteError> {
    let email = address(email)?;
    let (subjects, now) = (store.subjects(), store.clock().now());
    let email_hash = subjects.hash_email(&email);
    let known = store.holder_of(EMAIL, &email_hash.0).await.map_err(eventstore::LoadError::from)?;
    let id = PrincipalId::new(known.unwrap_or_else(|| store.clock().new_id()));
    let loaded: Loaded<Account> = store.load(id).await?;
    let decision = if known.is_some() {
        account::invite_again(&loaded, Actor::SYSTEM, now)?
    } else {
        let email = subjects.seal(id.uuid(), field::EMAIL, &email).await?;
        account::invite(&loaded, Invitation { email_hash, email, duty }, Actor::SYSTEM, now)?
    };
    store.append(Append::new(decision, Meta::system())).await?;
    Ok(id)
}
