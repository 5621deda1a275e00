//! Whoever checks: reads every event as it is written and counts for itself, in its own words, and knows what the providers
//! charged. It asks nobody who is checked how things stand.

use super::{
    guards::Map,
    known::{ChargeId, Fate, Pay, Refunding, Stay},
    provider::Provider,
    watch::Cells,
};
use crate::{
    Timestamp,
    event::Event,
    ids::{ClientId, PaymentId, RefundId, ReservationId, StreamId},
    ledger::{Account, Book, Concern, concern},
    payment::{self, Method, ProviderId},
    reaction::Notice,
    refund::{self, Route},
    reservation::{self, Grounds, RefundShare, Status},
};

/// A law that does not hold.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    pub(super) law: &'static str,
    pub(super) of: ReservationId,
    pub(super) what: String,
}

#[derive(Default)]
pub(super) struct Audit {
    pub(super) stays: Map<ReservationId, Stay>,
    pub(super) pays: Map<PaymentId, Pay>,
    pub(super) refunds: Map<RefundId, Refunding>,
    pub(super) fates: Map<ChargeId, Fate>,
    pub(super) moved: Map<(Method, usize), ReservationId>,
    pub(super) cells: Cells,
    pub(super) books: Map<ReservationId, Book>,
    pub(super) balances: Map<Account, i64>,
    /// Of those whose money the platform collects: what each provider should have of it.
    pub(super) purses: Map<Method, i64>,
    sum: i64,
    /// Of what clients had as credit.
    pub(super) spent: i64,
    pub(super) owed_texts: Map<(ClientId, Notice), u32>,
    pub(super) texts: Map<(ClientId, Notice), u32>,
    pub(super) texts_unknown: u64,
    pub(super) told: std::collections::HashSet<Notice, std::hash::BuildHasherDefault<std::hash::DefaultHasher>>,
    pub(super) latest: Map<Method, PaymentId>,
    pub(super) statement: super::statement::Ours,
    pub(super) books_fee_nowhere: bool,
    pub(super) forgets_refunds: bool,
    pub(super) events: u64,
    pub(super) wrong: Option<Wrong>,
}

impl Audit {
    pub(super) fn wrong(&mut self, law: &'static str, of: ReservationId, what: impl Into<String>) {
        if self.wrong.is_none() {
            self.wrong = Some(Wrong { law, of, what: what.into() });
        }
    }

    /// Reads an event; which reservation it is about.
    pub(super) fn event(&mut self, stream: StreamId, event: &Event, now: Timestamp) -> Option<ReservationId> {
        self.events += 1;
        self.enter(event);
        let of = match event {
            Event::Reservation(event) => {
                let of = stream.uuid().into();
                self.reservation(of, event, now);
                of
            }
            Event::Payment(event) => self.payment(stream.uuid().into(), event, now)?,
            Event::Refund(event) => self.refund(stream.uuid().into(), event, now)?,
            Event::Client(crate::client::Event::Credited(credited)) => {
                let pay = self.pays.get_mut(&credited.payment_id)?;
                pay.credit += credited.amount.amount;
                pay.of
            }
            Event::Client(crate::client::Event::CreditSpent(spent)) => {
                self.spent += spent.amount.amount;
                spent.reservation_id
            }
            _ => return None,
        };
        if let Some(stay) = self.stays.get_mut(&of) {
            stay.steps.push((now, event.name(), 0));
        }
        Some(of)
    }

    /// Every entry adds up to nothing, and so does everything.
    fn enter(&mut self, event: &Event) {
        let Some(concern) = concern(event) else { return };
        let of = match concern {
            Concern::Reservation(of) => of,
            Concern::Refund(refund) => self.refunds[&refund].of,
            // It is no reservation's.
            Concern::Alone => return,
        };
        if let Event::Reservation(reservation::Event::Held(held)) = event {
            self.books.insert(of, Book::open(held));
            return;
        }
        let Some(book) = self.books.get_mut(&of) else { return };
        let entry = match book.enter(event) {
            Ok(entry) => entry,
            Err(error) => return self.wrong("ledger_is_balanced", of, format!("{}: {error}", event.name())),
        };
        if self.forgets_refunds && matches!(event, Event::Refund(refund::Event::Succeeded(_))) {
            return;
        }
        let mut sum = 0;
        for posting in entry.postings() {
            let mut amount = posting.amount.amount;
            if self.books_fee_nowhere && matches!(posting.account, Account::Clearing(_)) && amount > 0 {
                amount -= super::provider::fee(amount);
            }
            *self.balances.entry(posting.account).or_default() += amount;
            sum += amount;
        }
        self.sum += sum;
        if sum != 0 || self.sum != 0 {
            self.wrong("ledger_is_balanced", of, format!("{} leaves {sum}, in all {}", event.name(), self.sum));
        }
    }

