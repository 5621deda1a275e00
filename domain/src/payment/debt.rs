//! Pay a fine: at a provider, in cash at the site, or from credit. The amount is ours, and no part of any price.

use super::{Landed, Method, Payment, ProviderId, Refusal, Requested, Settle, reference};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{Client, CreditSpent},
    decision::Decision,
    ids::RefundId,
    reservation::{Purpose, Reservation},
};

/// A wish to pay what is owed for a reservation at which its client was not.
#[derive(Clone, Copy, Debug)]
pub struct PayDebt<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// A new stream.
    pub payment: &'a Loaded<Payment>,
    /// The reservation's client.
    pub client: &'a Loaded<Client>,
    pub method: Method,
    pub by: Actor,
    pub now: Timestamp,
}

impl PayDebt<'_> {
    /// # Errors
    /// [`Refusal`] when nothing is owed, there is less credit than that, or the actor may not take or spend it so.
    pub fn decide(self) -> Result<Decision, Refusal> {
        if self.payment.version > 0 {
            return Err(Refusal::AlreadyRequested);
        }
        self.check_actor()?;
        let asked = self.asked()?;
        let decision = Decision::default().then(self.payment, asked.clone());
        match self.method {
            method if method.has_provider() => Ok(decision.relying_on(self.client)),
            Method::Credit => {
                let (amount, has) = (asked.amount, self.client.state.credit(asked.amount.currency)?);
                if has.compare(amount)?.is_lt() {
                    return Err(Refusal::CreditInsufficient { credit: has, amount });
                }
                let (client_id, payment_id) = (self.client.id, self.payment.id);
                let (reservation_id, by, at) = (self.reservation.id, self.by, self.now);
                let spent = CreditSpent { client_id, payment_id, reservation_id, amount, by, at };
                Ok(decision.and(self.landed(&asked)?).then(self.client, spent))
            }
            _ => Ok(decision.and(self.landed(&asked)?)),
        }
    }

    fn check_actor(&self) -> Result<(), Refusal> {
        let (role, method) = (self.by.role, self.method);
        let may = match method {
            Method::Cash => matches!(role, Role::Cashier | Role::Manager),
            Method::Transfer => role == Role::Manager,
            // A debt is not put on account: it is one.
            Method::OnAccount => false,
            Method::Credit => matches!(role, Role::Client | Role::Service),
            Method::Wave | Method::OrangeMoney | Method::Yas | Method::Card => {
                matches!(role, Role::Client | Role::Service | Role::Manager)
            }
        };
        if !may {
            return Err(Refusal::RoleNotAllowed { role, method });
        }
        if self.by.id.is_none() { Err(Refusal::NameRequired) } else { Ok(()) }
    }

    fn asked(&self) -> Result<Requested, Refusal> {
        let purpose = Purpose::Debt;
        let terms = self.reservation.state.terms.as_ref().filter(|terms| terms.client_id == Some(self.client.id));
        let terms = terms.ok_or(Refusal::NothingDue { purpose })?;
        let amount = self.client.state.owes(self.reservation.id).ok_or(Refusal::NothingDue { purpose })?;
        Ok(Requested {
            payment_id: self.payment.id,
            reservation_id: self.reservation.id,
            site_id: terms.slot.site_id,
            client_id: terms.client_id,
            share_id: None,
            method: self.method,
            purpose,
            amount,
            reference: reference(self.payment.id.uuid(), 1),
            by: self.by,
            hold_expires_at: None,
            blocks_until: None,
            at: self.now,
        })
    }

    fn landed(&self, asked: &Requested) -> Result<Decision, Refusal> {
        let mut payment = self.payment.clone();
        payment.apply(asked.clone().into());
        let settle = Settle {
            payment: &payment,
            reservation: self.reservation,
            client: Some(self.client.version),
            fine: self.client.state.fines.get(&self.reservation.id).copied(),
            promotion: None,
            // Nothing is left over, so nothing goes back.
            refund_id: RefundId::new(self.payment.id.uuid()),
            landed: Landed {
                transaction: ProviderId::known(format!("{}-{}", self.method.as_str(), self.payment.id)),
                provider_id: None,
                received: asked.amount,
                by: self.by,
            },
            now: self.now,
        };
        Ok(settle.settle_debt(asked)?.decision)
    }
}
