//! A person of finance has seen that a provider gave money back without us.

use axum::http::{StatusCode, header};
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::{PaymentId, RefundId},
    key::Scope,
    payment::{Method, ProviderId},
    refund::{Movement, Observed, Refund},
    text::Note,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::own_payment;
use crate::{
    http::{
        admission::Class,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    refund::RefundBody,
    shape::Money,
};

pub const OBSERVE: Operation = Operation {
    id: "payment.observe_refund",
    path: "/v1/payments/{id}/observed-refunds",
    class: Class::Cancel,
    summary: "Write down a refund that was made at the provider",
    about: "Nothing is sent: somebody gave the money back at the provider, and you have seen the movement there. A movement that \
            is known already is answered with its refund. Above the limit of the terms (50 000 XOF) a second person must \
            approve before it counts. What a statement lists under our reference is written down by itself.",
    authz: Authz::Keys { scope: Scope::RefundsCreate, roles: &[(Role::Finance, Over::All)] },
    step_up: true,
    body: Some(Shape::of::<SeenRefund>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<RefundBody>()),
        about: "The refund that it is.",
        ..Operation::READ.success
    },
    refusals: &[
        "refund.may_be_ours",
        "refund.more_than_captured",
        "refund.not_received",
        "refund.nothing_to_refund",
        "refund.other_provider",
    ],
    run: |call| Box::pin(observe(call)),
    ..Operation::WRITE
};

/// The movement, as its provider shows it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ObservedRefund)]
pub struct SeenRefund {
    /// The provider's id of the movement.
    #[schema(value_type = String, max_length = 120)]
    provider_id: ProviderId,
    /// What the payer got.
    amount: Money,
    /// By which provider it went, where that is another one than the payment's.
    #[schema(value_type = Option<String>)]
    method: Option<Method>,
    /// The transaction whose money it was, where the provider shows it and the payment has several.
    #[schema(value_type = Option<String>, max_length = 120)]
    transaction: Option<ProviderId>,
    /// Where it was seen. Nobody's name or number.
    #[schema(value_type = String, max_length = 500)]
    note: Note,
}

impl Exemplary for SeenRefund {
    fn example() -> Value {
        json!({
            "provider_id": "T_46HS5COOWE",
            "amount": { "amount": 9000, "currency": "XOF" },
            "note": "Portail Wave, remboursé par le gérant"
        })
    }
}

async fn observe(call: Call) -> Result<Reply, Halt> {
    let id = PaymentId::new(call.uuid("id")?);
    if let Some(record) = &call.resumed {
        for id in &record.ids {
            let refund: Loaded<Refund> = call.load_at(RefundId::new(*id), record.last).await?;
            if refund.version > 0 {
                return answer(&refund, record.last);
            }
        }
    }
    let body: SeenRefund = call.body()?;
    let amount = body.amount.bounded();
    let amount = amount.map_err(|error| Problem::new("request.invalid_field").at("/amount", error.to_string()))?;
    let new = RefundId::new(call.new_id());
    let mut tries = Tries::default();
    loop {
        let (payment, reservation) = own_payment(&call, id).await?;
        let Some(asked) = &payment.state.request else { return Err(Problem::new("object.not_found").into()) };
        let mut refunds = Vec::new();
        for allotment in &payment.state.allotments {
            refunds.push(call.app.store.load::<Refund>(allotment.refund_id).await?);
        }
        let movement = Movement {
            provider_id: body.provider_id.clone(),
            method: body.method.unwrap_or(asked.method),
            amount,
            transaction: body.transaction.clone(),
            note: body.note.clone(),
        };
        let site = Some(asked.site_id);
        let (payment, reservation) = (&payment, &reservation);
        let (by, now) = (call.actor(), call.now());
        let observed = Observed { payment, reservation, refunds: &refunds, refund_id: new, movement, by, now };
        let seen = observed.decide()?;
        // It was known already: the first request wrote nothing, and is answered with the refund as it was then.
        if let Some(record) = &call.resumed {
            return answer(&call.load_at(seen.refund_id, record.last).await?, record.last);
        }
        let before = refunds.into_iter().find(|refund| refund.id == seen.refund_id);
        let before = before.unwrap_or_else(|| Loaded::new(seen.refund_id));
        if let Some(written) = call.write(seen.decision.clone(), site).await? {
            return answer(&after(before, &seen.decision), written.position);
        }
        tries.again()?;
    }
}

fn answer(refund: &Loaded<Refund>, position: i64) -> Result<Reply, Halt> {
    let body = RefundBody::folded(refund).ok_or_else(|| Problem::new("server.error"))?;
    let reply = Reply::json(StatusCode::CREATED, &body)?;
    Ok(reply.position(position).header(header::LOCATION, format!("/v1/refunds/{}", refund.id)).derived())
}
