//! Payments and refunds.

use serde::Deserialize;
use uuid::Uuid;

use super::francs::francs;

#[derive(Clone, Debug, Deserialize)]
pub struct PaymentRequested {
    pub payment_id: Uuid,
    pub reservation_id: Uuid,
    pub method: String,
    pub reference: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PaymentSucceeded {
    pub payment_id: Uuid,
    pub transaction: String,
    pub method: String,
    #[serde(deserialize_with = "francs")]
    pub received: i64,
    #[serde(deserialize_with = "francs")]
    pub credited: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PaymentDuplicated {
    pub payment_id: Uuid,
    pub transaction: String,
    pub method: String,
    #[serde(deserialize_with = "francs")]
    pub received: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RefundAllotted {
    pub payment_id: Uuid,
    pub refund_id: Uuid,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct OfPayment {
    pub payment_id: Uuid,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RefundRequested {
    pub refund_id: Uuid,
    pub payment_id: Uuid,
    pub reservation_id: Uuid,
    pub client_id: Option<Uuid>,
    pub method: String,
    pub route: String,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RefundSubmitted {
    pub refund_id: Uuid,
    pub route: String,
    /// Another provider than the payment's.
    pub method: Option<String>,
    pub reference: String,
    pub attempt: u16,
}

#[derive(Clone, Debug, Deserialize)]
pub struct RefundSucceeded {
    pub refund_id: Uuid,
    pub payment_id: Uuid,
    pub route: String,
    #[serde(deserialize_with = "francs")]
    pub amount: i64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct OfRefund {
    pub refund_id: Uuid,
}
