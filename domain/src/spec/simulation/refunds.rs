//! Money on its way back: `workers/src/act/refund.rs`. Written down before the call, under a key that stays the same until the
//! outcome is known. And texts: `workers/src/message.rs`.

use super::{
    Run,
    broken::Broken,
    calls::{Answer, Request, To},
    effects::Outcome,
    faults::Fault,
    learn::{PROVIDER, Report},
    provider::PaidOut,
    turn::{Stage, Step, Turn},
    write::Fail,
};
use crate::{
    Timestamp,
    ids::{ClientId, RefundId},
    payment::{Method, ProviderId},
    reaction::{About, Ask, Notice, Reaction},
    refund::{self, Means, Next, Refund, Requested, Route, Ways},
    spec::story::note,
};

/// What the decision which way to go rests on.
struct Known {
    own: Ways,
    others: Vec<Method>,
    client: Option<ClientId>,
}

impl Run {
    fn known(&self, refund: &Refund) -> Known {
        let request = refund.request.as_ref().unwrap();
        let own = if request.method.has_provider() { self.provider(request.method).ways() } else { Ways::default() };
        let now = self.now;
        let verified =
            request.client_id.is_some_and(|client| self.lane.clients[&client].state.may_be_paid_otherwise(now));
        let sends = |method: &Method| verified && *method != request.method && self.provider(*method).ways().payout;
        Known { own, others: Method::WITH_PROVIDER.into_iter().filter(sends).collect(), client: request.client_id }
    }

    /// The refund, with what goes out if it does; the request and the key of the attempt that is out.
    fn out(&self, id: RefundId) -> Option<(Requested, Route, To, String)> {
        let refund = &self.lane.refunds[&id].state;
        let (request, attempt) = (refund.request.clone()?, refund.attempt.as_ref()?);
        let rail = To::Rail(attempt.method.unwrap_or(request.method));
        refund.status.is_out().then(|| (request, attempt.route, rail, attempt.reference.to_string()))
    }

    pub(super) fn submit_refund(&mut self, turn: &Turn, id: RefundId) -> Step {
        if self.is(Broken::ForgetsRefunds) {
            return Step::Over(Outcome::Done);
        }
        let known = self.known(&self.lane.refunds[&id].state);
        let submitted = self.write(&Report::of(turn), |lane, now| {
            let client = known.client.map(|client| lane.version(client.into()));
            let means = Means { own: known.own, others: &known.others, client };
            refund::submit(&lane.refunds[&id], &means, now)
        });
        match submitted {
            Ok(_) => self.send(turn, id, false),
            // Whoever hands it out was told.
            Err(Fail::Refused { code: "refund.by_hand", .. }) => Step::Over(Outcome::Done),
            Err(fail) => self.failed_turn(turn, &fail),
        }
    }

    pub(super) fn retry_refund(&mut self, turn: &Turn, id: RefundId) -> Step {
        let known = self.known(&self.lane.refunds[&id].state);
        let client = known.client.map(|client| self.lane.version(client.into()));
        let means = Means { own: known.own, others: &known.others, client };
        if refund::next(&self.lane.refunds[&id].state, &means) == Next::Cash {
            self.audit.told(Notice::HandOut { refund_id: id });
            self.look(turn.of);
            self.refund_over(id);
            self.somebody_hands_out(turn.of, id);
            return Step::Over(Outcome::Done);
        }
        let retried = self.write(&Report::of(turn), |lane, now| {
            let client = known.client.map(|client| lane.version(client.into()));
            let means = Means { own: known.own, others: &known.others, client };
            refund::retry(&lane.refunds[&id], &means, now)
        });
        match retried {
            Ok(_) => self.send(turn, id, false),
            Err(fail) => self.failed_turn(turn, &fail),
        }
    }

    /// Calls the provider for the attempt that is out, if one is.
    fn send(&mut self, turn: &Turn, id: RefundId, asking: bool) -> Step {
        let Some((request, route, rail, key)) = self.out(id) else { return Step::Over(Outcome::Done) };
        if self.lost_at(turn, id).is_some() && !asking && !self.is(Broken::PaysOutAgain) {
            // Somebody may have sent it, and could not say so or had no answer: those who ask find out.
            let attempt = self.lane.refunds[&id].state.attempt.as_ref();
            if attempt.is_some_and(|attempt| attempt.provider_id.is_some()) {
                return Step::Over(Outcome::Done);
            }
            return match self.unknown_refund(turn, id) {
                Ok(_) => Step::Over(Outcome::Done),
                Err(fail) => self.failed_turn(turn, &fail),
            };
        }
        let stage = Stage::Refunding { asking };
        match route {
            Route::WholeTransaction => {
                let Some(name) = request.provider_id else { return self.failing(turn, id, "no checkout is known") };
                if !self.effects.about_to_call(turn, self.now) {
                    return Step::Lost;
                }
                Step::Call(rail, Request::Whole { refund: id, name }, stage)
            }
            Route::Payout => {
                if request.client_id.is_none() {
                    return self.failing(turn, id, "there is no number to send it to");
                }
                if !self.effects.about_to_call(turn, self.now) {
                    return Step::Lost;
                }
                let amount = request.amount.amount + i64::from(self.is(Broken::PaysBackOneMore));
                Step::Call(rail, Request::Payout { refund: id, key, amount }, stage)
            }
            Route::Cash | Route::Transfer | Route::Credit => Step::Over(Outcome::Done),
        }
    }

