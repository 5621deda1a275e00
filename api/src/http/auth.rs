//! Who is asking: an API key or somebody signed in, by the keyed hash of a secret; and what they may touch, by the operation's
//! table of rights.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, header};
use domain::{
    account::Account,
    actor::{Actor, Role},
    aggregate::Loaded,
    client::Client,
    ids::{ClientId, DeviceId, KeyId, PrincipalId, SiteId},
    key::{self, Holder, Key, Scope, SecretHash},
    sign_in::stepped_up,
};
use eventstore::{
    Keyring,
    auth::{
        account_of,
        session::{self, Session},
    },
};
use uuid::Uuid;

use crate::{
    App,
    http::{
        call::Object,
        operation::{Authz, Operation, Over},
    },
    problem::Problem,
};

/// How long a key found good is believed for reads. Writes rely on the key's stream, so a revoked key writes nothing at all.
const BELIEVED: Duration = Duration::from_secs(1);
const MOST_CACHED: usize = 10_000;

// `kk_test_…` is a key, `ks_live_…` the access token of a session.
const KEY: &str = "kk";
const SESSION: &str = "ks";
const TEST: &str = "test";
const LIVE: &str = "live";
/// Bytes of a secret; ours have 51.
const LONGEST: usize = 200;

/// Who is asking.
#[derive(Clone)]
pub enum Caller {
    Nobody,
    Key(Arc<Keyed>),
    /// Somebody who is signed in.
    Person(Arc<Person>),
}

/// A key, and the account of whoever works with it: what is suspended opens nothing.
pub struct Keyed {
    key: Loaded<Key>,
    /// `None` for keys of clients and of programs.
    account: Option<Loaded<Account>>,
}

/// A session, and the account of whoever works: their role is that of this moment.
pub struct Person {
    session: Session,
    /// `None` for clients.
    account: Option<Loaded<Account>>,
}

impl Caller {
    pub fn actor(&self) -> Actor {
        match self {
            Self::Nobody => Actor { role: Role::Provider, id: None },
            // A key that no longer works never got this far.
            _ => self.holder().map_or(Actor { role: Role::Service, id: None }, |holder| holder.actor()),
        }
    }

    fn holder(&self) -> Option<Holder<'_>> {
        match self {
            Self::Nobody => None,
            Self::Key(keyed) => keyed.key.state.holder(),
            Self::Person(person) => {
                let (role, sites) = match &person.account {
                    Some(account) => account.state.working().map(|duty| (duty.role, duty.sites.as_deref()))?,
                    None => (person.session.role, None),
                };
                let principal_id = person.session.subject;
                Some(Holder { role, principal_id, scopes: key::scopes_of(role), sites })
            }
        }
    }

    pub fn key(&self) -> Option<&Loaded<Key>> {
        match self {
            Self::Key(keyed) => Some(&keyed.key),
            Self::Nobody | Self::Person(_) => None,
        }
    }

    /// Who is signed in, when it is somebody and no key.
    pub fn session(&self) -> Option<&Session> {
        match self {
            Self::Person(person) => Some(&person.session),
            Self::Nobody | Self::Key(_) => None,
        }
    }

    /// The account of whoever works.
    pub fn account(&self) -> Option<&Loaded<Account>> {
        match self {
            Self::Nobody => None,
            Self::Key(keyed) => keyed.account.as_ref(),
            Self::Person(person) => person.account.as_ref(),
        }
    }

    /// The key, or the session.
    pub fn id(&self) -> Option<Uuid> {
        match self {
            Self::Nobody => None,
            Self::Key(keyed) => Some(keyed.key.id.uuid()),
            Self::Person(person) => Some(person.session.id),
        }
    }

    pub fn role(&self) -> Option<Role> {
        self.holder().map(|holder| holder.role)
    }

    /// Who acts with the key; for a client's key the client.
    pub fn principal(&self) -> Option<Uuid> {
        self.holder().map(|holder| holder.principal_id.uuid())
    }

    /// The sites the key is restricted to.
    pub fn sites(&self) -> Option<&[SiteId]> {
        self.holder().and_then(|holder| holder.sites)
    }

    /// What the caller's role may touch with an operation.
    pub fn over(&self, operation: &Operation) -> Option<Over> {
        let roles = match operation.authz {
            Authz::Undeclared => return None,
            Authz::Anyone | Authz::Signature => return Some(Over::All),
            Authz::Keys { roles, .. } | Authz::Session { roles } => roles,
        };
        let role = self.role()?;
        roles.iter().find(|(allowed, _)| *allowed == role).map(|(_, over)| *over)
    }

    /// Whether the object exists for this caller (reliability.md §4.2).
    pub fn may_touch(&self, operation: &Operation, object: &Object) -> bool {
        let Some(over) = self.over(operation) else { return false };
        let Some(me) = self.principal() else { return over == Over::All };
        let named = self.sites().map(|sites| sites.contains(&object.site));
        let theirs = match self.role() {
            // A manager's sites are those they run; a key may name fewer.
            Some(Role::Manager) => object.manager == Some(me) && named.unwrap_or(true),
            // Everybody else works where their key says.
            _ => named.unwrap_or(false),
        };
        match over {
            Over::All => named.unwrap_or(true),
            Over::Own => object.client == Some(me),
            Over::Sites => theirs,
            Over::SitesToday => theirs && object.today,
            Over::MadeOrSites => object.made_by == Some(me) || theirs,
        }
    }
}

