//! Two people of finance say what became of a refund that no provider tells about.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::RefundId,
    key::Scope,
    payment::ProviderId,
    refund::{Refund, Stated, resolve as state},
    text::Note,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::RefundBody;
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    payment::own_payment,
    problem::Problem,
    reservation::not_found_if_other,
};

pub const RESOLVE: Operation = Operation {
    id: "refund.resolve",
    path: "/v1/refunds/{id}/outcome",
    class: Class::Cancel,
    summary: "Say what became of a refund",
    about: "For a refund that is still open 72 hours after it was sent, when its provider is no longer asked. Each of two \
            people of finance looks for it at the provider and says what is there. The first word is kept \
            (`stated_outcome`); the second, if it is the same, decides: paid, or failed, after which the next way is taken. \
            One that differs takes the place of the first.",
    authz: Authz::Keys { scope: Scope::RefundsApprove, roles: &[(Role::Finance, Over::All)] },
    step_up: true,
    body: Some(Shape::of::<Word>()),
    success: Success { shape: Some(Shape::of::<RefundBody>()), about: "The refund.", ..Operation::READ.success },
    refusals: &["refund.still_asked", "refund.same_word", "refund.wrong_status", "refund.other_movement"],
    run: |call| Box::pin(resolve(call)),
    ..Operation::WRITE
};

/// What one person has seen at the provider.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RefundOutcome)]
pub struct Word {
    /// Whether the client has the money.
    paid: bool,
    /// The provider's id of the movement; compulsory when it was paid.
    #[schema(value_type = Option<String>)]
    provider_id: Option<ProviderId>,
    /// Where it was looked for, and what was found.
    #[schema(value_type = String, max_length = 500)]
    note: Note,
}

impl Exemplary for Word {
    fn example() -> Value {
        json!({ "paid": true, "provider_id": "pt-1b2c3d4e5f60", "note": "In the business portal, 2 December, 10:04" })
    }
}

async fn resolve(call: Call) -> Result<Reply, Halt> {
    let id = RefundId::new(call.uuid("id")?);
    if let Some(record) = &call.resumed {
        let refund: Loaded<Refund> = call.load_at(id, record.last).await?;
        return answer(&refund, record.last);
    }
    let Word { paid, provider_id, note } = call.body()?;
    if paid && provider_id.is_none() {
        return Err(Problem::new("request.invalid_field").at("/provider_id", "is needed for what was paid").into());
    }
    let stated = Stated { paid, provider_id: provider_id.filter(|_| paid), note };
    let mut tries = Tries::default();
    loop {
        let refund: Loaded<Refund> = call.app.store.load(id).await.map_err(not_found_if_other)?;
        let asked = refund.state.request.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        let site = asked.site_id;
        own_payment(&call, asked.payment_id).await?;
        call.precondition.check(refund.version)?;
        let decision = state(&refund, stated.clone(), call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), Some(site)).await? {
            return answer(&after(refund, &decision), written.position);
        }
        tries.again()?;
    }
}

fn answer(refund: &Loaded<Refund>, position: i64) -> Result<Reply, Halt> {
    let body = RefundBody::folded(refund).ok_or_else(|| Problem::new("object.not_found"))?;
    Ok(Reply::json(StatusCode::OK, &body)?.position(position).derived())
}
