//! What can happen next: time passes, people act, messages come or do not, workers call, record or die, the provider
//! changes its mind.

use super::{
    Begin, Booking, checks,
    people::forged,
    provider::{Charge, Moving, Standing},
    state::{Answer, Effect, State, Webhook},
    worker::{Outcome, Step, Worker},
};
use crate::reaction::Reaction;

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    Answered,
    /// The sender hears nothing; the request may still arrive.
    Cut,
    /// For good.
    Refused,
    /// Taken, and worked on.
    Slow,
}

/// What a forged message says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Forgery {
    /// That an open checkout was paid.
    Paid,
    /// Of a real charge, another amount.
    Amount,
    /// Of a real charge, that it was for another payment.
    Reference,
    /// That it failed.
    Failed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// The next instant.
    Tick,
    Pay {
        checkout: usize,
        amount: i64,
    },
    PayTwice {
        checkout: usize,
    },
    /// The client asks for another payment: a second tab, or the balance.
    Request,
    Cancel,
    SomebodyElseTakesTheSlot,
    Deliver(usize),
    DeliverAndRepeat(usize),
    Lose(usize),
    Forge(Forgery, usize),
    Call {
        what: &'static str,
        nth: usize,
        how: How,
    },
    Record {
        what: &'static str,
        nth: usize,
    },
    Die {
        what: &'static str,
        nth: usize,
    },
    Run {
        what: &'static str,
        nth: usize,
    },
    /// A request that was cut off arrives after all.
    Arrive(usize),
    Move(usize, Moving),
    Refuse {
        checkout: usize,
    },
}

impl Booking {
    pub(super) fn is_last(&self, state: &State) -> bool {
        state.tick + 1 >= self.instants.len()
    }

    pub(super) fn begin(&self) -> State {
        let mut state = self.placed();
        if self.begins == Begin::Confirmed {
            state.left.charges = 1;
            let steps: [fn(&State) -> Action; 4] = [
                |_| Action::Call { what: "open", nth: 0, how: How::Answered },
                |state| Action::Record { what: "open", nth: find(state, "open") },
                |state| Action::Pay { checkout: 0, amount: state.provider.checkouts[0].amount },
                |_| Action::Deliver(0),
            ];
            for step in steps {
                let mut action = step(&state);
                if let Action::Call { nth, .. } = &mut action {
                    *nth = find(&state, "open");
                }
                state = self.next(&state, action).unwrap();
            }
            state.left = self.left;
        }
        state
    }

