//! The log of the simulation: what was folded out of it, versions and guards. Events themselves are not kept: whoever wants
//! to know reads them as they are written (`audit`).

use uuid::Uuid;

use super::guards::{Guards, Map};
use crate::{
    Timestamp,
    aggregate::{Aggregate, Loaded},
    client::Client,
    decision::{Decision, Read},
    event::Event,
    guard,
    ids::{ClientId, PaymentId, RefundId, ReservationId, StreamId},
    payment::{self, Payment},
    refund::{self, Refund},
    reservation::Reservation,
    spec::world::{No, SITE},
};

#[derive(Default)]
pub(super) struct Lane {
    pub(super) reservations: Map<ReservationId, Loaded<Reservation>>,
    pub(super) payments: Map<PaymentId, Loaded<Payment>>,
    pub(super) refunds: Map<RefundId, Loaded<Refund>>,
    pub(super) clients: Map<ClientId, Loaded<Client>>,
    /// Payments at a provider, in the order in which they were asked for.
    payments_of: Map<ReservationId, Vec<PaymentId>>,
    refunds_of: Map<ReservationId, Vec<RefundId>>,
    versions: Map<Uuid, i32>,
    pub(super) guards: Guards,
}

fn fold<A: Aggregate>(all: &mut Map<A::Id, Loaded<A>>, id: A::Id, event: A::Event)
where
    A::Id: std::hash::Hash + Eq,
{
    all.entry(id).or_insert_with(|| Loaded::new(id)).apply(event);
}

impl Lane {
    pub(super) fn reservation(&self, id: ReservationId) -> &Loaded<Reservation> {
        &self.reservations[&id]
    }

    pub(super) fn payment(&self, id: PaymentId) -> &Loaded<Payment> {
        &self.payments[&id]
    }

    /// What a payment is for.
    pub(super) fn paid_by(&self, id: PaymentId) -> &Loaded<Reservation> {
        self.reservation(self.payment(id).state.request.as_ref().unwrap().reservation_id)
    }

    pub(super) fn payments_of(&self, id: ReservationId) -> &[PaymentId] {
        self.payments_of.get(&id).map_or(&[], Vec::as_slice)
    }

    /// Those about which a provider may still say something (`workers/src/process/payments.rs`).
    pub(super) fn open_of(&self, id: ReservationId) -> Vec<&Loaded<Payment>> {
        let open = |payment: &&Loaded<Payment>| payment.state.status.is_open();
        self.payments_of(id).iter().map(|payment| self.payment(*payment)).filter(open).collect()
    }

    pub(super) fn version(&self, stream: StreamId) -> i32 {
        self.versions.get(&stream.uuid()).copied().unwrap_or(0)
    }

    /// Checks a decision as the append lane does. What is to be written, lapsed holds first.
    pub(super) fn admit(
        &mut self,
        decision: Decision,
        now: Timestamp,
        blind: bool,
    ) -> Result<Vec<(StreamId, Event)>, No> {
        let moved = |Read { stream, version }: &Read| *stream != SITE.into() && self.version(*stream) != *version;
        if decision.reads.iter().any(moved)
            || decision.changes.iter().any(|change| self.version(change.stream) != change.expected)
        {
            return Err(No::Conflict);
        }
        let events = || decision.changes.iter().flat_map(|change| &change.events);
        let ops: Vec<guard::Op> = events().flat_map(guard::of).collect();
        let mut written = self.guards.check(&ops, now, blind)?;
        for (_, lapsed) in &written {
            self.guards.apply(guard::of(lapsed));
        }
        self.guards.apply(ops);
        for change in decision.changes {
            let stream = change.stream;
            written.extend(change.events.into_iter().map(|event| (stream, event)));
        }
        Ok(written)
    }

    /// Folds what was admitted.
    pub(super) fn fold(&mut self, stream: StreamId, event: Event) {
        *self.versions.entry(stream.uuid()).or_default() += 1;
        let id = stream.uuid();
        match event {
            Event::Reservation(event) => fold(&mut self.reservations, id.into(), event),
            Event::Payment(event) => {
                if let payment::Event::Requested(asked) = &event
                    && asked.method.has_provider()
                {
                    self.payments_of.entry(asked.reservation_id).or_default().push(asked.payment_id);
                }
                fold(&mut self.payments, id.into(), event);
            }
            Event::Refund(event) => {
                if let refund::Event::Requested(asked) = &event {
                    self.refunds_of.entry(asked.reservation_id).or_default().push(asked.refund_id);
                }
                fold(&mut self.refunds, id.into(), event);
            }
            Event::Client(event) => fold(&mut self.clients, id.into(), event),
            Event::Site(_)
            | Event::Key(_)
            | Event::Account(_)
            | Event::Endpoint(_)
            | Event::Reconciliation(_)
            | Event::Payout(_)
            | Event::Invoice(_)
            | Event::Promotion(_)
            | Event::Till(_) => {}
        }
    }

    /// Forgets everything about a reservation that is over.
    pub(super) fn forget(&mut self, id: ReservationId) {
        if let Some(gone) = self.reservations.remove(&id) {
            if let Some(terms) = &gone.state.terms {
                self.guards.forget(format!("{}:{}", terms.slot.site_id, terms.code.0));
            }
            for payment in gone.state.paying() {
                self.payments.remove(&payment);
                self.versions.remove(&payment.uuid());
            }
        }
        self.versions.remove(&id.uuid());
        for payment in self.payments_of.remove(&id).unwrap_or_default() {
            self.payments.remove(&payment);
            self.versions.remove(&payment.uuid());
        }
        for refund in self.refunds_of.remove(&id).unwrap_or_default() {
            self.refunds.remove(&refund);
            self.versions.remove(&refund.uuid());
        }
    }
}
