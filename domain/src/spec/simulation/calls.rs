//! Calls to what is outside, with all that can happen to them: they take their time, are refused, cut off before or after they
//! were accepted, held back by the breaker. And with what can happen to whoever calls: it hangs, or dies.

use chrono::Duration;

use super::{
    Run,
    agenda::Happening,
    breaker::Breaker,
    broken::Broken,
    faults::Fault,
    known::Refunding,
    provider::{Closed, Movement, Moving, PaidOut, Said, fate},
    turn::{Resume, Stage, Turn, Who},
};
use crate::{
    Timestamp,
    ids::{ClientId, PaymentId, RefundId, ReservationId},
    payment::{Method, ProviderId},
    reaction::Notice,
};

/// How long a call may take (`adapters/src/call.rs`).
const PATIENCE: Duration = Duration::seconds(15);

/// Whom somebody calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Rail(Method),
    Gateway,
}

#[derive(Clone, Debug)]
pub(super) enum Request {
    Open { payment: PaymentId, reference: String, amount: i64, closes_at: Option<Timestamp> },
    Status { name: ProviderId },
    Search { payment: PaymentId, reference: String },
    Close { name: ProviderId },
    Whole { refund: RefundId, name: ProviderId },
    Payout { refund: RefundId, key: String, amount: i64 },
    PayoutStatus { name: ProviderId },
    PayoutSearch { key: String },
    Text { to: ClientId, notice: Notice },
}

#[derive(Clone, Debug)]
pub(super) enum Answer {
    Opened {
        name: ProviderId,
        ends: Option<Timestamp>,
    },
    Said(Said),
    Closed(Closed),
    Whole,
    PaidOut(PaidOut),
    Sent,
    /// For good; or about our account, which says nothing about this payment.
    Refused {
        ours: bool,
    },
    RetryAfter(Option<Duration>),
    /// Nobody can tell; or it is certain that nothing happened.
    Unknown {
        may_have_happened: bool,
    },
}

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Well,
    AcceptedAndHung,
    AcceptedAndReset,
    RejectedAndHung,
    AcceptedLate,
    Unreachable,
    TooMany,
    Refused,
    /// Our key is refused.
    Unauthorized,
}

impl Run {
    pub(super) fn breaker(&mut self, to: To) -> &mut Breaker {
        match to {
            To::Rail(method) => &mut self.breakers[method_number(method)],
            To::Gateway => &mut self.breakers[4],
        }
    }

    /// Sends a request. Its answer resumes the turn.
    pub(super) fn call(&mut self, turn: Turn, to: To, request: Request, stage: Stage) {
        let now = self.now;
        if let Err(rest) = self.breaker(to).admit(now) {
            self.tally.note(Fault::BreakerOpen);
            let answer = Answer::RetryAfter(Some(rest));
            let resume = Resume { to, request, stage, how: How::TooMany, answer: Some(answer) };
            self.is_answered(turn, resume, Duration::zero());
            return;
        }
        if let Request::Open { payment, .. } = &request {
            self.audit.sent_open(*payment);
        }
        let is_order = matches!(request, Request::Whole { .. } | Request::Payout { .. });
        self.audit.said(Self::id_of(&turn), is_order, now);
        let how = self.how(to, &request);
        let there = if self.is_racing(turn.of) { Duration::zero() } else { self.millis(5, 250) };
        let resume = Resume { to, request, stage, how, answer: None };
        let arrives = match how {
            How::AcceptedLate => PATIENCE + self.millis(200, 8_000),
            _ => there,
        };
        let ended = match how {
            How::Unreachable => Some((there, Answer::Unknown { may_have_happened: false })),
            How::RejectedAndHung | How::AcceptedAndHung | How::AcceptedLate => {
                Some((PATIENCE, Answer::Unknown { may_have_happened: true }))
            }
            _ => None,
        };
        if let Some((after, answer)) = ended {
            let answered = Resume { answer: Some(answer), ..resume.clone() };
            self.is_answered(turn, answered, after);
        }
        if !matches!(how, How::Unreachable | How::RejectedAndHung) {
            self.more(turn.of);
            self.at(now + arrives, Happening::Arrives(Box::new((turn, resume))));
        }
    }

