//! A state of the model: the log, the provider's truth, what is owed, what is under way, and what may still go wrong.

use std::sync::Arc;

use super::{
    lane::Lane,
    provider::{Provider, Said},
    worker::transaction,
};
use crate::{
    Timestamp,
    ids::PaymentId,
    payment,
    reaction::{About, Alarm, Reaction},
    reservation,
};

/// What a worker has in hand between its call and its record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    /// A checkout was opened; the question it came from, if a question led to it.
    Opened(usize),
    OpenRefused,
    /// Of a checkout that was closed, or whose end is waited for.
    Closed,
    NotClosed {
        said: Said,
        by_itself: bool,
    },
    Said {
        said: Said,
        was_unknown: bool,
    },
    /// Given back as a whole.
    Whole,
    /// Where a payout stands.
    Payout(usize),
    RefundRefused,
    /// Nobody can tell.
    Cut,
}

/// Something owed to the world, as `work.effects` holds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Effect {
    pub(super) reaction: Reaction,
    pub(super) due: Timestamp,
    /// Somebody may have called the provider already and could not say so.
    pub(super) called: bool,
    pub(super) answer: Option<Answer>,
    /// Taken before the last step of the clock: a lease does not outlive two.
    pub(super) held: bool,
}

impl Effect {
    /// What runs one at a time.
    pub(super) fn group(&self) -> u128 {
        match self.reaction {
            Reaction::OpenCheckout { payment_id } | Reaction::CloseCheckout { payment_id, .. } => {
                payment_id.uuid().as_u128()
            }
            Reaction::Ask(ask) => match ask.about {
                About::Payment(payment_id) | About::Listed(payment_id) => payment_id.uuid().as_u128(),
                About::Refund(refund_id) => refund_id.uuid().as_u128(),
                About::Payout(payout_id) => payout_id.uuid().as_u128(),
            },
            Reaction::SubmitRefund { refund_id } | Reaction::RetryRefund { refund_id } => refund_id.uuid().as_u128(),
            Reaction::CloseCheckouts { reservation_id }
            | Reaction::ReturnMoney { reservation_id }
            | Reaction::ReleaseDiscount { reservation_id }
            | Reaction::Wake { reservation_id, .. } => reservation_id.uuid().as_u128(),
            // No payout and no invoice is in this model.
            Reaction::SubmitPayout { .. }
            | Reaction::PreparePayout { .. }
            | Reaction::IssueInvoice { .. }
            | Reaction::InvoiceDue { .. }
            | Reaction::Tell { .. }
            | Reaction::Invite { .. }
            | Reaction::ChangeNumber { .. }
            | Reaction::ObserveRefund { .. }
            | Reaction::FetchStatement { .. } => 0,
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self.reaction {
            Reaction::OpenCheckout { .. } => "open",
            Reaction::CloseCheckout { .. } | Reaction::CloseCheckouts { .. } => "close",
            Reaction::Ask(ask) => match ask.about {
                About::Payment(_) | About::Listed(_) => "ask payment",
                About::Refund(_) => "ask refund",
                About::Payout(_) => "ask payout",
            },
            Reaction::SubmitRefund { .. } => "submit refund",
            Reaction::RetryRefund { .. } => "retry refund",
            Reaction::ReturnMoney { .. } => "return money",
            Reaction::ReleaseDiscount { .. } => "release discount",
            Reaction::Wake { alarm: Alarm::HoldEnds, .. } => "end hold",
            Reaction::Wake { .. } => "finish",
            Reaction::Tell { .. }
            | Reaction::Invite { .. }
            | Reaction::ChangeNumber { .. }
            | Reaction::FetchStatement { .. }
            | Reaction::ObserveRefund { .. } => "tell",
            Reaction::SubmitPayout { .. } | Reaction::PreparePayout { .. } => "payout",
            Reaction::IssueInvoice { .. } | Reaction::InvoiceDue { .. } => "invoice",
        }
    }

    /// Whether it calls nobody: it is loaded, decided and written in one step.
    pub(super) const fn is_inside(&self) -> bool {
        matches!(self.reaction, Reaction::Wake { .. } | Reaction::ReturnMoney { .. })
    }
}

/// A webhook under way: what it says, which nobody has to believe.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Webhook {
    /// By its reference.
    pub(super) payment: PaymentId,
    pub(super) checkout: usize,
    pub(super) charge: usize,
    pub(super) amount: i64,
    pub(super) paid: bool,
}

/// How often each thing may still happen. All of them together make the model finite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Left {
    /// Further payments asked for by the client: another tab, the balance.
    pub(super) tabs: u8,
    /// Charges.
    pub(super) charges: u8,
    /// Second charges in one checkout.
    pub(super) twice: u8,
    /// Cancellations by the client.
    pub(super) cancels: u8,
    /// Others who want the slot.
    pub(super) others: u8,
    /// Calls that are cut off.
    pub(super) cuts: u8,
    /// Workers that die between call and record.
    pub(super) deaths: u8,
    /// Refusals of the provider, and payouts that it takes back.
    pub(super) refusals: u8,
    /// Payouts that take their time.
    pub(super) slow: u8,
    /// Webhooks delivered more than once.
    pub(super) repeats: u8,
    /// Webhooks that never come.
    pub(super) losses: u8,
    pub(super) forgeries: u8,
}

#[derive(Clone, PartialEq, Hash)]
pub(super) struct State {
    /// Which of the instants it is.
    pub(super) tick: usize,
    pub(super) now: Timestamp,
    /// One of the last two instants: nothing breaks any more, and nothing rests.
    pub(super) calm: bool,
    pub(super) lane: Arc<Lane>,
    pub(super) provider: Provider,
    /// In one order, whichever way they came.
    pub(super) effects: Vec<Effect>,
    pub(super) post: Vec<Webhook>,
    pub(super) left: Left,
    /// A message that was refused changed something all the same.
    pub(super) hint_moved: bool,
}

