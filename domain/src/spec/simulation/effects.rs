//! The table of effects, in small: `workers/src/effect/store.rs`. One of a group runs at a time; whoever takes one gets a token,
//! and what comes with an older one is refused.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{
    Run,
    agenda::Happening,
    faults::Fault,
    guards::Map,
    turn::{Turn, Who},
};
use crate::{
    Timestamp,
    ids::{ClientId, ReservationId},
    reaction::{About, Ask, Notice, Reaction},
};

pub(super) type EffectId = u64;

/// How long a worker may hang before its work is given to another (`workers/src/context.rs`).
pub(super) const LEASE: chrono::Duration = chrono::Duration::seconds(45);
/// How long a failed way of paying back rests before the next is tried (`workers/src/process.rs`).
const RETRY_REFUND: chrono::Duration = chrono::Duration::seconds(30);

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Work {
    Act(Reaction),
    Text { to: ClientId, notice: Notice },
}

impl Work {
    /// As operators know it (`workers/src/effect.rs`).
    const fn kind(&self) -> &'static str {
        match self {
            Self::Text { .. } => "send a text",
            Self::Act(reaction) => match reaction {
                Reaction::OpenCheckout { .. } => "open a checkout",
                Reaction::CloseCheckout { .. } | Reaction::CloseCheckouts { .. } => "close a checkout",
                Reaction::Ask(Ask { about: About::Payment(_) | About::Listed(_), .. }) => "ask about a payment",
                Reaction::Ask(Ask { about: About::Refund(_), .. }) => "ask about a refund",
                // Sites are paid elsewhere (`payout/tests`): nobody prepares a payout here.
                Reaction::Ask(Ask { about: About::Payout(_), .. })
                | Reaction::PreparePayout { .. }
                | Reaction::SubmitPayout { .. } => "pay a site",
                Reaction::IssueInvoice { .. } | Reaction::InvoiceDue { .. } => "ask a site for its commission",
                Reaction::SubmitRefund { .. } => "submit a refund",
                Reaction::RetryRefund { .. } => "retry a refund",
                Reaction::ReturnMoney { .. } => "return money",
                Reaction::ReleaseDiscount { .. } => "release a discount",
                Reaction::FetchStatement { .. } => "fetch a statement",
                Reaction::ObserveRefund { .. } => "write down what went back outside",
                Reaction::Invite { .. } => "invite",
                Reaction::ChangeNumber { .. } => "change a number",
                Reaction::Wake { .. } => "wake",
                Reaction::Tell { .. } => "tell",
            },
        }
    }

    /// What runs one at a time (`workers/src/effect.rs`).
    fn group(&self, of: ReservationId) -> Uuid {
        match self {
            Self::Act(reaction) => match reaction {
                Reaction::OpenCheckout { payment_id } | Reaction::CloseCheckout { payment_id, .. } => payment_id.uuid(),
                Reaction::Ask(ask) => match ask.about {
                    About::Payment(payment_id) | About::Listed(payment_id) => payment_id.uuid(),
                    About::Refund(refund_id) => refund_id.uuid(),
                    About::Payout(payout_id) => payout_id.uuid(),
                },
                Reaction::SubmitRefund { refund_id } | Reaction::RetryRefund { refund_id } => refund_id.uuid(),
                _ => of.uuid(),
            },
            Self::Text { to, .. } => to.uuid(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready,
    Running { token: u64, until: Timestamp },
}

pub(super) struct Effect {
    work: Work,
    of: ReservationId,
    due: Timestamp,
    attempts: u32,
    /// When somebody called who may not have been able to say so.
    called: Option<Timestamp>,
    /// Whoever has it is dead.
    dead: bool,
    state: State,
}

#[derive(Default)]
struct Group {
    token: u64,
    running: Option<EffectId>,
    waiting: Vec<EffectId>,
    asks: Vec<EffectId>,
}

#[derive(Default)]
pub(super) struct Effects {
    all: Map<EffectId, Effect>,
    groups: Map<Uuid, Group>,
    queue: BTreeSet<(Timestamp, EffectId)>,
    pub(super) free: usize,
    made: EffectId,
}

/// How a turn with an effect ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Outcome {
    Done,
    /// It will never work, or nobody may try again: somebody is told.
    Failed(&'static str),
    Later {
        due: Timestamp,
        work: Option<Work>,
    },
}

impl Effects {
    pub(super) fn holds(&self, group: Uuid, token: u64) -> bool {
        self.groups.get(&group).is_some_and(|group| group.token == token)
    }

    /// Marks that the provider is about to be called. False when it is no longer ours.
    pub(super) fn about_to_call(&mut self, turn: &Turn, now: Timestamp) -> bool {
        let Who::Effect { id, token, .. } = turn.who else { return true };
        let Some(effect) = self.all.get_mut(&id) else { return false };
        let ours = matches!(effect.state, State::Running { token: held, until } if held == token && now < until);
        if ours {
            effect.called = Some(now);
        }
        ours
    }

    /// It is certain that nothing happened.
    pub(super) fn not_called(&mut self, turn: &Turn) {
        let Who::Effect { id, token, .. } = turn.who else { return };
        if let Some(effect) = self.all.get_mut(&id)
            && matches!(effect.state, State::Running { token: held, .. } if held == token)
        {
            effect.called = None;
        }
    }

    /// Whoever has it died: nobody finishes it before its lease is over.
    pub(super) fn died(&mut self, turn: &Turn) {
        if let Who::Effect { id, .. } = turn.who
            && let Some(effect) = self.all.get_mut(&id)
        {
            effect.dead = true;
        }
    }

    pub(super) fn forget(&mut self, group: Uuid) {
        self.groups.remove(&group);
    }
}

impl Run {
    /// Writes an intent down (`workers/src/process.rs`): a new series of questions takes the place of the one before.
    pub(super) fn intend(&mut self, of: ReservationId, work: Work) {
        let now = self.now;
        let due = match work {
            Work::Act(Reaction::RetryRefund { .. }) => now + RETRY_REFUND,
            Work::Act(reaction) => reaction.due().unwrap_or(now),
            Work::Text { .. } => now,
        };
        let group = work.group(of);
        self.effects.made += 1;
        let id = self.effects.made;
        let known = self.effects.groups.entry(group).or_default();
        if let Work::Act(Reaction::Ask(_)) = work {
            let before = std::mem::replace(&mut known.asks, vec![id]);
            let ready = |id: &EffectId| self.effects.all.get(id).is_some_and(|effect| effect.state == State::Ready);
            let (dropped, kept): (Vec<EffectId>, Vec<EffectId>) = before.into_iter().partition(ready);
            known.asks.extend(kept);
            for id in dropped {
                self.effects.all.remove(&id);
                self.less(of);
            }
        }
        let state = State::Ready;
        self.effects.all.insert(id, Effect { work, of, due, attempts: 0, called: None, dead: false, state });
        self.more(of);
        self.at(due, Happening::Due(id));
    }

    /// It may be taken: it is due, or the lease of whoever has it is over.
    pub(super) fn due(&mut self, id: EffectId) {
        let Some(effect) = self.effects.all.get(&id) else { return };
        let takeable = match effect.state {
            State::Ready => effect.due <= self.now,
            State::Running { until, .. } => until <= self.now,
        };
        if takeable {
            self.effects.queue.insert((effect.due, id));
            self.dispatch();
        }
    }

    /// Gives what is due to whoever is free, the longest due first.
    pub(super) fn dispatch(&mut self) {
        while self.effects.free > 0 {
            let Some((_, id)) = self.effects.queue.pop_first() else { return };
            let Some(effect) = self.effects.all.get(&id) else { continue };
            let takeable = match effect.state {
                State::Ready => effect.due <= self.now,
                State::Running { until, .. } => until <= self.now,
            };
            if takeable {
                self.take(id);
            }
        }
    }

    fn take(&mut self, id: EffectId) {
        let effect = self.effects.all.get_mut(&id).unwrap();
        let group_key = effect.work.group(effect.of);
        let group = self.effects.groups.entry(group_key).or_default();
        if group.running.is_some_and(|other| other != id) {
            group.waiting.push(id);
            return;
        }
        if effect.state != State::Ready && !effect.dead {
            self.tally.note(Fault::TakenByTwo);
        }
        group.running = Some(id);
        group.token += 1;
        let token = group.token;
        let until = self.now + LEASE;
        effect.state = State::Running { token, until };
        effect.attempts += 1;
        effect.dead = false;
        let (work, of, attempts, called_at) = (effect.work, effect.of, effect.attempts, effect.called);
        self.effects.free -= 1;
        self.at(until, Happening::Due(id));
        let who = Who::Effect { id, token, group: group_key };
        let turn = Turn { who, work, of, attempts, called_at };
        self.note(of, work.kind(), id);
        let step = self.begin(&turn);
        self.step(turn, step);
    }

    /// Puts an effect down, unless it is no longer ours.
    pub(super) fn finish(&mut self, turn: &Turn, outcome: Outcome) {
        if let Who::Effect { id, token, group } = turn.who
            && let Some(effect) = self.effects.all.get_mut(&id)
            && matches!(effect.state, State::Running { token: held, .. } if held == token)
        {
            let of = effect.of;
            match outcome {
                Outcome::Done | Outcome::Failed(_) => {
                    if let Outcome::Failed(why) = outcome {
                        self.audit.failed(of, why);
                    }
                    self.effects.all.remove(&id);
                    self.release(group);
                    self.less(of);
                }
                Outcome::Later { due, work } => {
                    effect.state = State::Ready;
                    effect.due = due;
                    effect.work = work.unwrap_or(effect.work);
                    self.at(due, Happening::Due(id));
                    self.release(group);
                }
            }
        }
        self.free();
    }

    /// A worker that is broken on purpose loses what it had.
    pub(super) fn lose(&mut self, turn: &Turn) {
        if let Who::Effect { id, group, .. } = turn.who
            && self.effects.all.remove(&id).is_some()
        {
            self.release(group);
            self.less(turn.of);
        }
    }

    fn release(&mut self, group: Uuid) {
        if let Some(group) = self.effects.groups.get_mut(&group) {
            group.running = None;
            for id in std::mem::take(&mut group.waiting) {
                if let Some(effect) = self.effects.all.get(&id) {
                    self.effects.queue.insert((effect.due, id));
                }
            }
        }
    }

    /// A worker has its hands free.
    pub(super) fn free(&mut self) {
        self.effects.free += 1;
        self.dispatch();
    }
}
