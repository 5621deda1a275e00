//! A worker's turn, step by step: `workers/src/act.rs` with `act/{checkout,ask,timer}.rs`. A turn that calls somebody rests until
//! the answer comes, and anything may happen in between.

use uuid::Uuid;

use super::{
    Run,
    broken::Broken,
    calls::{Answer, How, Request, To},
    effects::{EffectId, Outcome, Work},
    faults::Fault,
    inbox::MessageId,
    lane::Lane,
    learn::{Learned, Report},
    provider::Closed,
    write::Fail,
};
use crate::{
    Timestamp,
    aggregate::Loaded,
    ids::{PaymentId, ReservationId},
    payment::{ProviderId, Status},
    reaction::{About, Alarm, Ask, Reaction},
    reservation::{self, Reservation, Source},
    spec::story::note,
};

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Effect { id: EffectId, token: u64, group: Uuid },
    Message { id: MessageId, token: u64 },
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) who: Who,
    pub(super) work: Work,
    pub(super) of: ReservationId,
    pub(super) attempts: u32,
    /// Somebody may have called then and could not say so.
    pub(super) called_at: Option<Timestamp>,
}

/// Where a turn goes on when an answer comes.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    OpenSearched,
    Created {
        asking: bool,
    },
    CloseSearched,
    CloseAsked {
        name: ProviderId,
    },
    CloseStatus {
        closed: Closed,
    },
    PaymentAsked,
    Refunding {
        asking: bool,
    },
    PayoutAsked,
    Texted,
    MessageAsked,
    /// The worker hung for longer than its lease.
    Hung(Box<Stage>),
}

impl Stage {
    pub(super) const fn was_hanging(&self) -> bool {
        matches!(self, Self::Hung(_))
    }