/// Finds out who is asking.
///
/// # Errors
/// 401 when a key is sent that is not good here, or none where one is needed.
pub async fn who(app: &App, operation: &Operation, headers: &HeaderMap) -> Result<Caller, Problem> {
    found(app, operation, headers, true).await
}

/// Whether whoever asked a while ago, and still reads, may: nobody is there for that, so no session lasts longer by it.
///
/// # Errors
/// As [`who`].
pub async fn who_still(app: &App, operation: &Operation, headers: &HeaderMap) -> Result<Caller, Problem> {
    found(app, operation, headers, false).await
}

async fn found(app: &App, operation: &Operation, headers: &HeaderMap, uses: bool) -> Result<Caller, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return match operation.authz {
            Authz::Anyone | Authz::Signature => Ok(Caller::Nobody),
            Authz::Keys { .. } | Authz::Session { .. } | Authz::Undeclared => Err(Problem::new("auth.missing")),
        };
    };
    if matches!(operation.authz, Authz::Signature) {
        return Ok(Caller::Nobody);
    }
    let secret = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, secret)| secret.trim())
        .ok_or_else(|| Problem::new("auth.missing"))?;
    let (kind, mode) =
        secret.split_once('_').and_then(|(kind, rest)| Some((kind, rest.split_once('_')?.0))).unwrap_or_default();
    match (kind, mode, app.is_test()) {
        (KEY | SESSION, TEST, true) | (KEY | SESSION, LIVE, false) if secret.len() <= LONGEST => {}
        (KEY | SESSION, TEST | LIVE, _) if secret.len() <= LONGEST => return Err(Problem::new("auth.other_mode")),
        _ => return Err(Problem::new("auth.invalid")),
    }
    if kind == SESSION {
        let session = match uses {
            true => session::find(&app.store, secret).await,
            false => session::still(&app.store, secret).await,
        };
        let session = session.map_err(eventstore::ReadError::from)?;
        let session = session.ok_or_else(|| Problem::new("session.ended"))?;
        let account = account(app, session.role, session.subject).await?;
        if account.as_ref().is_some_and(|account| account.state.working().is_none()) {
            return Err(Problem::new("session.ended"));
        }
        if session.role == Role::Client && !stands(app, &session).await? {
            return Err(Problem::new("session.ended"));
        }
        return Ok(Caller::Person(Arc::new(Person { session, account })));
    }
    let key = app.keys.find(app, &key_hash(&app.keyring, secret)).await?;
    Ok(Caller::Key(key))
}

/// Whether a client is still there, and the device is still theirs: the log says so, whoever did not come to the end of
/// telling the sessions.
async fn stands(app: &App, session: &Session) -> Result<bool, Problem> {
    let client: Loaded<Client> = app.store.load(ClientId::new(session.subject.uuid())).await?;
    let bound = |device: &DeviceId| client.state.devices.contains_key(device);
    Ok(client.state.erased_at.is_none() && session.device.as_ref().is_none_or(bound))
}