    fn reservation(&mut self, of: ReservationId, event: &reservation::Event, now: Timestamp) {
        use reservation::Event as E;
        if let E::Held(held) = event {
            self.stays.insert(of, Stay::new(held));
            if let Some(other) = self.cells.take(of, &held.slot, Some(held.hold_expires_at), now) {
                self.wrong("one_holder", of, format!("{other} has the slot"));
            }
            return;
        }
        let stay = self.stays.get_mut(&of).unwrap();
        let was = stay.status;
        match event {
            E::PaymentReceived(money) => {
                stay.received += money.amount.amount;
                // The order of streams in one decision is not that of what happened.
                let pay = self.pays.entry(money.payment_id).or_insert_with(|| Pay::new(of, Method::Cash));
                pay.allocated += money.amount.amount;
            }
            E::Confirmed(confirmed) => {
                stay.status = Status::Confirmed;
                let short = stay.received < stay.deposit;
                if matches!(confirmed.grounds, Grounds::Payment { .. }) && short {
                    self.wrong("confirmed_with_deposit", of, "less than the deposit was received");
                }
                if !matches!(was, Status::Held) && (was != Status::Expired || confirmed.reclaims.is_none()) {
                    self.wrong("revived_only_by_late_money", of, format!("confirmed when {was}"));
                }
                match &confirmed.reclaims {
                    Some(slot) => {
                        if let Some(other) = self.cells.take(of, slot, None, now) {
                            self.wrong("one_holder", of, format!("{other} has the slot"));
                        }
                    }
                    None => self.cells.until(of, None),
                }
            }
            E::Expired(_) => {
                let in_grace = now < stay.hold_end + stay.grace;
                if in_grace && !stay.open.is_empty() {
                    self.wrong("closed_before_freed", of, "the hold ended with an open checkout");
                }
                self.stays.get_mut(&of).unwrap().status = Status::Expired;
                self.cells.free(of);
            }
            E::HoldProlonged(prolonged) => {
                stay.hold_end = prolonged.until;
                self.cells.until(of, Some(prolonged.until));
            }
            E::Cancelled(cancelled) => {
                stay.status = Status::Cancelled;
                self.cells.free(of);
                self.give_back(&cancelled.refunds);
            }
            E::NoShow(no_show) => {
                stay.status = Status::NoShow;
                self.cells.free(of);
                self.give_back(&no_show.refunds);
            }
            E::Completed(_) => {
                stay.status = Status::Completed;
                self.cells.free(of);
            }
            E::CheckedIn(_) => stay.status = Status::CheckedIn,
            E::MoneyReturned(returned) => self.give_back(&returned.refunds),
            E::Held(_) | E::SplitUp(_) | E::Rescheduled(_) => {}
        }
        let stay = self.stays.get_mut(&of).unwrap();
        if was == Status::Held && stay.status != Status::Held {
            stay.left_hold = Some(now);
        }
    }

    fn give_back(&mut self, shares: &[RefundShare]) {
        for share in shares {
            self.pays.get_mut(&share.payment_id).unwrap().returned += share.amount.amount;
        }
    }

