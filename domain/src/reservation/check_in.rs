//! Let them in: once, from a while before the start to the end, also when only the deposit is paid.

use chrono::Duration;

use super::{CheckedIn, Refusal, Reservation, Status};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
};

/// # Errors
/// [`Refusal`] outside the window, without a confirmed reservation, for a ticket used before, or for who may not.
pub fn check_in(reservation: &Loaded<Reservation>, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    let state = &reservation.state;
    let Some(terms) = &state.terms else { return Err(Refusal::NotFound) };
    if !matches!(by.role, Role::Gatekeeper | Role::Cashier | Role::Manager | Role::Service) {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if let Some(at) = state.checked_in_at {
        return Err(Refusal::AlreadyCheckedIn { at });
    }
    if state.status != Status::Confirmed {
        return Err(Refusal::NotConfirmed { status: state.status });
    }
    let minutes = terms.policy.check_in_opens_minutes;
    let opens_at = terms.slot.during.from() - Duration::minutes(i64::from(minutes));
    if now < opens_at {
        return Err(Refusal::TooEarlyToCheckIn { opens_at, minutes, version: state.policy_version });
    }
    let closed_at = terms.slot.during.to();
    if closed_at <= now {
        return Err(Refusal::TooLateToCheckIn { closed_at });
    }
    let checked_in = CheckedIn { reservation_id: reservation.id, by, balance_due: state.balance_due(), at: now };
    Ok(Decision::default().then(reservation, checked_in))
}
