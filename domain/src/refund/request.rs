//! A person wants money to go back: within what was received, and above a limit with a second person.

use super::{Approved, Back, Reason, Refund, Refusal};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    ids::RefundId,
    money::Money,
    payment::{Payment, ProviderId},
    reservation::{self, MoneyReturned, RefundShare, Reservation},
    text::Note,
};

/// A wish of support, finance, a manager or a service.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    pub payment: &'a Loaded<Payment>,
    /// The reservation the payment is for.
    pub reservation: &'a Loaded<Reservation>,
    pub refund_id: RefundId,
    /// `None` means all that can still be refunded.
    pub amount: Option<Money>,
    pub note: Note,
    pub by: Actor,
    pub now: Timestamp,
}

impl Request<'_> {
    /// # Errors
    /// [`Refusal`] when nothing (or less) was received, the reservation is still only held, or the actor may not ask.
    pub fn decide(self) -> Result<Decision, Refusal> {
        let Self { payment, reservation, refund_id, by, now, .. } = self;
        if !matches!(by.role, Role::Support | Role::Finance | Role::Manager | Role::Service) {
            return Err(Refusal::RoleNotAllowed { role: by.role });
        }
        if by.id.is_none() {
            return Err(Refusal::NameRequired);
        }
        let status = reservation.state.status;
        if status == reservation::Status::Held {
            return Err(Refusal::ReservationOpen { status });
        }
        let transaction = self.transaction()?;
        let amount = self.amount.unwrap_or(payment.state.refundable_of(&transaction));
        let needs_approval = takes_two(payment, reservation, amount)?;
        let note = Some(self.note);
        let reason = Reason::Goodwill;
        let back =
            Back { payment, refund_id, transaction: &transaction, amount, reason, note, by, needs_approval, now };
        let decision = back.decide()?;
        if needs_approval {
            return Ok(decision);
        }
        let refund = Loaded::<Refund>::new(refund_id);
        let decision = decision.then(&refund, Approved { refund_id, by: Actor::SYSTEM, at: now });
        Ok(returned(decision, reservation, payment, refund_id, amount, reason, now))
    }

    /// The first transaction that has something left.
    fn transaction(&self) -> Result<ProviderId, Refusal> {
        let captures = &self.payment.state.captures;
        let left = captures.iter().find(|capture| self.payment.state.refundable_of(&capture.transaction).is_positive());
        let transaction = left.or(captures.first()).map(|capture| capture.transaction.clone());
        transaction.ok_or(Refusal::NotReceived { transaction: None })
    }
}

/// Whether so much takes two people. Counts what persons gave back before, on this payment and on the others of the
/// reservation: many small refunds are one large one.
pub(super) fn takes_two(
    payment: &Loaded<Payment>,
    reservation: &Loaded<Reservation>,
    amount: Money,
) -> Result<bool, Refusal> {
    let Some(terms) = &reservation.state.terms else { return Ok(true) };
    let by_a_person = |reason: Reason| matches!(reason, Reason::Goodwill | Reason::External);
    let here = payment.state.allotments.iter().filter(|allotment| by_a_person(allotment.reason));
    let elsewhere = reservation.state.returns.iter().filter(|given| by_a_person(given.reason));
    let elsewhere = elsewhere.filter(|given| given.share.payment_id != payment.id);
    let amounts = here.map(|allotment| allotment.amount).chain(elsewhere.map(|given| given.share.amount));
    let before = Money::sum(amount.currency, amounts)?;
    Ok(before.plus(amount)?.compare(terms.policy.four_eyes_above)?.is_gt())
}

/// Notes on the reservation that money it had counted on goes back.
pub(super) fn returned(
    decision: Decision,
    reservation: &Loaded<Reservation>,
    payment: &Loaded<Payment>,
    refund_id: RefundId,
    amount: Money,
    reason: Reason,
    now: Timestamp,
) -> Decision {
    let counted = reservation.state.held_of(payment.id);
    let part = Money::new(amount.amount.min(counted.amount), amount.currency);
    if !part.is_positive() {
        return decision.relying_on(reservation);
    }
    let refunds = vec![RefundShare { payment_id: payment.id, refund_id, amount: part }];
    decision.then(reservation, MoneyReturned { reservation_id: reservation.id, reason, refunds, at: now })
}
