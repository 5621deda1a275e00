//! The second person says yes or no.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::RefundId,
    key::Scope,
    refund::{Refund, approve as agree, decline},
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

pub const APPROVE: Operation = Operation {
    id: "refund.approve",
    path: "/v1/refunds/{id}/approval",
    class: Class::Cancel,
    summary: "Approve or decline a refund",
    about: "Only somebody else than who asked for it.",
    authz: Authz::Keys { scope: Scope::RefundsApprove, roles: &[(Role::Finance, Over::All)] },
    step_up: true,
    body: Some(Shape::of::<Approval>()),
    success: Success { shape: Some(Shape::of::<RefundBody>()), about: "The refund.", ..Operation::READ.success },
    refusals: &["refund.same_person", "refund.wrong_status"],
    run: |call| Box::pin(approve(call)),
    ..Operation::WRITE
};

/// The second person's word.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    approved: bool,
    /// Compulsory when declined.
    #[schema(value_type = Option<String>, max_length = 500)]
    note: Option<Note>,
}

impl Exemplary for Approval {
    fn example() -> Value {
        json!({ "approved": true })
    }
}

async fn approve(call: Call) -> Result<Reply, Halt> {
    let id = RefundId::new(call.uuid("id")?);
    if let Some(record) = &call.resumed {
        let refund: Loaded<Refund> = call.load_at(id, record.last).await?;
        return answer(&refund, record.last);
    }
    let body: Approval = call.body()?;
    let mut tries = Tries::default();
    loop {
        let refund: Loaded<Refund> = call.app.store.load(id).await.map_err(not_found_if_other)?;
        let asked = refund.state.request.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        let site = asked.site_id;
        let (payment, reservation) = own_payment(&call, asked.payment_id).await?;
        call.precondition.check(refund.version)?;
        let (by, now) = (call.actor(), call.now());
        let decision = match (body.approved, &body.note) {
            (true, _) => agree(&refund, &payment, &reservation, by, now)?,
            (false, Some(note)) => decline(&refund, &payment, &reservation, note.clone(), by, now)?,
            (false, None) => {
                return Err(Problem::new("request.invalid_field").at("/note", "is required to decline").into());
            }
        };
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
