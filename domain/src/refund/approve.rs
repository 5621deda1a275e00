//! The second person: says yes or no to a refund that somebody else asked for.

use super::{Approved, Declined, Refund, Refusal, Requested, Status, external, request::returned};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    payment::{Payment, RefundReturned},
    reservation::Reservation,
    text::Note,
};

/// # Errors
/// [`Refusal`] for who asked for it, who may not, and a refund that does not wait for anybody.
pub fn approve(
    refund: &Loaded<Refund>,
    payment: &Loaded<Payment>,
    reservation: &Loaded<Reservation>,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let request = second_person(refund, payment, reservation, by)?;
    match refund.state.status {
        Status::Requested => {}
        Status::Approved if refund.state.approved_by == Some(by) => return Ok(Decision::nothing()),
        status => return Err(Refusal::WrongStatus { status }),
    }
    let decision = Decision::default().then(refund, Approved { refund_id: refund.id, by, at: now });
    let decision = external::agreed(decision, refund, by, now);
    Ok(returned(decision, reservation, payment, refund.id, request.amount, request.reason, now))
}

/// The money stays, and can be asked for again.
///
/// # Errors
/// As [`approve`].
pub fn decline(
    refund: &Loaded<Refund>,
    payment: &Loaded<Payment>,
    reservation: &Loaded<Reservation>,
    note: Note,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let request = second_person(refund, payment, reservation, by)?;
    match refund.state.status {
        Status::Requested => {}
        Status::Declined => return Ok(Decision::nothing()),
        status => return Err(Refusal::WrongStatus { status }),
    }
    let given_back = RefundReturned { payment_id: payment.id, refund_id: refund.id, amount: request.amount, at: now };
    let declined = Declined { refund_id: refund.id, by, note, at: now };
    Ok(Decision::default().then(refund, declined).then(payment, given_back))
}

fn second_person<'a>(
    refund: &'a Loaded<Refund>,
    payment: &Loaded<Payment>,
    reservation: &Loaded<Reservation>,
    by: Actor,
) -> Result<&'a Requested, Refusal> {
    let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
    if request.payment_id != payment.id || request.reservation_id != reservation.id {
        return Err(Refusal::NotFound);
    }
    if !matches!(by.role, Role::Finance | Role::Manager) {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if by.id.is_none() {
        return Err(Refusal::NameRequired);
    }
    // The same person under another role is still the same person.
    if by.id == request.by.id {
        let (limit, version) = match &reservation.state.terms {
            Some(terms) => (terms.policy.four_eyes_above, reservation.state.policy_version),
            None => (request.amount, 0),
        };
        return Err(Refusal::SamePerson { limit, version });
    }
    Ok(request)
}
