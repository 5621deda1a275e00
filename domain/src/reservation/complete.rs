//! The time is over: completed when somebody checked in, a no-show otherwise.

use chrono::Duration;

use super::{Completed, Held, NoShow, Refusal, Reservation, Source, Status, confirm, money_back};
use crate::{
    Timestamp,
    aggregate::{Loaded, Version},
    client,
    decision::{Change, Decision},
    refund::Reason,
};

/// Completes it or notes the no-show, whichever it is. What the timer calls.
///
/// # Errors
/// [`Refusal::NotOver`] before the end and its grace.
pub fn finish(
    reservation: &Loaded<Reservation>,
    sources: &[Source<'_>],
    client: Option<Version>,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    match reservation.state.status {
        Status::CheckedIn => complete(reservation, now),
        Status::Confirmed => no_show(reservation, sources, client, now),
        Status::Absent => Err(Refusal::NotFound),
        Status::Held | Status::Completed | Status::NoShow | Status::Expired | Status::Cancelled => {
            Ok(Decision::nothing())
        }
    }
}

/// Played: the claim on the cells ends.
///
/// # Errors
/// [`Refusal`] when nobody checked in, or before the end and its grace.
pub fn complete(reservation: &Loaded<Reservation>, now: Timestamp) -> Result<Decision, Refusal> {
    let state = &reservation.state;
    if state.status == Status::Completed {
        return Ok(Decision::nothing());
    }
    let terms = state.terms.as_ref().ok_or(Refusal::NotFound)?;
    if state.status != Status::CheckedIn {
        return Err(Refusal::NotConfirmed { status: state.status });
    }
    over(terms, now)?;
    Ok(Decision::default().then(reservation, Completed { reservation_id: reservation.id, at: now }))
}

/// Nobody came: the deposit is kept, what was paid above it goes back, and a fine is owed where the policy has one.
/// `client`: the version of the stream of whoever it is for, which the fine is written to.
///
/// # Errors
/// [`Refusal`] when it is not confirmed, or before the end and its grace.
pub fn no_show(
    reservation: &Loaded<Reservation>,
    sources: &[Source<'_>],
    client: Option<Version>,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let state = &reservation.state;
    if state.status == Status::NoShow {
        return Ok(Decision::nothing());
    }
    let terms = state.terms.as_ref().ok_or(Refusal::NotFound)?;
    if state.status != Status::Confirmed {
        return Err(Refusal::NotConfirmed { status: state.status });
    }
    over(terms, now)?;
    let held = state.held_money();
    let above = held.minus(terms.price.deposit.min(held)?)?;
    let refunds = money_back::shares(state, sources, above)?;
    let paid_back = money_back::pay_back(&refunds, sources, Reason::NoShow, now)?;
    let no_show = NoShow {
        reservation_id: reservation.id,
        site_id: terms.slot.site_id,
        client_id: terms.client_id,
        kept: held.minus(money_back::total(state, &refunds)?)?,
        refunds,
        // A debt needs somebody who owes it.
        fine: terms.client_id.and(terms.policy.no_show_fine),
        at: now,
    };
    let fined = fined(&no_show, client, now)?;
    Ok(Decision::default().then(reservation, no_show).and(paid_back).and(fined))
}

/// What the client's stream gets: the debt, and until when they may appeal.
fn fined(no_show: &NoShow, client: Option<Version>, now: Timestamp) -> Result<Decision, Refusal> {
    let (Some(client_id), Some(amount)) = (no_show.client_id, no_show.fine.filter(|fine| fine.is_positive())) else {
        return Ok(Decision::default());
    };
    let expected = client.ok_or(Refusal::ClientMissing)?;
    let fined = client::Fined {
        client_id,
        reservation_id: no_show.reservation_id,
        site_id: no_show.site_id,
        amount,
        appeal_until: now + Duration::hours(client::APPEAL_HOURS),
        at: now,
    };
    let change = Change { stream: client_id.into(), expected, events: vec![fined.into()] };
    Ok(Decision { changes: vec![change], reads: Vec::new() })
}

fn over(terms: &Held, now: Timestamp) -> Result<(), Refusal> {
    let at = confirm::agenda(&terms.slot, &terms.policy).complete_at;
    if now < at { Err(Refusal::NotOver { at }) } else { Ok(()) }
}
