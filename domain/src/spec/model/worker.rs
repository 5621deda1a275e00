//! What the workers do, in small: `workers/src/act/{checkout,ask,timer}.rs`, step by step (what they make of an answer:
//! `learn`; refunds: `refunds`). A turn that calls
//! the provider is two steps, the call and the record, and anything may happen in between.

use crate::{
    actor::{Actor, Role},
    aggregate::Loaded,
    ids::PaymentId,
    payment::{self, Payment, ProviderId, Status},
    reaction::{About, Alarm, Ask, Reaction},
    reservation::{self, Reservation, Source},
    spec::{story::note, world::No},
};

use super::{
    Booking, Broken,
    actions::How,
    lane::{Lane, OURS},
    provider::{Closed, Request, Said},
    state::{Answer, Effect, State},
};

/// Whose word it is when the provider has answered our question.
pub(super) const PROVIDER: Actor = Actor { role: Role::Provider, id: None };

/// How a turn ended.
pub(super) enum Outcome {
    Done,
    /// Once more, as it is.
    Again,
    Later(Reaction, crate::Timestamp),
}

/// How a call ended.
pub(super) enum Step {
    /// The turn is over: nobody was called, or there is nothing to write.
    Over(Outcome),
    /// To be written down in the second step; whether a crash leaves a trace.
    InHand { answer: Answer, marked: bool },
}

/// What an answer meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learned {
    Open,
    Settled,
    Ended,
    Nothing,
    Contradiction,
}

/// A worker at its turn.
pub(super) struct Worker<'a> {
    pub(super) model: &'a Booking,
    pub(super) state: &'a mut State,
}

pub(super) fn checkout_name(nth: usize) -> ProviderId {
    ProviderId::known(format!("cos-{nth}"))
}

pub(super) fn checkout_number(name: &ProviderId) -> usize {
    name.as_str().trim_start_matches("cos-").parse().unwrap()
}

pub(super) fn transaction(charge: usize) -> ProviderId {
    ProviderId::known(format!("T{charge}"))
}

