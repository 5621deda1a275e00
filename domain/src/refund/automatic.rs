//! Refunds that follow from a rule: they never wait for a person.

use super::{Approved, Refusal, Requested, Route};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    ids::RefundId,
    money::Money,
    payment::{Capture, Method, Payment, ProviderId, RefundAllotted},
    refund::{Reason, Refund},
    text::Note,
};

/// Money of one transaction that goes back, whoever wants it.
pub(crate) struct Back<'a> {
    pub(crate) payment: &'a Loaded<Payment>,
    pub(crate) refund_id: RefundId,
    pub(crate) transaction: &'a ProviderId,
    pub(crate) amount: Money,
    pub(crate) reason: Reason,
    pub(crate) note: Option<Note>,
    pub(crate) by: Actor,
    pub(crate) needs_approval: bool,
    pub(crate) now: Timestamp,
}

impl Back<'_> {
    /// The part of the payment's stream (Σ allotted ≤ Σ captured is decided on its version) and the request itself.
    pub(crate) fn decide(self) -> Result<Decision, Refusal> {
        let Self { payment, refund_id, transaction, amount, reason, now, .. } = self;
        let state = &payment.state;
        let (Some(request), Some(capture)) = (&state.request, state.capture(transaction)) else {
            return Err(Refusal::NotReceived { transaction: Some(transaction.clone()) });
        };
        if !amount.is_positive() {
            return Err(Refusal::NothingToRefund);
        }
        let refundable = state.refundable_of(transaction);
        if amount.compare(refundable)?.is_gt() {
            return Err(Refusal::MoreThanCaptured { amount, refundable });
        }
        let payment_id = payment.id;
        let refund = Loaded::<Refund>::new(refund_id);
        let requested = Requested {
            refund_id,
            payment_id,
            reservation_id: request.reservation_id,
            site_id: request.site_id,
            client_id: request.client_id,
            method: request.method,
            route: route(request.method, state, capture, amount),
            transaction: transaction.clone(),
            provider_id: state.provider_id().cloned(),
            amount,
            reason,
            note: self.note,
            by: self.by,
            needs_approval: self.needs_approval,
            at: now,
        };
        let allotted =
            RefundAllotted { payment_id, refund_id, transaction: transaction.clone(), amount, reason, at: now };
        Ok(Decision::default().then(payment, allotted).then(&refund, requested))
    }
}

/// The whole transaction when all of it goes back at once, a payout otherwise; by hand what came by hand.
fn route(method: Method, payment: &Payment, capture: &Capture, amount: Money) -> Route {
    match method {
        Method::Cash => Route::Cash,
        Method::Transfer | Method::OnAccount => Route::Transfer,
        Method::Credit => Route::Credit,
        Method::Wave | Method::OrangeMoney | Method::Yas | Method::Card => {
            // Providers reverse a checkout, not one of its transactions: a second one in it would leave the first gone.
            let own = payment.captures.first().is_some_and(|first| first.transaction == capture.transaction);
            if own && amount == capture.received { Route::WholeTransaction } else { Route::Payout }
        }
    }
}

/// A refund that a rule demands: requested and approved in one step, by the system.
pub(crate) fn automatic(
    payment: &Loaded<Payment>,
    refund_id: RefundId,
    transaction: &ProviderId,
    amount: Money,
    reason: Reason,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let by = Actor::SYSTEM;
    let back = Back { payment, refund_id, transaction, amount, reason, note: None, by, needs_approval: false, now };
    let refund = Loaded::<Refund>::new(refund_id);
    Ok(back.decide()?.then(&refund, Approved { refund_id, by, at: now }))
}
