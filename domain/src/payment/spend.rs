//! Pay with credit: what we hold of the client's becomes the reservation's, at once and without a checkout.

use super::{Landed, Method, Payment, ProviderId, Refusal, Requested, Row, Settle, request::requested};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{Client, CreditSpent},
    decision::Decision,
    ids::{RefundId, ShareId},
    payment::Cells,
    reservation::{Purpose, Reservation, Status},
};

/// A wish of the client, or of the service that books for them. The amount is ours: what is due.
#[derive(Clone, Copy, Debug)]
pub struct Spend<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// A new stream.
    pub payment: &'a Loaded<Payment>,
    /// The reservation's client, as they are when this is decided: their stream is written, so that nobody spends twice.
    pub client: &'a Loaded<Client>,
    pub purpose: Purpose,
    /// One share of what is split; then for what is due of it, and the purpose is that of the split.
    pub share_id: Option<ShareId>,
    pub by: Actor,
    pub now: Timestamp,
}

impl Spend<'_> {
    /// # Errors
    /// [`Refusal`] when there is less credit than is due, nothing is due, the hold ended, or the actor may not spend it.
    pub fn decide(self) -> Result<Decision, Refusal> {
        let (role, method) = (self.by.role, Method::Credit);
        if !matches!(role, Role::Client | Role::Service) {
            return Err(Refusal::RoleNotAllowed { role, method });
        }
        if self.payment.version > 0 {
            return Err(Refusal::AlreadyRequested);
        }
        let terms = self.reservation.state.terms.as_ref().ok_or(Refusal::NoClient)?;
        if terms.client_id != Some(self.client.id) {
            return Err(Refusal::NoClient);
        }
        let asked = self.asked()?;
        let (amount, has) = (asked.amount, self.client.state.credit(asked.amount.currency)?);
        if has.compare(amount)?.is_lt() {
            return Err(Refusal::CreditInsufficient { credit: has, amount });
        }
        let decision = Decision::default().then(self.payment, asked.clone());
        let decision = decision.and(self.landed(&asked)?);
        let (client_id, payment_id, reservation_id) = (self.client.id, self.payment.id, self.reservation.id);
        let spent = CreditSpent { client_id, payment_id, reservation_id, amount, by: self.by, at: self.now };
        Ok(decision.then(self.client, spent))
    }

    fn asked(&self) -> Result<Requested, Refusal> {
        let Self { reservation, payment, share_id, by, now, .. } = *self;
        let state = &reservation.state;
        let purpose = match (&state.split, share_id) {
            (None, Some(_)) => return Err(Refusal::NoSuchShare),
            (Some(_), None) if state.status == Status::Held => return Err(Refusal::Split),
            (Some(split), Some(_)) if state.status == Status::Held => split.of,
            (Some(_), Some(_)) => Purpose::Balance,
            (_, None) => self.purpose,
        };
        if let Some(share_id) = share_id {
            state.share(share_id).ok_or(Refusal::NoSuchShare)?;
            if !state.share_due(share_id).is_positive() {
                return Err(Refusal::SharePaid);
            }
        }
        let asked = requested(reservation, payment, Method::Credit, purpose, by, now)?;
        let amount = share_id.map_or(asked.amount, |share_id| state.share_due(share_id));
        // Nothing is open at a provider: nothing keeps the cells.
        Ok(Requested { share_id, amount, blocks_until: None, ..asked })
    }

    /// It lands as any money does that is just what was asked for.
    fn landed(&self, asked: &Requested) -> Result<Decision, Refusal> {
        let mut payment = self.payment.clone();
        payment.apply(asked.clone().into());
        let settle = Settle {
            payment: &payment,
            reservation: self.reservation,
            client: None,
            fine: None,
            // What had ended is not payable.
            promotion: None,
            // Nothing is left over, so nothing goes back.
            refund_id: RefundId::new(self.payment.id.uuid()),
            landed: Landed {
                transaction: ProviderId::known(format!("{}-{}", Method::Credit.as_str(), self.payment.id)),
                provider_id: None,
                received: asked.amount,
                by: self.by,
            },
            now: self.now,
        };
        let terms = self.reservation.state.terms.as_ref().ok_or(Refusal::NoClient)?;
        let settled = settle.land(asked, terms, Cells::Free)?;
        match settled.row {
            Row::Confirmed | Row::Allocated => Ok(settled.decision),
            _ => Err(Refusal::NotPayable { status: self.reservation.state.status }),
        }
    }
}
