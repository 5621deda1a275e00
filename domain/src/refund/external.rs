//! A refund that was made at the provider without us: seen there, and written down after the fact.

use super::{
    Approved, Back, Reason, Refund, Refusal, Route,
    request::returned,
    submit::{submitted, succeeded},
};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    ids::RefundId,
    money::Money,
    payment::{Payment, ProviderId},
    reservation::Reservation,
};

/// What a provider's statement or portal shows.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    pub payment: &'a Loaded<Payment>,
    pub reservation: &'a Loaded<Reservation>,
    pub refund_id: RefundId,
    pub transaction: ProviderId,
    pub amount: Money,
    /// The provider's id of the movement.
    pub provider_id: ProviderId,
    pub by: Actor,
    pub now: Timestamp,
}

impl Observed<'_> {
    /// # Errors
    /// [`Refusal::MayBeOurs`] while refunds of ours have a claim on this transaction: ask the provider about those first.
    pub fn decide(self) -> Result<Decision, Refusal> {
        let Self { payment, reservation, refund_id, transaction, amount, provider_id, by, now } = self;
        let ours = payment.state.allotments.iter().find(|ours| ours.transaction == transaction);
        if let Some(ours) = ours.filter(|ours| ours.reason != Reason::External) {
            return Err(Refusal::MayBeOurs { refund_id: ours.refund_id });
        }
        let reason = Reason::External;
        let transaction = &transaction;
        let back = Back { payment, refund_id, transaction, amount, reason, note: None, by, needs_approval: false, now };
        let decision = back.decide()?;
        let mut refund = Loaded::<Refund>::new(refund_id);
        for event in decision.changes.iter().filter(|change| change.stream == refund_id.into()).flat_map(|c| &c.events)
        {
            if let crate::event::Event::Refund(event) = event {
                refund.apply(event.clone());
            }
        }
        let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
        let route = if request.route == Route::WholeTransaction { Route::WholeTransaction } else { Route::Payout };
        let paid = succeeded(&refund, request, (route, None), Some(provider_id), by, now);
        let decision = decision
            .then(&refund, Approved { refund_id, by: Actor::SYSTEM, at: now })
            .then(&refund, submitted(&refund, route, None, now))
            .then(&refund, paid);
        Ok(returned(decision, reservation, payment, refund_id, amount, reason, now))
    }
}
