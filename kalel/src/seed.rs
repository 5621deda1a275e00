//! What `kalel up` puts into a new log: the sites of Dakar and Mbour, a demo client, and a key for each role.

use std::collections::BTreeMap;

use domain::actor::{Actor, Role};
use domain::client::{self, Client, Language, Person};
use domain::ids::{ClientId, KeyId, PrincipalId};
use domain::phone::Phone;
use domain::sealed::field;
use eventstore::{Append, Clock, Meta, Mode, Store};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::Config;
use crate::import::{self, File, Owner};
use crate::key;

/// Nobody's numbers: the fakes never leave the machine.
const MANAGER_PHONE: &str = "+221770000001";
const CLIENT_PHONE: &str = "+221770000002";

/// The roles that get a key, in the order they are shown.
const ROLES: [Role; 6] = [Role::Admin, Role::Manager, Role::Client, Role::Service, Role::Auditor, Role::Finance];

/// Why the demo data could not be written.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("{0}")]
    Config(#[from] crate::config::ConfigError),
    #[error("{0}")]
    Open(#[from] eventstore::OpenError),
    #[error("{0}")]
    Import(#[from] import::ImportError),
    #[error("{0}")]
    Key(#[from] key::KeyError),
    #[error("{0}")]
    Phone(#[from] domain::phone::PhoneError),
    #[error("{0}")]
    Subject(#[from] eventstore::SubjectError),
    #[error("{0}")]
    Load(#[from] eventstore::LoadError),
    #[error("{0}")]
    Client(#[from] client::Refusal),
    #[error("{0}")]
    Append(#[from] eventstore::AppendError),
}

/// Who the demo keys belong to: chosen once per data folder, so that they are the same at every start.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Demo {
    /// By the name of the role.
    pub keys: BTreeMap<String, DemoKey>,
}

/// One key and its owner.
#[derive(Clone, Serialize, Deserialize)]
pub struct DemoKey {
    pub id: Uuid,
    pub principal: Uuid,
    pub secret: String,
}

impl std::fmt::Debug for DemoKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DemoKey").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Demo {
    /// New owners and keys. `random` gives 256 random bits as text.
    ///
    /// # Errors
    /// Those of `random`.
    pub fn new<E>(mut random: impl FnMut() -> Result<String, E>) -> Result<Self, E> {
        let clock = Clock::system();
        let mut keys = BTreeMap::new();
        for role in ROLES {
            let secret = key::secret(Mode::Test, &random()?);
            let one = DemoKey { id: clock.new_id(), principal: clock.new_id(), secret };
            keys.insert(role.as_str().to_owned(), one);
        }
        Ok(Self { keys })
    }

    /// Role and key.
    pub fn secrets(&self) -> impl Iterator<Item = (String, String)> {
        self.keys.iter().map(|(role, key)| (role.clone(), key.secret.clone()))
    }

    fn principal(&self, role: Role) -> Uuid {
        self.keys.get(role.as_str()).map(|key| key.principal).unwrap_or_default()
    }
}

/// Writes what is missing, and says in a few words what there is.
///
/// # Errors
/// [`SeedError`].
pub async fn seed(config: &Config, database_url: &str, demo: &Demo) -> Result<String, SeedError> {
    let mut options = eventstore::Options::new(database_url, config.keyring()?, config.mode.into());
    options.connections = 4;
    let store = Store::open(options).await?;
    let outcome = fill(&store, demo).await;
    store.close().await;
    outcome
}

async fn fill(store: &Store, demo: &Demo) -> Result<String, SeedError> {
    for role in ROLES {
        let Some(one) = demo.keys.get(role.as_str()) else { continue };
        let wanted = key::Wanted {
            id: KeyId::new(one.id),
            label: &format!("demo {}", role.as_str()),
            role,
            principal: PrincipalId::new(one.principal),
            secret: &one.secret,
            sites: None,
        };
        key::grant(store, &wanted).await?;
    }
    client(store, ClientId::new(demo.principal(Role::Client))).await?;
    let manager = demo.principal(Role::Manager);
    let phone = Phone::new(MANAGER_PHONE)?;
    let phone = store.subjects().seal(manager, field::PHONE, phone.e164()).await?;
    let owner = Owner { manager: PrincipalId::new(manager), phone: Some(phone) };
    let imported = import::import(store, &File::included()?, &owner).await?;
    Ok(format!("{} sites, {} keys", imported.added + imported.kept, demo.keys.len()))
}

/// The demo client, with a number to write to.
async fn client(store: &Store, id: ClientId) -> Result<(), SeedError> {
    let loaded = store.load::<Client>(id).await?;
    if loaded.version > 0 {
        return Ok(());
    }
    let subjects = store.subjects();
    let phone = Phone::new(CLIENT_PHONE)?;
    let person = Person {
        phone_hash: subjects.hash_phone(&phone),
        phone: subjects.seal(id.uuid(), field::PHONE, phone.e164()).await?,
        name: Some(subjects.seal(id.uuid(), field::NAME, "Awa Ndiaye").await?),
        language: Language::Fr,
    };
    let decision = client::register(&loaded, person, Actor::SYSTEM, store.clock().now())?;
    store.append(Append::new(decision, Meta::system())).await?;
    Ok(())
}