    /// Everything that may happen in this state, with what may still go wrong.
    pub(super) fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        // At the last two instants nothing breaks any more: what is owed is done.
        let calm = state.calm;
        let left = state.left;
        if self.may_tick(state) {
            actions.push(Action::Tick);
        }
        if !calm {
            self.people(state, actions);
        }
        for nth in 0..state.post.len() {
            actions.push(Action::Deliver(nth));
            if !calm && left.repeats > 0 {
                actions.push(Action::DeliverAndRepeat(nth));
            }
            if !calm && left.losses > 0 && !self.is_second(state, &state.post[nth]) {
                actions.push(Action::Lose(nth));
            }
        }
        for (nth, effect) in state.effects.iter().enumerate() {
            let what = effect.name();
            if effect.answer.is_some() {
                actions.push(Action::Record { what, nth });
                // To lose an answer that changed nothing outside is not to have asked.
                let matters = !matches!(effect.answer, Some(Answer::Said { .. } | Answer::NotClosed { .. }));
                if !calm && left.deaths > 0 && matters {
                    actions.push(Action::Die { what, nth });
                }
            } else if effect.is_inside() && state.may_run(effect) {
                actions.push(Action::Run { what, nth });
            } else if state.may_run(effect) && state.running() < self.workers {
                let mut call = |how| actions.push(Action::Call { what, nth, how });
                call(How::Answered);
                for (how, left) in [(How::Cut, left.cuts), (How::Refused, left.refusals), (How::Slow, left.slow)] {
                    if !calm && left > 0 {
                        call(how);
                    }
                }
            }
        }
        self.provider(state, calm, actions);
    }

    fn provider(&self, state: &State, calm: bool, actions: &mut Vec<Action>) {
        actions.extend((0..state.provider.late.len()).map(Action::Arrive));
        for (nth, movement) in state.provider.movements.iter().enumerate() {
            if movement.moving == Moving::Processing {
                actions.push(Action::Move(nth, Moving::Succeeded));
                if !calm && state.left.refusals > 0 {
                    actions.extend([Action::Move(nth, Moving::Failed), Action::Move(nth, Moving::Reversed)]);
                }
            }
        }
        let open = |nth: &usize| state.provider.checkouts[*nth].standing == Standing::Open;
        if !calm && self.refuses_checkouts && state.left.refusals > 0 {
            let open = (0..state.provider.checkouts.len()).filter(open);
            actions.extend(open.map(|checkout| Action::Refuse { checkout }));
        }
    }

    /// Whether this is the only news there will be: nobody asks about a checkout that is settled.
    fn is_second(&self, state: &State, webhook: &Webhook) -> bool {
        let earlier = |charge: &Charge| charge.checkout == webhook.checkout;
        state.provider.charges[..webhook.charge].iter().any(earlier)
    }

    /// What becomes of it; `None` when it cannot happen, or nothing changes.
    pub(super) fn next(&self, before: &State, action: Action) -> Option<State> {
        let mut state = before.clone();
        match action {
            Action::Tick => self.tick(&mut state),
            Action::Pay { .. }
            | Action::PayTwice { .. }
            | Action::Request
            | Action::Cancel
            | Action::SomebodyElseTakesTheSlot => self.person(&mut state, action)?,
            Action::Deliver(nth) | Action::DeliverAndRepeat(nth) | Action::Lose(nth) => {
                let webhook = state.post.remove(nth);
                match action {
                    Action::Lose(_) => state.left.losses -= 1,
                    Action::DeliverAndRepeat(_) => {
                        state.left.repeats -= 1;
                        state.mail(webhook.clone());
                    }
                    _ => {}
                }
                if !matches!(action, Action::Lose(_)) {
                    Worker { model: self, state: &mut state }.deliver(&webhook);
                }
            }
            Action::Forge(forgery, checkout) => {
                state.left.forgeries -= 1;
                let webhook = forged(&state, forgery, checkout)?;
                Worker { model: self, state: &mut state }.deliver(&webhook);
            }
            Action::Call { nth, how, .. } => {
                match how {
                    How::Answered => {}
                    How::Cut => state.left.cuts -= 1,
                    How::Refused => state.left.refusals -= 1,
                    How::Slow => state.left.slow -= 1,
                }
                let effect = state.effects.remove(nth);
                let step = Worker { model: self, state: &mut state }.call(&effect, how)?;
                match step {
                    Step::Over(outcome) => put_down(&mut state, effect, outcome),
                    Step::InHand { answer, marked } => {
                        let called = effect.called || marked;
                        state.put(Effect { called, answer: Some(answer), ..effect });
                    }
                }
            }
            Action::Record { nth, .. } => {
                let effect = state.effects.remove(nth);
                let answer = effect.answer.clone()?;
                let outcome = Worker { model: self, state: &mut state }.record(&effect, answer);
                put_down(&mut state, effect, outcome);
            }
            Action::Die { nth, .. } => {
                state.left.deaths -= 1;
                let effect = state.effects.remove(nth);
                state.put(Effect { answer: None, held: false, ..effect });
            }
            Action::Run { nth, .. } => {
                let effect = state.effects.remove(nth);
                let outcome = Worker { model: self, state: &mut state }.inside(&effect);
                put_down(&mut state, effect, outcome);
            }
            Action::Arrive(nth) => {
                let now = state.now();
                state.provider.arrive(nth, now);
            }
            Action::Move(nth, moving) => {
                state.left.refusals -= u8::from(moving != Moving::Succeeded);
                state.provider.movements[nth].moving = moving;
            }
            Action::Refuse { checkout } => {
                state.left.refusals -= 1;
                state.provider.checkouts[checkout].standing = Standing::Failed;
            }
        }
        state.tidy(self.instant(self.instants.len() - 1));
        (state != *before).then_some(state)
    }

    /// A turn may be under way while the clock makes one step, but not when the calm begins; and before the last instant
    /// comes, all that was owed in the calm is done.
    fn may_tick(&self, state: &State) -> bool {
        let running = |effect: &&Effect| effect.answer.is_some();
        if state.calm {
            return !self.is_last(state) && !checks::is_busy(state);
        }
        let calm = state.tick + 3 >= self.instants.len();
        if calm && state.provider.is_moving() {
            return false;
        }
        !state.effects.iter().filter(running).any(|effect| calm || effect.held)
    }

    fn tick(&self, state: &mut State) {
        state.tick += 1;
        state.calm = state.tick + 2 >= self.instants.len();
        let now = self.instant(state.tick);
        state.now = now;
        state.provider.pass(now);
        state.skip_questions();
        for effect in &mut state.effects {
            effect.held = effect.answer.is_some();
            if state.calm && matches!(effect.reaction, Reaction::RetryRefund { .. }) {
                effect.due = now;
            }
        }
    }
}

fn find(state: &State, what: &str) -> usize {
    state.effects.iter().position(|effect| effect.name() == what).unwrap()
}

fn put_down(state: &mut State, effect: Effect, outcome: Outcome) {
    let effect = Effect { answer: None, held: false, ..effect };
    match outcome {
        Outcome::Done => {}
        Outcome::Again => state.put(effect),
        Outcome::Later(reaction, due) => state.put(Effect { reaction, due, ..effect }),
    }
}