    /// Whether sending it again could pay it again.
    fn is_not_repeatable(&self, rail: To) -> bool {
        matches!(rail, To::Rail(method) if !self.provider(method).pays_out_by_key())
    }

    /// One question about a refund that is out.
    pub(super) fn ask_refund(&mut self, turn: &Turn, question: Ask, id: RefundId) -> Step {
        let Some((request, route, rail, key)) = self.out(id) else { return Step::Over(Outcome::Done) };
        let due = question.due_after(self.lost_at(turn, id));
        if self.now < due && !self.is(Broken::AsksTooSoon) {
            return Step::Over(Outcome::Later { due, work: None });
        }
        if self.is(Broken::RefundsUnderNewKey) && self.lane.refunds[&id].state.status == refund::Status::Unknown {
            let key = format!("{key}-again");
            let payout = Request::Payout { refund: id, key, amount: request.amount.amount };
            return Step::Call(rail, payout, Stage::Refunding { asking: true });
        }
        match route {
            Route::Payout => {
                let known =
                    self.lane.refunds[&id].state.attempt.as_ref().and_then(|attempt| attempt.provider_id.clone());
                let question = known.map_or(Request::PayoutSearch { key }, |name| Request::PayoutStatus { name });
                if !self.effects.about_to_call(turn, self.now) {
                    return Step::Lost;
                }
                Step::Call(rail, question, Stage::PayoutAsked)
            }
            // Doing it again is how a provider is asked here: it is idempotent, and its answer is the status.
            Route::WholeTransaction => self.send(turn, id, true),
            Route::Cash | Route::Transfer | Route::Credit => Step::Over(Outcome::Done),
        }
    }

    /// When an answer about it was lost, the last time.
    fn lost_at(&self, turn: &Turn, id: RefundId) -> Option<Timestamp> {
        self.lane.refunds[&id].state.attempt.as_ref().and_then(|attempt| attempt.lost_at).max(turn.called_at)
    }

    /// An order that was cut off may still arrive (`UNDERWAY` in `workers/src/act/order.rs`).
    fn may_be_underway(&self, turn: &Turn, id: RefundId) -> bool {
        self.lost_at(turn, id).is_some_and(|lost_at| self.now < lost_at + chrono::Duration::minutes(2))
    }

    /// The mark of a question is for an answer that was lost; that of a first try stays, nobody sends it again.
    fn unmark(&mut self, turn: &Turn, asking: bool, answer: &Answer) {
        if asking && !matches!(answer, Answer::Unknown { may_have_happened: true }) {
            self.effects.not_called(turn);
        }
    }

    pub(super) fn id_of(turn: &Turn) -> RefundId {
        match turn.work {
            super::effects::Work::Act(
                Reaction::SubmitRefund { refund_id }
                | Reaction::RetryRefund { refund_id }
                | Reaction::Ask(Ask { about: About::Refund(refund_id), .. }),
            ) => refund_id,
            _ => uuid::Uuid::nil().into(),
        }
    }

    pub(super) fn refunding(&mut self, turn: &Turn, report: &Report, asking: bool, answer: Answer) -> Step {
        let id = Self::id_of(turn);
        self.unmark(turn, asking, &answer);
        match answer {
            Answer::Whole => {
                let transaction = self.lane.refunds[&id].state.request.as_ref().unwrap().transaction.clone();
                self.succeeding(turn, report, id, Some(transaction))
            }
            Answer::PaidOut(paid) => self.learn_payout(turn, report, id, paid),
            Answer::Refused { ours: false } if asking && self.may_be_underway(turn, id) => {
                match self.unknown_refund(turn, id) {
                    Ok(_) => self.next(turn),
                    Err(fail) => self.failed_turn(turn, &fail),
                }
            }
            Answer::Refused { ours: false } => {
                self.tally.note(Fault::RefundRefused);
                self.failing(turn, id, "refused")
            }
            Answer::Unknown { may_have_happened: true } => match self.unknown_refund(turn, id) {
                Ok(_) if asking => self.next(turn),
                Ok(_) => Step::Over(Outcome::Done),
                Err(fail) => self.failed_turn(turn, &fail),
            },
            other => {
                self.effects.not_called(turn);
                self.later(turn, &other)
            }
        }
    }

