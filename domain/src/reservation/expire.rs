//! The hold ended unpaid: the cells are free. Money that came in too small goes back in a second decision.

use chrono::Duration;

use super::{Expired, Held, MoneyReturned, Refusal, Reservation, Source, Status, money_back};
use crate::{Timestamp, aggregate::Loaded, decision::Decision, payment::Payment, refund::Reason};

/// The last instant up to which an open checkout may keep the cells of a hold: its end plus the grace.
pub(crate) fn fence(terms: &Held) -> Timestamp {
    terms.hold_expires_at + Duration::seconds(i64::from(terms.policy.checkout_grace_seconds))
}

/// Ends the hold. `payments` are those asked for it: an open checkout keeps the cells a little longer, so that the
/// provider can be told to close it before they are free.
///
/// # Errors
/// [`Refusal::HoldAlive`] before the hold, or the checkout's grace, is over.
pub fn expire(
    reservation: &Loaded<Reservation>,
    payments: &[&Loaded<Payment>],
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Some(terms) = &reservation.state.terms else { return Err(Refusal::NotFound) };
    if reservation.state.status != Status::Held {
        return Ok(Decision::nothing());
    }
    if now < terms.hold_expires_at {
        return Err(Refusal::HoldAlive { until: terms.hold_expires_at });
    }
    if let Some(until) = payments.iter().filter_map(|payment| payment.state.keeps_cells_until(fence(terms), now)).max()
    {
        return Err(Refusal::HoldAlive { until });
    }
    let expired =
        Expired { reservation_id: reservation.id, client_id: terms.client_id, counts_on: terms.counts_on(), at: now };
    let decision = Decision::default().then(reservation, expired);
    // A checkout that opens at this very moment must be seen.
    Ok(payments.iter().fold(decision, |decision, payment| decision.relying_on(payment)))
}

/// Gives back what was received on a hold that ended: too little to confirm it. Follows every end of a hold, also one
/// that the command which needed the slot has written.
///
/// # Errors
/// [`Refusal::PaymentMissing`] when a payment with money in it is not among the sources.
pub fn return_money(
    reservation: &Loaded<Reservation>,
    sources: &[Source<'_>],
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let state = &reservation.state;
    if state.status != Status::Expired || !state.held_money().is_positive() {
        return Ok(Decision::nothing());
    }
    let refunds = money_back::shares(state, sources, state.held_money())?;
    if refunds.is_empty() {
        return Ok(Decision::nothing());
    }
    let reason = Reason::Underpayment;
    let paid_back = money_back::pay_back(&refunds, sources, reason, now)?;
    let returned = MoneyReturned { reservation_id: reservation.id, reason, refunds, at: now };
    Ok(Decision::default().then(reservation, returned).and(paid_back))
}
