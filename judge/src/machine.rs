//! The published state machines (domain.md: Reservation, Payment, Refund): which event may follow in which state.

use crate::event::Fact;

/// One row: an event, the states it may follow in, and the state it leads to.
pub struct Step {
    pub event: &'static str,
    pub after: &'static [&'static str],
    /// `None`: the state stays.
    pub to: Option<&'static str>,
}

/// Nothing has happened yet.
pub const ABSENT: &str = "";

const fn step(event: &'static str, after: &'static [&'static str], to: Option<&'static str>) -> Step {
    Step { event, after, to }
}

/// A reservation whose hold ended may still be confirmed by late money; whoever runs the site may call off a match that
/// has begun; money comes and goes in every state but the first.
pub const RESERVATION: &[Step] = &[
    step("reservation.held", &[ABSENT], Some("held")),
    step(
        "reservation.payment_received",
        &["held", "expired", "confirmed", "checked_in", "completed", "cancelled", "no_show"],
        None,
    ),
    step("reservation.split", &["held", "confirmed"], None),
    step("reservation.hold_prolonged", &["held"], None),
    step("reservation.confirmed", &["held", "expired"], Some("confirmed")),
    step("reservation.expired", &["held"], Some("expired")),
    step(
        "reservation.money_returned",
        &["held", "expired", "confirmed", "checked_in", "completed", "cancelled", "no_show"],
        None,
    ),
    step("reservation.cancelled", &["held", "confirmed", "checked_in"], Some("cancelled")),
    step("reservation.rescheduled", &["confirmed"], Some("confirmed")),
    step("reservation.checked_in", &["confirmed"], Some("checked_in")),
    step("reservation.completed", &["checked_in"], Some("completed")),
    step("reservation.no_show", &["confirmed"], Some("no_show")),
];

/// A success after a failure or an expiry is late money, and legal; a second success of one payment is not: another
/// transaction is `payment.duplicated`.
pub const PAYMENT: &[Step] = &[
    step("payment.requested", &[ABSENT], Some("requested")),
    step("payment.opened", &["requested", "unknown"], Some("pending")),
    step("payment.became_unknown", &["requested", "pending"], Some("unknown")),
    step("payment.succeeded", &["requested", "pending", "unknown", "failed", "expired"], Some("succeeded")),
    step("payment.duplicated", &["succeeded"], None),
    step("payment.put_on_account", &["requested"], Some("on_account")),
    step("payment.failed", &["requested", "pending", "unknown"], Some("failed")),
    step("payment.expired", &["requested", "pending", "unknown"], Some("expired")),
    step("payment.refund_allotted", &["succeeded"], None),
    step("payment.refund_returned", &["succeeded"], None),
];

/// A refund that failed, or that the provider took back, is submitted again; nothing succeeds twice.
pub const REFUND: &[Step] = &[
    step("refund.requested", &[ABSENT], Some("requested")),
    step("refund.approved", &["requested"], Some("approved")),
    step("refund.declined", &["requested"], Some("declined")),
    step("refund.submitted", &["approved", "failed", "reversed"], Some("submitted")),
    step("refund.pending", &["submitted", "unknown"], Some("pending")),
    step("refund.became_unknown", &["submitted", "pending"], Some("unknown")),
    step("refund.outcome_stated", &["requested", "submitted", "pending", "unknown"], None),
    step("refund.succeeded", &["submitted", "pending", "unknown"], Some("succeeded")),
    step("refund.failed", &["submitted", "pending", "unknown"], Some("failed")),
    step("refund.reversed", &["succeeded"], Some("reversed")),
];

/// Payments about which the provider may still say something.
pub const PAYMENT_OPEN: &[&str] = &["requested", "pending", "unknown"];

/// Which machine an event belongs to.
pub fn table(name: &str) -> Option<&'static [Step]> {
    match name.split_once('.')?.0 {
        "reservation" => Some(RESERVATION),
        "payment" => Some(PAYMENT),
        "refund" => Some(REFUND),
        _ => None,
    }
}

/// The row of an event.
pub fn find(name: &str) -> Option<&'static Step> {
    table(name)?.iter().find(|step| step.event == name)
}

/// The state after an event, whether or not it was legal: a fold goes on after a violation.
pub fn next(state: &'static str, name: &str) -> &'static str {
    find(name).and_then(|step| step.to).unwrap_or(state)
}

/// What the tables cannot say: conditions on the event itself.
pub fn condition(state: &str, fact: &Fact) -> Option<&'static str> {
    match fact {
        Fact::Confirmed(confirmed) => match (state, &confirmed.reclaims) {
            ("expired", None) => Some("a hold that had ended is confirmed without claiming its cells again"),
            ("held", Some(_)) => Some("a living hold claims its cells a second time"),
            _ => None,
        },
        Fact::Cancelled(cancelled) if state == "checked_in" && cancelled.reason == "client" => {
            Some("a client who was let in calls it off")
        }
        _ => None,
    }
}
