//! Grant a key.

use axum::http::{StatusCode, header};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::{KeyId, PrincipalId, SiteId},
    key::{self, Grant, Key, Scope, SecretHash},
    text::Name,
};
use eventstore::auth::account_of;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::{
        auth::key_hash,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Authz, Exemplary, IfMatch, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::utc_text,
};

pub const KEYS: Authz = Authz::Keys { scope: Scope::KeysWrite, roles: &[(Role::Admin, Over::All)] };

pub const GRANT: Operation = Operation {
    id: "key.grant",
    path: "/v1/keys",
    summary: "Grant an API key",
    about: "The secret is in this answer and never again. It gets another one by `POST /v1/keys/{id}/rotation`.",
    authz: KEYS,
    // The answer holds the secret, so it is not kept for repetitions: again is another key.
    step_up: true,
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<GrantKey>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<KeyBody>()),
        about: "The key with its secret.",
        ..Operation::READ.success
    },
    refusals: &["key.too_wide", "key.not_for_keys", "key.no_scope", "key.no_sites"],
    run: |call| Box::pin(grant(call)),
    ..Operation::WRITE
};

/// A key to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GrantKey {
    #[schema(value_type = String, max_length = 120)]
    label: Name,
    #[schema(value_type = String, example = "service")]
    role: Role,
    /// Who will act with it: the id of a client for a client's key; a new one when left out.
    principal_id: Option<Uuid>,
    /// All that the role may have when left out.
    #[schema(value_type = Option<Vec<String>>)]
    scopes: Option<Vec<Scope>>,
    /// Restricts it to these sites, by id or slug.
    sites: Option<Vec<String>>,
}

impl Exemplary for GrantKey {
    fn example() -> Value {
        json!({ "label": "Site web", "role": "service", "scopes": ["reservations:write"], "sites": ["fara-foot"] })
    }
}

/// A key; its secret only in the answer that grants it.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyBody {
    object: &'static str,
    id: Uuid,
    label: String,
    #[schema(value_type = String)]
    role: Role,
    principal_id: Uuid,
    #[schema(value_type = Vec<String>)]
    scopes: Vec<Scope>,
    sites: Option<Vec<Uuid>>,
    /// Only in the answer that grants it or gives it another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// When it got its present secret, if that is not the first.
    rotated_at: Option<String>,
    /// Until when the secret before that one opens.
    older_secret_until: Option<String>,
    revoked: bool,
    created_at: String,
    version: i32,
}

impl KeyBody {
    /// From its stream; `None` before it was granted.
    pub fn of(key: &Loaded<Key>, secret: Option<String>) -> Option<Self> {
        let granted = key.state.granted.as_ref()?;
        Some(Self {
            object: "key",
            id: key.id.uuid(),
            label: granted.label.to_string(),
            role: granted.role,
            principal_id: granted.principal_id.uuid(),
            scopes: granted.scopes.clone(),
            sites: granted.sites.as_ref().map(|sites| sites.iter().map(|site| site.uuid()).collect()),
            secret,
            rotated_at: key.state.rotated_at.map(utc_text),
            older_secret_until: key.state.older.as_ref().map(|(_, until)| utc_text(*until)),
            revoked: key.state.revoked,
            created_at: utc_text(granted.at),
            version: key.version,
        })
    }
}

impl From<&projections::key::Key> for KeyBody {
    fn from(key: &projections::key::Key) -> Self {
        Self {
            object: "key",
            id: key.key_id.uuid(),
            label: key.label.to_string(),
            role: key.role,
            principal_id: key.principal_id.uuid(),
            scopes: key.scopes.clone(),
            sites: key.sites.as_ref().map(|sites| sites.iter().map(|site| site.uuid()).collect()),
            secret: None,
            rotated_at: key.rotated_at.map(utc_text),
            older_secret_until: key.older_until.map(utc_text),
            revoked: key.revoked_at.is_some(),
            created_at: utc_text(key.created_at),
            version: key.version,
        }
    }
}

impl Exemplary for KeyBody {
    fn example() -> Value {
        json!({
            "object": "key", "id": "019ab2c4-5f00-7000-8000-0000000000f1", "label": "Site web", "role": "service",
            "scopes": ["reservations:write"], "secret": "kk_test_…", "revoked": false, "version": 1,
        })
    }
}

/// A new secret of 256 random bits, `kk_test_…` or `kk_live_…`.
///
/// # Errors
/// `server.overloaded` when the system has no randomness.
pub fn new_secret(test: bool) -> Result<String, Problem> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| Problem::new("server.overloaded"))?;
    let mode = if test { "test" } else { "live" };
    Ok(format!("kk_{mode}_{}", BASE64_URL_SAFE_NO_PAD.encode(bytes)))
}

async fn grant(call: Call) -> Result<Reply, Halt> {
    call.may_touch_what_is_of_no_site()?;
    let body: GrantKey = call.body()?;
    let mut sites = None;
    if let Some(names) = &body.sites {
        let mut found: Vec<SiteId> = Vec::new();
        for (index, name) in names.iter().enumerate() {
            let unknown = |_| Problem::new("request.invalid_field").at(format!("/sites/{index}"), "is not a site");
            found.push(call.site_named(name).await.map_err(unknown)?);
        }
        sites = Some(found);
    }
    let principal = PrincipalId::new(body.principal_id.unwrap_or_else(|| call.new_id()));
    if !call.app.is_test() {
        let account = account_of(&call.app.store, principal).await?;
        key::belongs(body.role, &account.map(|account| account.state).unwrap_or_default())?;
    }
    let secret = new_secret(call.app.is_test())?;
    let wanted = Grant {
        label: body.label,
        secret_hash: SecretHash(key_hash(&call.app.keyring, &secret)),
        role: body.role,
        principal_id: principal,
        scopes: body.scopes,
        sites,
    };
    let new = Loaded::<Key>::new(KeyId::new(call.new_id()));
    let mut tries = Tries::default();
    loop {
        let decision = key::grant(&new, wanted.clone(), call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            let key = after(new, &decision);
            let body = KeyBody::of(&key, Some(secret)).ok_or_else(|| Problem::new("server.error"))?;
            let reply = Reply::json(StatusCode::CREATED, &body)?.header(header::CACHE_CONTROL, "no-store");
            return Ok(reply.position(written.position));
        }
        tries.again()?;
    }
}