impl std::fmt::Debug for State {
    /// As a person who follows a counterexample wants to see it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let events: Vec<&str> = self.lane.world.names();
        let owed: Vec<String> = self.effects.iter().map(|effect| format!("{}@{}", effect.name(), effect.due)).collect();
        f.debug_struct("State")
            .field("now", &self.now)
            .field("log", &events)
            .field("provider", &self.provider)
            .field("owed", &owed)
            .field("post", &self.post)
            .finish_non_exhaustive()
    }
}

impl State {
    pub(super) const fn now(&self) -> Timestamp {
        self.now
    }

    pub(super) fn lane_mut(&mut self) -> &mut Lane {
        let lane = Arc::make_mut(&mut self.lane);
        lane.world.now = self.now;
        lane
    }

    /// Writes down what is owed, as the process managers do: messages to people are not the model's, and a new series of
    /// questions takes the place of the one before.
    pub(super) fn owe(&mut self, reactions: Vec<Reaction>) {
        for reaction in reactions {
            let due = reaction.due().unwrap_or(self.now());
            let due = match reaction {
                // Its reservation has no discount.
                Reaction::ReleaseDiscount { .. } => continue,
                Reaction::Tell { .. } | Reaction::CloseCheckouts { .. } => continue,
                Reaction::Wake { alarm: Alarm::Remind { .. }, .. } => continue,
                Reaction::Wake { reservation_id, .. } if reservation_id != super::lane::OURS => continue,
                Reaction::ReturnMoney { reservation_id } if reservation_id != super::lane::OURS => continue,
                // A failed way of paying back rests before the next is tried.
                Reaction::RetryRefund { .. } if !self.calm => due + chrono::Duration::seconds(30),
                _ => due,
            };
            let effect = Effect { reaction, due, called: false, answer: None, held: false };
            if let Reaction::Ask(_) = reaction {
                let (group, name) = (effect.group(), effect.name());
                let before = |other: &Effect| other.answer.is_none() && (other.group(), other.name()) == (group, name);
                self.effects.retain(|other| !before(other));
            }
            self.put(effect);
        }
    }

    /// Puts an effect where it belongs; the same one twice is there once.
    pub(super) fn put(&mut self, effect: Effect) {
        let rank = |effect: &Effect| (effect.group(), effect.name(), effect.due, effect.called);
        if self.effects.contains(&effect) {
            return;
        }
        let at = self.effects.partition_point(|other| rank(other) <= rank(&effect));
        self.effects.insert(at, effect);
    }

    pub(super) fn mail(&mut self, webhook: Webhook) {
        let at = self.post.partition_point(|other| *other <= webhook);
        self.post.insert(at, webhook);
    }

    pub(super) fn running(&self) -> usize {
        self.effects.iter().filter(|effect| effect.answer.is_some()).count()
    }

    /// Whether somebody may take it: it is due, and nothing of its group is under way.
    pub(super) fn may_run(&self, effect: &Effect) -> bool {
        let busy = |other: &Effect| other.answer.is_some() && other.group() == effect.group();
        effect.answer.is_none() && effect.due <= self.now() && !self.effects.iter().any(busy)
    }

    /// Questions that were slept through are not made up for one by one: of a series that is due, the latest is the one.
    pub(super) fn skip_questions(&mut self) {
        let now = self.now();
        for effect in std::mem::take(&mut self.effects) {
            let Reaction::Ask(mut ask) = effect.reaction else {
                self.put(effect);
                continue;
            };
            while let Some(next) = ask.next()
                && next.due() <= now
                && effect.answer.is_none()
            {
                ask = next;
            }
            self.put(Effect {
                reaction: Reaction::Ask(ask),
                due: effect.due.max(ask.due()).min(now.max(effect.due)),
                ..effect
            });
        }
    }

    /// Forgets what can never again do anything, whatever happens: effects about what is final, and webhooks about money
    /// that has landed. To carry them out early or late is one and the same.
    pub(super) fn tidy(&mut self, end: Timestamp) {
        let lane = &self.lane;
        let open =
            |id| lane.payment(id).is_some_and(|payment| payment.state.status.is_open() || payment.state.lingers());
        let reservation = &lane.reservation.state;
        let matters = |effect: &Effect| match effect.reaction {
            Reaction::OpenCheckout { payment_id } => {
                lane.payment(payment_id).is_some_and(|payment| payment.state.status == payment::Status::Requested)
            }
            Reaction::CloseCheckout { payment_id, .. } => {
                lane.payment(payment_id).is_some_and(|payment| payment.state.status.is_open())
            }
            Reaction::Ask(ask) => match ask.about {
                About::Payment(payment_id) | About::Listed(payment_id) => open(payment_id),
                About::Refund(refund_id) => lane.refund(refund_id).is_some_and(|refund| refund.state.status.is_out()),
                About::Payout(_) => false,
            },
            Reaction::ReturnMoney { .. } => {
                reservation.status == reservation::Status::Expired && reservation.held_money().is_positive()
            }
            Reaction::Wake { alarm: Alarm::HoldEnds, .. } => reservation.status == reservation::Status::Held,
            _ => true,
        };
        self.effects.retain(|effect| effect.due <= end && (effect.answer.is_some() || matters(effect)));
        let landed = |webhook: &Webhook| {
            let name = transaction(webhook.charge);
            lane.payment(webhook.payment).is_some_and(|payment| payment.state.capture(&name).is_some())
        };
        self.post.retain(|webhook| !landed(webhook));
    }
}
