//! What the provider says about a refund: working on it, paid, refused, taken back; or nobody can tell.

use super::{Attempt, BecameUnknown, Failed, Pending, Refund, Refusal, Reversed, Route, Status, submit::succeeded};
use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, payment::ProviderId, text::Note};

/// The provider took it and is working.
///
/// # Errors
/// [`Refusal`] when it was never sent, or the provider names another movement than before.
pub fn pending(refund: &Loaded<Refund>, provider_id: ProviderId, now: Timestamp) -> Result<Decision, Refusal> {
    same_movement(refund, Some(&provider_id))?;
    match refund.state.status {
        Status::Submitted | Status::Unknown => {
            Ok(Decision::default().then(refund, Pending { refund_id: refund.id, provider_id, at: now }))
        }
        Status::Pending | Status::Succeeded | Status::Failed | Status::Reversed => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

/// Nobody can tell: the call was cut off, or its answer made no sense.
///
/// # Errors
/// [`Refusal::WrongStatus`] when it was never sent.
pub fn unknown(refund: &Loaded<Refund>, why: Note, now: Timestamp) -> Result<Decision, Refusal> {
    match refund.state.status {
        Status::Submitted | Status::Pending => {
            Ok(Decision::default().then(refund, BecameUnknown { refund_id: refund.id, why, at: now }))
        }
        Status::Unknown | Status::Succeeded | Status::Failed | Status::Reversed => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

/// The client has the money.
///
/// # Errors
/// [`Refusal`] when it is not out: a success after a failure is for a person to look at, for another try may be out.
pub fn succeed(
    refund: &Loaded<Refund>,
    provider_id: Option<ProviderId>,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    same_movement(refund, provider_id.as_ref())?;
    let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
    match (refund.state.status, &refund.state.attempt) {
        (Status::Submitted | Status::Pending | Status::Unknown, Some(attempt)) => {
            let provider_id = provider_id.or_else(|| attempt.provider_id.clone());
            let way = (attempt.route, attempt.method);
            Ok(Decision::default().then(refund, succeeded(refund, request, way, provider_id, by, now)))
        }
        (Status::Succeeded | Status::Reversed, _) => Ok(Decision::nothing()),
        (status, _) => Err(Refusal::WrongStatus { status }),
    }
}

/// This way did not work, for good. The debt stays: [`super::next`] says what follows.
///
/// # Errors
/// [`Refusal`] when it is not out; a refund that was paid and is gone again is [`reverse`]d.
pub fn fail(refund: &Loaded<Refund>, reason: Note, now: Timestamp) -> Result<Decision, Refusal> {
    match refund.state.status {
        status if status.is_out() => {
            Ok(Decision::default().then(refund, Failed { refund_id: refund.id, reason, at: now }))
        }
        Status::Failed => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

/// The provider took a paid refund back: it is owed again.
///
/// # Errors
/// [`Refusal`] when it was not paid, or not by a provider.
pub fn reverse(refund: &Loaded<Refund>, reason: Note, now: Timestamp) -> Result<Decision, Refusal> {
    match (refund.state.status, &refund.state.attempt) {
        (Status::Succeeded, Some(Attempt { route: route @ (Route::Cash | Route::Transfer | Route::Credit), .. })) => {
            Err(Refusal::ByHand { route: *route })
        }
        (Status::Succeeded, _) => {
            Ok(Decision::default().then(refund, Reversed { refund_id: refund.id, reason, at: now }))
        }
        (Status::Reversed, _) => Ok(Decision::nothing()),
        (status, _) => Err(Refusal::WrongStatus { status }),
    }
}

fn same_movement(refund: &Loaded<Refund>, provider_id: Option<&ProviderId>) -> Result<(), Refusal> {
    let known = refund.state.attempt.as_ref().and_then(|attempt| attempt.provider_id.as_ref());
    match (known, provider_id) {
        (Some(known), Some(other)) if known != other => {
            Err(Refusal::OtherMovement { known: known.clone(), other: other.clone() })
        }
        _ => Ok(()),
    }
}
