//! Ask for one share of what is split, at a provider, by whoever has its link.

use super::{Method, Payment, Refusal, Requested, request::requested};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    ids::{ClientId, ShareId},
    reservation::{Purpose, Reservation, Status},
};

/// A wish to pay a share. The amount is ours: what is due of it.
#[derive(Clone, Copy, Debug)]
pub struct RequestShare<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// A new stream.
    pub payment: &'a Loaded<Payment>,
    /// The payments of the reservation that may be open. One of this share by the same payer and method must be paid or end
    /// first; by another method it may stay, for whoever changes their mind, and so may another payer's, or whoever asked
    /// first would get what somebody else pays when it goes back. What is paid twice goes back.
    pub others: &'a [&'a Loaded<Payment>],
    pub share_id: ShareId,
    pub method: Method,
    /// Who pays, where that is known: money that goes back is theirs. Never the organiser's by default.
    pub payer: Option<ClientId>,
    pub by: Actor,
}

impl RequestShare<'_> {
    /// # Errors
    /// [`Refusal`] when there is no such share, it is paid or being paid by this method, the hold ended, the method has no
    /// provider, or the actor may not ask.
    pub fn decide(self, now: Timestamp) -> Result<Decision, Refusal> {
        let (state, method) = (&self.reservation.state, self.method);
        if self.payment.version > 0 {
            return Err(Refusal::AlreadyRequested);
        }
        if !method.has_provider() {
            return Err(Refusal::ByHand { method });
        }
        if !matches!(self.by.role, Role::Client | Role::Service | Role::Manager | Role::System) {
            return Err(Refusal::RoleNotAllowed { role: self.by.role, method });
        }
        let split =
            state.split.as_ref().filter(|_| state.share(self.share_id).is_some()).ok_or(Refusal::NoSuchShare)?;
        let amount = state.share_due(self.share_id);
        if !amount.is_positive() && (state.status.is_live() || state.status == Status::Completed) {
            return Err(Refusal::SharePaid);
        }
        // Once it is confirmed a share is a part of the balance.
        let purpose = if state.status == Status::Held { split.of } else { Purpose::Balance };
        let asked = requested(self.reservation, self.payment, method, purpose, self.by, now)?;
        let asked = Requested { client_id: self.payer, share_id: Some(self.share_id), amount, ..asked };
        let mut decision = Decision::default().then(self.payment, asked).relying_on(self.reservation);
        for other in self.others {
            match &other.state.request {
                Some(asked)
                    if asked.share_id == Some(self.share_id)
                        && asked.method == method
                        && asked.client_id == self.payer => {}
                _ => continue,
            }
            if other.state.status.is_open() {
                return Err(Refusal::ShareOpen { payment_id: other.id, method });
            }
            decision = decision.relying_on(other);
        }
        Ok(decision)
    }
}
