//! Somebody is asked to work here.

use adapters::email::address;
use axum::http::StatusCode;
use domain::{
    account::{self, Invitation},
    actor::Role,
    aggregate::Loaded,
    ids::{PrincipalId, SiteId},
    sealed::field,
    site::Site,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{ADMINS, AccountBody, Duty, change, shown};
use crate::{
    http::{
        call::{Call, Object},
        command::{Attempt, after},
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const INVITE: Operation = Operation {
    id: "account.invite",
    path: "/v1/accounts",
    summary: "Ask somebody to work here",
    about: "They get a mail with a token that is good for 72 hours; of finance and of admins once a second admin has agreed. Managers \
            invite who stands at the gate or the till of their sites.",
    authz: Authz::Session { roles: &[(Role::Admin, Over::All), (Role::Manager, Over::Sites)] },
    step_up: true,
    // What is written holds a ciphertext of its own each time; an address has one account, so again is refused.
    idempotent: false,
    body: Some(Shape::of::<InviteAccount>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<AccountBody>()),
        about: "Invited.",
        ..Operation::READ.success
    },
    refusals: &["account.exists", "account.no_such_role", "account.no_sites", "account.role_not_allowed"],
    run: |call| Box::pin(invite(call)),
    ..Operation::WRITE
};

pub const INVITE_AGAIN: Operation = Operation {
    id: "account.invite_again",
    path: "/v1/accounts/{id}/invitation",
    summary: "Send the invitation once more",
    about: "With another token; the one before is over. A role that takes two is approved anew.",
    authz: ADMINS,
    step_up: true,
    idempotent: false,
    success: Success { shape: Some(Shape::of::<AccountBody>()), about: "Invited.", ..Operation::READ.success },
    refusals: &["account.accepted"],
    run: |call| Box::pin(invite_again(call)),
    ..Operation::WRITE
};

/// Whom, and as what.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InviteAccount {
    #[schema(max_length = 254, format = "email")]
    email: String,
    /// `manager`, `gatekeeper`, `cashier`, `support`, `finance`, `admin` or `auditor`.
    #[schema(value_type = String)]
    role: Role,
    /// Of a gatekeeper or cashier: where they work.
    #[schema(value_type = Option<Vec<uuid::Uuid>>, max_items = 100)]
    sites: Option<Vec<SiteId>>,
}

impl Exemplary for InviteAccount {
    fn example() -> Value {
        json!({ "email": "awa@kalel.sn", "role": "support" })
    }
}

async fn invite(call: Call) -> Result<Reply, Halt> {
    let body: InviteAccount = call.body()?;
    let email = address(&body.email)
        .map_err(|refused| Problem::new("request.invalid_field").at("/email", refused.to_string()))?;
    let store = &call.app.store;
    for site in body.sites.iter().flatten() {
        let site: Loaded<Site> = store.load(*site).await.map_err(crate::reservation::not_found_if_other)?;
        let Some(identity) = &site.state.identity else { return Err(Problem::new("object.not_found").into()) };
        call.may_touch(&Object::of_site(site.id, Some(identity.manager_id.uuid())))?;
    }
    let id = PrincipalId::new(call.new_id());
    let fresh = Loaded::new(id);
    let invitation = Invitation {
        email_hash: store.subjects().hash_email(&email),
        email: store.subjects().seal(id.uuid(), field::EMAIL, &email).await?,
        duty: Duty { role: body.role, sites: body.sites }.into(),
    };
    let decision = account::invite(&fresh, invitation, call.actor(), call.now())?;
    match call.append(decision.clone(), None).await? {
        Attempt::Written(written) => {
            let reply = Reply::json(StatusCode::CREATED, &shown(&call, &after(fresh, &decision)).await?)?;
            Ok(reply.position(written.position))
        }
        Attempt::Guarded(_) => Err(Problem::new("account.exists").into()),
        Attempt::Moved => Err(Problem::new("version.conflict").retry_after(1).into()),
    }
}

async fn invite_again(call: Call) -> Result<Reply, Halt> {
    change(&call, StatusCode::OK, |account| account::invite_again(account, call.actor(), call.now())).await
}
