//! Money that went back at a provider without us: seen there, and written down after the fact. Nothing is sent.

use super::{
    Approved, Back, OutcomeStated, Reason, Refund, Refusal, Requested, Route, Stated, Status,
    request::{returned, takes_two},
    submit::{submitted, succeeded},
};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    event::Event,
    ids::RefundId,
    money::Money,
    payment::{Method, Payment, ProviderId},
    reservation::Reservation,
    text::Note,
};

/// A movement that a provider shows: in its statement, in its portal, in a message that it confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// The provider's id of it.
    pub provider_id: ProviderId,
    /// How the provider that paid it is called as a way to pay.
    pub method: Method,
    /// What the payer got, above zero.
    pub amount: Money,
    /// The transaction whose money it is, where that is shown; otherwise the first that has so much left.
    pub transaction: Option<ProviderId>,
    /// Where it was seen. Nobody's name or number.
    pub note: Note,
}

/// A movement, and what the log knows of the payment that it gives back.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    pub payment: &'a Loaded<Payment>,
    pub reservation: &'a Loaded<Reservation>,
    /// Every refund that has a part of the payment.
    pub refunds: &'a [Loaded<Refund>],
    /// Of the refund, if it is a new one.
    pub refund_id: RefundId,
    pub movement: Movement,
    pub by: Actor,
    pub now: Timestamp,
}

/// What a movement turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// The refund that it is.
    pub refund_id: RefundId,
    /// Nothing when it was known before.
    pub decision: Decision,
}

impl Observed<'_> {
    /// It is a refund that is known; or the end of one that no way had worked for; or one that nobody had asked us for. Of
    /// the last a person's word is not enough above the limit: it waits until a second person approves it.
    ///
    /// # Errors
    /// [`Refusal::MayBeOurs`] while one of ours is on its way: its provider is asked about that first. Also for anybody but
    /// finance and the provider itself, and for more than is left of what was received.
    pub fn decide(self) -> Result<Observation, Refusal> {
        let Self { payment, reservation, refunds, by, now, .. } = self;
        // The provider's own word, or that of whoever has seen it there.
        if !matches!(by.role, Role::Finance | Role::Provider) {
            return Err(Refusal::RoleNotAllowed { role: by.role });
        }
        if by.role == Role::Finance && by.id.is_none() {
            return Err(Refusal::NameRequired);
        }
        let shown = &self.movement;
        if !shown.method.has_provider() {
            return Err(Refusal::OtherProvider { method: shown.method });
        }
        if let Some(known) = refunds.iter().find(|refund| shown.is(&refund.state)) {
            return Ok(Observation { refund_id: known.id, decision: Decision::nothing() });
        }
        let transaction = self.transaction()?;
        let ours = || refunds.iter().filter(|refund| of(&refund.state, &transaction));
        let under_way = |status: Status| status.is_out() || status == Status::Approved;
        if let Some(ours) = ours().find(|refund| under_way(refund.state.status)) {
            return Err(Refusal::MayBeOurs { refund_id: ours.id });
        }
        let unpaid = |refund: &&Loaded<Refund>| matches!(refund.state.status, Status::Failed | Status::Reversed);
        let owes = |request: &Requested| request.amount == shown.amount;
        if let Some(debt) = ours().filter(unpaid).find(|refund| refund.state.request.as_ref().is_some_and(owes))
            && let Some(request) = &debt.state.request
        {
            let decision = shown.paid(Decision::default(), debt, request, by, now);
            return Ok(Observation { refund_id: debt.id, decision });
        }
        // A debt may be paid by anybody; what was not owed is looked for where the money came in.
        if payment.state.request.as_ref().is_none_or(|request| request.method != shown.method) {
            return Err(Refusal::OtherProvider { method: shown.method });
        }
        let needs_approval = by.role == Role::Finance && takes_two(payment, reservation, shown.amount)?;
        let (refund_id, amount, reason) = (self.refund_id, shown.amount, Reason::External);
        let (transaction, note) = (&transaction, Some(shown.note.clone()));
        let back = Back { payment, refund_id, transaction, amount, reason, note, by, needs_approval, now };
        let decision = back.decide()?;
        let refund = folded(refund_id, &decision);
        if needs_approval {
            let word = OutcomeStated { refund_id, stated: shown.stated(), by, at: now };
            return Ok(Observation { refund_id, decision: decision.then(&refund, word) });
        }
        let Some(request) = &refund.state.request else { return Err(Refusal::NotFound) };
        let decision = decision.then(&refund, Approved { refund_id, by: Actor::SYSTEM, at: now });
        let decision = shown.paid(decision, &refund, request, by, now);
        Ok(Observation {
            refund_id,
            decision: returned(decision, reservation, payment, refund_id, amount, reason, now),
        })
    }

    /// The one that is shown, or the first with so much left.
    fn transaction(&self) -> Result<ProviderId, Refusal> {
        let state = &self.payment.state;
        if let Some(shown) = &self.movement.transaction {
            return Ok(shown.clone());
        }
        let left = |transaction: &ProviderId| state.refundable_of(transaction).amount >= self.movement.amount.amount;
        let mut captures = state.captures.iter().map(|capture| &capture.transaction);
        // What failed has its part of it still, and may be what was shown.
        let first = captures.clone().find(|transaction| left(transaction)).or_else(|| captures.next());
        first.cloned().ok_or(Refusal::NotReceived { transaction: None })
    }
}