    fn payment(&mut self, id: PaymentId, event: &payment::Event, now: Timestamp) -> Option<ReservationId> {
        use payment::Event as E;
        if let E::Requested(asked) = event {
            let of = asked.reservation_id;
            self.pays.entry(id).or_insert_with(|| Pay::new(of, asked.method)).method = asked.method;
            self.stays.get_mut(&of)?.payments.push(id);
            self.latest.insert(asked.method, id);
            return Some(of);
        }
        let pay = self.pays.get_mut(&id)?;
        let of = pay.of;
        let ended = matches!(event, E::Failed(_) | E::Expired(_));
        if ended && pay.received > 0 {
            self.wrong("success_stays", of, "what was paid ended unpaid");
            return Some(of);
        }
        let stay = self.stays.get_mut(&of)?;
        match event {
            E::Opened(opened) => {
                pay.status = payment::Status::Pending;
                if opened.blocks_until.is_some() {
                    stay.open.insert(id);
                    self.cells.extend(of, opened.blocks_until);
                }
            }
            E::BecameUnknown(unknown) => {
                pay.status = payment::Status::Unknown;
                stay.open.insert(id);
                self.cells.extend(of, unknown.blocks_until);
            }
            E::Failed(payment::Failed { hold_expires_at, .. })
            | E::Expired(payment::Expired { hold_expires_at, .. }) => {
                pay.status = payment::Status::Expired;
                stay.open.remove(&id);
                self.cells.extend(of, *hold_expires_at);
            }
            E::Succeeded(landed) => {
                pay.status = payment::Status::Succeeded;
                stay.open.remove(&id);
                let (received, credited) = (landed.received.amount, landed.credited.amount);
                pay.received += received;
                pay.credited += credited;
                if landed.method.has_provider() {
                    self.landed(of, id, landed.method, &landed.transaction, received, now);
                }
            }
            E::Duplicated(landed) => {
                pay.received += landed.received.amount;
                self.landed(of, id, landed.method, &landed.transaction, landed.received.amount, now);
            }
            E::PutOnAccount(_) => pay.status = payment::Status::OnAccount,
            E::Requested(_) | E::RefundAllotted(_) | E::RefundReturned(_) => {}
        }
        Some(of)
    }

    /// Every landing is a charge of that provider, for that payment, to the franc, and once.
    fn landed(
        &mut self,
        of: ReservationId,
        payment: PaymentId,
        method: Method,
        transaction: &ProviderId,
        received: i64,
        now: Timestamp,
    ) {
        self.statement.came(method, transaction, received);
        self.purse(of, method, received);
        let in_hold = self.stays[&of].status == Status::Held;
        let fate = Provider::charge_of(transaction).and_then(|charge| self.fates.get_mut(&(method, charge)));
        match fate {
            Some(fate) if fate.payment == payment && fate.amount == received => {
                let twice = fate.landed.replace(now).is_some();
                fate.in_hold = in_hold;
                if twice {
                    self.wrong("lands_once", of, format!("{transaction} landed twice"));
                }
            }
            _ => self.wrong("lands_what_was_paid", of, format!("{received} as {transaction}: no such charge")),
        }
    }

    fn refund(&mut self, id: RefundId, event: &refund::Event, now: Timestamp) -> Option<ReservationId> {
        use refund::Event as E;
        if let E::Requested(asked) = event {
            let of = asked.reservation_id;
            self.refunds.insert(id, Refunding::new(asked));
            self.stays.get_mut(&of)?.refunds.push(id);
            return Some(of);
        }
        let refund = self.refunds.get_mut(&id)?;
        let of = refund.of;
        match event {
            E::Approved(_) => (refund.status, refund.approved) = (refund::Status::Approved, Some(now)),
            E::Declined(_) => refund.status = refund::Status::Declined,
            E::Submitted(sent) => {
                let own = self.pays[&refund.payment].method;
                refund.status = refund::Status::Submitted;
                refund.submitted = Some(sent.at);
                refund.attempts += 1;
                refund.way = Some((sent.route, sent.method.unwrap_or(own)));
            }
            E::Pending(_) => refund.status = refund::Status::Pending,
            E::BecameUnknown(_) => refund.status = refund::Status::Unknown,
            E::Failed(_) => {
                refund.ends(now);
                refund.status = refund::Status::Failed;
            }
            E::Succeeded(paid) => {
                refund.ends(now);
                refund.status = refund::Status::Succeeded;
                refund.name.clone_from(&paid.provider_id);
                let way = refund.way.unwrap();
                refund.lines += usize::from(matches!(way.0, Route::WholeTransaction | Route::Payout));
                let (amount, name, checkout) = (refund.amount, paid.provider_id.clone(), refund.checkout.clone());
                self.statement.went(way, name.as_ref(), checkout.as_ref(), amount);
                if matches!(way.0, Route::WholeTransaction | Route::Payout) {
                    self.purse(of, way.1, -amount);
                }
            }
            E::Reversed(_) => {
                refund.status = refund::Status::Reversed;
                refund.lines += 1;
                let (way, name, amount) = (refund.way.unwrap(), refund.name.clone(), refund.amount);
                self.statement.came_back(way, name.as_ref(), amount);
                self.purse(of, way.1, amount);
            }
            E::OutcomeStated(_) => refund.stated = true,
            E::Requested(_) => {}
        }
        Some(of)
    }
}
