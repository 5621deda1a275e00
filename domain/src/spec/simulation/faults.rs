//! What goes wrong, by the names of reliability.md §2.1, and how often it did.

use std::collections::BTreeMap;

/// One fault, or one variety of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fault {
    /// F35: a worker dies between its call and its record.
    DiesAfterTheCall,
    /// F36: an effect is taken by a second worker while the first one still has it.
    TakenByTwo,
    /// F36: what the first one then writes is refused.
    LateWriteRefused,
    /// F37: a worker hangs for longer than its lease.
    Hangs,
    /// F38: the message gateway sends and does not answer.
    GatewaySilent,
    /// F39: a provider is away for an hour.
    Outage,
    /// F39: a call that was refused by the breaker.
    BreakerOpen,
    /// F40: a webhook comes a hundred times at once.
    HookTimes100,
    /// F41: it comes after the end of the hold.
    HookLate,
    /// F42: news of a failed attempt after the success.
    FailedAfterSuccess,
    /// F42: news of a refund before those of the payment.
    RefundNewsFirst,
    /// F43: with a wrong signature.
    ForgedSignature,
    /// F43: genuine, with another amount.
    OtherAmount,
    /// F43: genuine, about another payment.
    OtherReference,
    /// F43: genuine, of money that nobody paid.
    NeverPaid,
    /// F44: the same message once more, much later.
    Replayed,
    /// F44: the same news under a new id.
    ReplayedUnderNewId,
    /// F45: it never comes.
    HookLost,
    /// F46: accepted, and no answer in time.
    AcceptedAndHung,
    /// F46: accepted, and the connection is reset.
    AcceptedAndReset,
    /// F46: never accepted, and no answer in time.
    RejectedAndHung,
    /// F46: no answer in time, and accepted seconds after that.
    AcceptedLate,
    /// Not reached at all.
    Unreachable,
    /// Asked to come later.
    TooMany,
    /// F47: money within 5 ms of the end of the hold or of its grace.
    AtTheEndOfTheHold,
    /// F47: money at the very millisecond.
    AtTheVeryEnd,
    /// F48: two tabs.
    TwoTabs,
    /// F48: two providers.
    TwoProviders,
    /// F48: twice in one checkout.
    TwiceInOneCheckout,
    /// F48: more than was asked for.
    Overpaid,
    /// F48: less than was asked for.
    Underpaid,
    /// Paid after the hold had expired.
    PaidAfterExpiry,
    /// Paid after the client had called it off.
    PaidAfterCancelling,
    /// F49: the outcome of a refund is unknown.
    RefundUnknown,
    /// F49: a refund is refused.
    RefundRefused,
    /// F49: only a part goes back.
    RefundPartial,
    /// F49: a refund that was paid is taken back.
    RefundReversed,
    /// F49: nobody says for 72 hours what became of a refund.
    RefundSilent,
    /// F50: a line of a statement is wrong.
    StatementWrong,
    /// A stream moved between a decision and its writing.
    Conflict,
}

impl Fault {
    pub(super) const ALL: [Self; 40] = [
        Self::DiesAfterTheCall,
        Self::TakenByTwo,
        Self::LateWriteRefused,
        Self::Hangs,
        Self::GatewaySilent,
        Self::Outage,
        Self::BreakerOpen,
        Self::HookTimes100,
        Self::HookLate,
        Self::FailedAfterSuccess,
        Self::RefundNewsFirst,
        Self::ForgedSignature,
        Self::OtherAmount,
        Self::OtherReference,
        Self::NeverPaid,
        Self::Replayed,
        Self::ReplayedUnderNewId,
        Self::HookLost,
        Self::AcceptedAndHung,
        Self::AcceptedAndReset,
        Self::RejectedAndHung,
        Self::AcceptedLate,
        Self::Unreachable,
        Self::TooMany,
        Self::AtTheEndOfTheHold,
        Self::AtTheVeryEnd,
        Self::TwoTabs,
        Self::TwoProviders,
        Self::TwiceInOneCheckout,
        Self::Overpaid,
        Self::Underpaid,
        Self::PaidAfterExpiry,
        Self::PaidAfterCancelling,
        Self::RefundUnknown,
        Self::RefundRefused,
        Self::RefundPartial,
        Self::RefundReversed,
        Self::RefundSilent,
        Self::StatementWrong,
        Self::Conflict,
    ];

