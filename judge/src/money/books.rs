//! The books, kept event by event; what must hold at every position is checked as they are kept.

use std::collections::{BTreeMap, HashMap};

use chrono::TimeDelta;
use uuid::Uuid;

use super::fines::{FINES, Fines};
use crate::{
    court::{Court, Objection},
    event::{Cancelled, Confirmed, Contract, Event, Fact, Flow, RefundRequested, Share, Time},
    input::Input,
    machine::{self, ABSENT},
};

const ONCE: &str = "money.landed_once";
const WITHIN: &str = "money.refunds_within";
const CONFIRMED: &str = "money.confirmed_paid";
const KEPT: &str = "money.kept";
pub(super) const CREDITS: &str = "money.credits";

/// One transaction that landed.
pub(super) struct Capture {
    pub transaction: String,
    pub amount: i64,
    pub position: i64,
}

#[derive(Default)]
pub(super) struct Payment {
    pub reservation: Uuid,
    pub method: String,
    pub reference: String,
    pub captures: Vec<Capture>,
    /// Of what landed, what the event made the client's credit.
    pub credited: i64,
    /// What `client.credited` says was credited from it.
    pub credit_given: i64,
    /// What `client.credit_spent` says was spent in it.
    pub credit_spent: i64,
    /// What `client.fine_settled` says it paid of a fine.
    pub settles: i64,
    /// Allocated to the reservation and not given back by it.
    pub held: i64,
}

impl Payment {
    pub(super) fn received(&self) -> i64 {
        self.captures.iter().map(|capture| capture.amount).sum()
    }

    /// Of what settled a fine, what is left when so much of the payment goes back.
    pub(super) fn of_fine(&self, back: i64) -> i64 {
        if self.settles == 0 { 0 } else { self.received() - self.held - self.credited - back }
    }

    /// Paid with what the platform owed the client: nobody's hands got money.
    pub(super) fn by_credit(&self) -> bool {
        self.method == "credit"
    }
}

/// One group of tries under one key.
pub(super) struct Attempt {
    pub route: String,
    /// The provider asked.
    pub method: String,
    pub reference: String,
    /// What came of it.
    pub state: &'static str,
}

pub(super) struct Refund {
    pub payment: Uuid,
    pub has_client: bool,
    pub method: String,
    pub route: String,
    pub amount: i64,
    pub status: &'static str,
    pub approved: bool,
    /// Its part of the payment was given back.
    pub returned: bool,
    pub attempts: Vec<Attempt>,
    pub position: i64,
}

impl Refund {
    /// Whether it takes money out of the payment: declined ones do not.
    pub(super) fn claims(&self) -> bool {
        self.status != "declined" && !self.returned
    }
}

#[derive(Default)]
pub(super) struct Reservation {
    pub status: &'static str,
    deposit: i64,
    starts_at: Option<Time>,
    free_cancellation_minutes: i64,
    /// Allocated to it and not given back.
    pub held: i64,
    /// What it asks of whoever does not come.
    pub fine: Option<i64>,
    /// What was paid of that, and not given back.
    pub fines: i64,
    /// What it says it keeps, with everything allocated and given back since.
    pub kept: i64,
    /// As it was agreed when it was placed.
    pub contract: Contract,
    pub position: i64,
}

impl Reservation {
    /// Of what it holds, what is not owed to the client any more: all of it once they came, or it is certain that they will
    /// not.
    pub(super) fn earned(&self) -> i64 {
        match self.status {
            "checked_in" | "completed" | "cancelled" | "no_show" => self.has(),
            _ => 0,
        }
    }

    /// Of the price, and of a fine.
    pub(super) fn has(&self) -> i64 {
        self.held + self.fines
    }

    /// The platform's part of that, to the whole franc below.
    pub(super) fn commission(&self) -> i64 {
        self.earned() * i64::from(self.contract.commission) / 10_000
    }
}

