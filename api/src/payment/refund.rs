//! A person asks for money to go back.

use axum::http::{StatusCode, header};
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::{PaymentId, RefundId},
    key::Scope,
    payment::Payment,
    refund::{Refund, Request},
    reservation::Reservation,
    text::Note,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

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
    reservation::not_found_if_other,
    shape::Money,
};

pub const REFUND: Operation = Operation {
    id: "payment.refund",
    path: "/v1/payments/{id}/refunds",
    class: Class::Cancel,
    summary: "Ask for money to go back",
    about: "Never more than was received. Above the limit of the terms (50 000 XOF) a second person must approve; until \
            then the refund waits as `requested`.",
    authz: Authz::Keys {
        scope: Scope::RefundsCreate,
        roles: &[
            (Role::Manager, Over::Sites),
            (Role::Service, Over::MadeOrSites),
            (Role::Support, Over::All),
            (Role::Finance, Over::All),
        ],
    },
    step_up_of: &[Role::Manager, Role::Support, Role::Finance],
    body: Some(Shape::of::<AskRefund>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<RefundBody>()),
        about: "The refund.",
        ..Operation::READ.success
    },
    refusals: &["refund.more_than_captured", "refund.not_received", "refund.reservation_open"],
    run: |call| Box::pin(refund(call)),
    ..Operation::WRITE
};

/// How much is to go back, and why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AskRefund {
    /// All that can still be refunded when left out.
    amount: Option<Money>,
    #[schema(value_type = String, max_length = 500)]
    note: Note,
}

impl Exemplary for AskRefund {
    fn example() -> Value {
        json!({ "amount": { "amount": 9000, "currency": "XOF" }, "note": "Panne d'éclairage" })
    }
}

async fn refund(call: Call) -> Result<Reply, Halt> {
    if let Some(record) = &call.resumed {
        for id in &record.ids {
            let refund: Loaded<Refund> = call.load_at(RefundId::new(*id), record.last).await?;
            if refund.version > 0 {
                return answer(&refund, record.last);
            }
        }
        return Err(Problem::new("server.error").into());
    }
    let body: AskRefund = call.body()?;
    let amount = match body.amount {
        Some(amount) => Some(
            amount.bounded().map_err(|error| Problem::new("request.invalid_field").at("/amount", error.to_string()))?,
        ),
        None => None,
    };
    let refund_id = RefundId::new(call.new_id());
    let mut tries = Tries::default();
    loop {
        let (payment, reservation) = own_payment(&call, PaymentId::new(call.uuid("id")?)).await?;
        let site = payment.state.request.as_ref().map(|asked| asked.site_id);
        let request = Request {
            payment: &payment,
            reservation: &reservation,
            refund_id,
            amount,
            note: body.note.clone(),
            by: call.actor(),
            now: call.now(),
        };
        let decision = request.decide()?;
        if let Some(written) = call.write(decision.clone(), site).await? {
            return answer(&after(Loaded::new(refund_id), &decision), written.position);
        }
        tries.again()?;
    }
}

/// A payment that the caller may touch, with its reservation.
///
/// # Errors
/// `object.not_found`.
pub async fn own_payment(call: &Call, id: PaymentId) -> Result<(Loaded<Payment>, Loaded<Reservation>), Problem> {
    let payment: Loaded<Payment> = call.app.store.load(id).await.map_err(not_found_if_other)?;
    let asked = payment.state.request.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
    let reservation: Loaded<Reservation> = call.app.store.load(asked.reservation_id).await?;
    call.may_touch(&call.object_of(&reservation).await?)?;
    Ok((payment, reservation))
}

fn answer(refund: &Loaded<Refund>, position: i64) -> Result<Reply, Halt> {
    let body = RefundBody::folded(refund).ok_or_else(|| Problem::new("server.error"))?;
    let reply = Reply::json(StatusCode::CREATED, &body)?;
    Ok(reply.position(position).header(header::LOCATION, format!("/v1/refunds/{}", refund.id)).derived())
}
