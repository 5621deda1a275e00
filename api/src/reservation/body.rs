//! A reservation as it is shown. People are ids; whoever may know them asks for `expand[]=client`.

use chrono_tz::Tz;
use domain::{
    actor::Actor,
    aggregate::Loaded,
    payment::Payment,
    policy::Policy,
    reservation::{CancelReason, Channel, Reservation},
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    App,
    client::PersonBody,
    http::operation::Exemplary,
    payment::{PaymentBody, PaymentMethod},
    problem::Problem,
    quote::PriceBody,
    refund::RefundBody,
    shape::{Money, local_text, utc_text},
};

/// One client, one pitch, one interval.
#[derive(Serialize, ToSchema)]
#[schema(as = Reservation)]
pub struct ReservationBody {
    object: &'static str,
    pub id: Uuid,
    /// `held`, `confirmed`, `checked_in`, `completed`, `no_show`, `expired` or `cancelled`; more may come.
    pub status: &'static str,
    site_id: Uuid,
    pitch_id: Uuid,
    starts_at: String,
    ends_at: String,
    minutes: i64,
    /// IANA name.
    time_zone: String,
    /// Null for a walk-in without a number.
    client_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<PersonBody>,
    #[schema(value_type = String, example = "online")]
    channel: Channel,
    #[schema(value_type = Object)]
    placed_by: Actor,
    /// What the client says at the gate.
    code: String,
    price: PriceBody,
    /// The terms it was made on.
    #[schema(value_type = Object)]
    policy: Policy,
    /// Until when it is kept unpaid.
    hold_expires_at: String,
    received: Money,
    /// Of it, what went or is on its way back.
    returned: Money,
    deposit_due: Money,
    balance_due: Money,
    /// The payment that counts now: the one open, else the latest.
    pub payment: Option<PaymentBody>,
    pub payments: Vec<PaymentBody>,
    /// While something is due: the ways to pay it now, in the order in which to offer them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payment_methods: Option<Vec<PaymentMethod>>,
    refunds: Vec<RefundBody>,
    #[schema(value_type = Option<String>)]
    cancel_reason: Option<CancelReason>,
    reschedules: u32,
    checked_in_at: Option<String>,
    created_at: String,
    version: i32,
}

fn latest(payments: &[PaymentBody]) -> Option<PaymentBody> {
    let open = |payment: &&PaymentBody| matches!(payment.status, "requested" | "pending" | "unknown");
    payments.iter().rev().find(open).or(payments.last()).cloned()
}

impl ReservationBody {
    /// From its streams, with the payments that are known to belong to it.
    ///
    /// # Errors
    /// `object.not_found` before it is placed.
    pub fn folded(app: &App, reservation: &Loaded<Reservation>, payments: &[Loaded<Payment>]) -> Result<Self, Problem> {
        let state = &reservation.state;
        let terms = state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        let payments: Vec<PaymentBody> =
            payments.iter().filter_map(|payment| PaymentBody::folded(app, payment)).collect();
        let zone = terms.slot.time_zone;
        Ok(Self {
            object: "reservation",
            id: reservation.id.uuid(),
            status: state.status.as_str(),
            site_id: terms.slot.site_id.uuid(),
            pitch_id: terms.slot.pitch_id.uuid(),
            starts_at: local_text(terms.slot.during.from(), zone),
            ends_at: local_text(terms.slot.during.to(), zone),
            minutes: terms.slot.during.minutes(),
            time_zone: zone.name().to_owned(),
            client_id: terms.client_id.map(|client| client.uuid()),
            client: None,
            channel: terms.channel,
            placed_by: terms.placed_by,
            code: terms.code.0.clone(),
            price: PriceBody::of(&terms.price, zone),
            policy: terms.policy.clone(),
            hold_expires_at: local_text(terms.hold_expires_at, zone),
            received: state.received().into(),
            returned: state.refunded().into(),
            deposit_due: state.owed().0.into(),
            balance_due: state.owed().1.into(),
            payment: latest(&payments),
            payments,
            payment_methods: None,
            refunds: Vec::new(),
            cancel_reason: state.cancelled.map(|(reason, _)| reason),
            reschedules: state.reschedules,
            checked_in_at: state.checked_in_at.map(|at| local_text(at, zone)),
            created_at: utc_text(terms.at),
            version: reservation.version,
        })
    }

    /// From the views.
    pub fn viewed(app: &App, row: &projections::reservation::Reservation) -> Self {
        let details = &row.details;
        let zone: Tz = details.time_zone;
        let payments: Vec<PaymentBody> = row.payments.iter().map(|payment| PaymentBody::viewed(app, payment)).collect();
        Self {
            object: "reservation",
            id: details.reservation_id.uuid(),
            status: details.status.as_str(),
            site_id: details.site_id.uuid(),
            pitch_id: details.pitch_id.uuid(),
            starts_at: local_text(details.during.from(), zone),
            ends_at: local_text(details.during.to(), zone),
            minutes: details.during.minutes(),
            time_zone: zone.name().to_owned(),
            client_id: details.client_id.map(|client| client.uuid()),
            client: None,
            channel: details.channel,
            placed_by: details.placed_by,
            code: details.code.0.clone(),
            price: PriceBody::of(&details.price, zone),
            policy: details.policy.clone(),
            hold_expires_at: local_text(details.hold_expires_at, zone),
            received: details.received.into(),
            returned: details.returned.into(),
            deposit_due: details.deposit_due.into(),
            balance_due: details.balance_due.into(),
            payment: latest(&payments),
            payments,
            payment_methods: None,
            refunds: row.refunds.iter().map(RefundBody::viewed).collect(),
            cancel_reason: details.cancellation.as_ref().map(|cancellation| cancellation.reason),
            reschedules: details.reschedules,
            checked_in_at: details.checked_in.as_ref().map(|arrival| local_text(arrival.at, zone)),
            created_at: utc_text(details.created_at),
            version: details.version,
        }
    }

    /// Whether something is due that can be paid as it stands.
    pub fn awaits_money(&self) -> bool {
        match self.status {
            "held" => self.deposit_due.amount > 0,
            "confirmed" | "checked_in" | "completed" => self.balance_due.amount > 0,
            _ => false,
        }
    }

    /// Version of its stream.
    pub const fn version(&self) -> i32 {
        self.version
    }
}

impl Exemplary for ReservationBody {
    fn example() -> Value {
        json!({
            "object": "reservation", "id": "019ab2c4-5f00-7000-8000-0000000000b1", "status": "held",
            "site_id": "019ab2c4-5f00-7000-8000-000000000001", "pitch_id": "019ab2c4-5f00-7000-8000-000000000002",
            "starts_at": "2026-11-28T18:00:00Z", "ends_at": "2026-11-28T19:00:00Z", "minutes": 60,
            "time_zone": "Africa/Dakar", "client_id": "019ab2c4-5f00-7000-8000-0000000000c9", "channel": "online",
            "code": "K7M2QX", "hold_expires_at": "2026-11-28T12:15:00Z",
            "received": { "amount": 0, "currency": "XOF" }, "deposit_due": { "amount": 9000, "currency": "XOF" },
            "balance_due": { "amount": 30000, "currency": "XOF" },
            "payment": PaymentBody::example(), "version": 1,
        })
    }
}
