//! Money on its way back, in small: `workers/src/act/refund.rs`. Written down before the call, under a key that stays the
//! same until the outcome is known.

use crate::{
    aggregate::Loaded,
    ids::RefundId,
    payment::ProviderId,
    refund::{self, Attempt, Means, Next, Refund, Requested, Route},
    spec::story::note,
};

use super::{
    Broken,
    actions::How,
    provider::{Moving, Payout, Request},
    state::{Answer, Effect},
    worker::{Outcome, PROVIDER, Step, Worker, checkout_number},
};

/// The only rail there is in the model.
pub(super) const WAVE_ONLY: Means<'static> = Means { own: crate::spec::world::WAVE, others: &[], client: None };

impl Worker<'_> {
    fn refund(&self, id: RefundId) -> Option<Loaded<Refund>> {
        self.state.lane.refund(id).cloned()
    }

    /// What there is: Wave alone, and the client's stream as it stands.
    fn means(&self, refund: &Loaded<Refund>) -> Means<'static> {
        let client = refund.state.request.as_ref().and_then(|request| request.client_id);
        Means { client: client.map(|client| self.state.lane.world.version(client.into())), ..WAVE_ONLY }
    }

    /// The first try.
    pub(super) fn submit_refund(&mut self, id: RefundId, how: How) -> Option<Step> {
        if self.is(Broken::ForgetsRefunds) {
            return how.over(Outcome::Done);
        }
        let refund = self.refund(id)?;
        let submitted = refund::submit(&refund, &self.means(&refund), self.state.now());
        if matches!(submitted, Err(refund::Refusal::ByHand { .. })) {
            return how.over(Outcome::Done);
        }
        // A refusal here is an error of the turn: it is tried again, and somebody is told.
        if self.write(submitted).is_err() {
            return how.over(Outcome::Again);
        }
        self.send(id, how)
    }

    /// What follows after one way has failed.
    pub(super) fn retry_refund(&mut self, id: RefundId, how: How) -> Option<Step> {
        let refund = self.refund(id)?;
        let means = self.means(&refund);
        if refund::next(&refund.state, &means) == Next::Cash {
            return how.over(Outcome::Done);
        }
        let retried = refund::retry(&refund, &means, self.state.now());
        if self.write(retried).is_err() {
            return how.over(Outcome::Again);
        }
        self.send(id, how)
    }

    /// Calls the provider for the attempt that is out, if one is.
    fn send(&mut self, id: RefundId, how: How) -> Option<Step> {
        let refund = self.refund(id)?;
        let (Some(request), Some(attempt)) = (&refund.state.request, &refund.state.attempt) else {
            return how.over(Outcome::Done);
        };
        if !refund.state.status.is_out() {
            return how.over(Outcome::Done);
        }
        self.call_refund(request, attempt, how)
    }

    /// Makes the call of this attempt; making it again is harmless.
    fn call_refund(&mut self, request: &Requested, attempt: &Attempt, how: How) -> Option<Step> {
        match attempt.route {
            Route::WholeTransaction => self.whole(request, how),
            Route::Payout => self.payout(request, attempt.reference.as_str(), how),
            Route::Cash | Route::Transfer | Route::Credit => how.over(Outcome::Done),
        }
    }

    fn whole(&mut self, request: &Requested, how: How) -> Option<Step> {
        let checkout = checkout_number(request.provider_id.as_ref()?);
        let refund = request.refund_id;
        let late = Request::Whole { refund, checkout };
        let answer = match how {
            How::Answered => {
                self.state.provider.whole(refund, checkout);
                self.state.provider.late.retain(|other| *other != late);
                Answer::Whole
            }
            // What it has given back it does not refuse to give back.
            How::Refused if self.state.provider.paid_out(&format!("whole:{checkout}")).is_some() => return None,
            How::Refused => {
                self.state.provider.late.retain(|other| *other != late);
                Answer::RefundRefused
            }
            How::Cut => {
                self.state.provider.late.push(late);
                Answer::Cut
            }
            How::Slow => return None,
        };
        Some(Step::InHand { answer, marked: true })
    }

    fn payout(&mut self, request: &Requested, key: &str, how: How) -> Option<Step> {
        let (refund, payment, amount) = (request.refund_id, request.payment_id, request.amount.amount);
        let order = Payout { refund, payment, key, amount };
        let late = Request::Payout { refund, payment, key: key.into(), amount };
        let known = self.state.provider.paid_out(key);
        let becomes = match (how, known) {
            (How::Cut, _) => {
                self.state.provider.late.push(late);
                return Some(Step::InHand { answer: Answer::Cut, marked: true });
            }
            (How::Answered, _) => Moving::Succeeded,
            // The same key again has the answer it had before.
            (_, Some(_)) => return None,
            (How::Slow, _) => Moving::Processing,
            (How::Refused, _) => Moving::Failed,
        };
        self.state.provider.late.retain(|other| *other != late);
        let movement = self.state.provider.payout(order, becomes);
        Some(Step::InHand { answer: Answer::Payout(movement), marked: true })
    }

    /// One question about a refund that is out.
    pub(super) fn ask_refund(&mut self, effect: &Effect, id: RefundId, how: How) -> Option<Step> {
        let refund = self.refund(id)?;
        let (Some(request), Some(attempt)) = (&refund.state.request, &refund.state.attempt) else {
            return how.over(Outcome::Done);
        };
        if !refund.state.status.is_out() {
            return how.over(Outcome::Done);
        }
        if self.is(Broken::TakesAnotherKeyWhenUnknown) && refund.state.status == refund::Status::Unknown {
            let key = format!("{}-again", attempt.reference);
            return self.payout(request, &key, how);
        }
        match attempt.route {
            // It never arrived there: the same order under the same key.
            Route::Payout => match self.state.provider.paid_out(attempt.reference.as_str()) {
                None => self.payout(request, attempt.reference.as_str(), how),
                Some(known) if self.state.provider.movements[known].moving == Moving::Processing => {
                    let pending = refund.state.status == refund::Status::Pending;
                    if pending { how.over(self.next(effect)) } else { how.in_hand(Answer::Payout(known)) }
                }
                Some(known) => how.in_hand(Answer::Payout(known)),
            },
            // Doing it again is how a provider is asked here: it is idempotent, and its answer is the status.
            Route::WholeTransaction => self.whole(request, how),
            Route::Cash | Route::Transfer | Route::Credit => how.over(Outcome::Done),
        }
    }

    pub(super) fn record_refund(&mut self, effect: &Effect, answer: Answer) -> Outcome {
        let id = match effect.reaction {
            crate::reaction::Reaction::SubmitRefund { refund_id }
            | crate::reaction::Reaction::RetryRefund { refund_id } => refund_id,
            crate::reaction::Reaction::Ask(ask) => match ask.about {
                crate::reaction::About::Refund(refund_id) => refund_id,
                crate::reaction::About::Payment(_)
                | crate::reaction::About::Listed(_)
                | crate::reaction::About::Payout(_) => return Outcome::Done,
            },
            _ => return Outcome::Done,
        };
        let Some(refund) = self.refund(id) else { return Outcome::Done };
        let now = self.state.now();
        let written = match answer {
            Answer::Whole => {
                let transaction = refund.state.request.as_ref().map(|request| request.transaction.clone());
                self.write(refund::succeed(&refund, transaction, PROVIDER, now))
            }
            Answer::RefundRefused => self.write(refund::fail(&refund, note("refused"), now)),
            Answer::Cut => {
                return match self.write(refund::unknown(&refund, note("cut off"), now)) {
                    Ok(_) => self.not_final(effect),
                    Err(_) => Outcome::Again,
                };
            }
            Answer::Payout(movement) => {
                let moving = self.state.provider.movements[movement].moving;
                let name = ProviderId::known(format!("pt-{movement}"));
                match moving {
                    Moving::Processing => {
                        return match self.write(refund::pending(&refund, name, now)) {
                            Ok(_) => self.not_final(effect),
                            Err(_) => Outcome::Again,
                        };
                    }
                    Moving::Failed => self.write(refund::fail(&refund, note("failed"), now)),
                    Moving::Succeeded => self.write(refund::succeed(&refund, Some(name), PROVIDER, now)),
                    Moving::Reversed => {
                        let paid = self.write(refund::succeed(&refund, Some(name), PROVIDER, now));
                        let refund = self.refund(id).unwrap();
                        paid.and_then(|_| self.write(refund::reverse(&refund, note("taken back"), now)))
                    }
                }
            }
            _ => return Outcome::Done,
        };
        if written.is_ok() { Outcome::Done } else { Outcome::Again }
    }

    /// Those who ask (since the submission) go on.
    fn not_final(&self, effect: &Effect) -> Outcome {
        if matches!(effect.reaction, crate::reaction::Reaction::Ask(_)) { self.next(effect) } else { Outcome::Done }
    }
}
