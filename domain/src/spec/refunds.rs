//! Verbs on a [`World`] about money that goes back, as people, workers and providers make it go.

use super::{
    story::note,
    world::{No, World, Written},
};
use crate::{
    Timestamp,
    actor::Actor,
    aggregate::{Loaded, Version},
    decision::Decision,
    ids::{PaymentId, RefundId},
    money::Money,
    payment::{Allotment, Method, Payment, ProviderId},
    refund::{self, Means, Next, Refund},
};

impl World {
    pub fn ask_refund(&mut self, payment: PaymentId, amount: Option<i64>, by: Actor) -> Result<RefundId, No> {
        let payment = self.load::<Payment>(payment);
        let reservation = self.load(payment.state.request.as_ref().unwrap().reservation_id);
        let refund_id: RefundId = self.id().into();
        let (amount, now) = (amount.map(Money::xof), self.now);
        let (payment, reservation) = (&payment, &reservation);
        let note = note("rain on half of it");
        self.write(refund::Request { payment, reservation, refund_id, amount, note, by, now }.decide())?;
        Ok(refund_id)
    }

    pub fn second(&mut self, refund: RefundId, yes: bool, by: Actor) -> Written {
        let refund = self.load::<Refund>(refund);
        let request = refund.state.request.clone().unwrap();
        let (payment, reservation) = (self.load(request.payment_id), self.load(request.reservation_id));
        let now = self.now;
        self.write(if yes {
            refund::approve(&refund, &payment, &reservation, by, now)
        } else {
            refund::decline(&refund, &payment, &reservation, note("no"), by, now)
        })
    }

    /// One step of a refund's own machine.
    pub fn with_refund(
        &mut self,
        id: RefundId,
        decide: impl FnOnce(&Loaded<Refund>, Timestamp) -> Result<Decision, refund::Refusal>,
    ) -> Written {
        let decision = decide(&self.load(id), self.now);
        self.write(decision)
    }

    pub fn retry(&mut self, id: RefundId) -> Written {
        let (others, client) = (self.other_rails.clone(), self.client_of(id));
        let means = Means { own: self.ways, others: &others, client };
        self.with_refund(id, |refund, now| refund::retry(refund, &means, now))
    }

    pub fn submit(&mut self, id: RefundId) -> Written {
        let (others, client) = (self.other_rails.clone(), self.client_of(id));
        let means = Means { own: self.ways, others: &others, client };
        self.with_refund(id, |refund, now| refund::submit(refund, &means, now))
    }

    pub fn next(&self, id: RefundId) -> Next {
        let means = Means { own: self.ways, others: &self.other_rails, client: self.client_of(id) };
        refund::next(&self.load::<Refund>(id).state, &means)
    }

    fn client_of(&self, id: RefundId) -> Option<Version> {
        let client = self.load::<Refund>(id).state.request.and_then(|request| request.client_id);
        client.map(|client| self.version(client.into()))
    }

    pub fn refunds(&self) -> Vec<refund::Requested> {
        let requested = |event: &crate::event::Event| match event {
            crate::event::Event::Refund(refund::Event::Requested(requested)) => Some(requested.clone()),
            _ => None,
        };
        self.log.iter().filter_map(|(_, event)| requested(event)).collect()
    }

    /// A movement of Wave's that gave some of a payment back.
    pub fn observe(
        &mut self,
        payment_id: PaymentId,
        movement: &str,
        amount: i64,
        transaction: Option<ProviderId>,
        by: Actor,
    ) -> Written {
        let payment = self.load::<Payment>(payment_id);
        let reservation = self.load(payment.state.request.as_ref().unwrap().reservation_id);
        let of = |allotted: &Allotment| self.load(allotted.refund_id);
        let refunds: Vec<Loaded<Refund>> = payment.state.allotments.iter().map(of).collect();
        let observed = refund::Observed {
            payment: &payment,
            reservation: &reservation,
            refunds: &refunds,
            refund_id: self.id().into(),
            movement: refund::Movement {
                provider_id: ProviderId::new(movement).unwrap(),
                method: Method::Wave,
                amount: Money::xof(amount),
                transaction,
                note: note("seen in the portal"),
            },
            by,
            now: self.now,
        };
        self.write(observed.decide().map(|observation| observation.decision))
    }
}
