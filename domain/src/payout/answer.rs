//! What the provider says about a payout: working on it, paid, refused, taken back; or nobody can tell.

use super::{BecameUnknown, Failed, Payout, Pending, Refusal, Reversed, Status, Succeeded, submit::prepared};
use crate::{
    Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, money::Money, payment::ProviderId, text::Note,
};

/// The provider took it and is working.
///
/// # Errors
/// [`Refusal`] when it was never sent, or the provider names another movement than before.
pub fn pending(payout: &Loaded<Payout>, provider_id: ProviderId, now: Timestamp) -> Result<Decision, Refusal> {
    same_movement(payout, Some(&provider_id))?;
    match payout.state.status {
        Status::Submitted | Status::Unknown => {
            Ok(Decision::default().then(payout, Pending { payout_id: payout.id, provider_id, at: now }))
        }
        status if status.is_out() || status.is_over() => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

/// Nobody can tell: the call was cut off, or its answer made no sense.
///
/// # Errors
/// [`Refusal::WrongStatus`] when it was never sent.
pub fn unknown(payout: &Loaded<Payout>, why: Note, now: Timestamp) -> Result<Decision, Refusal> {
    match payout.state.status {
        Status::Submitted | Status::Pending => {
            Ok(Decision::default().then(payout, BecameUnknown { payout_id: payout.id, why, at: now }))
        }
        status if status.is_out() || status.is_over() => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

/// The site has the money.
///
/// # Errors
/// [`Refusal`] when it is not out: a success after a failure is for a person to look at, for the money is payable again.
pub fn succeed(
    payout: &Loaded<Payout>,
    provider_id: Option<ProviderId>,
    fee: Option<Money>,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    same_movement(payout, provider_id.as_ref())?;
    let prepared = prepared(payout)?;
    match (payout.state.status, &payout.state.attempt) {
        (status, Some(attempt)) if status.is_out() => {
            let succeeded = Succeeded {
                payout_id: payout.id,
                site_id: prepared.site_id,
                amount: prepared.amount,
                method: attempt.method,
                provider_id: provider_id.or_else(|| attempt.provider_id.clone()),
                // In another currency, or negative, it is not a fee that can be entered.
                fee: fee.filter(|fee| fee.is_positive() && fee.currency == prepared.amount.currency),
                by,
                at: now,
            };
            Ok(Decision::default().then(payout, succeeded))
        }
        (Status::Succeeded | Status::Reversed, _) => Ok(Decision::nothing()),
        (status, _) => Err(Refusal::WrongStatus { status }),
    }
}

/// It did not work, for good: the money is payable again, and the next payout has another key.
///
/// # Errors
/// [`Refusal`] when it is not out.
pub fn fail(payout: &Loaded<Payout>, reason: Note, now: Timestamp) -> Result<Decision, Refusal> {
    let prepared = prepared(payout)?;
    match payout.state.status {
        status if status.is_out() => {
            let (payout_id, site_id, amount) = (payout.id, prepared.site_id, prepared.amount);
            Ok(Decision::default().then(payout, Failed { payout_id, site_id, amount, reason, at: now }))
        }
        Status::Failed => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

/// The provider took it back after it was paid: it is payable again.
///
/// # Errors
/// [`Refusal`] when it was not paid by a provider.
pub fn reverse(payout: &Loaded<Payout>, reason: Note, now: Timestamp) -> Result<Decision, Refusal> {
    let prepared = prepared(payout)?;
    match (payout.state.status, &payout.state.attempt) {
        (Status::Succeeded, Some(attempt)) => {
            let (payout_id, site_id, amount) = (payout.id, prepared.site_id, prepared.amount);
            let method = attempt.method;
            Ok(Decision::default().then(payout, Reversed { payout_id, site_id, amount, method, reason, at: now }))
        }
        (Status::Reversed, _) => Ok(Decision::nothing()),
        (status, _) => Err(Refusal::WrongStatus { status }),
    }
}

fn same_movement(payout: &Loaded<Payout>, provider_id: Option<&ProviderId>) -> Result<(), Refusal> {
    let known = payout.state.attempt.as_ref().and_then(|attempt| attempt.provider_id.as_ref());
    match (known, provider_id) {
        (Some(known), Some(other)) if known != other => {
            Err(Refusal::OtherMovement { known: known.clone(), other: other.clone() })
        }
        _ => Ok(()),
    }
}