/// The account of whoever works under it; clients and programs have none.
async fn account(app: &App, role: Role, id: PrincipalId) -> Result<Option<Loaded<Account>>, Problem> {
    match role {
        Role::Client | Role::Service | Role::System | Role::Provider => Ok(None),
        _ => Ok(account_of(&app.store, id).await?),
    }
}

/// Whether the caller may call the operation at all; over what is asked later, per object.
///
/// # Errors
/// 403 without the scope or the role, or when they have to prove themselves once more.
pub fn may_call(app: &App, operation: &Operation, caller: &Caller) -> Result<(), Problem> {
    let (scope, roles) = match operation.authz {
        Authz::Anyone | Authz::Signature => return Ok(()),
        Authz::Keys { scope, roles } => (Some(scope), roles),
        Authz::Session { roles } => (None, roles),
        Authz::Undeclared => (None, [].as_slice()),
    };
    let Some(holder) = caller.holder() else { return Err(Problem::new("auth.missing")) };
    if matches!(operation.authz, Authz::Session { .. }) && caller.session().is_none() {
        return Err(Problem::new("session.required"));
    }
    let role = holder.role;
    if !roles.iter().any(|(allowed, _)| *allowed == role) {
        return Err(Problem::new("auth.role_forbidden").with("role", role.as_str()));
    }
    if let Some(scope) = scope
        && !holder.may(scope)
    {
        return Err(Problem::new("auth.scope_missing").with("scope", name(scope)));
    }
    match caller.session() {
        _ if !operation.steps_up(role) => Ok(()),
        Some(session) if stepped_up(session.stepped_up_at, app.store.clock().now()) => Ok(()),
        Some(_) => Err(Problem::new("session.step_up_required")),
        // Whoever tries things out may do so with a key; real money and rights want somebody who has just proven themselves.
        None if app.is_test() => Ok(()),
        None => Err(Problem::new("session.required")),
    }
}

fn name(scope: Scope) -> String {
    serde_json::to_value(scope).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The keyed hash under which an API key is found (`key.granted`): whoever grants keys elsewhere uses it too.
pub fn key_hash(keyring: &Keyring, secret: &str) -> String {
    hex::encode(keyring.hash("api key", secret.as_bytes()))
}

/// Keys found good a moment ago.
#[derive(Default)]
pub struct Keys {
    found: Mutex<HashMap<String, Found>>,
}

type Found = (Arc<Keyed>, Instant);

impl Keys {
    async fn find(&self, app: &App, hash: &str) -> Result<Arc<Keyed>, Problem> {
        let (secret, now) = (SecretHash(hash.to_owned()), app.store.clock().now());
        if let Some((keyed, at)) = self.found.lock().unwrap_or_else(PoisonError::into_inner).get(hash)
            && at.elapsed() < BELIEVED
            && keyed.key.state.opens(&secret, now)
        {
            return Ok(keyed.clone());
        }
        let id = app.store.holder_of(key::SECRET, hash).await?.ok_or_else(|| Problem::new("auth.invalid"))?;
        let key = app.store.load::<Key>(KeyId::new(id)).await?;
        if !key.state.opens(&secret, now) {
            self.forget(hash);
            return Err(Problem::new("auth.invalid"));
        }
        let account = match key.state.holder() {
            Some(holder) => account(app, holder.role, holder.principal_id).await?,
            None => None,
        };
        if account.as_ref().is_some_and(|account| !key.state.stands_by(&account.state)) {
            self.forget(hash);
            return Err(Problem::new("auth.invalid"));
        }
        let key = Arc::new(Keyed { key, account });
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() >= MOST_CACHED {
            found.clear();
        }
        found.insert(hash.to_owned(), (key.clone(), Instant::now()));
        Ok(key)
    }

    /// No longer believes a key: its stream has moved.
    pub fn forget(&self, hash: &str) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).remove(hash);
    }

    /// No longer believes any key.
    pub fn forget_all(&self) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
