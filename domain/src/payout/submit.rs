//! Paying: written before the provider is called, or recorded after a person was at the bank.

use super::{PaidByHand, Payout, Prepared, Refusal, Status, Submitted, prepare::finance};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    payment::{Method, reference},
    text::Text,
};

/// Written before the call. Does nothing when it is out or over: never a new key.
///
/// # Errors
/// [`Refusal`] before it is approved, and for a transfer, which a person makes.
pub fn submit(payout: &Loaded<Payout>, now: Timestamp) -> Result<Decision, Refusal> {
    let prepared = prepared(payout)?;
    match payout.state.status {
        Status::Approved if prepared.method == Method::Transfer => Err(Refusal::ByHand),
        Status::Approved => {
            let submitted = Submitted {
                payout_id: payout.id,
                method: prepared.method,
                reference: reference(payout.id.uuid(), 1),
                attempt: 1,
                at: now,
            };
            Ok(Decision::default().then(payout, submitted))
        }
        status if status.is_out() || status.is_over() => Ok(Decision::nothing()),
        status => Err(Refusal::WrongStatus { status }),
    }
}

/// Somebody of finance made the transfer at the bank. Two persons have said yes to it before.
///
/// # Errors
/// [`Refusal`] before it is approved, for a payout that a provider pays, and for who may not.
pub fn pay_by_hand(
    payout: &Loaded<Payout>,
    reference: Text<60>,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let prepared = prepared(payout)?;
    finance(by)?;
    match payout.state.status {
        Status::Approved if prepared.method == Method::Transfer => {}
        Status::PaidByHand if payout.state.transfer.as_deref() == Some(reference.as_str()) => {
            return Ok(Decision::nothing());
        }
        Status::Approved => return Err(Refusal::AtProvider),
        status if status.is_out() => return Err(Refusal::OutcomeUnknown),
        status => return Err(Refusal::WrongStatus { status }),
    }
    let (payout_id, site_id, amount) = (payout.id, prepared.site_id, prepared.amount);
    Ok(Decision::default().then(payout, PaidByHand { payout_id, site_id, amount, reference, by, at: now }))
}

pub(super) fn prepared(payout: &Loaded<Payout>) -> Result<&Prepared, Refusal> {
    payout.state.prepared.as_ref().ok_or(Refusal::NotFound)
}
