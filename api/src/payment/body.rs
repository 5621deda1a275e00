//! A payment as it is shown.

use domain::{
    aggregate::Loaded,
    payment::{self, Method, Payment},
    reservation::Purpose,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    App,
    http::operation::Exemplary,
    payment::pay_url,
    shape::{Money, utc_text},
};

/// One movement of money in.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = Payment)]
pub struct PaymentBody {
    object: &'static str,
    pub id: Uuid,
    reservation_id: Uuid,
    site_id: Uuid,
    #[schema(value_type = String, example = "wave")]
    method: Method,
    #[schema(value_type = String, example = "deposit")]
    purpose: Purpose,
    /// `requested`, `pending`, `unknown`, `succeeded`, `failed`, `expired` or `on_account`; more may come.
    pub status: &'static str,
    /// What was asked for.
    amount: Money,
    /// What arrived.
    received: Option<Money>,
    /// Ours, at the provider.
    reference: String,
    /// The provider's page, once it is open.
    pub checkout_url: Option<String>,
    /// Our page for it: always there, never changes. For providers only.
    pay_url: Option<String>,
    /// The provider's transaction, once money arrived.
    transaction: Option<String>,
    hold_expires_at: Option<String>,
    created_at: String,
    version: i32,
}

impl PaymentBody {
    /// From its stream; `None` before it was asked for.
    pub fn folded(app: &App, payment: &Loaded<Payment>) -> Option<Self> {
        let state = &payment.state;
        let asked = state.request.as_ref()?;
        let capture = state.captures.first();
        Some(Self {
            object: "payment",
            id: payment.id.uuid(),
            reservation_id: asked.reservation_id.uuid(),
            site_id: asked.site_id.uuid(),
            method: asked.method,
            purpose: asked.purpose,
            status: state.status.as_str(),
            amount: asked.amount.into(),
            received: capture.map(|capture| capture.received.into()),
            reference: asked.reference.to_string(),
            checkout_url: open_url(
                state.status == payment::Status::Pending,
                state.checkout.as_ref().map(|open| open.checkout_url.as_str()),
            ),
            pay_url: asked.method.has_provider().then(|| pay_url(app, payment.id)),
            transaction: capture.map(|capture| capture.transaction.to_string()),
            hold_expires_at: asked.hold_expires_at.map(utc_text),
            created_at: utc_text(asked.at),
            version: payment.version,
        })
    }

    /// From the views.
    pub fn viewed(app: &App, payment: &projections::payment::Payment) -> Self {
        Self {
            object: "payment",
            id: payment.payment_id.uuid(),
            reservation_id: payment.reservation_id.uuid(),
            site_id: payment.site_id.uuid(),
            method: payment.method,
            purpose: payment.purpose,
            status: payment.status.as_str(),
            amount: payment.amount.into(),
            received: payment.received.map(Money::from),
            reference: payment.reference.to_string(),
            checkout_url: open_url(
                payment.status == projections::payment::Status::Pending,
                payment.checkout_url.as_ref().map(|url| url.as_str()),
            ),
            pay_url: payment.method.has_provider().then(|| pay_url(app, payment.payment_id)),
            transaction: payment.transaction.as_ref().map(ToString::to_string),
            hold_expires_at: payment.hold_expires_at.map(utc_text),
            created_at: utc_text(payment.created_at),
            version: payment.version,
        }
    }
}

/// A checkout is only shown while it can be paid.
fn open_url(pending: bool, url: Option<&str>) -> Option<String> {
    url.filter(|_| pending).map(str::to_owned)
}

impl Exemplary for PaymentBody {
    fn example() -> Value {
        json!({
            "object": "payment", "id": "019ab2c4-5f00-7000-8000-0000000000d1",
            "reservation_id": "019ab2c4-5f00-7000-8000-0000000000b1", "method": "wave", "purpose": "deposit",
            "status": "pending", "amount": { "amount": 9000, "currency": "XOF" },
            "checkout_url": "https://pay.wave.com/c/cos-18qq25rgr100a",
            "pay_url": "https://kalel.example/pay/AZq…", "version": 2,
        })
    }
}