impl Worker<'_> {
    pub(super) fn is(&self, broken: Broken) -> bool {
        self.model.broken == Some(broken)
    }

    pub(super) fn payment(&self, id: PaymentId) -> Option<Loaded<Payment>> {
        self.state.lane.payment(id).cloned()
    }

    pub(super) fn reservation(&self) -> Loaded<Reservation> {
        self.state.lane.reservation.clone()
    }

    /// Writes a decision and what is owed for it. Answers whether something was written.
    pub(super) fn write<R: crate::refusal::Refused>(
        &mut self,
        decision: Result<crate::decision::Decision, R>,
    ) -> Result<bool, No> {
        let nothing = decision.as_ref().is_ok_and(crate::decision::Decision::is_nothing);
        if nothing {
            return Ok(false);
        }
        let owed = self.state.lane_mut().write(decision)?;
        self.state.owe(owed);
        Ok(true)
    }

    /// The first step of a turn. `None` when this call cannot end so.
    pub(super) fn call(&mut self, effect: &Effect, how: How) -> Option<Step> {
        match effect.reaction {
            Reaction::OpenCheckout { payment_id } => self.open(payment_id, effect.called, how),
            Reaction::CloseCheckout { payment_id, .. } => self.close(payment_id, how),
            Reaction::Ask(Ask { about: About::Payment(payment_id), .. }) => self.ask(effect, payment_id, how),
            Reaction::Ask(Ask { about: About::Refund(refund_id), .. }) => self.ask_refund(effect, refund_id, how),
            Reaction::SubmitRefund { refund_id } => self.submit_refund(refund_id, how),
            Reaction::RetryRefund { refund_id } => self.retry_refund(refund_id, how),
            _ => None,
        }
    }

    /// Creates the checkout: asked for by reference first whenever somebody may have created it already.
    fn open(&mut self, id: PaymentId, called_before: bool, how: How) -> Option<Step> {
        let payment = self.payment(id)?;
        if payment.state.status != Status::Requested {
            return how.over(Outcome::Done);
        }
        if called_before && !self.is(Broken::OpensAgainWithoutAsking) {
            let key = payment.state.request.as_ref()?.reference.to_string();
            match self.state.provider.search(id, &key) {
                Said::NotFound | Said::Unpaid => {}
                said => return how.in_hand(Answer::Said { said, was_unknown: false }),
            }
        }
        self.create(&payment, how)
    }

    /// Creates it, if it is still wanted. Also from the state unknown, once the provider has said that there is none.
    fn create(&mut self, payment: &Loaded<Payment>, how: How) -> Option<Step> {
        let request = payment.state.request.as_ref()?;
        let in_time = request.hold_expires_at.is_none_or(|ends| self.state.now() < ends);
        let reservation = self.reservation().state;
        let status = reservation.status;
        let wanted = status.is_live() || status == reservation::Status::Completed;
        if !in_time || !wanted || !reservation.due_of(request.purpose, request.share_id).is_positive() {
            if how == How::Answered {
                self.fail(payment.id, "no longer wanted");
            }
            return how.over(Outcome::Done);
        }
        let (id, amount, now) = (payment.id, request.amount.amount, self.state.now());
        let key = if self.is(Broken::OpensUnderAnotherKey) && payment.state.status == Status::Unknown {
            payment::reference(id.uuid(), 2).to_string()
        } else {
            request.reference.to_string()
        };
        self.state.provider.sent_open(id);
        let answer = match how {
            How::Answered => Answer::Opened(self.state.provider.open(id, &key, amount, now)),
            How::Refused => Answer::OpenRefused,
            How::Cut => {
                self.state.provider.late.push(Request::Open { payment: id, key, amount });
                Answer::Cut
            }
            How::Slow => return None,
        };
        Some(Step::InHand { answer, marked: true })
    }

    /// Has the provider close the checkout, so that nothing can be paid in it; before its cells are freed.
    fn close(&mut self, id: PaymentId, how: How) -> Option<Step> {
        let payment = self.payment(id)?;
        if !payment.state.status.is_open() {
            return how.over(Outcome::Done);
        }
        let Some(provider_id) = payment.state.provider_id() else {
            let key = payment.state.request.as_ref()?.reference.to_string();
            let said = self.state.provider.search(id, &key);
            return match said {
                Said::NotFound | Said::Unpaid if payment.state.status == Status::Unknown => how.in_hand(Answer::Closed),
                Said::NotFound | Said::Unpaid => how.over(Outcome::Done),
                said => how.in_hand(Answer::Said { said, was_unknown: false }),
            };
        };
        let checkout = checkout_number(provider_id);
        let request = Request::Close { checkout };
        if how == How::Cut {
            self.state.provider.late.push(request);
            return Some(Step::InHand { answer: Answer::Cut, marked: false });
        }
        self.state.provider.late.retain(|late| *late != request);
        let answer = match self.state.provider.close(checkout) {
            Closed::Now => Answer::Closed,
            closed => {
                let said = self.state.provider.status(checkout);
                Answer::NotClosed { said, by_itself: closed == Closed::ByItself }
            }
        };
        how.in_hand(answer)
    }

    /// One question of a series.
    fn ask(&mut self, effect: &Effect, id: PaymentId, how: How) -> Option<Step> {
        let payment = self.payment(id)?;
        if !payment.state.status.is_open() && !payment.state.lingers() {
            return how.over(Outcome::Done);
        }
        let was_unknown = payment.state.status == Status::Unknown;
        let said = match payment.state.provider_id() {
            Some(provider_id) => self.state.provider.status(checkout_number(provider_id)),
            None => {
                let key = payment.state.request.as_ref()?.reference.to_string();
                self.state.provider.search(id, &key)
            }
        };
        if matches!(said, Said::NotFound | Said::Unpaid) && was_unknown && payment.state.provider_id().is_none() {
            // It never came into being: it may be made (anew), and this question is the one asked before.
            return match self.create(&payment, how)? {
                Step::Over(Outcome::Done) => Some(Step::Over(Outcome::Done)),
                step => Some(step),
            };
        }
        // Nothing that is news: the next question.
        if matches!(said, Said::Pending(_)) && payment.state.status == Status::Pending {
            return how.over(self.next(effect));
        }
        how.in_hand(Answer::Said { said, was_unknown })
    }

    /// The next question; after the last one somebody is told, and nobody asks any more.
    pub(super) fn next(&self, effect: &Effect) -> Outcome {
        let Reaction::Ask(question) = effect.reaction else { return Outcome::Done };
        let now = self.state.now();
        let mut following = question.next();
        while let Some(ask) = following
            && ask.due() <= now
            && ask.next().is_some()
        {
            following = ask.next();
        }
        following.map_or(Outcome::Done, |ask| Outcome::Later(Reaction::Ask(ask), ask.due().max(now)))
    }

    /// The second step: what was answered becomes what the payment or refund is.
    pub(super) fn record(&mut self, effect: &Effect, answer: Answer) -> Outcome {
        let (Reaction::OpenCheckout { payment_id: id }
        | Reaction::CloseCheckout { payment_id: id, .. }
        | Reaction::Ask(Ask { about: About::Payment(id), .. })) = effect.reaction
        else {
            return self.record_refund(effect, answer);
        };
        let asking = matches!(effect.reaction, Reaction::Ask(_));
        let closing = matches!(effect.reaction, Reaction::CloseCheckout { .. });
        match answer {
            Answer::Opened(checkout) => {
                self.learn(id, &Said::Pending(checkout));
                if asking && self.is_unknown(id) { self.next(effect) } else { Outcome::Done }
            }
            Answer::OpenRefused => {
                self.fail(id, "refused");
                Outcome::Done
            }
            Answer::Closed => {
                self.expire(id);
                Outcome::Done
            }
            Answer::NotClosed { said, by_itself } => match self.learn(id, &said) {
                Learned::Open | Learned::Nothing => {
                    let end = self.payment(id).and_then(|payment| payment.state.ends_by_itself());
                    match end {
                        Some(end) if by_itself && end > self.state.now() => Outcome::Later(effect.reaction, end),
                        _ => Outcome::Again,
                    }
                }
                Learned::Contradiction | Learned::Settled | Learned::Ended => Outcome::Done,
            },
            Answer::Said { said, .. } if !asking => {
                self.learn(id, &said);
                Outcome::Done
            }
            Answer::Said { said, was_unknown } => {
                let learned = self.learn(id, &said);
                let lingers = self.payment(id).is_some_and(|payment| payment.state.lingers());
                match learned {
                    // Out of unknown a new series begins by itself.
                    Learned::Open if was_unknown => Outcome::Done,
                    Learned::Settled => Outcome::Done,
                    Learned::Ended if !lingers => Outcome::Done,
                    _ => self.next(effect),
                }
            }
            Answer::Cut => {
                let payment = self.payment(id).unwrap();
                let unknown = payment::unknown(&payment, &self.reservation(), note("cut off"), self.state.now());
                self.write(unknown).unwrap();
                match (closing, asking) {
                    // Closing twice is harmless, and the cells wait for it.
                    (true, _) => Outcome::Again,
                    (_, true) => self.next(effect),
                    _ => Outcome::Done,
                }
            }
            Answer::Whole | Answer::Payout(_) | Answer::RefundRefused => Outcome::Done,
        }
    }

    fn is_unknown(&self, id: PaymentId) -> bool {
        self.payment(id).is_some_and(|payment| payment.state.status == Status::Unknown)
    }

    /// What time alone brings about, and money that goes back by rule: one step.
    pub(super) fn inside(&mut self, effect: &Effect) -> Outcome {
        let (reservation, now) = (self.reservation(), self.state.now());
        let paying: Vec<Loaded<Payment>> =
            reservation.state.paying().into_iter().filter_map(|id| self.payment(id)).collect();
        let sources: Vec<Source<'_>> =
            paying.iter().map(|payment| Source { payment, refund_id: Lane::refund_id(payment) }).collect();
        let decision = match effect.reaction {
            Reaction::Wake { alarm: Alarm::HoldEnds, .. } => {
                let open = self.state.lane.payments.iter().filter(|payment| payment.state.status.is_open());
                let open: Vec<&Loaded<Payment>> = open.filter(|_| !self.is(Broken::FreesWithoutClosing)).collect();
                reservation::expire(&reservation, &open, now)
            }
            Reaction::ReturnMoney { reservation_id: OURS } => reservation::return_money(&reservation, &sources, now),
            _ => reservation::finish(&reservation, &sources, None, now),
        };
        match decision {
            Err(reservation::Refusal::HoldAlive { until }) => Outcome::Later(effect.reaction, until),
            Err(reservation::Refusal::NotOver { .. }) => Outcome::Done,
            decision => match self.write(decision) {
                Ok(_) => Outcome::Done,
                Err(_) => Outcome::Again,
            },
        }
    }
}

impl How {
    /// A turn that ends without a call ends in one way only.
    pub(super) fn over(self, outcome: Outcome) -> Option<Step> {
        (self == Self::Answered).then_some(Step::Over(outcome))
    }

    /// An answer that can only be had by being answered.
    pub(super) fn in_hand(self, answer: Answer) -> Option<Step> {
        (self == Self::Answered).then_some(Step::InHand { answer, marked: false })
    }
}
