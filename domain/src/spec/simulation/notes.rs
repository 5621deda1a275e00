//! What whoever checks is told beside the events: charges, calls, pages, texts. And the story of what went wrong.

use super::{
    Found, Run,
    audit::{Audit, Wrong},
    known::{ChargeId, Fate},
    provider::Back,
};
use crate::{
    Timestamp,
    contract::Flow,
    ids::{ClientId, PaymentId, RefundId, ReservationId},
    payment::{Method, ProviderId},
    reaction::{About, Notice},
};

impl Audit {
    /// A payer paid.
    pub(super) fn charged(
        &mut self,
        id: ChargeId,
        payment: PaymentId,
        amount: i64,
        (again, lost): (bool, bool),
        at: Timestamp,
    ) {
        let pay = self.pays.get_mut(&payment).unwrap();
        let (of, before) = (pay.of, pay.charges.len());
        pay.charges.push(id.1);
        let stay = self.stays.get_mut(&of).unwrap();
        stay.charges.push(id);
        stay.unrested += 1;
        let (landed, in_hold, rest) = (None, false, None);
        self.fates.insert(id, Fate { payment, amount, at, again, lost, landed, in_hold, rest });
        if before > 0 && !again {
            self.wrong("charged_once", of, "one payment, one will to pay, two charges");
        }
    }

    /// Money began to move back for a refund.
    pub(super) fn moved(&mut self, method: Method, nth: usize, id: RefundId, of: ReservationId, back: &Back) {
        self.moved.insert((method, nth), of);
        let refund = self.refunds.get_mut(&id).unwrap();
        refund.movements.push((method, nth));
        if back.amount != refund.amount {
            let asked = refund.amount;
            self.wrong("refunded_once", of, format!("{} went back instead of {asked}", back.amount));
        }
    }

    /// The order of a refund is given, or asked about.
    pub(super) fn said(&mut self, id: RefundId, is_order: bool, now: Timestamp) {
        let Some(refund) = self.refunds.get_mut(&id) else { return };
        let (of, before) = (refund.of, refund.unanswered);
        if is_order {
            refund.unanswered = Some(now);
        }
        if let Some(before) = before.filter(|before| now < *before + chrono::Duration::seconds(30)) {
            let ago = (now - before).num_seconds();
            self.wrong("apart", of, format!("what was ordered {ago} s ago may still be on its way"));
        }
    }

    pub(super) fn answered(&mut self, id: RefundId) {
        if let Some(refund) = self.refunds.get_mut(&id) {
            refund.unanswered = None;
        }
    }

    pub(super) fn reservation_of(&self, method: Method, nth: usize) -> Option<ReservationId> {
        self.moved.get(&(method, nth)).copied()
    }

    /// The address of a page is told; whether that is news.
    pub(super) fn told_page(&mut self, payment: PaymentId, name: &ProviderId) -> bool {
        let pay = self.pays.get_mut(&payment).unwrap();
        let news = !pay.pages.contains(name);
        if news {
            pay.pages.push(name.clone());
        }
        news
    }

    /// A request to open a page leaves us: not again before somebody has asked what became of it.
    pub(super) fn sent_open(&mut self, payment: PaymentId) {
        let Some(pay) = self.pays.get_mut(&payment) else { return };
        let of = pay.of;
        if std::mem::replace(&mut pay.unasked, true) {
            self.wrong("opened_blindly", of, "opened again without asking");
        }
    }

    pub(super) fn asked(&mut self, payment: PaymentId) {
        if let Some(pay) = self.pays.get_mut(&payment) {
            pay.unasked = false;
        }
    }

    pub(super) fn not_sent(&mut self, payment: PaymentId) {
        self.asked(payment);
    }

    /// From here on it is asked about by the hour.
    pub(super) fn hourly(&mut self, about: About) {
        match about {
            About::Payment(id) | About::Listed(id) => self.pays.get_mut(&id).unwrap().hourly = true,
            About::Refund(id) => self.refunds.get_mut(&id).unwrap().hourly = true,
            About::Payout(_) => {}
        }
    }

    /// A question about it was not answered.
    pub(super) fn cut_off(&mut self, about: About) {
        match about {
            About::Payment(id) | About::Listed(id) => self.pays.get_mut(&id).unwrap().cut_off = true,
            About::Refund(id) => self.refunds.get_mut(&id).unwrap().cut_off = true,
            About::Payout(_) => {}
        }
    }

