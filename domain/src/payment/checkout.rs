//! What the provider says before money lands: a checkout is open, closed unpaid, failed, or nobody can tell.
//!
//! All of it is monotone: news that comes after the end changes nothing. How long the cells are kept follows from the
//! reservation as it is: a share that was paid in the meantime has prolonged its hold.

use chrono::Duration;

use super::{BecameUnknown, Expired, Failed, Opened, Payment, ProviderId, Refusal, Requested, Status};
use crate::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    reservation::{self, Purpose, Reservation},
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
        let due = self.reservation.state.due_of(request.purpose, request.share_id).is_positive();
        // A fine is of a game that is over. Whether it is still owed the client's stream says, and closes its checkouts.
        let wanted = request.purpose == Purpose::Debt || (wanted && due);
        let close_at = match (wanted, held) {
            (false, _) => Some(self.now),
            (true, true) => self.closes_at(request),
            // A balance stays open as long as its provider lets it; where nobody tells how long that is, a day.
            (true, false) if self.expires_at.is_none() => {
                Some(self.usual(request).unwrap_or(self.now + Duration::days(1)))
            }
            (true, false) => None,
        };
        let opened = Opened {
            payment_id: self.payment.id,
            reservation_id: self.reservation.id,
            provider_id: self.provider_id,
            checkout_url: self.checkout_url,
            expires_at: self.expires_at,
            close_at,
            blocks_until: blocks_until(request, self.reservation).filter(|_| held),
            at: self.now,
        };
        Ok(resting_on(Decision::default().then(self.payment, opened), request, self.reservation))
    }

    /// With the hold; that of a share, whose hold may last for weeks, after as long as a hold usually lasts: whoever gave
    /// up can begin again, and nobody pays what is forgotten.
    fn closes_at(&self, request: &Requested) -> Option<Timestamp> {
        let usual = self.usual(request);
        request.hold_expires_at.map(|end| usual.map_or(end, |usual| usual.min(end)))
    }

    /// The end of a share's checkout, whatever its hold.
    fn usual(&self, request: &Requested) -> Option<Timestamp> {
        let terms = self.reservation.state.terms.as_ref().filter(|_| request.share_id.is_some())?;
        Some(self.now + Duration::seconds(i64::from(terms.policy.hold_seconds)))
    }
}

/// Until when an open checkout may keep the cells: the hold may have been prolonged since it was asked for.
fn blocks_until(request: &Requested, reservation: &Loaded<Reservation>) -> Option<Timestamp> {
    let fence = reservation.state.terms.as_ref().map(reservation::fence);
    request.blocks_until.map(|until| fence.map_or(until, |fence| fence.max(until)))
}

/// Where the cells are kept by what the reservation is, it must not have moved.
fn resting_on(decision: Decision, request: &Requested, reservation: &Loaded<Reservation>) -> Decision {
    if request.hold_expires_at.is_some() { decision.relying_on(reservation) } else { decision }
}

/// Nobody can tell: a call was cut off, or the provider's answer made no sense. Only an answer leads out of it.
///
/// # Errors
/// [`Refusal`] when it was never asked for, or for another reservation.
pub fn unknown(
    payment: &Loaded<Payment>,
    reservation: &Loaded<Reservation>,
    why: Note,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let request = request_for(payment, reservation)?;
    match payment.state.status {
        Status::Requested | Status::Pending => {
            let unknown = BecameUnknown {
                payment_id: payment.id,
                reservation_id: request.reservation_id,
                why,
                blocks_until: blocks_until(request, reservation),
                at: now,
            };
            Ok(resting_on(Decision::default().then(payment, unknown), request, reservation))
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
/// [`Refusal`] when it was never asked for, or for another reservation.
pub fn fail(
    payment: &Loaded<Payment>,
    reservation: &Loaded<Reservation>,
    others: &[&Loaded<Payment>],
    reason: Note,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let request = request_for(payment, reservation)?;
    if !payment.state.status.is_open() {
        return Ok(Decision::nothing());
    }
    let failed = Failed {
        payment_id: payment.id,
        reservation_id: request.reservation_id,
        reason,
        hold_expires_at: hold_ends(request, reservation, others, now),
        at: now,
    };
    Ok(relying_on(resting_on(Decision::default().then(payment, failed), request, reservation), others))
}

/// The checkout was closed unpaid. `others` as in [`fail`].
///
/// # Errors
/// [`Refusal`] when it was never asked for, or for another reservation.
pub fn expire(
    payment: &Loaded<Payment>,
    reservation: &Loaded<Reservation>,
    others: &[&Loaded<Payment>],
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let request = request_for(payment, reservation)?;
    if !payment.state.status.is_open() {
        return Ok(Decision::nothing());
    }
    let expired = Expired {
        payment_id: payment.id,
        reservation_id: request.reservation_id,
        hold_expires_at: hold_ends(request, reservation, others, now),
        at: now,
    };
    Ok(relying_on(resting_on(Decision::default().then(payment, expired), request, reservation), others))
}

/// An ended checkout no longer prolongs its hold; another one may, and a share that was paid has.
fn hold_ends(
    request: &Requested,
    reservation: &Loaded<Reservation>,
    others: &[&Loaded<Payment>],
    now: Timestamp,
) -> Option<Timestamp> {
    let asked_for = request.hold_expires_at?;
    let Some(terms) = &reservation.state.terms else { return Some(asked_for) };
    let (end, fence) = (terms.hold_expires_at.max(asked_for), reservation::fence(terms));
    let kept = others.iter().filter_map(|other| other.state.keeps_cells_until(fence, now)).max();
    Some(kept.map_or(end, |kept| kept.max(end)))
}

fn request_for<'a>(payment: &'a Loaded<Payment>, reservation: &Loaded<Reservation>) -> Result<&'a Requested, Refusal> {
    let request = payment.state.request.as_ref().ok_or(Refusal::NotFound)?;
    if request.reservation_id == reservation.id { Ok(request) } else { Err(Refusal::OtherReservation) }
}

/// A checkout that opens or ends at this very moment must be seen.
fn relying_on(decision: Decision, others: &[&Loaded<Payment>]) -> Decision {
    others.iter().fold(decision, |decision, other| decision.relying_on(other))
}
