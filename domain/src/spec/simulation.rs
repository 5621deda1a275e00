//! A day of Kalel in small, over and over, with everything going wrong: a discrete-event simulation by one seed.
//!
//! The rules, folds and reactions are those of `domain`. Around them, each naming the file that it follows, stand what the workers
//! do (`turn`, `learn`, `refunds`, `inbox`, `effects`, `write`), four providers with books of their own (`provider`), calls that
//! go wrong (`calls`, `faults`), people (`people`, `deeds`, `hooks`), and whoever checks (`audit`, `watch`, `ends`, `statement`).
//! Where `spec/model` goes every way of one reservation, this goes one way of very many. `docs/simulation.md` says what is checked.

mod agenda;
mod audit;
mod breaker;
mod broken;
mod calls;
mod checkouts;
mod closing;
mod deeds;
mod effects;
mod ends;
mod faults;
mod finance;
mod guards;
mod hooks;
mod inbox;
mod known;
mod lane;
mod learn;
mod notes;
mod open;
mod people;
mod provider;
mod random;
mod refunds;
mod report;
mod slow;
mod statement;
mod table;
mod tests;
mod turn;
mod watch;
mod write;

use std::collections::{HashSet, VecDeque};

use chrono::{Duration, TimeZone, Utc};
use uuid::Uuid;

use self::{
    agenda::{Agenda, Happening},
    audit::Audit,
    breaker::Breaker,
    broken::Broken,
    calls::method_number,
    effects::Effects,
    faults::{Fault, Tally},
    guards::Map,
    inbox::Inbox,
    lane::Lane,
    people::Wish,
    provider::{Kind, Provider},
    random::Random,
    report::Report,
};
use crate::{
    Timestamp,
    ids::{PaymentId, ReservationId},
    payment::Method,
    reservation::Slot,
};

/// Two processes of eight workers and four readers each (`workers/src/context.rs`).
const WORKERS: usize = 16;
const READERS: usize = 8;

/// One world, from its first reservation to the last question.
struct Run {
    seed: u64,
    now: Timestamp,
    random: Random,
    agenda: Agenda,
    lane: Lane,
    providers: [Provider; 4],
    breakers: [Breaker; 5],
    effects: Effects,
    inbox: Inbox,
    audit: Audit,
    report: Report,
    tally: Tally,
    wishes: Map<PaymentId, Wish>,
    /// Those that are paid at the very end of their holds: nothing takes time for them.
    racing: HashSet<ReservationId>,
    /// What was wanted lately.
    slots: VecDeque<Slot>,
    /// How many payments are wanted, and were asked for at a provider.
    wanted: u64,
    asked: u64,
    ids: u128,
    events: u64,
    nested: bool,
    writes: [u64; 2],
    broken: Option<Broken>,
}

/// What went wrong, and how to see it again.
#[derive(Debug)]
struct Found {
    law: &'static str,
    story: String,
    /// How many were read before it was found.
    events: u64,
}

impl Run {
    fn new(seed: u64, wanted: u64, broken: Option<Broken>) -> Self {
        let mut random = Random::new(seed);
        let now = Utc.with_ymd_and_hms(2026, 11, 23, 6, 0, 0).single().unwrap();
        let (yas, card) =
            if seed.is_multiple_of(2) { (Kind::PayTech, Kind::PayDunya) } else { (Kind::PayDunya, Kind::PayTech) };
        let mut providers = [
            Provider::new(Method::Wave, Kind::Wave),
            Provider::new(Method::OrangeMoney, Kind::Sonatel),
            Provider::new(Method::Yas, yas),
            Provider::new(Method::Card, card),
        ];
        // People pay for as long as there are payments to ask for; each provider is away for an hour in that time.
        let open = i64::try_from(wanted).unwrap() * 2;
        for provider in &mut providers {
            let from = now + Duration::seconds(random.between(600, open.max(1_200)));
            provider.outages.push((from, from + Duration::hours(1)));
        }
        let mut run = Self {
            seed,
            now,
            random,
            agenda: Agenda::default(),
            lane: Lane::default(),
            providers,
            breakers: Default::default(),
            effects: Effects::default(),
            inbox: Inbox::default(),
            audit: Audit::default(),
            report: Report::default(),
            tally: Tally::default(),
            wishes: Map::default(),
            racing: HashSet::default(),
            slots: VecDeque::new(),
            wanted,
            asked: 0,
            ids: 0,
            events: 0,
            nested: false,
            writes: [0; 2],
            broken,
        };
        run.effects.free = WORKERS;
        run.inbox.free = READERS;
        run.audit.books_fee_nowhere = broken == Some(Broken::BooksFeeNowhere);
        run.audit.forgets_refunds = broken == Some(Broken::LedgerForgetsRefunds);
        for _ in 0..4 {
            run.tally.note(Fault::Outage);
        }
        run.at(now, Happening::Somebody);
        run
    }

    /// Plays it to its end.
    fn play(mut self) -> Result<Report, Found> {
        while self.audit.wrong.is_none() && self.one() {
            self.report.most_alive = self.report.most_alive.max(self.audit.stays.len());
        }
        if self.audit.wrong.is_none() {
            self.close();
        }
        if let Some(wrong) = self.audit.wrong.take() {
            return Err(self.story(&wrong));
        }
        self.report.events = self.audit.events;
        self.report.tally = std::mem::take(&mut self.tally);
        self.report.worlds = 1;
        for (name, count) in [
            ("texts of which nobody knows", self.audit.texts_unknown),
            ("webhooks refused", self.inbox.refused),
            ("webhooks known before", self.inbox.duplicates),
        ] {
            *self.report.counts.entry(name).or_default() += count;
        }
        Ok(self.report)
    }

    /// The next thing that happens. False when nothing does any more.
    fn one(&mut self) -> bool {
        let Some((at, happening)) = self.agenda.next() else { return false };
        self.now = self.now.max(at);
        self.report.steps += 1;
        match happening {
            Happening::Somebody => self.wants(),
            Happening::Do(of, deed) => self.carry_out(of, deed),
            Happening::Due(id) => self.due(id),
            Happening::Arrives(calling) => {
                let of = calling.0.of;
                self.arrives(calling.0, calling.1);
                self.less(of);
            }
            Happening::Answered(calling) => {
                let of = calling.0.of;
                self.answered(calling.0, calling.1);
                self.less(of);
            }
            Happening::WorkerIsBack => self.free(),
            Happening::Hook(hook) => self.hook(*hook),
            Happening::Message(id) => self.message(id),
            Happening::Moves(method, movement) => self.moves(method, movement),
            Happening::HoldIsOver(of) => self.hold_is_over(of),
            Happening::IsItOver(charge) => self.is_it_over(charge),
            Happening::IsPaidBack(refund) => self.is_paid_back(refund),
            Happening::MayRetire(of) => self.may_retire(of),
        }
        true
    }

    fn is(&self, broken: Broken) -> bool {
        self.broken == Some(broken)
    }

    fn is_racing(&self, of: ReservationId) -> bool {
        self.racing.contains(&of)
    }

    fn provider(&self, method: Method) -> &Provider {
        &self.providers[method_number(method)]
    }

    fn at(&mut self, at: Timestamp, happening: Happening) {
        let draw = self.random.next();
        self.agenda.put(at, draw, happening);
    }

    /// A new id of a kind.
    fn id(&mut self, kind: u128) -> Uuid {
        self.ids += 1;
        Uuid::from_u128((kind << 100) + self.ids)
    }

    fn count(&mut self, what: &'static str) {
        *self.report.counts.entry(what).or_default() += 1;
    }
}
