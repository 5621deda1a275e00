//! A quarter of an hour after it was paid: what is not at rest by then must be open under a name, for a reason that can be seen.

use super::{
    Run,
    agenda::Happening,
    ends::SOON,
    known::{ChargeId, Pay},
};
use crate::{
    Timestamp,
    ids::{RefundId, ReservationId},
    payment::Method,
    reservation::Status,
};

/// Why something is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Open {
    /// Nobody has told us of it; its provider is asked by the hour, as long as 72 hours.
    AskedByTheHour,
    /// Nobody has told us of it, and nobody asks: the checkout is paid already. Its webhook may come; the statement has it.
    SecondCharge,
    /// It goes back: its provider has the order, or an earlier way failed and the next is tried.
    OnItsWayBack,
    /// It is to go back, and all workers wait for another provider, which is away.
    WaitsForAWorker,
}

impl Open {
    /// Those that must be seen.
    pub(super) const ALL: [Self; 3] = [Self::AskedByTheHour, Self::SecondCharge, Self::OnItsWayBack];

    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::AskedByTheHour => "not known here yet: its provider is asked by the hour",
            Self::SecondCharge => "not known here yet: a second charge, told of by its webhook only",
            Self::WaitsForAWorker => "to go back: workers wait for another provider, which is away",
            Self::OnItsWayBack => "on its way back: its provider is asked",
        }
    }
}

impl Run {
    /// A charge was made: it is looked at in a quarter of an hour.
    pub(super) fn look_soon(&mut self, charge: ChargeId) {
        self.at(self.now + SOON, Happening::IsItOver(charge));
    }

    /// Whether it is over; while a provider is away, or the hold waits for the rest of it, a quarter of an hour after that.
    pub(super) fn is_it_over(&mut self, charge: ChargeId) {
        let Some(fate) = self.audit.fates.get(&charge).filter(|fate| fate.rest.is_none()) else { return };
        let (payment, landed, again) = (fate.payment, fate.landed, fate.again);
        let (pay, now) = (&self.audit.pays[&payment], self.now);
        let of = pay.of;
        if let Some(since) = self.counts_since(of, charge, pay)
            && since + SOON > now
        {
            return self.at(since + SOON, Happening::IsItOver(charge));
        }
        let refunds = self.audit.stays[&of].refunds.iter().map(|id| &self.audit.refunds[id]);
        let mut back = refunds.filter(|refund| refund.payment == payment);
        let open = match landed {
            None if again => Open::SecondCharge,
            None if pay.hourly => Open::AskedByTheHour,
            Some(_) if back.any(|refund| refund.attempts > 0) => Open::OnItsWayBack,
            Some(_) if self.somebody_is_away(SOON) => Open::WaitsForAWorker,
            _ => return self.audit.wrong("in_time", of, "a quarter of an hour later it is open, and nobody knows why"),
        };
        *self.report.open.entry(open).or_default() += 1;
    }

    /// Whether a refund is paid, or waits for a person.
    pub(super) fn is_paid_back(&mut self, id: RefundId) {
        let Some(refund) = self.audit.refunds.get(&id).filter(|refund| !refund.by_hand) else { return };
        if refund.over || self.refund_rests(id) {
            return;
        }
        let (of, attempts) = (refund.of, refund.attempts);
        let methods = refund.way.map(|(_, method)| method).into_iter().chain([self.audit.pays[&refund.payment].method]);
        if let Some(since) = self.away_until(methods)
            && since + SOON > self.now
        {
            return self.at(since + SOON, Happening::IsPaidBack(id));
        }
        let open = match attempts {
            1.. => Open::OnItsWayBack,
            0 if self.somebody_is_away(SOON) => Open::WaitsForAWorker,
            0 => return self.audit.wrong("in_time", of, "a refund was not sent for a quarter of an hour"),
        };
        *self.report.open.entry(open).or_default() += 1;
    }

    /// The end of the latest absence of these providers within the last quarter of an hour.
    fn away_until(&self, of: impl Iterator<Item = Method>) -> Option<Timestamp> {
        let (from, to) = (self.now - SOON, self.now);
        of.filter(|method| method.has_provider()).filter_map(|method| self.provider(method).away_until(from, to)).max()
    }

    /// Since when the quarter of an hour counts, if not since the charge.
    fn counts_since(&self, of: ReservationId, charge: ChargeId, pay: &Pay) -> Option<Timestamp> {
        let stay = &self.audit.stays[&of];
        let out = stay.refunds.iter().filter_map(|id| self.audit.refunds[id].way).map(|(_, method)| method);
        let away = self.away_until(out.chain([charge.0, pay.method]));
        let fate = &self.audit.fates[&charge];
        // A part of what is due waits with its hold for the rest of it.
        let waits = fate.landed.is_some() && stay.status == Status::Held;
        let held = waits.then_some(stay.hold_end + stay.grace);
        away.max(held).max(stay.left_hold.filter(|_| fate.in_hold))
    }

    pub(super) fn less(&mut self, of: ReservationId) {
        if let Some(stay) = self.audit.stays.get_mut(&of) {
            stay.pending -= 1;
            if stay.pending == 0 {
                self.at(self.now, Happening::MayRetire(of));
            }
        }
    }

    pub(super) fn more(&mut self, of: ReservationId) {
        if let Some(stay) = self.audit.stays.get_mut(&of) {
            stay.pending += 1;
        }
    }
}