    /// Its row of the matrix, and what it was.
    pub(super) const fn says(self) -> (&'static str, &'static str) {
        match self {
            Self::DiesAfterTheCall => ("F35", "worker dies after the call, before the record"),
            Self::TakenByTwo => ("F36", "effect taken while the first worker still has it"),
            Self::LateWriteRefused => ("F36", "late write refused by its fence"),
            Self::Hangs => ("F37", "worker hangs beyond its lease"),
            Self::GatewaySilent => ("F38", "message gateway sends and does not answer"),
            Self::Outage => ("F39", "provider away for an hour"),
            Self::BreakerOpen => ("F39", "call held back by the breaker"),
            Self::HookTimes100 => ("F40", "webhook a hundred times at once"),
            Self::HookLate => ("F41", "webhook after the end of the hold"),
            Self::FailedAfterSuccess => ("F42", "failed attempt told after the success"),
            Self::RefundNewsFirst => ("F42", "refund told before the payment"),
            Self::ForgedSignature => ("F43", "wrong signature"),
            Self::OtherAmount => ("F43", "genuine, another amount"),
            Self::OtherReference => ("F43", "genuine, another payment"),
            Self::NeverPaid => ("F43", "genuine, nobody paid"),
            Self::Replayed => ("F44", "same message much later"),
            Self::ReplayedUnderNewId => ("F44", "same news under a new id"),
            Self::HookLost => ("F45", "webhook never comes"),
            Self::AcceptedAndHung => ("F46", "accepted, no answer"),
            Self::AcceptedAndReset => ("F46", "accepted, connection reset"),
            Self::RejectedAndHung => ("F46", "not accepted, no answer"),
            Self::AcceptedLate => ("F46", "no answer, accepted later"),
            Self::Unreachable => ("F46", "not reached"),
            Self::TooMany => ("F46", "asked to come later"),
            Self::AtTheEndOfTheHold => ("F47", "paid within 5 ms of the end of the hold"),
            Self::AtTheVeryEnd => ("F47", "paid at the very millisecond"),
            Self::TwoTabs => ("F48", "two tabs"),
            Self::TwoProviders => ("F48", "two providers"),
            Self::TwiceInOneCheckout => ("F48", "twice in one checkout"),
            Self::Overpaid => ("F48", "more than was asked for"),
            Self::Underpaid => ("F48", "less than was asked for"),
            Self::PaidAfterExpiry => ("F41", "paid after the hold had expired"),
            Self::PaidAfterCancelling => ("F41", "paid after it was called off"),
            Self::RefundUnknown => ("F49", "outcome of a refund unknown"),
            Self::RefundRefused => ("F49", "refund refused"),
            Self::RefundPartial => ("F49", "refund of a part"),
            Self::RefundReversed => ("F49", "refund taken back"),
            Self::RefundSilent => ("F49", "refund without an answer for 72 h"),
            Self::StatementWrong => ("F50", "line of a statement wrong"),
            Self::Conflict => ("–", "stream moved before the decision was written"),
        }
    }
}

/// How often each happened.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally(BTreeMap<Fault, u64>);

impl Tally {
    pub(super) fn note(&mut self, fault: Fault) {
        *self.0.entry(fault).or_default() += 1;
    }

    pub(super) fn of(&self, fault: Fault) -> u64 {
        self.0.get(&fault).copied().unwrap_or(0)
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (fault, count) in &other.0 {
            *self.0.entry(*fault).or_default() += count;
        }
    }

    pub(super) fn missing(&self) -> Vec<Fault> {
        Fault::ALL.into_iter().filter(|fault| self.of(*fault) == 0).collect()
    }
}
