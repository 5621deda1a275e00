//! Opening and closing a page at a provider: `workers/src/act/checkout.rs`.

use super::{
    Run,
    broken::Broken,
    calls::{Answer, Request, To},
    effects::Outcome,
    learn::{Learned, Report},
    provider::{Closed, Said},
    turn::{Stage, Step, Turn},
};
use crate::{
    Timestamp,
    ids::PaymentId,
    payment::{ProviderId, Status},
    reservation,
};

impl Run {
    /// Creates the checkout: asked for by reference first whenever somebody may have created it already.
    pub(super) fn open_checkout(&mut self, turn: &Turn, id: PaymentId) -> Step {
        let payment = self.lane.payment(id);
        if payment.state.status != Status::Requested {
            return Step::Over(Outcome::Done);
        }
        if turn.called_at.is_some() && !self.is(Broken::OpensAgainWithoutAsking) {
            let reference = payment.state.request.as_ref().unwrap().reference.to_string();
            return Step::Call(self.rail_of(id), Request::Search { payment: id, reference }, Stage::OpenSearched);
        }
        self.create(turn, &Report::of(turn), id, false)
    }

    pub(super) fn open_searched(&mut self, turn: &Turn, report: &Report, id: PaymentId, answer: Answer) -> Step {
        match answer {
            Answer::Said(Said::NotFound | Said::Unpaid) => self.create(turn, report, id, false),
            Answer::Said(said) => match self.learn(report, id, &said) {
                Ok(_) => Step::Over(Outcome::Done),
                Err(fail) => self.failed_turn(turn, &fail),
            },
            other => self.later(turn, &other),
        }
    }

    /// Creates it, if it is still wanted. Also from the state unknown, once the provider has said that there is none.
    pub(super) fn create(&mut self, turn: &Turn, report: &Report, id: PaymentId, asking: bool) -> Step {
        let now = self.now;
        let request = self.lane.payment(id).state.request.clone().unwrap();
        let reservation = &self.lane.paid_by(id).state;
        let in_time = request.hold_expires_at.is_none_or(|ends| now < ends);
        let live = reservation.status.is_live() || reservation.status == reservation::Status::Completed;
        if !in_time || !live || !reservation.due_of(request.purpose, request.share_id).is_positive() {
            return match self.fail(report, id, "no longer wanted") {
                Ok(_) => Step::Over(Outcome::Done),
                Err(fail) => self.failed_turn(turn, &fail),
            };
        }
        let terms = reservation.terms.as_ref().filter(|_| request.share_id.is_some());
        let usual = terms.map(|terms| now + chrono::Duration::seconds(i64::from(terms.policy.hold_seconds)));
        let closes_at = match (request.hold_expires_at, usual) {
            (Some(end), Some(usual)) => Some(end.min(usual)),
            (end, usual) => end.or(usual),
        };
        if !self.effects.about_to_call(turn, now) {
            return Step::Lost;
        }
        let (reference, amount) = (request.reference.to_string(), request.amount.amount);
        let open = Request::Open { payment: id, reference, amount, closes_at };
        Step::Call(To::Rail(request.method), open, Stage::Created { asking })
    }

    pub(super) fn created(
        &mut self,
        turn: &Turn,
        report: &Report,
        id: PaymentId,
        asking: bool,
        answer: Answer,
    ) -> Step {
        let written = match answer {
            Answer::Opened { name, ends } => self.opened(report, id, &name, ends).map(|_| ()),
            Answer::Refused { ours: false } => self.fail(report, id, "refused").map(|_| ()),
            Answer::Unknown { may_have_happened: true } => self.unknown(report, id).map(|_| ()),
            other => {
                self.effects.not_called(turn);
                self.audit.not_sent(id);
                return self.later(turn, &other);
            }
        };
        if let Err(fail) = written {
            return self.failed_turn(turn, &fail);
        }
        // Unknown as before: the questions go on.
        if asking && self.lane.payment(id).state.status == Status::Unknown {
            self.next(turn)
        } else {
            Step::Over(Outcome::Done)
        }
    }

