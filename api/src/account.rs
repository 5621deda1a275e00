//! People who work: invited, approved by a second admin where it is about money or rights, given another role by two, suspended
//! at once.

mod approve;
mod invite;
mod passphrase;
mod role;
mod suspend;

use axum::http::StatusCode;
use domain::{
    account::Account,
    actor::Role,
    aggregate::Loaded,
    decision::Decision,
    ids::{PrincipalId, SiteId},
    sealed::field,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::{
        call::Call,
        command::{Tries, after},
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    reservation::not_found_if_other,
};

pub const OPERATIONS: &[&Operation] = &[
    &invite::INVITE,
    &invite::INVITE_AGAIN,
    &SHOW,
    &approve::APPROVE,
    &role::PROPOSE,
    &role::GRANT,
    &suspend::SUSPEND,
    &suspend::RESUME,
    &passphrase::CHANGE,
];

/// Admins look after accounts, signed in and not by a key.
const ADMINS: Authz = Authz::Session { roles: &[(Role::Admin, Over::All)] };

/// Whoever works, whatever they do.
pub const STAFF: Authz = Authz::Session {
    roles: &[
        (Role::Manager, Over::Own),
        (Role::Gatekeeper, Over::Own),
        (Role::Cashier, Over::Own),
        (Role::Support, Over::Own),
        (Role::Finance, Over::Own),
        (Role::Admin, Over::Own),
        (Role::Auditor, Over::Own),
    ],
};

pub const SHOW: Operation = Operation {
    id: "account.show",
    path: "/v1/accounts/{id}",
    summary: "An account",
    about: "Who works here, as what, and whether they came.",
    authz: ADMINS,
    success: Success { shape: Some(Shape::of::<AccountBody>()), about: "The account.", ..Operation::READ.success },
    run: |call| Box::pin(show(call)),
    ..Operation::READ
};

/// A role, and where.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    /// `manager`, `gatekeeper`, `cashier`, `support`, `finance`, `admin` or `auditor`.
    #[schema(value_type = String)]
    role: Role,
    /// Of a gatekeeper or cashier: where they work.
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 100)]
    sites: Option<Vec<SiteId>>,
}

impl From<Duty> for domain::account::Duty {
    fn from(duty: Duty) -> Self {
        Self { role: duty.role, sites: duty.sites }
    }
}

impl From<domain::account::Duty> for Duty {
    fn from(duty: domain::account::Duty) -> Self {
        Self { role: duty.role, sites: duty.sites }
    }
}

impl Exemplary for Duty {
    fn example() -> Value {
        json!({ "role": "support" })
    }
}

/// Somebody who works here.
#[derive(Serialize, ToSchema)]
#[schema(as = Account)]
pub struct AccountBody {
    object: &'static str,
    id: Uuid,
    version: i32,
    email: Option<String>,
    /// `manager`, `gatekeeper`, `cashier`, `support`, `finance`, `admin` or `auditor`.
    #[schema(value_type = String)]
    role: Role,
    /// Of a gatekeeper or cashier: where they work.
    #[schema(value_type = Option<Vec<Uuid>>)]
    sites: Option<Vec<SiteId>>,
    /// `waits_for_approval`, `invited`, `working` or `suspended`.
    status: &'static str,
    /// Another role that waits for a second admin.
    proposed: Option<Duty>,
}

impl Exemplary for AccountBody {
    fn example() -> Value {
        json!({
            "object": "account", "id": "019ab2c4-5f00-7000-8000-0000000acc01", "version": 2, "email": "awa@kalel.sn",
            "role": "support", "sites": null, "status": "working", "proposed": null,
        })
    }
}

/// An account as it is shown to admins.
async fn shown(call: &Call, account: &Loaded<Account>) -> Result<AccountBody, Problem> {
    let state = &account.state;
    let duty = state.duty.clone().ok_or_else(|| Problem::new("object.not_found"))?;
    let email = match &state.email {
        Some(email) => call.app.store.subjects().open(account.id.uuid(), field::EMAIL, email).await?,
        None => None,
    };
    let status = match state {
        _ if state.suspended => "suspended",
        _ if !state.approved => "waits_for_approval",
        _ if state.passphrase.is_none() => "invited",
        _ => "working",
    };
    Ok(AccountBody {
        object: "account",
        id: account.id.uuid(),
        version: account.version,
        email,
        role: duty.role,
        sites: duty.sites,
        status,
        proposed: state.proposed.clone().map(|(duty, _)| duty.into()),
    })
}

async fn show(call: Call) -> Result<Reply, Halt> {
    let account = load(&call).await?;
    let reply = Reply::json(StatusCode::OK, &shown(&call, &account).await?)?;
    let tag = etag::of(account.version, &[&reply.body]);
    Ok(reply.etag(tag))
}

/// The account of the path.
async fn load(call: &Call) -> Result<Loaded<Account>, Problem> {
    let id = PrincipalId::new(call.uuid("id")?);
    let account: Loaded<Account> = call.app.store.load(id).await.map_err(not_found_if_other)?;
    if account.version == 0 { Err(Problem::new("object.not_found")) } else { Ok(account) }
}

/// Decides about the account of the path, writes it, and shows what it is then.
async fn change(
    call: &Call,
    status: StatusCode,
    decide: impl Fn(&Loaded<Account>) -> Result<Decision, domain::account::Refusal>,
) -> Result<Reply, Halt> {
    let mut tries = Tries::default();
    loop {
        let account = load(call).await?;
        call.precondition.check(account.version)?;
        let decision = decide(&account)?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            let reply = Reply::json(status, &shown(call, &after(account, &decision)).await?)?;
            return Ok(reply.position(written.position));
        }
        tries.again()?;
    }
}
