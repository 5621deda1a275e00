//! What people do: pay, ask for another payment, split, call off, come, want money back, say yes or no to that, hand it out.

use chrono::Duration;

use super::{Run, agenda::Happening, faults::Fault, learn::Report};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    event::Event,
    ids::{PaymentId, RefundId, ReservationId, ShareId},
    money::Money,
    payment::{self, Method, Payment, RequestShare},
    refund::{self, Route},
    reservation::{self, Cancel, CancelReason, Channel, Parts, Purpose, Slot, Split, Status},
    spec::{story::note, world::person},
};

#[derive(Clone, Debug)]
pub(super) enum Deed {
    Pay {
        payment: PaymentId,
        more: i64,
        twice: bool,
    },
    /// Once more in a checkout that is paid.
    PayAgain {
        payment: PaymentId,
        checkout: usize,
        amount: i64,
    },
    /// Another payment: a second tab, the balance.
    Another {
        method: Method,
        purpose: Purpose,
    },
    /// Pay with what is left from another time.
    SpendCredit {
        purpose: Purpose,
    },
    Split,
    Share {
        share_id: ShareId,
        method: Method,
        known: bool,
    },
    Cancel {
        reason: CancelReason,
    },
    CheckIn,
    /// Somebody else wants this very slot.
    Rival {
        slot: Box<Slot>,
    },
    AskRefund,
    /// The second person.
    Second {
        refund: RefundId,
        yes: bool,
    },
    HandOut {
        refund: RefundId,
    },
    /// One of finance looks at what a provider says on its own pages.
    LookAt {
        refund: RefundId,
        who: u128,
        days: u32,
    },
}

impl Run {
    /// Somebody will do something about a reservation.
    pub(super) fn will(&mut self, of: ReservationId, at: Timestamp, deed: Deed) {
        self.more(of);
        self.at(at, Happening::Do(of, deed));
    }

    pub(super) fn carry_out(&mut self, of: ReservationId, deed: Deed) {
        let report = Report { of, fence: None };
        match deed {
            Deed::Pay { payment, more, twice } => self.pay(of, payment, more, twice),
            Deed::PayAgain { payment, checkout, amount } => {
                self.tally.note(Fault::TwiceInOneCheckout);
                let method = self.audit.pays[&payment].method;
                self.charge(of, payment, method, checkout, amount, true);
            }
            Deed::Another { method, purpose } => self.another(&report, method, purpose),
            Deed::SpendCredit { purpose } => self.spend_credit(&report, purpose),
            Deed::Split => self.split(&report),
            Deed::Share { share_id, method, known } => self.share(&report, share_id, method, known),
            Deed::Cancel { reason } => {
                let by = self.client_of(of).filter(|_| reason == CancelReason::Client);
                let by = by.unwrap_or(person(Role::Manager, 1));
                let why = (reason == CancelReason::Manager).then(|| note("double use"));
                let _ = self.with_sources(&report, of, |_, reservation, sources, now| {
                    Cancel { reservation, sources, reason, note: why.clone(), by, now }.decide()
                });
            }
            Deed::CheckIn => {
                let by = person(Role::Gatekeeper, 2);
                let _ = self.write(&report, |lane, now| reservation::check_in(lane.reservation(of), by, now));
            }
            Deed::Rival { slot } => {
                if slot.during.from() > self.now && self.random.chance(7_000) {
                    self.by_hand(*slot);
                } else if slot.during.from() > self.now {
                    let client = self.somebody();
                    let by = Actor::new(Role::Client, client.uuid().into());
                    let method = self.method();
                    self.place(*slot, Some(client), Channel::Online, by, Some((method, Purpose::Deposit)));
                }
            }
            Deed::AskRefund => self.ask_for_refund(&report),
            Deed::Second { refund, yes } => {
                let by = person(Role::Finance, 9);
                let _ = self.write(&report, |lane, now| {
                    let request = lane.refunds[&refund].state.request.as_ref().unwrap();
                    let (payment, reservation) = (lane.payment(request.payment_id), lane.reservation(of));
                    if yes {
                        refund::approve(&lane.refunds[&refund], payment, reservation, by, now)
                    } else {
                        refund::decline(&lane.refunds[&refund], payment, reservation, note("no"), by, now)
                    }
                });
            }
            Deed::LookAt { refund, who, days } => self.look_at(&report, refund, who, days),
            Deed::HandOut { refund } => {
                let by = person(Role::Manager, 1);
                let _ = self.write(&report, |lane, now| refund::hand_out(&lane.refunds[&refund], by, now));
            }
        }
        self.less(of);
    }

    fn client_of(&self, of: ReservationId) -> Option<Actor> {
        let client = self.lane.reservation(of).state.terms.as_ref()?.client_id?;
        Some(Actor::new(Role::Client, client.uuid().into()))
    }

