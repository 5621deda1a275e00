//! Ask for money for a reservation, at a provider. The amount is ours: what is due for the purpose.

use super::{Method, Payment, Refusal, Requested, reference};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    reservation::{self, Purpose, Reservation, Status},
};

/// A wish to pay.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// A new stream.
    pub payment: &'a Loaded<Payment>,
    pub method: Method,
    pub purpose: Purpose,
    pub by: Actor,
}

impl Request<'_> {
    /// # Errors
    /// [`Refusal`] when the hold ended or is paid in shares, nothing is due for this purpose, or the method has no
    /// provider.
    pub fn decide(self, now: Timestamp) -> Result<Decision, Refusal> {
        Ok(self.ask(now)?.relying_on(self.reservation))
    }

    /// The same, for a reservation that is placed in this very decision.
    pub(crate) fn ask(self, now: Timestamp) -> Result<Decision, Refusal> {
        if self.payment.version > 0 {
            return Err(Refusal::AlreadyRequested);
        }
        if !self.method.has_provider() {
            return Err(Refusal::ByHand { method: self.method });
        }
        // What is confirmed has a balance like any other; until then it is the shares that count.
        let state = &self.reservation.state;
        if state.status == Status::Held && state.split.is_some() {
            return Err(Refusal::Split);
        }
        let requested = requested(self.reservation, self.payment, self.method, self.purpose, self.by, now)?;
        Ok(Decision::default().then(self.payment, requested))
    }
}

/// The event, for what is due now; also the first half of a record of cash, and of a share.
pub(super) fn requested(
    reservation: &Loaded<Reservation>,
    payment: &Loaded<Payment>,
    method: Method,
    purpose: Purpose,
    by: Actor,
    now: Timestamp,
) -> Result<Requested, Refusal> {
    let state = &reservation.state;
    let Some(terms) = &state.terms else { return Err(reservation_missing()) };
    let hold_expires_at = match (state.status, purpose) {
        (Status::Held, Purpose::Deposit | Purpose::Full) if now < terms.hold_expires_at => Some(terms.hold_expires_at),
        (Status::Held, Purpose::Deposit | Purpose::Full) | (Status::Expired, _) => {
            return Err(Refusal::HoldExpired { at: terms.hold_expires_at });
        }
        (Status::Confirmed | Status::CheckedIn | Status::Completed, _) => None,
        (status, _) => return Err(Refusal::NotPayable { status }),
    };
    let amount = state.due(purpose);
    if !amount.is_positive() {
        return Err(Refusal::NothingDue { purpose });
    }
    Ok(Requested {
        payment_id: payment.id,
        reservation_id: reservation.id,
        site_id: terms.slot.site_id,
        client_id: terms.client_id,
        share_id: None,
        method,
        purpose,
        amount,
        reference: reference(payment.id.uuid(), 1),
        by,
        hold_expires_at,
        blocks_until: hold_expires_at.map(|_| reservation::fence(terms)),
        at: now,
    })
}

const fn reservation_missing() -> Refusal {
    Refusal::NotPayable { status: Status::Absent }
}
