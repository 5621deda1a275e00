//! Everybody who knocks: without a key, with a bad one, and with one of each role, near and far, wide and narrow.

use ::api::http::auth::key_hash;
use domain::{
    account::{self, Account, Duty, EmailHash, Invitation},
    actor::{Actor as Who, Role},
    aggregate::Loaded,
    ids::{KeyId, PrincipalId, SecretId, SiteId},
    key::{self, Grant, Key, Scope, SecretHash},
    sealed::Sealed,
    text::Name,
};
use eventstore::{Append, Meta, auth::session};
use uuid::Uuid;

use super::objects::Place;
use crate::api::Api;

/// Every role that there are keys for.
pub const ROLES: [Role; 9] = [
    Role::Client,
    Role::Gatekeeper,
    Role::Cashier,
    Role::Manager,
    Role::Support,
    Role::Finance,
    Role::Admin,
    Role::Auditor,
    Role::Service,
];

/// Somebody who asks.
pub struct Actor {
    pub name: String,
    pub bearer: Option<String>,
    pub is: Is,
}

impl Actor {
    pub fn is_signed_in(&self) -> bool {
        matches!(&self.is, Is::Holder(holder) if holder.signed_in)
    }
}

/// Who they are, by what was granted.
pub enum Is {
    Nobody,
    /// A key that is not good here, and the code that says so.
    Refused(&'static str),
    Holder(Holder),
}

/// What a key says.
pub struct Holder {
    pub role: Role,
    pub me: Uuid,
    pub sites: Option<Vec<Uuid>>,
    pub scopes: Vec<Scope>,
    /// With a session, and not with a key.
    pub signed_in: bool,
    /// They have proven themselves within five minutes.
    pub fresh: bool,
}

/// Everybody, seen from a place `here`, beside another one.
pub async fn everybody(api: &Api, here: &Place, there: &Place) -> Vec<Actor> {
    let mut all = vec![
        Actor { name: "nobody".into(), bearer: None, is: Is::Nobody },
        bad("a forged key", "kk_test_forged", "auth.invalid"),
        bad("a key of the other mode", "kk_live_forged", "auth.other_mode"),
        bad("no key of ours", "sk_live_forged", "auth.invalid"),
    ];
    let revoked = holder(Role::Manager, here.manager, None, None);
    let (id, secret) = grant(api, &revoked).await;
    revoke(api, id).await;
    all.push(bad("a revoked key", &secret, "auth.invalid"));
    for role in ROLES {
        let stands = match role {
            Role::Gatekeeper | Role::Cashier | Role::Service => Some(vec![here.site]),
            _ => None,
        };
        let me = here.principal(role).unwrap_or_else(|| api.store.clock().new_id());
        all.push(good(api, role.as_str(), holder(role, me, stands.clone(), None)).await);
        let bare = holder(role, me, stands, Some(vec![Scope::SitesRead]));
        all.push(good(api, &format!("{} without the scope", role.as_str()), bare).await);
        // The same role at the other place.
        let far = there.principal(role).unwrap_or_else(|| api.store.clock().new_id());
        let sites = (role != Role::Client && role != Role::Manager).then(|| vec![there.site]);
        all.push(good(api, &format!("{} of there", role.as_str()), holder(role, far, sites, None)).await);
    }
    let narrow = holder(Role::Manager, here.manager, Some(vec![there.site]), None);
    all.push(good(api, "manager of here with a key for there", narrow).await);
    let made = holder(Role::Service, here.service, Some(vec![there.site]), None);
    all.push(good(api, "service of here with a key for there", made).await);
    let wide = holder(Role::Service, api.store.clock().new_id(), None, None);
    all.push(good(api, "service of no site", wide).await);
    let new = holder(Role::Client, api.store.clock().new_id(), None, None);
    all.push(good(api, "client who has nothing", new).await);
    for (name, me) in
        [("client", here.client), ("client of there", there.client), ("stranger", api.store.clock().new_id())]
    {
        all.push(signed_in(api, &format!("{name} signed in"), me).await);
    }
    for (name, me, role) in [
        ("manager", here.manager, Role::Manager),
        ("manager of there", there.manager, Role::Manager),
        ("admin", api.store.clock().new_id(), Role::Admin),
        ("finance", api.store.clock().new_id(), Role::Finance),
    ] {
        work(api, me, role).await;
        let opened = session::open(&api.store, PrincipalId::new(me), role, None).await.unwrap();
        let holder = Holder { signed_in: true, ..holder(role, me, None, None) };
        all.push(Actor { name: format!("{name} signed in"), bearer: Some(opened.access), is: Is::Holder(holder) });
    }
    for role in [Role::Manager, Role::Support, Role::Finance] {
        all.push(signed_in_long_ago(api, role).await);
    }
    all.push(bad("a session that has ended", "ks_test_ended", "session.ended"));
    all
}

/// An account of somebody who came.
pub async fn work(api: &Api, me: Uuid, role: Role) {
    let (clock, id) = (api.store.clock(), PrincipalId::new(me));
    let duty = Duty { role, sites: None };
    let email_hash = EmailHash(format!("{me}"));
    let invitation = Invitation { email_hash, email: Sealed("c2VhbGVk".into()), duty };
    let account = Loaded::<Account>::new(id);
    let invited = account::invite(&account, invitation, Who::SYSTEM, clock.now()).unwrap();
    api.store.append(Append::new(invited, Meta::system())).await.unwrap();
    let account: Loaded<Account> = api.store.load(id).await.unwrap();
    let secret = || SecretId::new(clock.new_id());
    let came = account::accept(&account, secret(), secret(), clock.now()).unwrap();
    api.store.append(Append::new(came, Meta::system())).await.unwrap();
}

/// Somebody who works, and has not proven themselves for an hour.
async fn signed_in_long_ago(api: &Api, role: Role) -> Actor {
    let me = api.store.clock().new_id();
    work(api, me, role).await;
    let opened = session::open(&api.store, PrincipalId::new(me), role, None).await.unwrap();
    sqlx::query("UPDATE auth.sessions SET stepped_up_at = stepped_up_at - interval '1 hour' WHERE id = $1")
        .bind(opened.session.id)
        .execute(&api.world.pool)
        .await
        .unwrap();
    let holder = Holder { signed_in: true, fresh: false, ..holder(role, me, None, None) };
    Actor {
        name: format!("{} signed in an hour ago", role.as_str()),
        bearer: Some(opened.access),
        is: Is::Holder(holder),
    }
}

/// A client with a session.
async fn signed_in(api: &Api, name: &str, me: Uuid) -> Actor {
    let opened = session::open(&api.store, PrincipalId::new(me), Role::Client, None).await.unwrap();
    let holder = Holder { signed_in: true, ..holder(Role::Client, me, None, None) };
    Actor { name: name.to_owned(), bearer: Some(opened.access), is: Is::Holder(holder) }
}

fn bad(name: &str, secret: &str, code: &'static str) -> Actor {
    Actor { name: name.to_owned(), bearer: Some(secret.to_owned()), is: Is::Refused(code) }
}

fn holder(role: Role, me: Uuid, sites: Option<Vec<Uuid>>, scopes: Option<Vec<Scope>>) -> Holder {
    Holder {
        role,
        me,
        sites,
        scopes: scopes.unwrap_or_else(|| key::scopes_of(role).to_vec()),
        signed_in: false,
        fresh: true,
    }
}

async fn good(api: &Api, name: &str, holder: Holder) -> Actor {
    let (_, secret) = grant(api, &holder).await;
    Actor { name: name.to_owned(), bearer: Some(secret), is: Is::Holder(holder) }
}

/// A key in the log, and its secret.
async fn grant(api: &Api, holder: &Holder) -> (KeyId, String) {
    let (clock, id) = (api.store.clock(), KeyId::new(api.store.clock().new_id()));
    let secret = format!("kk_test_{}", clock.new_id().simple());
    let grant = Grant {
        label: Name::new("matrix").unwrap(),
        secret_hash: SecretHash(key_hash(api.store.keyring(), &secret)),
        role: holder.role,
        principal_id: PrincipalId::new(holder.me),
        scopes: Some(holder.scopes.clone()),
        sites: holder.sites.as_ref().map(|sites| sites.iter().copied().map(SiteId::new).collect()),
    };
    let decision = key::grant(&Loaded::new(id), grant, Who::SYSTEM, clock.now()).unwrap();
    api.store.append(Append::new(decision, Meta::system())).await.unwrap();
    (id, secret)
}

/// A key that nobody of the matrix has: what `key.revoke` is tried on.
pub async fn spare_key(api: &Api) -> Uuid {
    grant(api, &holder(Role::Support, api.store.clock().new_id(), None, None)).await.0.uuid()
}

pub async fn revoke(api: &Api, id: KeyId) {
    let loaded: Loaded<Key> = api.store.load(id).await.unwrap();
    let decision = key::revoke(&loaded, Who::SYSTEM, api.store.clock().now()).unwrap();
    api.store.append(Append::new(decision, Meta::system())).await.unwrap();
}