#[derive(Default)]
pub(super) struct Books {
    pub payments: BTreeMap<Uuid, Payment>,
    pub refunds: BTreeMap<Uuid, Refund>,
    pub reservations: BTreeMap<Uuid, Reservation>,
    /// What payments say refunds have a claim on: whose money, and how much.
    pub allotted: BTreeMap<Uuid, (Uuid, i64)>,
    /// Refunds of each payment and of each reservation.
    refunds_of: HashMap<Uuid, Vec<Uuid>>,
    landed: HashMap<(String, String), Uuid>,
    /// What each client has of credit.
    purses: BTreeMap<Uuid, i64>,
    /// What clients gave up.
    pub forfeited: i64,
    pub fines: Fines,
}

pub(super) fn keep(input: &Input, court: &mut Court<'_>) -> Books {
    let mut books = Books::default();
    for name in [ONCE, WITHIN, CONFIRMED, KEPT, FINES] {
        court.saw(name, 0);
    }
    for event in &input.log {
        if let Some((name, wrong)) = books.enter(event) {
            court.saw(name, 1);
            if let Some(said) = wrong {
                court.object(name, Objection::new(said).at(event.position));
            }
        }
    }
    books.attribute_fines();
    books
}

/// A check that an event calls for, and what is wrong by it.
type Looked = Option<(&'static str, Option<String>)>;

impl Books {
    fn enter(&mut self, event: &Event) -> Looked {
        self.advance(event);
        match &event.fact {
            Fact::PaymentRequested(asked) => {
                let payment = self.payments.entry(asked.payment_id).or_default();
                payment.reservation = asked.reservation_id;
                payment.method.clone_from(&asked.method);
                payment.reference.clone_from(&asked.reference);
                None
            }
            Fact::PaymentSucceeded(paid) => {
                self.payments.entry(paid.payment_id).or_default().credited += paid.credited;
                self.land(event, paid.payment_id, &paid.method, &paid.transaction, paid.received)
            }
            Fact::PaymentDuplicated(paid) => {
                self.land(event, paid.payment_id, &paid.method, &paid.transaction, paid.received)
            }
            Fact::RefundAllotted(allotted) => {
                self.allotted.insert(allotted.refund_id, (allotted.payment_id, allotted.amount));
                None
            }
            Fact::RefundReturned(returned) => {
                if let Some(refund) = self.refunds.get_mut(&returned.refund_id) {
                    refund.returned = true;
                }
                None
            }
            Fact::RefundRequested(asked) => Some((WITHIN, self.ask_back(event, asked))),
            Fact::Credited(credited) => {
                self.payments.entry(credited.payment_id).or_default().credit_given += credited.amount;
                *self.purses.entry(credited.client_id).or_default() += credited.amount;
                None
            }
            Fact::CreditSpent(spent) => {
                self.payments.entry(spent.payment_id).or_default().credit_spent += spent.amount;
                self.takes_credit(spent.client_id, spent.amount)
            }
            Fact::CreditForfeited(forfeited) => {
                self.forfeited += forfeited.amount;
                self.takes_credit(forfeited.client_id, forfeited.amount)
            }
            Fact::Fined(_) | Fact::FineAppealed(_) | Fact::FineDecided(_) | Fact::FineSettled(_) => {
                Some((FINES, self.fine(event)))
            }
            _ => self.reserve(event),
        }
    }

    /// Status of the reservation or refund the event belongs to.
    fn advance(&mut self, event: &Event) {
        let id = event.stream_id;
        if event.name.starts_with("reservation.") {
            let reservation = self.reservations.entry(id).or_default();
            reservation.status = machine::next(reservation.status, &event.name);
            reservation.position = event.position;
        }
        if let (Some(refund), true) = (self.refunds.get_mut(&id), event.name.starts_with("refund.")) {
            refund.status = machine::next(refund.status, &event.name);
            refund.position = event.position;
            refund.approved |= refund.status == "approved";
            if let Fact::RefundSubmitted(submitted) = &event.fact {
                let (route, reference) = (submitted.route.clone(), submitted.reference.clone());
                let method = submitted.method.as_ref().unwrap_or(&refund.method).clone();
                refund.attempts.push(Attempt { route, method, reference, state: refund.status });
            }
            if let Some(attempt) = refund.attempts.last_mut() {
                attempt.state = refund.status;
            }
        }
    }

    fn land(&mut self, event: &Event, id: Uuid, method: &str, transaction: &str, amount: i64) -> Looked {
        let payment = self.payments.entry(id).or_default();
        let capture = Capture { transaction: transaction.to_owned(), amount, position: event.position };
        payment.captures.push(capture);
        let before = self.landed.insert((method.to_owned(), transaction.to_owned()), id);
        let said = before.map(|before| format!("transaction {transaction} landed on payment {before} already"));
        Some((ONCE, said))
    }

    /// Nobody spends what they have not, at any position.
    fn takes_credit(&mut self, client: Uuid, amount: i64) -> Looked {
        let purse = self.purses.entry(client).or_default();
        *purse -= amount;
        let said = (*purse < 0).then(|| format!("client {client} spent {amount} and had {}", *purse + amount));
        Some((CREDITS, said))
    }

    /// Σ refunds that are not declined ≤ Σ received, at every position.
    fn ask_back(&mut self, event: &Event, asked: &RefundRequested) -> Option<String> {
        let id = asked.refund_id;
        let refund = Refund {
            payment: asked.payment_id,
            has_client: asked.client_id.is_some(),
            method: asked.method.clone(),
            route: asked.route.clone(),
            amount: asked.amount,
            status: machine::next(ABSENT, &event.name),
            approved: false,
            returned: false,
            attempts: Vec::new(),
            position: event.position,
        };
        self.refunds.insert(id, refund);
        for of in [asked.payment_id, asked.reservation_id] {
            self.refunds_of.entry(of).or_default().push(id);
        }
        let refunds = self.refunds_of(asked.payment_id);
        let claimed: i64 = refunds.filter(|refund| refund.claims()).map(|refund| refund.amount).sum();
        let received = self.payments.get(&asked.payment_id).map_or(0, Payment::received);
        (claimed > received)
            .then(|| format!("refunds of payment {} are {claimed}, received {received}", asked.payment_id))
    }

    /// Whether the site has what was paid for it, and the platform never had it. Payments for nothing are the platform's.
    pub(super) fn at_the_site(&self, payment: Uuid) -> bool {
        let reservation = self.payments.get(&payment).and_then(|payment| self.reservations.get(&payment.reservation));
        reservation.is_some_and(|reservation| reservation.contract.flow == Flow::ManagerCollects)
    }

    /// What goes back of a payment or reservation for good: approved, and not declined.
    pub(super) fn going_back(&self, id: Uuid) -> i64 {
        let refunds = self.refunds_of(id).filter(|refund| refund.approved && refund.claims());
        refunds.map(|refund| refund.amount).sum()
    }

    /// Refunds of a payment or reservation.
    pub(super) fn refunds_of(&self, id: Uuid) -> impl Iterator<Item = &Refund> {
        let ids = self.refunds_of.get(&id).map(Vec::as_slice).unwrap_or_default();
        ids.iter().filter_map(|id| self.refunds.get(id))
    }

    fn reserve(&mut self, event: &Event) -> Looked {
        let id = event.stream_id;
        match &event.fact {
            Fact::Held(held) => {
                let reservation = self.reservations.entry(id).or_default();
                reservation.deposit = held.price.deposit;
                reservation.starts_at = Some(held.slot.during.from);
                reservation.free_cancellation_minutes = held.policy.free_cancellation_minutes;
                reservation.contract = held.contract;
                self.places_in_debt(held).map(|said| (FINES, Some(said)))
            }
            Fact::PaymentReceived(received) => {
                self.payments.entry(received.payment_id).or_default().held += received.amount;
                let reservation = self.reservations.entry(id).or_default();
                reservation.held += received.amount;
                reservation.kept += received.amount;
                None
            }
            Fact::Confirmed(confirmed) => Some((CONFIRMED, self.confirmed(id, confirmed))),
            Fact::MoneyReturned(returned) => Some((KEPT, self.give_back(id, &returned.refunds))),
            Fact::Rescheduled(moved) => {
                let wrong = self.give_back(id, &moved.refunds);
                let reservation = self.reservations.entry(id).or_default();
                let follows = moved.price.deposit <= reservation.deposit;
                reservation.deposit = moved.price.deposit;
                reservation.starts_at = Some(moved.to.during.from);
                Some((KEPT, wrong.or((!follows).then(|| format!("{id}: a move raised the deposit")))))
            }
            Fact::Cancelled(cancelled) => {
                let wrong = self.give_back(id, &cancelled.refunds);
                Some((KEPT, wrong.or_else(|| self.called_off(id, cancelled))))
            }
            Fact::NoShow(no_show) => {
                let wrong = self.give_back(id, &no_show.refunds);
                let reservation = self.reservations.entry(id).or_default();
                reservation.fine = no_show.fine;
                let most = reservation.deposit;
                Some((KEPT, wrong.or_else(|| self.keeps(id, no_show.kept, most))))
            }
            _ => None,
        }
    }

    fn give_back(&mut self, id: Uuid, shares: &[Share]) -> Option<String> {
        let mut wrong = None;
        for share in shares {
            let payment = self.payments.entry(share.payment_id).or_default();
            payment.held -= share.amount;
            let reservation = self.reservations.entry(id).or_default();
            reservation.held -= share.amount;
            reservation.kept -= share.amount;
            if payment.held < 0 || reservation.held < 0 {
                wrong = Some(format!("reservation {id} gives back more of {} than it had", share.payment_id));
            }
        }
        wrong
    }

    /// Money at least equal to the deposit, a manager's word, or nothing to pay.
    fn confirmed(&self, id: Uuid, confirmed: &Confirmed) -> Option<String> {
        let reservation = self.reservations.get(&id)?;
        let (held, deposit) = (reservation.held, reservation.deposit);
        let named = confirmed.grounds.by.as_ref().is_some_and(|by| by.role == "manager" && by.id.is_some());
        match confirmed.grounds.kind.as_str() {
            "payment" if held < deposit => Some(format!("{id} was confirmed on {held} of a deposit of {deposit}")),
            "on_account" if !named => Some(format!("{id} was confirmed on account by nobody")),
            "free" if deposit > 0 => Some(format!("{id} was confirmed for free with a deposit of {deposit}")),
            "payment" | "on_account" | "free" => None,
            other => Some(format!("{id} was confirmed on `{other}`")),
        }
    }

    /// A client in time, and whoever the site calls off for, gets everything back.
    fn called_off(&mut self, id: Uuid, cancelled: &Cancelled) -> Option<String> {
        let reservation = self.reservations.get(&id)?;
        let notice = TimeDelta::minutes(reservation.free_cancellation_minutes);
        let late = reservation.starts_at.is_some_and(|starts_at| starts_at - notice < cancelled.at);
        let most = if cancelled.reason == "client" && late { reservation.deposit } else { 0 };
        self.keeps(id, cancelled.kept, most)
    }

    fn keeps(&mut self, id: Uuid, kept: i64, most: i64) -> Option<String> {
        // What a second person has not decided about cannot be promised again.
        let waiting = self.refunds_of(id).filter(|refund| refund.status == "requested");
        let most = most + waiting.map(|refund| refund.amount).sum::<i64>();
        let reservation = self.reservations.entry(id).or_default();
        let held = reservation.held;
        reservation.kept = kept;
        if kept != held {
            return Some(format!("{id} says it keeps {kept} and has {held}"));
        }
        (kept > most).then(|| format!("{id} keeps {kept}, at most {most} by its terms"))
    }
}
