//! Webhooks: `workers/src/inbox.rs`, with the endpoint and the table of `eventstore/src/inbox.rs`. Each is a hint: the provider is
//! asked, and only its answer moves money.

use std::collections::{BTreeSet, HashSet};

use chrono::Duration;

use super::{
    Run,
    agenda::Happening,
    broken::Broken,
    calls::{Answer, Request, To},
    effects::{LEASE, Outcome, Work},
    faults::Fault,
    guards::Map,
    learn::{Learned, Report},
    provider::{Receipt, Said},
    turn::{Stage, Step, Turn, Who},
    write::Fail,
};
use crate::{
    Timestamp,
    ids::{PaymentId, ReservationId},
    payment::{Method, ProviderId, Row},
    reaction::Reaction,
};

pub(super) type MessageId = u64;

/// How often a provider is asked that knows nothing yet of what its own message tells.
const ASKED: u32 = 5;

/// A message on its way to us.
#[derive(Clone, Debug)]
pub(super) struct Hook {
    pub(super) provider: Method,
    /// The provider's id of the event: the same when it is sent again.
    pub(super) event: u64,
    /// Whether its signature is right.
    pub(super) genuine: bool,
    /// Genuine, and of another amount or payment than the provider knows of.
    pub(super) lies: bool,
    pub(super) of: ReservationId,
    pub(super) hint: Hint,
}

/// What it says, which nobody has to believe.
#[derive(Clone, Debug)]
pub(super) enum Hint {
    Checkout {
        payment: PaymentId,
        name: ProviderId,
        transaction: Option<ProviderId>,
        amount: i64,
        paid: bool,
    },
    /// About a payout: those are asked about.
    Payout,
}

struct Message {
    hook: Hook,
    attempts: u32,
    token: u64,
    /// Whoever has it keeps it until then.
    leased: Option<Timestamp>,
    due: Timestamp,
}

#[derive(Default)]
pub(super) struct Inbox {
    all: Map<MessageId, Message>,
    seen: HashSet<(Method, u64), std::hash::BuildHasherDefault<std::hash::DefaultHasher>>,
    queue: BTreeSet<(Timestamp, MessageId)>,
    pub(super) free: usize,
    made: MessageId,
    pub(super) refused: u64,
    pub(super) duplicates: u64,
}

/// How a message ended.
enum Verdict {
    Applied,
    Duplicate,
    Stale,
    Refused,
    Later,
}

impl Run {
    /// The endpoint: verified in memory, then stored, once.
    pub(super) fn hook(&mut self, hook: Hook) {
        let of = hook.of;
        if !hook.genuine {
            // Counted, and nothing is stored.
            self.tally.note(Fault::ForgedSignature);
        } else if self.inbox.seen.insert((hook.provider, hook.event)) {
            self.inbox.made += 1;
            let id = self.inbox.made;
            self.note(of, "webhook stored", hook.event);
            self.inbox.all.insert(id, Message { hook, attempts: 0, token: 0, leased: None, due: self.now });
            self.more(of);
            self.message(id);
        } else {
            self.inbox.duplicates += 1;
        }
        self.less(of);
    }

    /// A message is due, or the lease of whoever has it is over.
    pub(super) fn message(&mut self, id: MessageId) {
        if let Some(message) = self.inbox.all.get(&id)
            && message.due <= self.now
            && message.leased.is_none_or(|until| until <= self.now)
        {
            self.inbox.queue.insert((message.due, id));
            self.read();
        }
    }

    pub(super) fn reader_is_free(&mut self) {
        self.inbox.free += 1;
        self.read();
    }

    fn read(&mut self) {
        while self.inbox.free > 0 {
            let Some((_, id)) = self.inbox.queue.pop_first() else { return };
            let Some(message) = self.inbox.all.get_mut(&id) else { continue };
            if message.due > self.now || message.leased.is_some_and(|until| until > self.now) {
                continue;
            }
            message.attempts += 1;
            message.token += 1;
            message.leased = Some(self.now + LEASE);
            self.inbox.free -= 1;
            let who = Who::Message { id, token: message.token };
            let work = Work::Act(Reaction::ReturnMoney { reservation_id: message.hook.of });
            let turn = Turn { who, work, of: message.hook.of, attempts: message.attempts, called_at: None };
            self.at(self.now + LEASE, Happening::Message(id));
            let step = self.open_message(&turn);
            self.step(turn, step);
        }
    }

