//! Writing: load, decide, write, and again when a stream moved in between (`workers/src/act/report.rs`). Between the decision and
//! its writing something else may happen, now and then.

use super::{
    Run, agenda::Happening, broken::Broken, effects::Work, ends::SOON, faults::Fault, guards::Map, lane::Lane,
    learn::Report, turn::Who,
};
use crate::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    event::Event,
    ids::{PaymentId, RefundId, ReservationId, StreamId},
    reaction::{Notice, Reaction, Whom, react},
    refund,
    refusal::Refused,
    reservation::{self, Reservation, Source},
    spec::world::No,
};

/// Why nothing was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fail {
    /// Somebody else has it.
    Lost,
    SlotTaken,
    NotUnique,
    /// Counted out: too many holds.
    Limit,
    Contended,
    /// A rule said no; until when, when it says.
    Refused {
        code: &'static str,
        until: Option<Timestamp>,
    },
}

/// How often a decision is made again because a stream moved.
const TRIES: u32 = 16;

/// Refusals with a time in them.
pub(super) trait Until {
    fn until(&self) -> Option<Timestamp> {
        None
    }
}

impl Until for reservation::Refusal {
    fn until(&self) -> Option<Timestamp> {
        if let Self::HoldAlive { until } = self { Some(*until) } else { None }
    }
}

impl Until for crate::payment::Refusal {}
impl Until for crate::refund::Refusal {}
impl Until for crate::client::Refusal {}

impl Run {
    /// Answers whether something was written.
    pub(super) fn write<R: Refused + Until>(
        &mut self,
        report: &Report,
        decide: impl Fn(&Lane, Timestamp) -> Result<Decision, R>,
    ) -> Result<bool, Fail> {
        for _ in 0..TRIES {
            let decided = decide(&self.lane, self.now);
            let decision = decided.map_err(|refusal| Fail::Refused { code: refusal.code(), until: refusal.until() })?;
            if decision.is_nothing() {
                return Ok(false);
            }
            self.something_else(report.of);
            match self.append(report, decision) {
                Err(Fail::Contended) => self.tally.note(Fault::Conflict),
                other => return other,
            }
        }
        Err(Fail::Contended)
    }

    /// Before a decision is written something else may happen: the next thing that is due within a few milliseconds.
    fn something_else(&mut self, of: ReservationId) {
        let often = if self.is_racing(of) { 5_000 } else { 500 };
        if self.nested || !self.random.chance(often) {
            return;
        }
        let soon = self.now + chrono::Duration::milliseconds(10);
        if self.agenda.next_at().is_some_and(|at| at <= soon) {
            self.nested = true;
            self.one();
            self.nested = false;
        }
    }

    /// All of it, or nothing; and only while the lease is ours.
    pub(super) fn append(&mut self, report: &Report, decision: Decision) -> Result<bool, Fail> {
        if let Some((group, token)) = report.fence
            && !self.effects.holds(group, token)
        {
            if !self.is(Broken::WritesWithoutFence) {
                self.tally.note(Fault::LateWriteRefused);
                return Err(Fail::Lost);
            }
            self.audit.wrong("fenced", report.of, "a stale worker wrote");
        }
        let mut decision = decision;
        if self.is(Broken::LosesCredit) && decision.changes.len() > 1 {
            decision.changes.retain(|change| !matches!(change.events[..], [Event::Client(_), ..]));
        }
        let blind = self.is(Broken::IgnoresThatCellsAreTaken);
        let written = self.lane.admit(decision, self.now, blind).map_err(|no| match no {
            No::SlotTaken => Fail::SlotTaken,
            No::NotUnique => Fail::NotUnique,
            No::Limit => Fail::Limit,
            No::Conflict => Fail::Contended,
            No::Refused(code) => Fail::Refused { code, until: None },
        })?;
        self.writes[usize::from(self.nested)] += 1;
        for (stream, event) in written {
            self.follow(stream, event);
        }
        Ok(true)
    }

    /// How often whoever is at it has written.
    pub(super) const fn writes(&self) -> u64 {
        self.writes[self.nested as usize]
    }

    /// What follows from an event: it is checked, folded, and what is owed for it is written down with it.
    fn follow(&mut self, stream: StreamId, event: Event) {
        let of = self.audit.event(stream, &event, self.now);
        let owed = react(&event);
        self.before_fold(&event);
        let paid = if let Event::Refund(refund::Event::Succeeded(paid)) = &event { Some(paid.refund_id) } else { None };
        if let Event::Refund(refund::Event::Approved(approved)) = &event {
            self.at(self.now + SOON, Happening::IsPaidBack(approved.refund_id));
        }
        self.lane.fold(stream, event);
        let Some(of) = of else { return };
        if let Some(refund) = paid {
            self.refund_over(refund);
        }
        for reaction in owed {
            self.owe(of, reaction);
        }
        self.look(of);
    }

    fn owe(&mut self, of: ReservationId, reaction: Reaction) {
        match reaction {
            Reaction::ReturnMoney { .. } if self.is(Broken::ForgetsToReturnMoney) => {}
            // As the process manager does: those that are open at this place in the log.
            Reaction::CloseCheckouts { reservation_id } => {
                let open: Vec<PaymentId> = self.lane.open_of(reservation_id).iter().map(|payment| payment.id).collect();
                for payment_id in open {
                    self.intend(of, Work::Act(Reaction::CloseCheckout { payment_id, at: self.now }));
                }
            }
            Reaction::Tell { whom: Whom::Client(to), notice } => {
                self.audit.owes_text(to, notice);
                self.intend(of, Work::Text { to, notice });
            }
            // Managers and finance have other channels: here it counts that they are told.
            Reaction::Tell { notice: Notice::HandOut { .. }, .. } if self.is(Broken::TellsNobody) => {}
            Reaction::Tell { notice, .. } => self.audit.told(notice),
            Reaction::Wake { alarm: crate::reaction::Alarm::Remind { .. }, .. } => {}
            // Nobody has a discount here.
            Reaction::ReleaseDiscount { .. } => {}
            other => self.intend(of, Work::Act(other)),
        }
    }

    /// With every payment that has money in it, and ids for their refunds.
    pub(super) fn with_sources<R: Refused + Until>(
        &mut self,
        report: &Report,
        id: ReservationId,
        decide: impl Fn(&Lane, &Loaded<Reservation>, &[Source<'_>], Timestamp) -> Result<Decision, R>,
    ) -> Result<bool, Fail> {
        let mut ids: Map<PaymentId, RefundId> = Map::default();
        for payment in self.lane.reservation(id).state.paying() {
            ids.insert(payment, self.id(0xF).into());
        }
        self.write(report, move |lane, now| {
            let reservation = lane.reservation(id);
            let paying = reservation.state.paying().into_iter().filter_map(|payment| {
                ids.get(&payment).map(|refund_id| Source { payment: lane.payment(payment), refund_id: *refund_id })
            });
            decide(lane, reservation, &paying.collect::<Vec<_>>(), now)
        })
    }
}

impl Report {
    pub(super) fn of(turn: &super::turn::Turn) -> Self {
        let fence = match turn.who {
            Who::Effect { token, group, .. } => Some((group, token)),
            // Its events are applied by anybody, any number of times.
            Who::Message { .. } => None,
        };
        Self { of: turn.of, fence }
    }
}