    /// Whether a checkout of a share may go on although the reservation was confirmed without it.
    pub(super) fn share_is_wanted(&self, id: PaymentId) -> bool {
        let payment = &self.lane.payment(id).state;
        let (Some(request), Some(checkout)) = (&payment.request, &payment.checkout) else { return false };
        let Some(share_id) = request.share_id else { return false };
        let reservation = &self.lane.paid_by(id).state;
        let confirmed = matches!(reservation.status, reservation::Status::Confirmed | reservation::Status::CheckedIn);
        checkout.close_at.is_some_and(|end| self.now < end)
            && confirmed
            && reservation.share_due(share_id).is_positive()
    }

    /// Has the provider close the checkout, so that nothing can be paid in it; before its cells are freed.
    pub(super) fn close_checkout(&mut self, id: PaymentId) -> Step {
        let payment = self.lane.payment(id);
        if !payment.state.status.is_open() || self.share_is_wanted(id) {
            return Step::Over(Outcome::Done);
        }
        let rail = self.rail_of(id);
        match payment.state.provider_id().cloned() {
            Some(name) => Step::Call(rail, Request::Close { name: name.clone() }, Stage::CloseAsked { name }),
            None => {
                let reference = payment.state.request.as_ref().unwrap().reference.to_string();
                Step::Call(rail, Request::Search { payment: id, reference }, Stage::CloseSearched)
            }
        }
    }

    pub(super) fn close_searched(&mut self, turn: &Turn, report: &Report, id: PaymentId, answer: Answer) -> Step {
        let unknown = self.lane.payment(id).state.status == Status::Unknown;
        let written = match answer {
            Answer::Said(Said::NotFound | Said::Unpaid) if unknown => self.expire(report, id).map(|_| ()),
            Answer::Said(Said::NotFound | Said::Unpaid) => Ok(()),
            Answer::Said(said) => self.learn(report, id, &said).map(|_| ()),
            other => return self.later(turn, &other),
        };
        match written {
            Ok(()) => Step::Over(Outcome::Done),
            Err(fail) => self.failed_turn(turn, &fail),
        }
    }

    pub(super) fn close_asked(
        &mut self,
        turn: &Turn,
        report: &Report,
        id: PaymentId,
        name: &ProviderId,
        answer: Answer,
    ) -> Step {
        match answer {
            Answer::Closed(Closed::Now | Closed::NotFound) => match self.expire(report, id) {
                Ok(_) => Step::Over(Outcome::Done),
                Err(fail) => self.failed_turn(turn, &fail),
            },
            Answer::Closed(closed) => {
                Step::Call(self.rail_of(id), Request::Status { name: name.clone() }, Stage::CloseStatus { closed })
            }
            // Closing twice is harmless, and the cells wait for it.
            Answer::Unknown { may_have_happened: true } => match self.unknown(report, id) {
                Ok(_) => self.again(turn),
                Err(fail) => self.failed_turn(turn, &fail),
            },
            other => self.later(turn, &other),
        }
    }

    pub(super) fn close_status(
        &mut self,
        turn: &Turn,
        report: &Report,
        id: PaymentId,
        closed: Closed,
        answer: Answer,
    ) -> Step {
        let Answer::Said(said) = answer else { return self.later(turn, &answer) };
        let end: Option<Timestamp> = self.lane.payment(id).state.ends_by_itself();
        match self.learn(report, id, &said) {
            Ok(Learned::Open | Learned::Nothing) => match end {
                Some(end) if closed == Closed::ByItself && end > self.now => {
                    Step::Over(Outcome::Later { due: end, work: None })
                }
                _ => self.again(turn),
            },
            Ok(Learned::Contradiction) => Step::Over(Outcome::Failed("contradiction")),
            Ok(Learned::Settled(_) | Learned::Ended { .. }) => Step::Over(Outcome::Done),
            Err(fail) => self.failed_turn(turn, &fail),
        }
    }
}
