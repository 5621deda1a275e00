//! Webhooks, in small: `workers/src/inbox.rs`. Each is a hint: the provider is asked, and only its answer moves money.

use super::{
    Broken,
    provider::{Receipt, Said},
    state::Webhook,
    worker::{Learned, Worker, transaction},
};

/// How a message ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Applied,
    Duplicate,
    Stale,
    Refused,
    /// About nothing that is known.
    Parked,
}

impl Worker<'_> {
    pub(super) fn read(&mut self, hint: &Webhook) -> Verdict {
        let Some(payment) = self.payment(hint.payment) else { return Verdict::Parked };
        if self.is(Broken::BelievesWebhooks) && hint.paid {
            let (checkout, charge, amount) = (hint.checkout, hint.charge, hint.amount);
            let receipt = Receipt { checkout, charge, amount, payment: hint.payment };
            self.settle(hint.payment, receipt, &transaction(charge));
            return Verdict::Applied;
        }
        if hint.paid && payment.state.capture(&transaction(hint.charge)).is_some() {
            return Verdict::Duplicate;
        }
        if self.is(Broken::EndsWhatIsPaid) && !hint.paid {
            self.expire(hint.payment);
            return Verdict::Applied;
        }
        let said = self.state.provider.status(hint.checkout);
        if let Said::Succeeded(receipt) = &said
            && hint.paid
            && receipt.amount != hint.amount
        {
            return Verdict::Refused;
        }
        if matches!(said, Said::Pending(_)) {
            // A failed attempt is no more than that; a success that the provider does not know of is refused in the end.
            return if hint.paid { Verdict::Refused } else { Verdict::Stale };
        }
        if let Said::Succeeded(receipt) = &said
            && hint.paid
            && receipt.charge != hint.charge
        {
            // What is told of and not shown is asked about again, and somebody is told in the end.
            let known = payment.state.capture(&transaction(receipt.charge)).is_some();
            self.learn(hint.payment, &said);
            return if known { Verdict::Refused } else { Verdict::Applied };
        }
        let was = payment.state.status;
        match self.learn(hint.payment, &said) {
            Learned::Settled => Verdict::Applied,
            Learned::Ended if was.is_open() => Verdict::Applied,
            Learned::Ended | Learned::Open => Verdict::Stale,
            Learned::Nothing | Learned::Contradiction => Verdict::Refused,
        }
    }

    /// Reads a message that may be forged: one that is refused must not have moved anything.
    pub(super) fn deliver(&mut self, hint: &Webhook) -> Verdict {
        let before = self.state.lane.world.log.len();
        let verdict = self.read(hint);
        let moved = self.state.lane.world.log.len() > before;
        self.state.hint_moved |= moved && verdict != Verdict::Applied;
        verdict
    }
}
