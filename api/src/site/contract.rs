//! What a site and the platform have agreed about money.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    contract::{Contract, Flow},
    key::Scope,
    policy::BasisPoints,
    site::{self, Site},
    text::Slug,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::CONFIGURE;
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
};

pub const SET_CONTRACT: Operation = Operation {
    id: "site.set_contract",
    path: "/v1/sites/{id}/contract",
    summary: "Agree on who collects, and for which commission",
    about: "Counts for reservations placed from now on; those that were placed keep the contract they were placed under.",
    authz: Authz::Keys { scope: Scope::SitesWrite, roles: &[(Role::Admin, Over::All)] },
    step_up: true,
    body: Some(Shape::of::<SetContract>()),
    success: Success { shape: Some(Shape::of::<ContractBody>()), about: "It.", ..Operation::READ.success },
    refusals: &[
        "site.commission",
        "site.merchant_account",
        "site.unknown_merchant_account",
        "site.role_not_allowed",
        "site.name_required",
        "version.conflict",
    ],
    run: |call| Box::pin(set_contract(call)),
    ..CONFIGURE
};

pub const SHOW_CONTRACT: Operation = Operation {
    id: "site.contract",
    path: "/v1/sites/{id}/contract",
    summary: "Who collects, and for which commission",
    about: "What counts for reservations placed now. Not public.",
    authz: Authz::Keys {
        scope: Scope::PaymentsRead,
        roles: &[
            (Role::Manager, Over::Sites),
            (Role::Finance, Over::All),
            (Role::Admin, Over::All),
            (Role::Auditor, Over::All),
        ],
    },
    success: Success { shape: Some(Shape::of::<ContractBody>()), about: "It.", ..Operation::READ.success },
    run: |call| Box::pin(show_contract(call)),
    ..Operation::READ
};

/// What is agreed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetContract {
    /// `platform_collects`: the platform receives, and pays the site its part. `manager_collects`: the site receives, and
    /// owes the commission.
    #[schema(value_type = String, example = "platform_collects")]
    flow: Flow,
    /// Of what is kept: 1000 is 10 %.
    #[schema(minimum = 0, maximum = 10_000)]
    commission_basis_points: u16,
    /// The manager's own account at the providers, by its name in the settings; with `manager_collects`. Null, or left out,
    /// is the platform's.
    #[schema(value_type = Option<String>, example = "terrains-de-fatou")]
    merchant_account: Option<Slug>,
}

impl Exemplary for SetContract {
    fn example() -> Value {
        json!({ "flow": "platform_collects", "commission_basis_points": 1_000 })
    }
}

/// A contract.
#[derive(Serialize, ToSchema)]
#[schema(as = Contract)]
pub struct ContractBody {
    object: &'static str,
    site_id: Uuid,
    #[schema(value_type = String, example = "platform_collects")]
    flow: Flow,
    commission_basis_points: u16,
    merchant_account: Option<String>,
}

impl Exemplary for ContractBody {
    fn example() -> Value {
        json!({
            "object": "contract", "site_id": "019ab2c4-5f00-7000-8000-000000000001", "flow": "platform_collects",
            "commission_basis_points": 1_000, "merchant_account": null,
        })
    }
}

async fn set_contract(call: Call) -> Result<Reply, Halt> {
    let body: SetContract = call.body()?;
    let SetContract { flow, commission_basis_points, merchant_account } = body;
    if let Some(account) = &merchant_account
        && !call.app.settings.accounts.contains_key(account)
    {
        return Err(Problem::new("site.unknown_merchant_account").with("value", account.as_str()).into());
    }
    let contract = Contract { flow, commission: BasisPoints(commission_basis_points), merchant_account };
    let mut tries = Tries::default();
    loop {
        let site = call.own_site().await?;
        call.precondition.check(site.version)?;
        let decision = site::set_contract(&site, contract.clone(), call.actor(), call.now())?;
        if decision.is_nothing() {
            return show(&site, None);
        }
        if let Some(written) = call.write(decision.clone(), Some(site.id)).await? {
            return show(&after(site, &decision), Some(written.position));
        }
        tries.again()?;
    }
}

async fn show_contract(call: Call) -> Result<Reply, Halt> {
    let site = call.own_site().await?;
    if !site.state.is_registered() {
        return Err(Problem::new("object.not_found").into());
    }
    show(&site, None)
}

fn show(site: &Loaded<Site>, position: Option<i64>) -> Result<Reply, Halt> {
    let Contract { flow, commission, merchant_account } = site.state.contract();
    let body = ContractBody {
        object: "contract",
        site_id: site.id.uuid(),
        flow,
        commission_basis_points: commission.0,
        merchant_account: merchant_account.map(String::from),
    };
    let reply = Reply::json(StatusCode::OK, &body)?;
    let tag = etag::of(site.version, &[&reply.body]);
    let reply = reply.etag(tag);
    Ok(match position {
        Some(position) => reply.position(position),
        None => reply,
    })
}
