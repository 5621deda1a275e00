//! The log of the model: the lane of [`World`] with what is folded out of it kept at hand, and a digest of it.

use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

use uuid::Uuid;

use crate::{
    aggregate::{Aggregate, Loaded},
    decision::Decision,
    event::Event,
    ids::{PaymentId, RefundId, ReservationId, StreamId},
    payment::{self, Payment},
    reaction::{Reaction, react},
    refund::{self, Refund},
    refusal::Refused,
    reservation::{self, Reservation},
    spec::{
        ledgers::Ledger,
        world::{No, World},
    },
};

/// The reservation that the model is about.
pub(super) const OURS: ReservationId = ReservationId::new(Uuid::from_u128(0xB1));
/// The one of somebody else who wants the same slot, and their cash.
pub(super) const THEIRS: ReservationId = ReservationId::new(Uuid::from_u128(0xB2));
pub(super) const THEIR_CASH: PaymentId = PaymentId::new(Uuid::from_u128(0xAF));

/// The nth payment of [`OURS`], from 0. Ids are made of what they are for: two ways to one state must meet in it.
pub(super) fn payment_id(nth: usize) -> PaymentId {
    PaymentId::new(Uuid::from_u128(0xA0 + nth as u128))
}

/// The log, and what was folded out of it event by event.
#[derive(Clone)]
pub(super) struct Lane {
    pub(super) world: World,
    pub(super) reservation: Loaded<Reservation>,
    /// At a provider, in the order in which they were asked for.
    pub(super) payments: Vec<Loaded<Payment>>,
    pub(super) refunds: Vec<Loaded<Refund>>,
    pub(super) ledger: Ledger,
    /// Why the last event could not be entered in the ledger, or left it unbalanced.
    pub(super) unbalanced: Option<String>,
    digests: BTreeMap<StreamId, u64>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            world: World::new(),
            reservation: Loaded::new(OURS),
            payments: Vec::new(),
            refunds: Vec::new(),
            ledger: Ledger::default(),
            unbalanced: None,
            digests: BTreeMap::new(),
        }
    }

    pub(super) fn payment(&self, id: PaymentId) -> Option<&Loaded<Payment>> {
        self.payments.iter().find(|payment| payment.id == id)
    }

    pub(super) fn refund(&self, id: RefundId) -> Option<&Loaded<Refund>> {
        self.refunds.iter().find(|refund| refund.id == id)
    }

    /// The payment that this checkout is known to belong to.
    pub(super) fn told_of(&self, provider_id: &str) -> Option<&Loaded<Payment>> {
        let is = |payment: &&Loaded<Payment>| {
            payment.state.checkout.as_ref().is_some_and(|checkout| checkout.provider_id.as_str() == provider_id)
        };
        self.payments.iter().find(is)
    }

    /// The id of the next refund of this payment.
    pub(super) fn refund_id(payment: &Loaded<Payment>) -> RefundId {
        let nth = payment.state.allotments.len() as u128;
        RefundId::new(Uuid::from_u128((payment.id.uuid().as_u128() << 8) + nth))
    }

    /// Writes a decision through the lane; what is owed for it.
    pub(super) fn write<R: Refused>(&mut self, decision: Result<Decision, R>) -> Result<Vec<Reaction>, No> {
        let from = self.world.log.len();
        self.world.write(decision)?;
        Ok(self.follow(from))
    }

    /// Writes past the lane: no version, no guard, no verb. Only for workers that are broken on purpose.
    pub(super) fn force(&mut self, stream: StreamId, event: Event) -> Vec<Reaction> {
        let from = self.world.log.len();
        self.world.log.push((stream, event));
        self.follow(from)
    }

    fn follow(&mut self, from: usize) -> Vec<Reaction> {
        let mut owed = Vec::new();
        let new = self.world.log[from..].to_vec();
        for (stream, event) in new {
            let digest = self.digests.entry(stream).or_default();
            let mut hasher = DefaultHasher::new();
            (*digest, what_matters(&event)).hash(&mut hasher);
            *digest = hasher.finish();
            if let Err(error) = self.ledger.enter(&event) {
                self.unbalanced = Some(format!("{}: {error}", event.name()));
            }
            let sum: i64 = self.ledger.balances.values().sum();
            if sum != 0 {
                self.unbalanced = Some(format!("{} leaves {sum}", event.name()));
            }
            owed.extend(react(&event));
            self.fold(stream, event);
            owed = self.resolved(owed);
        }
        owed
    }

    /// As the process manager does: all checkouts of a reservation are those that are open at that place in the log.
    fn resolved(&self, owed: Vec<Reaction>) -> Vec<Reaction> {
        let open = self.payments.iter().filter(|payment| payment.state.status.is_open());
        let open: Vec<PaymentId> = open.map(|payment| payment.id).collect();
        let resolve = |reaction| match reaction {
            Reaction::CloseCheckouts { reservation_id } if reservation_id == OURS => {
                open.iter().map(|id| Reaction::CloseCheckout { payment_id: *id, at: self.world.now }).collect()
            }
            Reaction::CloseCheckouts { .. } => Vec::new(),
            other => vec![other],
        };
        owed.into_iter().flat_map(resolve).collect()
    }

    fn fold(&mut self, stream: StreamId, event: Event) {
        match event {
            Event::Reservation(event) if stream == OURS.into() => self.reservation.apply(event),
            Event::Payment(event) => {
                let id = PaymentId::new(stream.uuid());
                if let payment::Event::Requested(requested) = &event
                    && requested.reservation_id == OURS
                {
                    self.payments.push(Loaded::new(id));
                }
                fold_one(&mut self.payments, id, event);
            }
            Event::Refund(event) => {
                let id = RefundId::new(stream.uuid());
                if matches!(event, refund::Event::Requested(_)) {
                    self.refunds.push(Loaded::new(id));
                }
                fold_one(&mut self.refunds, id, event);
            }
            _ => {}
        }
    }
}

fn fold_one<A: Aggregate>(all: &mut [Loaded<A>], id: A::Id, event: A::Event)
where
    A::Id: PartialEq,
{
    if let Some(loaded) = all.iter_mut().find(|loaded| loaded.id == id) {
        loaded.apply(event);
    }
}

/// What was written to each stream, and who has which cells until when: everything else follows from these.
/// The order in which different streams were written does not: two ways that differ in it only are one.
impl Hash for Lane {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digests.hash(state);
        for claim in self.world.open_claims() {
            (claim.holder, claim.releasable_at).hash(state);
        }
    }
}

impl PartialEq for Lane {
    fn eq(&self, other: &Self) -> bool {
        self.digests == other.digests && self.world.open_claims() == other.world.open_claims()
    }
}

/// The event without the moment at which it was written down, where nothing that follows depends on it.
fn what_matters(event: &Event) -> String {
    let mut text = format!("{event:?}");
    let keeps = matches!(
        event,
        Event::Reservation(
            reservation::Event::Held(_) | reservation::Event::Cancelled(_) | reservation::Event::Expired(_)
        )
    );
    if !keeps && let Some(cut) = text.rfind(", at: ") {
        text.truncate(cut);
    }
    text
}
