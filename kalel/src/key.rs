//! API keys from the command line: `kalel key --role admin --label "first"`. The first admin key of a log is made here.

use domain::actor::{Actor, Role};
use domain::ids::{KeyId, PrincipalId, SiteId};
use domain::key::{self, Grant, Key, SecretHash};
use domain::text::Name;
use eventstore::{Append, Meta, Mode, Store};

/// Why no key was made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error("the label: {0}")]
    Label(#[from] domain::text::TextError),
    #[error("{0}")]
    Refused(#[from] key::Refusal),
    #[error("{0}")]
    Load(#[from] eventstore::LoadError),
    #[error("{0}")]
    Append(#[from] eventstore::AppendError),
}

/// A key to make.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    pub id: KeyId,
    pub label: &'a str,
    pub role: Role,
    /// Who will act with it; for a client key the client.
    pub principal: PrincipalId,
    /// The whole key, `kk_test_…`.
    pub secret: &'a str,
    /// Restricts it to these sites.
    pub sites: Option<Vec<SiteId>>,
}

/// `kk_test_` or `kk_live_` and 256 random bits.
pub fn secret(mode: Mode, random: &str) -> String {
    format!("kk_{}_{random}", mode.as_str())
}

/// Records the key; again with the same id and contents changes nothing.
///
/// # Errors
/// [`KeyError`].
pub async fn grant(store: &Store, wanted: &Wanted<'_>) -> Result<(), KeyError> {
    let loaded = store.load::<Key>(wanted.id).await?;
    let grant = Grant {
        label: Name::new(wanted.label)?,
        secret_hash: SecretHash(api::http::auth::key_hash(store.keyring(), wanted.secret)),
        role: wanted.role,
        principal_id: wanted.principal,
        scopes: None,
        sites: wanted.sites.clone(),
    };
    let decision = key::grant(&loaded, grant, Actor::SYSTEM, store.clock().now())?;
    store.append(Append::new(decision, Meta::system())).await?;
    Ok(())
}
