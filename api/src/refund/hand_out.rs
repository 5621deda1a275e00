//! A person hands a refund out: cash against signature, or a transfer they made.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::RefundId,
    key::Scope,
    refund::{Refund, hand_out as handed},
};

use super::RefundBody;
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Authz, Operation, Over, Shape, Success},
        reply::Reply,
    },
    payment::own_payment,
    problem::Problem,
    reservation::not_found_if_other,
};

pub const HAND_OUT: Operation = Operation {
    id: "refund.hand_out",
    path: "/v1/refunds/{id}/hand-out",
    class: Class::Cancel,
    summary: "Record that a refund was handed out",
    about: "For money that came by hand, and for a refund that no provider could pay: the client signed for it. Whoever \
            hands it out does so under their name.",
    authz: Authz::Keys {
        scope: Scope::PaymentsWrite,
        roles: &[(Role::Cashier, Over::Sites), (Role::Manager, Over::Sites)],
    },
    step_up: true,
    success: Success { shape: Some(Shape::of::<RefundBody>()), about: "The refund.", ..Operation::READ.success },
    refusals: &["refund.wrong_status", "refund.outcome_unknown", "refund.at_provider", "refund.role_not_allowed"],
    run: |call| Box::pin(hand_out(call)),
    ..Operation::WRITE
};

async fn hand_out(call: Call) -> Result<Reply, Halt> {
    let id = RefundId::new(call.uuid("id")?);
    if let Some(record) = &call.resumed {
        let refund: Loaded<Refund> = call.load_at(id, record.last).await?;
        return answer(&refund, record.last);
    }
    let mut tries = Tries::default();
    loop {
        let refund: Loaded<Refund> = call.app.store.load(id).await.map_err(not_found_if_other)?;
        let asked = refund.state.request.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        let site = asked.site_id;
        // Whether it is theirs to touch.
        own_payment(&call, asked.payment_id).await?;
        call.precondition.check(refund.version)?;
        let decision = handed(&refund, call.actor(), call.now())?;
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