    fn open_message(&mut self, turn: &Turn) -> Step {
        let Some(hook) = self.hook_of(turn) else { return Step::Lost };
        let Hint::Checkout { payment, name, transaction, paid, amount } = hook.hint else {
            self.tally.note(Fault::RefundNewsFirst);
            return self.conclude(turn, &Verdict::Stale);
        };
        // About no payment that is known (any more).
        let Some(known) = self.lane.payments.get(&payment) else { return self.conclude(turn, &Verdict::Stale) };
        if let Some(transaction) = &transaction
            && known.state.capture(transaction).is_some()
            && !self.is(Broken::LandsTwice)
        {
            return self.conclude(turn, &Verdict::Duplicate);
        }
        let request = known.state.request.as_ref().unwrap();
        if request.method != hook.provider {
            return self.conclude(turn, &Verdict::Refused);
        }
        if self.is(Broken::BelievesWebhooks) && paid {
            let (transaction, reference) = (transaction.unwrap(), request.reference.to_string());
            let receipt = Receipt { name, transaction, amount, reference, tells_payer: false };
            let _ = self.landed(&Report::of(turn), payment, &receipt);
            return self.conclude(turn, &Verdict::Applied);
        }
        Step::Call(To::Rail(hook.provider), Request::Status { name }, Stage::MessageAsked)
    }

    fn hook_of(&self, turn: &Turn) -> Option<Hook> {
        let Who::Message { id, token } = turn.who else { return None };
        self.inbox.all.get(&id).filter(|message| message.token == token).map(|message| message.hook.clone())
    }

    /// The provider has answered.
    pub(super) fn message_asked(&mut self, turn: &Turn, answer: &Answer) -> Step {
        let Who::Message { id, .. } = turn.who else { return Step::Lost };
        // Somebody else may have concluded it: what is learnt is true all the same.
        let Some(hook) = self.inbox.all.get(&id).map(|message| message.hook.clone()) else { return Step::Lost };
        let Hint::Checkout { payment, transaction, amount, paid, .. } = hook.hint else { return Step::Lost };
        let Answer::Said(said) = answer else { return self.conclude(turn, &Verdict::Later) };
        if !self.lane.payments.contains_key(&payment) {
            return self.conclude(turn, &Verdict::Stale);
        }
        let before = self.writes();
        let verdict = self.judge(turn, payment, transaction.as_ref(), (amount, paid), said);
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(_) => Verdict::Later,
        };
        // A question that a lie leads to may find other charges, which are true.
        if hook.lies && self.writes() > before && !matches!(said, Said::Several(_)) {
            self.audit.wrong("lies_move_nothing", turn.of, "a webhook that says what is not so changed something");
        }
        self.conclude(turn, &verdict)
    }

    fn judge(
        &mut self,
        turn: &Turn,
        payment: PaymentId,
        told: Option<&ProviderId>,
        (amount, paid): (i64, bool),
        said: &Said,
    ) -> Result<Verdict, Fail> {
        let report = Report::of(turn);
        if let Said::Succeeded(receipt) = said
            && receipt.amount != amount
        {
            return Ok(Verdict::Refused);
        }
        let asked_often = turn.attempts >= ASKED;
        if matches!(said, Said::Pending { .. } | Said::Unpaid) {
            // A failed attempt is no more than that; a success that the provider does not (yet) know of is asked about.
            return Ok(match (paid, asked_often) {
                (false, _) => Verdict::Stale,
                (true, false) => Verdict::Later,
                (true, true) => Verdict::Refused,
            });
        }
        if let (Said::Succeeded(receipt), Some(told)) = (said, told)
            && receipt.transaction != *told
        {
            // Money that is told of and not shown: nobody else would ever look for it.
            self.learn(&report, payment, said)?;
            return Ok(if asked_often { Verdict::Refused } else { Verdict::Later });
        }
        Ok(match self.learn(&report, payment, said)? {
            Learned::Settled(Row::Known) => Verdict::Duplicate,
            Learned::Settled(_) | Learned::Ended { news: true } => Verdict::Applied,
            Learned::Ended { news: false } | Learned::Open => Verdict::Stale,
            Learned::Nothing | Learned::Contradiction => Verdict::Refused,
        })
    }

    fn conclude(&mut self, turn: &Turn, verdict: &Verdict) -> Step {
        let Who::Message { id, token } = turn.who else { return Step::Lost };
        if self.inbox.all.get(&id).is_none_or(|message| message.token != token) {
            return Step::Lost;
        }
        if matches!(verdict, Verdict::Later) {
            let wait = (5_i64 << turn.attempts.min(10)).min(600);
            let message = self.inbox.all.get_mut(&id).unwrap();
            message.leased = None;
            message.due = self.now + Duration::seconds(wait);
            let due = message.due;
            self.at(due, Happening::Message(id));
            return Step::Over(Outcome::Done);
        }
        if matches!(verdict, Verdict::Refused) {
            self.inbox.refused += 1;
        }
        self.inbox.all.remove(&id);
        self.less(turn.of);
        Step::Over(Outcome::Done)
    }
}
