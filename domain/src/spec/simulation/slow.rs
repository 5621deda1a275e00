//! Why something takes longer than a quarter of an hour, by name, and the most it may take then.

use chrono::Duration;

use super::{Run, known::Refunding};
use crate::ids::{RefundId, ReservationId};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slow {
    /// Paid more than ten minutes after the page was there, and the webhook never came or is late.
    Hourly,
    /// One that is not answered is not asked again before the next is due.
    CutOff,
    /// Its second charge is not asked about.
    SecondCharge,
    RefundHourly,
    RefundCutOff,
    /// Each way has questions of its own, of which the fourth comes after ten minutes.
    AnotherWay,
    /// Whoever waits for the answer of a provider that is away does nothing else.
    Crowded,
    /// Where no key makes it the same payout, it must be known that the first one never arrived.
    Unseen,
    /// Then it is a case of finance.
    Silent,
}

impl Slow {
    pub(super) const fn says(self) -> &'static str {
        match self {
            Self::Hourly => "found by an hourly question",
            Self::CutOff => "a question about the payment was cut off, the next ones are hourly",
            Self::SecondCharge => "a second charge in a checkout, told of by a late webhook only",
            Self::RefundHourly => "refund answered to an hourly question",
            Self::RefundCutOff => "a question about the refund was cut off, the next ones are hourly",
            Self::AnotherWay => "a way of paying back failed, and another was tried",
            Self::Crowded => "another provider is away, and workers wait for it",
            Self::Unseen => "payout without a key, unseen for 24 h",
            Self::Silent => "refund without an answer for 72 h",
        }
    }

    /// For each way that was tried.
    const fn most(self) -> Duration {
        match self {
            Self::Hourly => Duration::minutes(75),
            Self::CutOff => Duration::minutes(255),
            Self::SecondCharge => Duration::minutes(85),
            Self::RefundHourly | Self::RefundCutOff => Duration::minutes(330),
            Self::AnotherWay => Duration::minutes(15),
            Self::Crowded => Duration::minutes(30),
            Self::Unseen => Duration::hours(29),
            Self::Silent => Duration::hours(77),
        }
    }
}

impl Run {
    /// Whether a provider was away within this time.
    pub(super) fn somebody_is_away(&self, within: Duration) -> bool {
        self.providers.iter().any(|provider| provider.away_until(self.now - within, self.now).is_some())
    }

    /// Longer than it should: by a way that is known to take longer, or it is wrong. `late` is why it was found late.
    pub(super) fn slower(&mut self, of: ReservationId, refunds: &[RefundId], late: Option<Slow>, took: Duration) {
        let is = |wanted: fn(&Refunding) -> bool| refunds.iter().any(|id| wanted(&self.audit.refunds[id]));
        let ways = refunds.iter().map(|id| self.audit.refunds[id].attempts).max().unwrap_or(1).max(1);
        let silent = refunds.iter().any(|id| self.audit.refunds[id].status.is_out() && self.case_of(*id).is_some());
        let slow = match late {
            _ if silent => Slow::Silent,
            _ if is(|refund| refund.unseen) => Slow::Unseen,
            _ if is(|refund| refund.cut_off) => Slow::RefundCutOff,
            // Each may have been late by an hour.
            Some(_) if is(|refund| refund.hourly) => Slow::RefundCutOff,
            None if is(|refund| refund.hourly) => Slow::RefundHourly,
            Some(late) => late,
            None if ways > 1 => Slow::AnotherWay,
            None if self.somebody_is_away(took) => Slow::Crowded,
            None => return self.audit.wrong("in_time", of, format!("at rest after {} s", took.num_seconds())),
        };
        let (count, longest) = self.report.slower.entry(slow).or_default();
        *count += 1;
        *longest = (*longest).max(took.num_seconds());
        if took > slow.most() * i32::try_from(ways).unwrap() {
            self.audit.wrong("in_time", of, format!("{}: {} s", slow.says(), took.num_seconds()));
        }
    }
}