    pub(super) fn awake(self) -> Self {
        match self {
            Self::Hung(stage) => *stage,
            stage => stage,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Resume {
    pub(super) to: To,
    pub(super) request: Request,
    pub(super) stage: Stage,
    pub(super) how: How,
    pub(super) answer: Option<Answer>,
}

pub(super) enum Step {
    Over(Outcome),
    Call(To, Request, Stage),
    /// Somebody else has it.
    Lost,
}

impl From<Result<Step, Fail>> for Step {
    fn from(result: Result<Step, Fail>) -> Self {
        result.unwrap_or(Self::Lost)
    }
}

impl Run {
    pub(super) fn step(&mut self, turn: Turn, step: Step) {
        match (step, turn.who) {
            (Step::Call(to, request, stage), _) => self.call(turn, to, request, stage),
            (Step::Over(outcome), Who::Effect { .. }) => self.finish(&turn, outcome),
            (Step::Lost, Who::Effect { .. }) => self.free(),
            // The inbox concludes its messages itself.
            (Step::Over(_) | Step::Lost, Who::Message { .. }) => self.reader_is_free(),
        }
    }

    /// The first step.
    pub(super) fn begin(&mut self, turn: &Turn) -> Step {
        let report = Report::of(turn);
        let reaction = match turn.work {
            Work::Text { to, notice } => return self.send_text(turn, to, notice),
            Work::Act(reaction) => reaction,
        };
        match reaction {
            Reaction::OpenCheckout { payment_id } => self.open_checkout(turn, payment_id),
            Reaction::CloseCheckout { payment_id, .. } => self.close_checkout(payment_id),
            // No statement is imported here: nobody asks for one, or about what one lists.
            Reaction::FetchStatement { .. }
            | Reaction::ObserveRefund { .. }
            | Reaction::Ask(Ask { about: About::Listed(_) | About::Payout(_), .. })
            | Reaction::PreparePayout { .. }
            | Reaction::Invite { .. }
            | Reaction::ChangeNumber { .. }
            | Reaction::IssueInvoice { .. }
            | Reaction::InvoiceDue { .. }
            | Reaction::SubmitPayout { .. } => Step::Over(Outcome::Done),
            Reaction::Ask(Ask { about: About::Payment(id), .. }) => self.ask_payment(id),
            Reaction::Ask(ask @ Ask { about: About::Refund(id), .. }) => self.ask_refund(turn, ask, id),
            Reaction::SubmitRefund { refund_id } => self.submit_refund(turn, refund_id),
            Reaction::RetryRefund { refund_id } => self.retry_refund(turn, refund_id),
            Reaction::ReturnMoney { reservation_id } => self.return_money(&report, reservation_id),
            Reaction::Wake { reservation_id, alarm: Alarm::HoldEnds, .. } => self.expire_hold(&report, reservation_id),
            Reaction::Wake { reservation_id, alarm: Alarm::Finish, .. } => {
                self.finish_reservation(&report, reservation_id)
            }
            Reaction::Wake { .. }
            | Reaction::CloseCheckouts { .. }
            | Reaction::ReleaseDiscount { .. }
            | Reaction::Tell { .. } => Step::Over(Outcome::Done),
        }
    }

    /// A later step.
    pub(super) fn resume(&mut self, turn: &Turn, stage: Stage, answer: Answer) -> Step {
        let report = Report::of(turn);
        let payment = || match turn.work {
            Work::Act(Reaction::OpenCheckout { payment_id } | Reaction::CloseCheckout { payment_id, .. }) => payment_id,
            Work::Act(Reaction::Ask(Ask { about: About::Payment(payment_id), .. })) => payment_id,
            _ => Uuid::nil().into(),
        };
        match stage {
            Stage::OpenSearched => self.open_searched(turn, &report, payment(), answer),
            Stage::Created { asking } => self.created(turn, &report, payment(), asking, answer),
            Stage::CloseSearched => self.close_searched(turn, &report, payment(), answer),
            Stage::CloseAsked { name } => self.close_asked(turn, &report, payment(), &name, answer),
            Stage::CloseStatus { closed } => self.close_status(turn, &report, payment(), closed, answer),
            Stage::PaymentAsked => self.payment_asked(turn, &report, payment(), answer),
            Stage::Refunding { asking } => self.refunding(turn, &report, asking, answer),
            Stage::PayoutAsked => self.payout_asked(turn, &report, answer),
            Stage::Texted => self.texted(turn, &answer),
            Stage::MessageAsked => self.message_asked(turn, &answer),
            Stage::Hung(stage) => self.resume(turn, *stage, answer),
        }
    }

    /// Once more after a while that grows with each time, spread at random.
    pub(super) fn again(&mut self, turn: &Turn) -> Step {
        let most = (1_000_i64 << turn.attempts.min(16)).min(300_000);
        let wait = self.millis(0, most - 1);
        Step::Over(Outcome::Later { due: self.now + wait, work: None })
    }

    pub(super) fn busy(&mut self, turn: &Turn, wait: Option<chrono::Duration>) -> Step {
        match wait {
            Some(wait) => Step::Over(Outcome::Later { due: self.now + wait, work: None }),
            None => self.again(turn),
        }
    }

    pub(super) fn later(&mut self, turn: &Turn, answer: &Answer) -> Step {
        match answer {
            Answer::RetryAfter(wait) => self.busy(turn, *wait),
            _ => self.again(turn),
        }
    }

    pub(super) fn rail_of(&self, payment: PaymentId) -> To {
        To::Rail(self.lane.payment(payment).state.request.as_ref().unwrap().method)
    }

    /// An error of the turn: it is tried again, unless somebody else has it.
    pub(super) fn failed_turn(&mut self, turn: &Turn, fail: &Fail) -> Step {
        if *fail == Fail::Lost { Step::Lost } else { self.again(turn) }
    }

    /// One question of a series.
    fn ask_payment(&mut self, id: PaymentId) -> Step {
        if self.is(Broken::NeverAsks) {
            return Step::Over(Outcome::Done);
        }
        let payment = &self.lane.payment(id).state;
        if !payment.status.is_open() && !payment.lingers() {
            return Step::Over(Outcome::Done);
        }
        let request = match payment.provider_id() {
            Some(name) => Request::Status { name: name.clone() },
            None => Request::Search { payment: id, reference: payment.request.as_ref().unwrap().reference.to_string() },
        };
        Step::Call(self.rail_of(id), request, Stage::PaymentAsked)
    }

    fn payment_asked(&mut self, turn: &Turn, report: &Report, id: PaymentId, answer: Answer) -> Step {
        // The schedule is the retry.
        let Answer::Said(said) = answer else { return self.cut_off(turn) };
        let was_unknown = self.lane.payment(id).state.status == Status::Unknown;
        let learned = match self.learn(report, id, &said) {
            Ok(learned) => learned,
            Err(fail) => return self.failed_turn(turn, &fail),
        };
        let payment = &self.lane.payment(id).state;
        match learned {
            // Out of unknown a new series begins by itself.
            Learned::Open if was_unknown && payment.status != Status::Unknown => Step::Over(Outcome::Done),
            Learned::Settled(_) => Step::Over(Outcome::Done),
            Learned::Ended { .. } if !payment.lingers() => Step::Over(Outcome::Done),
            // It never came into being: it may be made (anew).
            Learned::Nothing if was_unknown && payment.provider_id().is_none() => self.create(turn, report, id, true),
            _ => self.next(turn),
        }
    }

    /// A question that was not answered.
    pub(super) fn cut_off(&mut self, turn: &Turn) -> Step {
        if let Work::Act(Reaction::Ask(question)) = turn.work {
            self.audit.cut_off(question.about);
        }
        self.next(turn)
    }

    /// The next question; after the last one somebody is told.
    pub(super) fn next(&mut self, turn: &Turn) -> Step {
        let Work::Act(Reaction::Ask(question)) = turn.work else { return Step::Over(Outcome::Done) };
        let now = self.now;
        let mut following = question.next();
        while let Some(ask) = following
            && ask.due() <= now
            && ask.next().is_some()
        {
            following = ask.next();
        }
        if let Some(ask) = following {
            if ask.nth >= 4 {
                self.audit.hourly(ask.about);
            }
            let work = Some(Work::Act(Reaction::Ask(ask)));
            return Step::Over(Outcome::Later { due: ask.due().max(now), work });
        }
        if let About::Payment(id) = question.about
            && self.lane.payment(id).state.lingers()
        {
            return Step::Over(Outcome::Done);
        }
        self.audit.no_answer(question.about);
        if let About::Refund(refund) = question.about {
            self.tally.note(Fault::RefundSilent);
            self.finance_is_told(turn.of, refund);
        }
        Step::Over(Outcome::Failed("no final answer within 72 hours"))
    }

    fn expire_hold(&mut self, report: &Report, id: ReservationId) -> Step {
        let blind = self.is(Broken::FreesWithOpenCheckout);
        let expired = self.write(report, |lane, now| {
            let open = lane.open_of(id).into_iter().filter(|_| !blind).collect::<Vec<_>>();
            reservation::expire(lane.reservation(id), &open, now)
        });
        match expired {
            Ok(_) => Step::Over(Outcome::Done),
            Err(Fail::Refused { until: Some(until), .. }) => Step::Over(Outcome::Later { due: until, work: None }),
            Err(_) => Step::Lost,
        }
    }

    fn finish_reservation(&mut self, report: &Report, id: ReservationId) -> Step {
        // It was moved to a later time, which has an alarm of its own.
        let over = |_| Step::Over(Outcome::Done);
        let finish = |lane: &Lane, reservation: &Loaded<Reservation>, sources: &[Source<'_>], now| {
            let client = reservation.state.terms.as_ref().and_then(|terms| terms.client_id);
            reservation::finish(reservation, sources, client.map(|client| lane.version(client.into())), now)
        };
        self.with_sources(report, id, finish)
            .map_or_else(|fail| if fail == Fail::Lost { Step::Lost } else { over(()) }, |_| over(()))
    }

    fn return_money(&mut self, report: &Report, id: ReservationId) -> Step {
        let returned = self.with_sources(report, id, |_, reservation, sources, now| {
            reservation::return_money(reservation, sources, now)
        });
        if returned == Err(Fail::Lost) { Step::Lost } else { Step::Over(Outcome::Done) }
    }

    pub(super) fn fail(&mut self, report: &Report, id: PaymentId, why: &'static str) -> Result<bool, Fail> {
        self.write(report, |lane, now| {
            let others =
                lane.open_of(lane.paid_by(id).id).into_iter().filter(|other| other.id != id).collect::<Vec<_>>();
            crate::payment::fail(lane.payment(id), lane.paid_by(id), &others, note(why), now)
        })
    }
}