    fn pay(&mut self, of: ReservationId, payment: PaymentId, more: i64, twice: bool) {
        let request = self.lane.payment(payment).state.request.clone().unwrap();
        let Some(name) = self.lane.payment(payment).state.provider_id().cloned() else { return };
        let (method, now) = (request.method, self.now);
        let provider = self.provider(method);
        // The page that was told last.
        let Some(checkout) = provider.found(&name).last().copied().filter(|checkout| provider.is_open(*checkout, now))
        else {
            self.count("page was closed");
            return;
        };
        let amount = (provider.checkouts[checkout].amount + more).max(1);
        let (held, end) = (self.lane.reservation(of).state.status, self.audit.hold_end(of));
        match more {
            0 => {}
            1.. => self.tally.note(Fault::Overpaid),
            _ => self.tally.note(Fault::Underpaid),
        }
        // For what is paid already.
        if request.purpose == Purpose::Deposit && request.share_id.is_none() {
            let before =
                self.audit.stays[&of].charges.iter().map(|(by, nth)| (*by, self.audit.fates[&(*by, *nth)].payment));
            match before.filter(|(_, other)| *other != payment).map(|(by, _)| by == method).max() {
                Some(true) => self.tally.note(Fault::TwoTabs),
                Some(false) => self.tally.note(Fault::TwoProviders),
                None => {}
            }
        }
        match held {
            Status::Expired => self.tally.note(Fault::PaidAfterExpiry),
            Status::Cancelled => self.tally.note(Fault::PaidAfterCancelling),
            _ => {}
        }
        if self.is_racing(of) {
            let grace = end + Duration::minutes(2);
            let off = (now - end).num_milliseconds().abs().min((now - grace).num_milliseconds().abs());
            if off <= 5 {
                self.tally.note(Fault::AtTheEndOfTheHold);
            }
            if off == 0 {
                self.tally.note(Fault::AtTheVeryEnd);
            }
        }
        self.charge(of, payment, method, checkout, amount, false);
        if twice {
            let after = if self.random.chance(5_000) { Duration::zero() } else { self.millis(100, 600_000) };
            self.will(of, now + after, Deed::PayAgain { payment, checkout, amount });
        }
    }

    fn another(&mut self, report: &Report, method: Method, purpose: Purpose) {
        let payment = Loaded::<Payment>::new(self.id(0xB).into());
        let by = self.client_of(report.of).unwrap_or(person(Role::Manager, 1));
        let _ = self.write(report, |lane, now| {
            let (reservation, payment) = (lane.reservation(report.of), &payment);
            payment::Request { reservation, payment, method, purpose, by }.decide(now)
        });
    }

    /// If there is enough of it.
    fn spend_credit(&mut self, report: &Report, purpose: Purpose) {
        let payment = Loaded::<Payment>::new(self.id(0xB).into());
        let Some(client) = self.lane.reservation(report.of).state.terms.as_ref().and_then(|terms| terms.client_id)
        else {
            return;
        };
        let by = Actor::new(Role::Client, client.uuid().into());
        let spent = self.write(report, |lane, now| {
            let (reservation, client, payment) = (lane.reservation(report.of), &lane.clients[&client], &payment);
            payment::Spend { reservation, payment, client, purpose, share_id: None, by, now }.decide()
        });
        if spent == Ok(true) {
            self.count("paid with credit");
        }
    }

    fn split(&mut self, report: &Report) {
        let of_deposit = self.random.chance(2_500);
        let of = if of_deposit { Purpose::Deposit } else { Purpose::Full };
        let count = self.random.between(2, 8);
        let ids: Vec<ShareId> = (0..count).map(|_| self.id(0xD).into()).collect();
        let Some(by) = self.client_of(report.of) else { return };
        let terms = self.lane.reservation(report.of).state.terms.clone().unwrap();
        let latest = terms.slot.during.from() - Duration::minutes(15);
        let gathers = self.millis(1_200_000, 14_400_000);
        let deadline = (terms.hold_expires_at + gathers).min(latest);
        let least = self.random.chance(4_000).then_some(terms.price.deposit);
        let split = self.write(report, |lane, now| {
            let reservation = lane.reservation(report.of);
            let payments = lane.open_of(report.of);
            let parts = Parts::Equal(ids.clone());
            Split { reservation, payments: &payments, of, parts, quorum: least, deadline, by, now }.decide()
        });
        if split != Ok(true) {
            return;
        }
        self.count("split");
        let pays_all = self.random.chance(6_000);
        for (nth, share_id) in ids.into_iter().enumerate() {
            if !pays_all && self.random.chance(4_000) {
                continue;
            }
            let latest = if nth == 0 { Duration::minutes(10) } else { deadline - self.now };
            let after = self.millis(5_000, latest.num_milliseconds().max(5_001));
            let (method, known) = (self.method(), self.random.chance(5_000));
            self.will(report.of, self.now + after, Deed::Share { share_id, method, known });
            if self.random.chance(500) {
                let (method, known) = (self.method(), self.random.chance(5_000));
                self.will(report.of, self.now + after, Deed::Share { share_id, method, known });
            }
        }
    }

