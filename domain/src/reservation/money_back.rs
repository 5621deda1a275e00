//! Which payments' money goes back when a reservation gives some of it back.

use super::{RefundShare, Refusal, Reservation};
use crate::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    ids::RefundId,
    money::Money,
    payment::Payment,
    refund::{self, Reason},
};

/// A payment with money in the reservation, and the id of the refund it would get: made at the edge, used if needed.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub payment: &'a Loaded<Payment>,
    pub refund_id: RefundId,
}

/// Takes `amount` out of the payments, the latest first: the balance goes back before the deposit. Less when refunds
/// already have a claim on what was received.
pub(super) fn shares(
    reservation: &Reservation,
    sources: &[Source<'_>],
    amount: Money,
) -> Result<Vec<RefundShare>, Refusal> {
    let mut missing = amount;
    let mut shares = Vec::new();
    for payment_id in reservation.paying().into_iter().rev() {
        if !missing.is_positive() {
            break;
        }
        let source = sources.iter().find(|source| source.payment.id == payment_id);
        let source = source.ok_or(Refusal::PaymentMissing { payment_id })?;
        let payment = &source.payment.state;
        // Only the first capture is allocated; a duplicate was refunded when it landed.
        let refundable = payment.captures.first().map(|capture| payment.refundable_of(&capture.transaction));
        let refundable = refundable.unwrap_or(Money::zero(missing.currency));
        let part = missing.min(reservation.held_of(payment_id))?.min(refundable)?;
        if part.is_positive() {
            shares.push(RefundShare { payment_id, refund_id: source.refund_id, amount: part });
            missing = missing.minus(part)?;
        }
    }
    Ok(shares)
}

/// What the payments' and refunds' streams get for these shares.
pub(super) fn pay_back(
    shares: &[RefundShare],
    sources: &[Source<'_>],
    reason: Reason,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let mut decision = Decision::default();
    for share in shares {
        let source = sources.iter().find(|source| source.payment.id == share.payment_id);
        let payment = source.ok_or(Refusal::PaymentMissing { payment_id: share.payment_id })?.payment;
        let capture = payment.state.captures.first();
        let transaction = &capture.ok_or(refund::Refusal::NotReceived { transaction: None })?.transaction;
        decision = decision.and(refund::automatic(payment, share.refund_id, transaction, share.amount, reason, now)?);
    }
    Ok(decision)
}

/// The sum of some shares.
pub(super) fn total(reservation: &Reservation, shares: &[RefundShare]) -> Result<Money, Refusal> {
    Ok(Money::sum(reservation.currency(), shares.iter().map(|share| share.amount))?)
}
