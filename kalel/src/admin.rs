//! What an operator does to a log by hand: import sites, make a key.

use std::path::PathBuf;

use domain::actor::Role;
use domain::ids::{KeyId, PrincipalId, SiteId};
use eventstore::Store;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, StrDeserializer};
use uuid::Uuid;

use crate::config::Config;
use crate::import::{File, Owner};

/// `kalel import`.
#[derive(Debug, clap::Args)]
pub struct Import {
    /// A JSON file of the form of `kalel/data/sites.json`; without it, the sites that come with the program.
    #[arg(long)]
    sites: Option<PathBuf>,
    /// Whose the sites will be: the principal of a manager's key.
    #[arg(long)]
    manager: Uuid,
    #[command(flatten)]
    log: Log,
}

/// `kalel key`.
#[derive(Debug, clap::Args)]
pub struct NewKey {
    /// client, gatekeeper, cashier, manager, support, finance, admin, auditor or service.
    #[arg(long, value_parser = role)]
    role: Role,
    /// What the key is for; shown in lists of keys.
    #[arg(long)]
    label: String,
    /// Who will act with it; for a client key the client's id. Default: somebody new.
    #[arg(long)]
    principal: Option<Uuid>,
    /// Only for this site; may be given several times.
    #[arg(long = "site")]
    sites: Vec<Uuid>,
    #[command(flatten)]
    log: Log,
}

/// `kalel account`.
#[derive(Debug, clap::Args)]
pub struct NewAccount {
    /// manager, gatekeeper, cashier, support, finance, admin or auditor.
    #[arg(long, value_parser = role)]
    role: Role,
    /// Where the invitation is mailed to.
    #[arg(long)]
    email: String,
    /// Of a gatekeeper or cashier: where they work; may be given several times.
    #[arg(long = "site")]
    sites: Vec<Uuid>,
    #[command(flatten)]
    log: Log,
}

/// Which log.
#[derive(Debug, clap::Args)]
pub struct Log {
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub(crate) database_url: String,
    /// The configuration file; docs/configuration.md.
    #[arg(long)]
    pub(crate) config: PathBuf,
}

impl Log {
    /// Opens it with a few connections.
    ///
    /// # Errors
    /// One line.
    pub async fn open(&self) -> Result<Store, String> {
        let config = Config::read(&self.config).map_err(|error| error.to_string())?;
        let keyring = config.keyring().map_err(|error| error.to_string())?;
        let mut options = eventstore::Options::new(&self.database_url, keyring, config.mode.into());
        options.connections = 8;
        Store::open(options).await.map_err(|error| format!("the log cannot be opened: {error}"))
    }
}

fn role(text: &str) -> Result<Role, String> {
    let text: StrDeserializer<'_, Error> = text.into_deserializer();
    Role::deserialize(text).map_err(|error| error.to_string())
}

/// Invites somebody to work here.
///
/// # Errors
/// One line.
pub async fn account(wanted: NewAccount) -> Result<(), String> {
    let store = wanted.log.open().await?;
    let sites = (!wanted.sites.is_empty()).then(|| wanted.sites.iter().copied().map(SiteId::new).collect());
    let duty = domain::account::Duty { role: wanted.role, sites };
    let invited = crate::account::invite(&store, &wanted.email, duty).await;
    store.close().await;
    let id = invited.map_err(|error| error.to_string())?;
    println!("account {id} is invited: the mail goes out by a worker, and is good for 72 hours");
    Ok(())
}

/// Imports sites.
///
/// # Errors
/// One line.
pub async fn import(import: Import) -> Result<(), String> {
    let file = match &import.sites {
        Some(path) => File::read(path),
        None => File::included(),
    };
    let file = file.map_err(|error| error.to_string())?;
    let store = import.log.open().await?;
    let owner = Owner { manager: PrincipalId::new(import.manager), phone: None };
    let outcome = crate::import::import(&store, &file, &owner).await;
    store.close().await;
    let imported = outcome.map_err(|error| error.to_string())?;
    println!("{} sites added, {} were there already", imported.added, imported.kept);
    Ok(())
}

/// Makes a key and prints it.
///
/// # Errors
/// One line.
pub async fn key(key: NewKey) -> Result<(), String> {
    let store = key.log.open().await?;
    let random = crate::up::folder::secret().map_err(|error| error.to_string())?;
    let secret = crate::key::secret(store.log().mode, &random);
    let principal = key.principal.unwrap_or_else(|| store.clock().new_id());
    let sites: Vec<SiteId> = key.sites.iter().copied().map(SiteId::new).collect();
    let wanted = crate::key::Wanted {
        id: KeyId::new(store.clock().new_id()),
        label: &key.label,
        role: key.role,
        principal: PrincipalId::new(principal),
        secret: &secret,
        sites: (!sites.is_empty()).then_some(sites),
    };
    let outcome = crate::key::grant(&store, &wanted).await;
    store.close().await;
    outcome.map_err(|error| error.to_string())?;
    println!("{secret}\nprincipal {principal}; the key is not stored and cannot be shown again");
    Ok(())
}
