//! What the provider says before money lands: a checkout is open, closed unpaid, failed, or nobody can tell.
//!
//! All of it is monotone: news that comes after the end changes nothing.

use super::{BecameUnknown, Expired, Failed, Opened, Payment, ProviderId, Refusal, Status};
use crate::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    reservation::{self, Reservation},
    text::{Note, Text},
};

/// A checkout is open at the provider.
#[derive(Clone, Debug)]
pub struct Open<'a> {
    pub payment: &'a Loaded<Payment>,
    pub reservation: &'a Loaded<Reservation>,
    pub provider_id: ProviderId,
    pub checkout_url: Text<500>,
    /// As the provider says; never assumed.
    pub expires_at: Option<Timestamp>,
    pub now: Timestamp,
}

impl Open<'_> {
    /// # Errors
    /// [`Refusal::OtherCheckout`] when another checkout of this payment is already known.
    pub fn decide(self) -> Result<Decision, Refusal> {
        let Some(request) = &self.payment.state.request else { return Err(Refusal::NotFound) };
        if request.reservation_id != self.reservation.id {
            return Err(Refusal::OtherReservation);
        }
        if let Some(known) = self.payment.state.provider_id()
            && *known != self.provider_id
        {
            return Err(Refusal::OtherCheckout { known: known.clone(), other: self.provider_id });
        }
        if !matches!(self.payment.state.status, Status::Requested | Status::Unknown) {
            return Ok(Decision::nothing());
        }
        let held = self.reservation.state.status == reservation::Status::Held;
        let wanted =
            self.reservation.state.status.is_live() || self.reservation.state.status == reservation::Status::Completed;
        let wanted = wanted && self.reservation.state.due(request.purpose).is_positive();
        let opened = Opened {
            payment_id: self.payment.id,
            reservation_id: self.reservation.id,
            provider_id: self.provider_id,
            checkout_url: self.checkout_url,
            expires_at: self.expires_at,
            close_at: if held { request.hold_expires_at } else { (!wanted).then_some(self.now) },
            blocks_until: request.blocks_until.filter(|_| held),
            at: self.now,
        };
        Ok(Decision::default().then(self.payment, opened))
    }
}

/// Nobody can tell: a call was cut off, or the provider's answer made no sense. Only an answer leads out of it.
///
/// # Errors
/// [`Refusal::NotFound`] when it was never asked for.
pub fn unknown(payment: &Loaded<Payment>, why: Note, now: Timestamp) -> Result<Decision, Refusal> {
    let Some(request) = &payment.state.request else { return Err(Refusal::NotFound) };
    match payment.state.status {
        Status::Requested | Status::Pending => {
            let unknown = BecameUnknown {
                payment_id: payment.id,
                reservation_id: request.reservation_id,
                why,
                blocks_until: request.blocks_until,
                at: now,
            };
            Ok(Decision::default().then(payment, unknown))
        }
        _ => Ok(Decision::nothing()),
    }
}

/// The provider says that it will never be paid. The reservation is left alone: a hold lives on, and a balance that
/// failed never touches a reservation whose deposit is paid.
///
/// `others` are the payments of the same reservation that may be open: one of them may keep the cells of the hold.
///
/// # Errors
/// [`Refusal::NotFound`] when it was never asked for.
pub fn fail(
    payment: &Loaded<Payment>,
    others: &[&Loaded<Payment>],
    reason: Note,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Some(request) = &payment.state.request else { return Err(Refusal::NotFound) };
    if !payment.state.status.is_open() {
        return Ok(Decision::nothing());
    }
    let failed = Failed {
        payment_id: payment.id,
        reservation_id: request.reservation_id,
        reason,
        hold_expires_at: hold_ends(request.hold_expires_at, others, now),
        at: now,
    };
    Ok(relying_on(Decision::default().then(payment, failed), others))
}

/// The checkout was closed unpaid. `others` as in [`fail`].
///
/// # Errors
/// [`Refusal::NotFound`] when it was never asked for.
pub fn expire(payment: &Loaded<Payment>, others: &[&Loaded<Payment>], now: Timestamp) -> Result<Decision, Refusal> {
    let Some(request) = &payment.state.request else { return Err(Refusal::NotFound) };
    if !payment.state.status.is_open() {
        return Ok(Decision::nothing());
    }
    let expired = Expired {
        payment_id: payment.id,
        reservation_id: request.reservation_id,
        hold_expires_at: hold_ends(request.hold_expires_at, others, now),
        at: now,
    };
    Ok(relying_on(Decision::default().then(payment, expired), others))
}

/// An ended checkout no longer prolongs its hold; another one may.
fn hold_ends(end: Option<Timestamp>, others: &[&Loaded<Payment>], now: Timestamp) -> Option<Timestamp> {
    let kept = others.iter().filter_map(|other| other.state.keeps_cells_until(now)).max();
    end.map(|end| kept.map_or(end, |kept| kept.max(end)))
}

/// A checkout that opens or ends at this very moment must be seen.
fn relying_on(decision: Decision, others: &[&Loaded<Payment>]) -> Decision {
    others.iter().fold(decision, |decision, other| decision.relying_on(other))
}
