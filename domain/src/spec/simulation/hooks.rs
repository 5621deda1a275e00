//! Charges, and the webhooks that tell of them: in time, late, never, a hundred times, in the wrong order, forged, replayed.

use chrono::Duration;

use super::{
    Run,
    agenda::Happening,
    calls::method_number,
    faults::Fault,
    inbox::{Hint, Hook},
    provider::Provider,
};
use crate::{
    ids::{PaymentId, ReservationId},
    payment::{Method, ProviderId},
};

impl Run {
    /// A payer pays at a provider.
    pub(super) fn charge(
        &mut self,
        of: ReservationId,
        payment: PaymentId,
        method: Method,
        checkout: usize,
        amount: i64,
        again: bool,
    ) {
        let now = self.now;
        let provider = &mut self.providers[method_number(method)];
        let charge = provider.charge(checkout, amount);
        let (name, transaction) = (provider.name(checkout), Provider::transaction(charge));
        self.note(of, "paid at its provider", charge as u64);
        let lost = self.random.chance(3_000);
        self.audit.charged((method, charge), payment, amount, (again, lost), now);
        self.look(of);
        self.look_soon((method, charge));
        let true_hint = Hint::Checkout { payment, name, transaction: Some(transaction), amount, paid: true };
        if lost {
            self.tally.note(Fault::HookLost);
        } else {
            self.tell(of, method, &true_hint);
        }
        self.mischief(of, method, payment, &true_hint);
    }

    fn tell(&mut self, of: ReservationId, provider: Method, hint: &Hint) {
        let event = self.event();
        let hook = Hook { provider, event, genuine: true, lies: false, of, hint: hint.clone() };
        let mut after = self.millis(40, 5_000);
        if self.is_racing(of) {
            after = self.millis(0, 3);
        } else if self.random.chance(400) {
            self.tally.note(Fault::HookLate);
            after = self.millis(960_000, 3_600_000);
        }
        let times = if self.random.chance(100) { 100 } else { 1 };
        if times > 1 {
            self.tally.note(Fault::HookTimes100);
        }
        for _ in 0..times {
            self.send_hook(hook.clone(), after);
        }
        if self.random.chance(300) {
            self.tally.note(Fault::Replayed);
            let later = after + self.millis(600_000, 86_400_000);
            self.send_hook(hook.clone(), later);
        }
        if self.random.chance(300) {
            self.tally.note(Fault::ReplayedUnderNewId);
            let later = after + self.millis(1, 7_200_000);
            let event = self.event();
            self.send_hook(Hook { event, ..hook }, later);
        }
    }

    /// What comes beside the truth.
    fn mischief(&mut self, of: ReservationId, provider: Method, payment: PaymentId, truth: &Hint) {
        let Hint::Checkout { name, transaction, amount, .. } = truth.clone() else { return };
        let hook = |event, hint| Hook { provider, event, genuine: true, lies: true, of, hint };
        if self.random.chance(300) {
            self.tally.note(Fault::FailedAfterSuccess);
            let hint = Hint::Checkout { payment, name: name.clone(), transaction: None, amount, paid: false };
            let (event, after) = (self.event(), self.millis(1, 60_000));
            self.send_hook(Hook { lies: false, ..hook(event, hint) }, after);
        }
        if self.random.chance(200) {
            let (event, after) = (self.event(), self.millis(0, 2_000));
            self.send_hook(Hook { lies: false, ..hook(event, Hint::Payout) }, after);
        }
        if self.random.chance(200) {
            let hint = Hint::Checkout {
                payment,
                name: name.clone(),
                transaction: transaction.clone(),
                amount: amount * 3,
                paid: true,
            };
            let (event, after) = (self.event(), self.millis(0, 20_000));
            self.tally.note(Fault::OtherAmount);
            self.send_hook(hook(event, hint), after);
        }
        if self.random.chance(300) {
            let other = self.audit.another_payment(provider, payment);
            if let Some(payment) = other {
                let hint = Hint::Checkout { payment, name, transaction, amount, paid: true };
                let (event, after) = (self.event(), self.millis(0, 20_000));
                self.tally.note(Fault::OtherReference);
                self.send_hook(hook(event, hint), after);
            }
        }
        if self.random.chance(300) {
            let (event, after) = (self.event(), self.millis(0, 20_000));
            self.send_hook(Hook { genuine: false, ..hook(event, truth.clone()) }, after);
        }
    }

    /// Genuine news of money that nobody paid.
    pub(super) fn never_paid(&mut self, of: ReservationId, payment: PaymentId, name: &ProviderId) {
        if !self.random.chance(150) {
            return;
        }
        self.tally.note(Fault::NeverPaid);
        let request = self.lane.payment(payment).state.request.clone().unwrap();
        let (amount, name) = (request.amount.amount, name.clone());
        let transaction = Some(ProviderId::known("T-never".into()));
        let hint = Hint::Checkout { payment, name, transaction, amount, paid: true };
        let (event, after) = (self.event(), self.millis(0, 4_000));
        self.send_hook(Hook { provider: request.method, event, genuine: true, lies: false, of, hint }, after);
    }

    fn send_hook(&mut self, hook: Hook, after: Duration) {
        self.more(hook.of);
        self.at(self.now + after, Happening::Hook(Box::new(hook)));
    }

    const fn event(&mut self) -> u64 {
        self.events += 1;
        self.events
    }
}
