//! On which terms a site is booked.

use domain::{policy::Policy, site};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{CONFIGURE, configure};
use crate::http::{
    call::Call,
    halt::Halt,
    operation::{Exemplary, Operation, Shape},
    reply::Reply,
};

pub const SET_POLICY: Operation = Operation {
    id: "site.set_policy",
    path: "/v1/sites/{id}/policies",
    summary: "Replace the terms",
    about: "Every limit, delay and amount of the site. Reservations already made keep the terms they were made on.",
    body: Some(Shape::of::<SetPolicy>()),
    run: |call| Box::pin(set_policy(call)),
    ..CONFIGURE
};

/// The terms as a whole.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetPolicy {
    /// The whole policy, as the site shows it.
    #[schema(value_type = Object)]
    policy: Policy,
}

impl Exemplary for SetPolicy {
    fn example() -> Value {
        json!({ "policy": Policy::default() })
    }
}

async fn set_policy(call: Call) -> Result<Reply, Halt> {
    let body: SetPolicy = call.body()?;
    configure(&call, |site| Ok(site::set_policy(site, body.policy.clone())?)).await
}