    fn how(&mut self, to: To, request: &Request) -> How {
        let now = self.now;
        if let To::Rail(method) = to
            && self.provider(method).is_away(now)
        {
            return self.random.pick(&[How::Unreachable, How::RejectedAndHung, How::RejectedAndHung]);
        }
        let how = self.random.weighed(&[
            (9_700, How::Well),
            (50, How::AcceptedAndHung),
            (50, How::AcceptedAndReset),
            (50, How::RejectedAndHung),
            (30, How::AcceptedLate),
            (40, How::Unreachable),
            (30, How::TooMany),
            (45, How::Refused),
            (5, How::Unauthorized),
        ]);
        let changes = !matches!(
            request,
            Request::Status { .. }
                | Request::Search { .. }
                | Request::PayoutStatus { .. }
                | Request::PayoutSearch { .. }
        );
        let how = match (how, request) {
            // A question or a closing is not refused for good; and what is cut off arrives before the answer to a later call.
            (How::Refused, Request::Close { .. }) => How::Well,
            (How::Refused, _) if !changes => How::Unauthorized,
            (How::AcceptedLate, Request::Whole { .. }) => How::AcceptedAndHung,
            (How::AcceptedLate, _) if !changes => How::RejectedAndHung,
            (How::AcceptedAndHung | How::AcceptedAndReset, _) if !changes => How::RejectedAndHung,
            (how, _) => how,
        };
        let fault = match (how, to) {
            (How::AcceptedAndHung | How::AcceptedAndReset | How::AcceptedLate, To::Gateway) => Fault::GatewaySilent,
            (How::AcceptedAndHung, _) => Fault::AcceptedAndHung,
            (How::AcceptedAndReset, _) => Fault::AcceptedAndReset,
            (How::RejectedAndHung, _) => Fault::RejectedAndHung,
            (How::AcceptedLate, _) => Fault::AcceptedLate,
            (How::Unreachable, _) => Fault::Unreachable,
            (How::TooMany, _) => Fault::TooMany,
            _ => return how,
        };
        self.tally.note(fault);
        how
    }

    /// A request arrives.
    pub(super) fn arrives(&mut self, turn: Turn, resume: Resume) {
        let answer = match resume.how {
            How::TooMany => Answer::RetryAfter(None),
            How::Refused if self.may_be_refused(resume.to, &resume.request) => Answer::Refused { ours: false },
            How::Unauthorized => Answer::Refused { ours: true },
            _ => self.execute(turn.of, resume.to, &resume.request),
        };
        let answer = match resume.how {
            // Whoever called has given up already, or will.
            How::AcceptedAndHung | How::AcceptedLate => return,
            How::AcceptedAndReset => Answer::Unknown { may_have_happened: true },
            _ => answer,
        };
        let back = if self.is_racing(turn.of) { Duration::zero() } else { self.millis(5, 250) };
        let resume = Resume { answer: Some(answer), ..resume };
        self.is_answered(turn, resume, back);
    }

    /// A question is not refused for good, nor what was accepted before.
    fn may_be_refused(&self, to: To, request: &Request) -> bool {
        match (to, request) {
            (To::Rail(method), Request::Whole { name, .. }) => !self.provider(method).gives_back(name),
            (To::Rail(method), Request::Payout { key, .. }) => !self.provider(method).knows(key),
            (_, Request::Open { .. } | Request::Text { .. }) => true,
            _ => false,
        }
    }

    fn execute(&mut self, of: ReservationId, to: To, request: &Request) -> Answer {
        let now = self.now;
        let To::Rail(method) = to else {
            if let Request::Text { to, notice } = request {
                self.audit.texted(*to, *notice, of);
            }
            return Answer::Sent;
        };
        let becomes = fate(&mut self.random);
        // Minutes, or for longer than it is asked about.
        let slow =
            if self.random.chance(400) { self.millis(266_400_000, 360_000_000) } else { self.millis(2_000, 240_000) };
        let taken_back = self.random.chance(60);
        let provider = &mut self.providers[method_number(method)];
        match request {
            Request::Open { reference, amount, closes_at, .. } => {
                match provider.open(reference, *amount, *closes_at, now) {
                    Some((name, ends)) => Answer::Opened { name, ends },
                    None => Answer::Refused { ours: false },
                }
            }
            Request::Status { name } => Answer::Said(provider.status(name, now)),
            Request::Search { payment, reference } => {
                self.audit.asked(*payment);
                Answer::Said(provider.search(reference, now))
            }
            Request::Close { name } => Answer::Closed(provider.close(name, now)),
            Request::Whole { refund, name } => {
                if !provider.ways().whole {
                    return Answer::Refused { ours: false };
                }
                let (done, begun) = provider.whole(name);
                if let Some(nth) = begun {
                    let then = (!done).then_some((now + slow, Movement::Settles(nth)));
                    self.moved(method, nth, *refund, then);
                }
                // Accepted is not done: asking again is calling again.
                if done { Answer::Whole } else { Answer::Unknown { may_have_happened: true } }
            }
            Request::Payout { refund, key, amount } => {
                if !provider.ways().payout {
                    return Answer::Refused { ours: false };
                }
                let (paid, begun) = provider.payout(key, *amount, becomes);
                if let Some(nth) = begun {
                    let then = match becomes.0 {
                        Moving::Processing => Some((now + slow, Movement::Settles(nth))),
                        Moving::Succeeded if taken_back => {
                            Some((now + slow.min(Duration::minutes(4)) * 40, Movement::TakenBack(nth)))
                        }
                        _ => None,
                    };
                    self.moved(method, nth, *refund, then);
                }
                Answer::PaidOut(paid)
            }
            Request::PayoutStatus { name } => Answer::PaidOut(provider.payout_status(name)),
            Request::PayoutSearch { key } => Answer::PaidOut(provider.payout_search(key)),
            Request::Text { .. } => Answer::Sent,
        }
    }

