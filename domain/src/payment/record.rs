//! Money that a person took, or vouches for: recorded under their name, and a reservation is confirmed by it.

use super::{Method, Payment, ProviderId, PutOnAccount, Refusal, Succeeded, request::requested};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    money::Money,
    reservation::{self, Grounds, PaymentReceived, Purpose, Reservation, Status},
};

/// Cash in the till, a transfer on the account, or a name that vouches for it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// A new stream.
    pub payment: &'a Loaded<Payment>,
    pub method: Method,
    /// What was counted; at most the balance, and for a hold at least the deposit.
    pub amount: Money,
    pub by: Actor,
    pub now: Timestamp,
}

impl Record<'_> {
    /// # Errors
    /// [`Refusal`] when the actor may not record this method, or the amount is not between deposit and balance.
    pub fn decide(self) -> Result<Decision, Refusal> {
        self.check_actor()?;
        if self.payment.version > 0 {
            return Err(Refusal::AlreadyRequested);
        }
        let state = &self.reservation.state;
        let purpose = self.purpose();
        let mut asked = requested(self.reservation, self.payment, self.method, purpose, self.by, self.now)?;
        let due = state.balance_due();
        if self.amount.compare(due)?.is_gt() {
            return Err(Refusal::MoreThanDue { amount: self.amount, due });
        }
        if !self.amount.is_positive() {
            return Err(Refusal::NothingReceived);
        }
        if state.status == Status::Held && self.amount.compare(state.deposit_due())?.is_lt() {
            return Err(Refusal::BelowDeposit { amount: self.amount, due: state.deposit_due() });
        }
        asked.amount = self.amount;
        // Nothing is open at a provider: nothing keeps the cells.
        asked.blocks_until = None;
        let decision = Decision::default().then(self.payment, asked);
        Ok(if self.method == Method::OnAccount { self.vouched(decision) } else { self.received(decision, purpose) })
    }

    /// Cash by a cashier or manager; anything else that is not money in hand by the manager. Always with a name.
    fn check_actor(&self) -> Result<(), Refusal> {
        let (role, method) = (self.by.role, self.method);
        let may = match method {
            Method::Cash => matches!(role, Role::Cashier | Role::Manager),
            Method::Transfer | Method::OnAccount => role == Role::Manager,
            // Whose it is spends it; nobody records it.
            Method::Credit => false,
            Method::Wave | Method::OrangeMoney | Method::Yas | Method::Card => {
                return Err(Refusal::AtProvider { method });
            }
        };
        if !may {
            return Err(Refusal::RoleNotAllowed { role, method });
        }
        if self.by.id.is_none() { Err(Refusal::NameRequired) } else { Ok(()) }
    }

    fn purpose(&self) -> Purpose {
        let state = &self.reservation.state;
        match state.status {
            Status::Held if self.amount.amount <= state.deposit_due().amount => Purpose::Deposit,
            Status::Held => Purpose::Full,
            _ => Purpose::Balance,
        }
    }

    fn vouched(self, decision: Decision) -> Decision {
        let (payment_id, reservation_id) = (self.payment.id, self.reservation.id);
        let amount = self.amount;
        let vouched = PutOnAccount { payment_id, reservation_id, amount, by: self.by, at: self.now };
        let grounds = Grounds::OnAccount { payment_id, by: self.by };
        self.confirming(decision.then(self.payment, vouched), grounds)
    }

    fn received(self, decision: Decision, purpose: Purpose) -> Decision {
        let (payment_id, reservation_id) = (self.payment.id, self.reservation.id);
        let succeeded = Succeeded {
            // What is taken by hand is at no provider.
            merchant_account: None,
            payment_id,
            reservation_id,
            transaction: ProviderId::known(format!("{}-{payment_id}", self.method.as_str())),
            provider_id: None,
            method: self.method,
            expected: self.amount,
            received: self.amount,
            allocated: self.amount,
            credited: Money::zero(self.amount.currency),
            by: self.by,
            at: self.now,
        };
        let client_id = self.reservation.state.terms.as_ref().and_then(|terms| terms.client_id);
        let (amount, at) = (self.amount, self.now);
        let share_id = None;
        let received = PaymentReceived { reservation_id, client_id, payment_id, share_id, purpose, amount, at };
        let decision = decision.then(self.payment, succeeded).then(self.reservation, received);
        self.confirming(decision, Grounds::Payment { payment_id })
    }

    fn confirming(self, decision: Decision, grounds: Grounds) -> Decision {
        match &self.reservation.state.terms {
            Some(terms) if self.reservation.state.status == Status::Held => {
                let confirmed = reservation::confirmed(&self.reservation.state, terms, grounds, self.now);
                decision.then(self.reservation, confirmed)
            }
            // The reservation is not written otherwise, but its due was relied on.
            _ => decision.relying_on(self.reservation),
        }
    }
}