    fn share(&mut self, report: &Report, share_id: ShareId, method: Method, known: bool) {
        let payment = Loaded::<Payment>::new(self.id(0xB).into());
        let payer = known.then(|| self.somebody());
        let Some(by) = self.client_of(report.of) else { return };
        let _ = self.write(report, |lane, now| {
            let (reservation, others) = (lane.reservation(report.of), lane.open_of(report.of));
            let (payment, others) = (&payment, &others[..]);
            RequestShare { reservation, payment, others, share_id, method, payer, by }.decide(now)
        });
    }

    fn ask_for_refund(&mut self, report: &Report) {
        let paying = self.lane.reservation(report.of).state.paying();
        let Some(payment) = paying.first().copied() else { return };
        let refund_id = self.id(0xF).into();
        let part = self.random.chance(6_000);
        let amount = part.then(|| Money::xof(self.random.between(500, 20_000)));
        let by = person(Role::Manager, 1);
        let _ = self.write(report, |lane, now| {
            let (payment, reservation) = (lane.payment(payment), lane.reservation(report.of));
            let note = note("rain on half of it");
            refund::Request { payment, reservation, refund_id, amount, note, by, now }.decide()
        });
    }

    /// What people make of an event.
    pub(super) fn before_fold(&mut self, event: &Event) {
        match event {
            Event::Payment(payment::Event::Requested(asked)) if asked.method.has_provider() => self.asked += 1,
            Event::Reservation(reservation::Event::Held(held)) => self.watch(held.reservation_id),
            Event::Reservation(reservation::Event::HoldProlonged(held)) => self.watch(held.reservation_id),
            Event::Payment(payment::Event::Opened(opened)) => {
                let (of, payment) = (opened.reservation_id, opened.payment_id);
                if self.audit.told_page(payment, &opened.provider_id) {
                    self.page_is_there(of, payment);
                    self.never_paid(of, payment, &opened.provider_id);
                }
            }
            Event::Reservation(reservation::Event::Confirmed(confirmed)) => {
                self.afterwards(confirmed.reservation_id, confirmed.during.from(), confirmed.during.to());
            }
            Event::Refund(refund::Event::Requested(asked)) => {
                let (of, refund) = (asked.reservation_id, asked.refund_id);
                let payment = &self.lane.payment(asked.payment_id).state;
                if payment.capture(&asked.transaction).is_some_and(|capture| capture.received != asked.amount) {
                    self.tally.note(Fault::RefundPartial);
                }
                if asked.needs_approval {
                    let after = self.millis(60_000, 7_200_000);
                    let yes = self.random.chance(8_500);
                    if self.random.chance(9_500) {
                        self.will(of, self.now + after, Deed::Second { refund, yes });
                    }
                } else if matches!(asked.route, Route::Cash | Route::Transfer) {
                    self.somebody_hands_out(of, refund);
                }
            }
            Event::Refund(refund::Event::Approved(approved)) => {
                let known = self.lane.refunds.get(&approved.refund_id).and_then(|refund| refund.state.request.clone());
                if let Some(asked) = known.filter(|asked| asked.needs_approval)
                    && matches!(asked.route, Route::Cash | Route::Transfer)
                {
                    self.somebody_hands_out(asked.reservation_id, approved.refund_id);
                }
            }
            _ => {}
        }
    }

    /// Its hold ends in time.
    fn watch(&mut self, of: ReservationId) {
        let fence = self.audit.hold_end(of) + Duration::minutes(2);
        self.at(fence, Happening::HoldIsOver(of));
        self.at(fence + Duration::minutes(9), Happening::HoldIsOver(of));
    }

    /// Most of the time.
    pub(super) fn somebody_hands_out(&mut self, of: ReservationId, refund: RefundId) {
        if self.random.chance(8_500) {
            let after = self.millis(60_000, 86_400_000);
            self.will(of, self.now + after, Deed::HandOut { refund });
        }
    }

    /// What becomes of a confirmed reservation.
    fn afterwards(&mut self, of: ReservationId, from: Timestamp, to: Timestamp) {
        let now = self.now;
        let before = (from - now).num_milliseconds().max(2);
        if self.random.chance(2_000) {
            let after = self.millis(1, before);
            let method = self.method();
            self.will(of, now + after, Deed::Another { method, purpose: Purpose::Balance });
        }
        if self.random.chance(3_000) {
            let after = self.millis(1, before);
            self.will(of, now + after, Deed::SpendCredit { purpose: Purpose::Balance });
        }
        if self.random.chance(1_600) {
            let reasons = [CancelReason::Client, CancelReason::Client, CancelReason::Client, CancelReason::Weather];
            let reason = if self.random.chance(800) { CancelReason::Manager } else { self.random.pick(&reasons) };
            let after = self.millis(1, before);
            self.will(of, now + after, Deed::Cancel { reason });
        }
        if self.random.chance(8_000) {
            let early = self.millis(0, 1_200_000);
            self.will(of, (from - early).max(now).min(to), Deed::CheckIn);
        }
        if self.random.chance(500) {
            let after = self.millis(1, before);
            self.will(of, now + after, Deed::AskRefund);
        }
    }
}