    pub(super) fn no_answer(&mut self, about: About) {
        self.told.insert(Notice::NoAnswer { about });
    }

    pub(super) fn told(&mut self, notice: Notice) {
        if matches!(notice, Notice::HandOut { .. } | Notice::ApprovalWanted { .. }) {
            self.told.insert(notice);
        }
    }

    pub(super) fn owes_text(&mut self, to: ClientId, notice: Notice) {
        *self.owed_texts.entry((to, notice)).or_default() += 1;
    }

    /// At the gateway: never two for one notice.
    pub(super) fn texted(&mut self, to: ClientId, notice: Notice, of: ReservationId) {
        let sent = self.texts.entry((to, notice)).or_default();
        *sent += 1;
        let sent = *sent;
        if sent > self.owed_texts.get(&(to, notice)).copied().unwrap_or(0) {
            self.wrong("told_once", of, format!("{notice:?} was sent {sent} times"));
        }
    }

    pub(super) const fn text_unknown(&mut self) {
        self.texts_unknown += 1;
    }

    pub(super) fn failed(&mut self, of: ReservationId, why: &'static str) {
        if let Some(stay) = self.stays.get_mut(&of) {
            stay.failed.push(why);
        }
    }

    /// Some other payment of this provider.
    pub(super) fn another_payment(&self, method: Method, than: PaymentId) -> Option<PaymentId> {
        self.latest.get(&method).copied().filter(|other| *other != than)
    }

    pub(super) fn hold_end(&self, of: ReservationId) -> Timestamp {
        self.stays[&of].hold_end
    }

    pub(super) fn forget(&mut self, of: ReservationId) {
        self.books.remove(&of);
        let Some(stay) = self.stays.remove(&of) else { return };
        for payment in stay.payments {
            self.told.remove(&Notice::NoAnswer { about: About::Payment(payment) });
            self.pays.remove(&payment);
        }
        for refund in stay.refunds {
            self.told.remove(&Notice::HandOut { refund_id: refund });
            self.told.remove(&Notice::ApprovalWanted { refund_id: refund });
            self.told.remove(&Notice::NoAnswer { about: About::Refund(refund) });
            for movement in self.refunds.remove(&refund).into_iter().flat_map(|refund| refund.movements) {
                self.moved.remove(&movement);
            }
        }
        for charge in stay.charges {
            self.fates.remove(&charge);
        }
    }
}

impl Audit {
    /// What a provider should have of the money that the platform collects.
    pub(super) fn purse(&mut self, of: ReservationId, method: Method, amount: i64) {
        if self.stays[&of].flow == Flow::PlatformCollects {
            *self.purses.entry(method).or_default() += amount;
        }
    }
}

impl Run {
    /// A step of a reservation, for whoever reads its story.
    pub(super) fn note(&mut self, of: ReservationId, what: &'static str, number: u64) {
        let now = self.now;
        if let Some(stay) = self.audit.stays.get_mut(&of) {
            // Tried again and again is told once.
            match stay.steps.last_mut() {
                Some(last) if (last.1, last.2) == (what, number) => last.0 = now,
                _ => stay.steps.push((now, what, number)),
            }
        }
    }

    /// The last steps of a reservation of which something is wrong.
    pub(super) fn story(&self, wrong: &Wrong) -> Found {
        let mut story = format!("seed {}: {} does not hold: {}\n{}\n", self.seed, wrong.law, wrong.what, wrong.of);
        let steps = self.audit.stays.get(&wrong.of).map_or(&[][..], |stay| &stay.steps[..]);
        let telling =
            |(_, what, _): &&(Timestamp, &'static str, u64)| *what != "close a checkout" && !what.starts_with("ask");
        let mut steps: Vec<_> = steps.iter().filter(telling).collect();
        steps.dedup_by_key(|step| (step.1, step.2));
        for (at, what, number) in &steps[steps.len().saturating_sub(80)..] {
            story.push_str(&format!("{} {what} {number}\n", at.format("%d %H:%M:%S%.3f")));
        }
        Found { law: wrong.law, story, events: self.audit.events }
    }
}