impl Movement {
    /// Whether it is this refund, which may have succeeded without an id of its own. What was called failed and is shown as
    /// paid is news.
    fn is(&self, refund: &Refund) -> bool {
        let Some(request) = &refund.request else { return false };
        let attempt = refund.attempt.as_ref();
        let stated = refund.stated.as_ref().and_then(|word| word.stated.provider_id.as_ref());
        match (refund.status, attempt.and_then(|attempt| attempt.provider_id.as_ref()).or(stated)) {
            (Status::Declined | Status::Failed, _) => false,
            (_, Some(known)) => *known == self.provider_id,
            (Status::Succeeded, None) => attempt.is_some_and(|attempt| {
                matches!(attempt.route, Route::WholeTransaction | Route::Payout)
                    && attempt.method.unwrap_or(request.method) == self.method
                    && request.amount == self.amount
            }),
            (_, None) => false,
        }
    }

    fn stated(&self) -> Stated {
        Stated { paid: true, provider_id: Some(self.provider_id.clone()), note: self.note.clone() }
    }

    /// Tried and done in one step: nobody is sent to pay it.
    fn paid(
        &self,
        decision: Decision,
        refund: &Loaded<Refund>,
        request: &Requested,
        by: Actor,
        now: Timestamp,
    ) -> Decision {
        let own = self.method == request.method;
        let whole = own && request.route == Route::WholeTransaction;
        let route = if whole { Route::WholeTransaction } else { Route::Payout };
        let way = (route, Some(self.method).filter(|_| !own));
        let decision = decision.then(refund, submitted(refund, way.0, way.1, now));
        decision.then(refund, succeeded(refund, request, way, Some(self.provider_id.clone()), by, now))
    }
}

/// The second person has said the same as who saw it: it was paid by then, and nobody is sent to pay it. Nothing for a
/// refund that was asked for.
pub(super) fn agreed(decision: Decision, refund: &Loaded<Refund>, by: Actor, now: Timestamp) -> Decision {
    let request = refund.state.request.as_ref().filter(|request| request.reason == Reason::External);
    let stated = refund.state.stated.as_ref().map(|word| word.stated.clone());
    let (Some(request), Some(Stated { provider_id: Some(provider_id), note, .. })) = (request, stated) else {
        return decision;
    };
    let (method, amount, transaction) = (request.method, request.amount, Some(request.transaction.clone()));
    Movement { provider_id, method, amount, transaction, note }.paid(decision, refund, request, by, now)
}

fn of(refund: &Refund, transaction: &ProviderId) -> bool {
    refund.request.as_ref().is_some_and(|request| request.transaction == *transaction)
}

/// What a decision makes of a new refund.
fn folded(refund_id: RefundId, decision: &Decision) -> Loaded<Refund> {
    let mut refund = Loaded::<Refund>::new(refund_id);
    let own = decision.changes.iter().filter(|change| change.stream == refund_id.into());
    for event in own.flat_map(|change| &change.events) {
        if let Event::Refund(event) = event {
            refund.apply(event.clone());
        }
    }
    refund
}
