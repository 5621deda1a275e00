//! A refund as it is shown.

use domain::{
    aggregate::Loaded,
    payment::Method,
    refund::{Reason, Refund, Route},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::operation::Exemplary,
    shape::{Money, utc_text},
};

/// One movement of money out.
#[derive(Serialize, ToSchema)]
#[schema(as = Refund)]
pub struct RefundBody {
    object: &'static str,
    pub id: Uuid,
    payment_id: Uuid,
    reservation_id: Uuid,
    site_id: Uuid,
    /// `requested`, `approved`, `declined`, `submitted`, `pending`, `unknown`, `succeeded`, `failed` or `reversed`; more
    /// may come.
    pub status: &'static str,
    amount: Money,
    #[schema(value_type = String, example = "cancellation")]
    reason: Reason,
    #[schema(value_type = String, example = "payout")]
    route: Route,
    /// The provider that pays it: another one than the payment's when that one could not.
    #[schema(value_type = String, example = "wave")]
    method: Method,
    /// Whether it waits, or waited, for a second person.
    needs_approval: bool,
    /// What one person of finance says became of it, while a second one must say the same: `paid` or `not_paid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    stated_outcome: Option<&'static str>,
    /// Ours, at the provider.
    reference: Option<String>,
    /// The provider's id of the movement.
    provider_id: Option<String>,
    created_at: String,
    version: i32,
}

impl RefundBody {
    /// From its stream; `None` before it was asked for.
    pub fn folded(refund: &Loaded<Refund>) -> Option<Self> {
        let asked = refund.state.request.as_ref()?;
        let attempt = refund.state.attempt.as_ref();
        Some(Self {
            object: "refund",
            id: refund.id.uuid(),
            payment_id: asked.payment_id.uuid(),
            reservation_id: asked.reservation_id.uuid(),
            site_id: asked.site_id.uuid(),
            status: refund.state.status.as_str(),
            amount: asked.amount.into(),
            reason: asked.reason,
            route: attempt.map_or(asked.route, |attempt| attempt.route),
            method: attempt.and_then(|attempt| attempt.method).unwrap_or(asked.method),
            needs_approval: asked.needs_approval,
            stated_outcome: refund.state.stated.as_ref().map(|word| outcome(word.stated.paid)),
            reference: attempt.map(|attempt| attempt.reference.to_string()),
            provider_id: attempt.and_then(|attempt| attempt.provider_id.as_ref()).map(ToString::to_string),
            created_at: utc_text(asked.at),
            version: refund.version,
        })
    }

    /// From the views.
    pub fn viewed(refund: &projections::refund::Refund) -> Self {
        Self {
            object: "refund",
            id: refund.refund_id.uuid(),
            payment_id: refund.payment_id.uuid(),
            reservation_id: refund.reservation_id.uuid(),
            site_id: refund.site_id.uuid(),
            status: refund.status.as_str(),
            amount: refund.amount.into(),
            reason: refund.reason,
            route: refund.route,
            method: refund.through.unwrap_or(refund.method),
            needs_approval: refund.needs_approval,
            stated_outcome: refund.stated_paid.map(outcome),
            reference: refund.reference.as_ref().map(ToString::to_string),
            provider_id: refund.provider_id.as_ref().map(ToString::to_string),
            created_at: utc_text(refund.created_at),
            version: refund.version,
        }
    }
}

const fn outcome(paid: bool) -> &'static str {
    if paid { "paid" } else { "not_paid" }
}

impl Exemplary for RefundBody {
    fn example() -> Value {
        json!({
            "object": "refund", "id": "019ab2c4-5f00-7000-8000-0000000000e1",
            "payment_id": "019ab2c4-5f00-7000-8000-0000000000d1", "status": "submitted",
            "amount": { "amount": 9000, "currency": "XOF" }, "reason": "cancellation", "route": "payout", "method": "wave",
            "needs_approval": false, "version": 3,
        })
    }
}