    pub(super) fn payout_asked(&mut self, turn: &Turn, report: &Report, answer: Answer) -> Step {
        let id = Self::id_of(turn);
        self.unmark(turn, true, &answer);
        let Answer::PaidOut(paid) = answer else { return self.cut_off(turn) };
        let Some((_, _, rail, _)) = self.out(id) else { return Step::Over(Outcome::Done) };
        let attempt = self.lane.refunds[&id].state.attempt.clone().unwrap();
        if paid == PaidOut::NotFound && attempt.provider_id.is_none() {
            let unseen = chrono::Duration::hours(if self.is_not_repeatable(rail) { 24 } else { 0 });
            if attempt.since + unseen > self.now {
                return self.next(turn);
            }
            // It never arrived there. Where a key makes it the same payout, the same order again; elsewhere another try.
            if self.is_not_repeatable(rail) {
                return self.failing(turn, id, "it never arrived at the provider");
            }
            return self.send(turn, id, true);
        }
        self.learn_payout(turn, report, id, paid)
    }

    fn learn_payout(&mut self, turn: &Turn, report: &Report, id: RefundId, paid: PaidOut) -> Step {
        match paid {
            PaidOut::Processing(name) => {
                let pending = self.write(report, |lane, now| refund::pending(&lane.refunds[&id], name.clone(), now));
                match pending {
                    Ok(_) => self.not_final(turn),
                    Err(fail) => self.failed_turn(turn, &fail),
                }
            }
            PaidOut::Succeeded(name) => self.succeeding(turn, report, id, Some(name)),
            PaidOut::Failed => {
                self.tally.note(Fault::RefundRefused);
                self.failing(turn, id, "failed")
            }
            PaidOut::Reversed(name) => {
                self.succeeding(turn, report, id, Some(name));
                let reversed =
                    self.write(report, |lane, now| refund::reverse(&lane.refunds[&id], note("taken back"), now));
                match reversed {
                    Ok(_) => Step::Over(Outcome::Done),
                    Err(fail) => self.failed_turn(turn, &fail),
                }
            }
            PaidOut::NotFound => self.not_final(turn),
            PaidOut::Several => {
                self.audit.wrong("refunded_once", turn.of, "several payouts under one key");
                Step::Over(Outcome::Failed("several payouts under one reference"))
            }
        }
    }

    /// Those who ask (since the submission) go on when this is not final.
    fn not_final(&mut self, turn: &Turn) -> Step {
        if matches!(turn.work, super::effects::Work::Act(Reaction::Ask(_))) {
            self.next(turn)
        } else {
            Step::Over(Outcome::Done)
        }
    }

    fn succeeding(&mut self, turn: &Turn, report: &Report, id: RefundId, name: Option<ProviderId>) -> Step {
        let paid = self.write(report, |lane, now| refund::succeed(&lane.refunds[&id], name.clone(), PROVIDER, now));
        match paid {
            Ok(_) => Step::Over(Outcome::Done),
            Err(fail) => self.failed_turn(turn, &fail),
        }
    }

    fn failing(&mut self, turn: &Turn, id: RefundId, why: &'static str) -> Step {
        let failed = self.write(&Report::of(turn), |lane, now| refund::fail(&lane.refunds[&id], note(why), now));
        match failed {
            Ok(_) => Step::Over(Outcome::Done),
            Err(fail) => self.failed_turn(turn, &fail),
        }
    }

    fn unknown_refund(&mut self, turn: &Turn, id: RefundId) -> Result<bool, Fail> {
        let unknown =
            self.write(&Report::of(turn), |lane, now| refund::unknown(&lane.refunds[&id], note("cut off"), now));
        if unknown == Ok(true) {
            self.tally.note(Fault::RefundUnknown);
        }
        unknown
    }

    /// One text message, at most once: it is marked before the call, and whoever finds the mark gives up.
    pub(super) fn send_text(&mut self, turn: &Turn, to: ClientId, notice: Notice) -> Step {
        if turn.called_at.is_some() && !self.is(Broken::SendsTextsAgain) {
            self.audit.text_unknown();
            return Step::Over(Outcome::Failed("nobody can say whether it went"));
        }
        if !self.effects.about_to_call(turn, self.now) {
            return Step::Lost;
        }
        Step::Call(To::Gateway, Request::Text { to, notice }, Stage::Texted)
    }

    pub(super) fn texted(&mut self, turn: &Turn, answer: &Answer) -> Step {
        match answer {
            Answer::Sent => Step::Over(Outcome::Done),
            Answer::Unknown { may_have_happened: true } if self.is(Broken::SendsTextsAgain) => self.again(turn),
            Answer::Unknown { may_have_happened: true } => {
                self.audit.text_unknown();
                Step::Over(Outcome::Failed("nobody can say whether it went"))
            }
            Answer::Refused { ours: false } => Step::Over(Outcome::Failed("refused")),
            other => {
                self.effects.not_called(turn);
                self.later(turn, other)
            }
        }
    }
}