    /// An answer reaches whoever called; unless they died of it, or hang.
    pub(super) fn answered(&mut self, turn: Turn, mut resume: Resume) {
        let Some(answer) = resume.answer.take() else { return };
        // What the breaker says itself is no news to it, and nobody was called.
        let called = !matches!(answer, Answer::RetryAfter(Some(_))) && !resume.stage.was_hanging();
        if called {
            let well = !matches!(answer, Answer::Unknown { .. });
            let now = self.now;
            self.breaker(resume.to).record(now, well);
        }
        if called {
            let often = match resume.request {
                _ if self.is_racing(turn.of) => 0,
                Request::Payout { .. } | Request::Whole { .. } => 300,
                _ => 40,
            };
            if self.random.chance(often) {
                self.tally.note(Fault::DiesAfterTheCall);
                self.note(turn.of, "dies", turn.attempts.into());
                self.dies(turn);
                return;
            }
            if self.random.chance(20) {
                self.tally.note(Fault::Hangs);
                self.note(turn.of, "hangs", turn.attempts.into());
                // Often for just long enough to meet its successor.
                let most = if self.random.chance(6_000) { 45_400 } else { 150_000 };
                let wait = self.millis(45_000, most);
                let stage = Stage::Hung(Box::new(resume.stage));
                let resume = Resume { stage, answer: Some(answer), ..resume };
                self.is_answered(turn, resume, wait);
                return;
            }
        }
        if !matches!(answer, Answer::Unknown { may_have_happened: true }) {
            self.audit.answered(Self::id_of(&turn));
        }
        let step = self.resume(&turn, resume.stage.awake(), answer);
        self.step(turn, step);
    }

    /// An answer, or that there is none, will reach whoever called.
    fn is_answered(&mut self, turn: Turn, resume: Resume, after: Duration) {
        self.more(turn.of);
        self.at(self.now + after, Happening::Answered(Box::new((turn, resume))));
    }

    fn dies(&mut self, turn: Turn) {
        if self.is(Broken::LosesEffectOnDeath) {
            self.lose(&turn);
        }
        match turn.who {
            Who::Effect { .. } => {
                self.effects.died(&turn);
                let back = self.now + Duration::seconds(3);
                self.at(back, Happening::WorkerIsBack);
            }
            Who::Message { .. } => self.inbox.free += 1,
        }
    }

    /// Something at a provider comes to its end.
    pub(super) fn moves(&mut self, method: Method, movement: Movement) {
        let provider = &mut self.providers[method_number(method)];
        let nth = match movement {
            Movement::Settles(nth) => {
                provider.backs[nth].moving = provider.backs[nth].then;
                nth
            }
            Movement::TakenBack(nth) => {
                provider.backs[nth].moving = Moving::Reversed;
                nth
            }
        };
        if provider.backs[nth].moving == Moving::Reversed {
            self.tally.note(Fault::RefundReversed);
        }
        if let Some(of) = self.audit.reservation_of(method, nth) {
            self.look(of);
            self.less(of);
        }
    }

    /// Money began to move at a provider for this refund.
    fn moved(&mut self, method: Method, nth: usize, refund: RefundId, then: Option<(Timestamp, Movement)>) {
        let back = self.providers[method_number(method)].backs[nth].clone();
        let of = self.lane.refunds.get(&refund).and_then(|refund| refund.state.request.as_ref());
        let Some(of) = of.map(|request| request.reservation_id) else { return };
        let before = self.audit.refunds.get(&refund).map_or(&[][..], |refund| &refund.movements[..]);
        let stands = |(method, nth): &(Method, usize)| !Refunding::is_dead(self.provider(*method).backs[*nth].moving);
        if back.moving != Moving::Failed && before.iter().any(stands) {
            self.audit.wrong("refunded_once", of, "it goes back while it is going back");
        }
        self.audit.moved(method, nth, refund, of, &back);
        if let Some((at, movement)) = then {
            self.more(of);
            self.at(at, Happening::Moves(method, movement));
        }
        self.note(of, "money moves at its provider", nth as u64);
    }

    pub(super) fn millis(&mut self, from: i64, to: i64) -> Duration {
        Duration::milliseconds(self.random.between(from, to))
    }
}

pub(super) const fn method_number(method: Method) -> usize {
    match method {
        Method::Wave => 0,
        Method::OrangeMoney => 1,
        Method::Yas => 2,
        _ => 3,
    }
}
