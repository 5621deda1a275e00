//! The laws of the ledger, on whatever happened in a story: it is balanced after every event, and each account holds what
//! the events, counted another way, say it holds, by the contract of each reservation.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    properties::Play,
    shares::FRIEND,
    world::{CLIENT, SITE, World},
};
use crate::{
    client::{self, Client, Verdict},
    contract::{Contract, Flow},
    event::Event,
    ids::{PaymentId, RefundId, ReservationId},
    ledger::{self, Account, Book, Concern, Entry, LedgerError, concern},
    money::Currency,
    payment::{self, Method},
    refund::{self, Reason, Route},
    reservation::{self, Purpose, Reservation, Status},
};

/// Books, and what is on each account.
#[derive(Clone, Default)]
pub struct Ledger {
    pub books: BTreeMap<ReservationId, Book>,
    pub balances: BTreeMap<Account, i64>,
    /// The part of each reservation in it.
    pub parts: BTreeMap<(ReservationId, Account), i64>,
    /// What each event that moved something did, by its name.
    pub entries: Vec<(&'static str, Entry)>,
    of_refund: BTreeMap<RefundId, ReservationId>,
}

impl Ledger {
    /// Of everything that happened.
    pub fn of(world: &World) -> Result<Self, LedgerError> {
        let mut ledger = Self::default();
        for (_, event) in &world.log {
            ledger.enter(event)?;
            assert_eq!(ledger.balances.values().sum::<i64>(), 0, "after {}", event.name());
        }
        Ok(ledger)
    }

    pub fn enter(&mut self, event: &Event) -> Result<(), LedgerError> {
        if let Event::Refund(refund::Event::Requested(requested)) = event {
            self.of_refund.insert(requested.refund_id, requested.reservation_id);
        }
        let Some(of) = concern(event) else { return Ok(()) };
        let id = match of {
            Concern::Reservation(id) => Some(id),
            Concern::Refund(refund_id) => Some(self.of_refund[&refund_id]),
            Concern::Alone => None,
        };
        let entry = match (event, id) {
            (Event::Reservation(reservation::Event::Held(held)), Some(id)) => {
                self.books.insert(id, Book::open(held));
                Entry::nothing()
            }
            (event, Some(id)) => self.books.get_mut(&id).unwrap().enter(event)?,
            (event, None) => ledger::alone(event)?,
        };
        for posting in entry.postings() {
            *self.balances.entry(posting.account).or_default() += posting.amount.amount;
            if let Some(id) = id {
                *self.parts.entry((id, posting.account)).or_default() += posting.amount.amount;
            }
        }
        if !entry.postings().is_empty() {
            self.entries.push((event.name(), entry));
        }
        Ok(())
    }

    pub fn balance(&self, account: Account) -> i64 {
        self.balances.get(&account).copied().unwrap_or(0)
    }

    /// What of an account is there by one reservation.
    fn part(&self, id: ReservationId, account: Account) -> i64 {
        self.parts.get(&(id, account)).copied().unwrap_or(0)
    }
}

/// What is on the account of this name after all that happened.
pub fn balance(world: &World, account: &str) -> i64 {
    Ledger::of(world).unwrap().balance(account.parse().unwrap())
}

/// Every entry of a story: the event, and its postings.
pub fn entries(world: &World) -> Vec<(&'static str, Vec<(Account, i64)>)> {
    let told = |entry: &Entry| entry.postings().iter().map(|it| (it.account, it.amount.amount)).collect();
    Ledger::of(world).unwrap().entries.iter().map(|(name, entry)| (*name, told(entry))).collect()
}

/// A refund, by the events alone.
struct Back {
    of: ReservationId,
    amount: i64,
    came_by: Method,
    approved: bool,
    /// Of money that settled a fine.
    of_fine: bool,
    /// How it was paid, and by which provider.
    paid: Option<(Route, Method)>,
}

/// The same sums, counted from the events alone.
#[derive(Default)]
struct Counted {
    contracts: BTreeMap<ReservationId, Contract>,
    of_payment: BTreeMap<PaymentId, ReservationId>,
    /// What came for each reservation, by method.
    received: Vec<(ReservationId, Method, i64)>,
    /// What became credit, of all clients, and by each reservation.
    credited: i64,
    credits: BTreeMap<ReservationId, i64>,
    /// What clients paid from it, of all of them, and for each reservation.
    spent: i64,
    spendings: BTreeMap<ReservationId, i64>,
    /// Payments for a fine, and what settled each.
    for_fines: BTreeMap<PaymentId, i64>,
    /// What is owed as fines.
    fines: BTreeMap<ReservationId, i64>,
    refunds: BTreeMap<RefundId, Back>,
}

fn counted(world: &World) -> Counted {
    let mut counted = Counted::default();
    for (_, event) in &world.log {
        match event {
            Event::Reservation(reservation::Event::Held(held)) => {
                counted.contracts.insert(held.reservation_id, held.contract.clone());
            }
            Event::Payment(payment::Event::Requested(asked)) => {
                counted.of_payment.insert(asked.payment_id, asked.reservation_id);
                if asked.purpose == Purpose::Debt {
                    counted.for_fines.insert(asked.payment_id, 0);
                }
            }
            Event::Payment(payment::Event::Succeeded(landed)) => {
                if let Some(paid) = counted.for_fines.get_mut(&landed.payment_id) {
                    *paid += landed.allocated.amount;
                }
                // Credit is no money that came.
                if landed.method != Method::Credit {
                    counted.received.push((landed.reservation_id, landed.method, landed.received.amount));
                }
            }
            Event::Payment(payment::Event::Duplicated(landed)) => {
                counted.received.push((landed.reservation_id, landed.method, landed.received.amount));
            }
            Event::Client(client::Event::Credited(credited)) => {
                counted.credited += credited.amount.amount;
                let of = counted.of_payment[&credited.payment_id];
                *counted.credits.entry(of).or_default() += credited.amount.amount;
            }
            Event::Client(client::Event::CreditSpent(spent)) => {
                counted.spent += spent.amount.amount;
                *counted.spendings.entry(spent.reservation_id).or_default() += spent.amount.amount;
            }
            Event::Client(client::Event::Fined(fined)) => {
                counted.fines.insert(fined.reservation_id, fined.amount.amount);
            }
            Event::Client(client::Event::FineDecided(decided)) if decided.verdict == Verdict::Waive => {
                counted.fines.remove(&decided.reservation_id);
            }
            Event::Client(client::Event::FineSettled(settled)) => {
                counted.fines.remove(&settled.reservation_id);
            }
            Event::Refund(refund::Event::Requested(asked)) => {
                let (of, amount, came_by) = (asked.reservation_id, asked.amount.amount, asked.method);
                let by_itself = matches!(asked.reason, Reason::Duplicate | Reason::Overpayment);
                let of_fine = counted.for_fines.contains_key(&asked.payment_id) && !by_itself;
                let back = Back { of, amount, came_by, approved: false, of_fine, paid: None };
                counted.refunds.insert(asked.refund_id, back);
            }
            Event::Refund(refund::Event::Approved(approved)) => {
                counted.refunds.get_mut(&approved.refund_id).unwrap().approved = true;
            }
            Event::Refund(refund::Event::Succeeded(paid)) => {
                let back = counted.refunds.get_mut(&paid.refund_id).unwrap();
                back.paid = Some((paid.route, paid.method.unwrap_or(back.came_by)));
            }
            Event::Refund(refund::Event::Reversed(gone)) => {
                counted.refunds.get_mut(&gone.refund_id).unwrap().paid = None;
            }
            _ => {}
        }
    }
    counted
}

/// Where the platform, or the site for it, has the money of a method.
fn purse(method: Method) -> String {
    match method {
        Method::Cash => format!("cash:{SITE}:main"),
        Method::Transfer | Method::OnAccount => format!("transfer:{SITE}:clearing"),
        provider => format!("provider:{}:clearing", provider.as_str()),
    }
}

impl Counted {
    fn flow(&self, id: ReservationId) -> Flow {
        self.contracts[&id].flow
    }

    /// Money by account, but for what is in the hands of a site that collects.
    fn purses(&self) -> BTreeMap<String, i64> {
        let ours = |id: &ReservationId| self.flow(*id) == Flow::PlatformCollects;
        let mut purses = BTreeMap::new();
        for (_, method, amount) in self.received.iter().filter(|(id, ..)| ours(id)) {
            *purses.entry(purse(*method)).or_default() += amount;
        }
        for back in self.refunds.values().filter(|back| ours(&back.of)) {
            let left = match back.paid {
                None | Some((Route::Credit, _)) => continue,
                Some((Route::Cash, _)) => Method::Cash,
                Some((Route::Transfer, _)) => Method::Transfer,
                Some((Route::WholeTransaction | Route::Payout, through)) => through,
            };
            *purses.entry(purse(left)).or_default() -= back.amount;
        }
        purses.retain(|_, amount| *amount != 0);
        purses
    }

    /// Received for a reservation and not paid back, credit not counted as paid.
    fn in_hand(&self, id: ReservationId) -> i64 {
        let came: i64 = self.received.iter().filter(|(of, ..)| *of == id).map(|(.., amount)| amount).sum();
        let paid = |back: &&Back| back.of == id && back.paid.is_some_and(|(route, _)| route != Route::Credit);
        came - self.refunds.values().filter(paid).map(|back| back.amount).sum::<i64>()
    }

    /// What settled the fine of a reservation, and was not given back.
    fn fine_paid(&self, id: ReservationId) -> i64 {
        let paid = self.for_fines.iter().filter(|(payment, _)| self.of_payment[*payment] == id);
        let back = self.refunds.values().filter(|back| back.of == id && back.of_fine && back.approved);
        paid.map(|(_, amount)| amount).sum::<i64>() - back.map(|back| back.amount).sum::<i64>()
    }

    /// Approved and not paid.
    fn owed(&self, of: impl Fn(ReservationId) -> bool) -> i64 {
        let owed = self.refunds.values().filter(|back| back.approved && back.paid.is_none() && of(back.of));
        owed.map(|back| back.amount).sum()
    }
}

pub(super) fn check(play: &Play) -> Result<(), TestCaseError> {
    let ledger = Ledger::of(&play.world).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let counted = counted(&play.world);
    let on = |wanted: fn(&Account) -> bool| -> i64 {
        ledger.balances.iter().filter(|(account, _)| wanted(account)).map(|(_, amount)| amount).sum()
    };
    let money = |account: &Account| matches!(account, Account::Clearing(_) | Account::Cash(_) | Account::Transfer(_));
    let purses = ledger.balances.iter().filter(|(account, amount)| money(account) && **amount != 0);
    let purses: BTreeMap<String, i64> = purses.map(|(account, amount)| (account.to_string(), *amount)).collect();
    prop_assert_eq!(purses, counted.purses(), "money is where it is");
    prop_assert_eq!(on(|account| matches!(account, Account::ClientCredit(_))), counted.spent - counted.credited);
    for client in [CLIENT, FRIEND] {
        let has = play.world.load::<Client>(client).state.credit(Currency::Xof).unwrap().amount;
        prop_assert!(has >= 0, "{}: more was spent than there was", client);
        prop_assert_eq!(ledger.balance(Account::ClientCredit(client)), -has, "{}: the stream says otherwise", client);
    }
    let owed: i64 = counted.fines.values().sum();
    prop_assert_eq!(on(|account| matches!(account, Account::ClientDebt(_))), owed);
    prop_assert_eq!(ledger.balance(Account::FinesUnpaid), -owed);
    prop_assert_eq!(ledger.balance(Account::RefundsPayable), -counted.owed(|_| true));
    prop_assert_eq!(ledger.balance(Account::Suspense), 0);
    for (id, book) in &ledger.books {
        let state = play.world.reservation(*id);
        let has = state.held_money().amount + counted.fine_paid(*id);
        prop_assert_eq!(book.unearned.amount + book.earned.amount, has, "{}", id);
        prop_assert!(book.leaving.is_empty(), "{}: money that nobody sends back", id);
        let over = !matches!(state.status, Status::Held | Status::Expired | Status::Confirmed);
        prop_assert_eq!(book.over, over, "{}", id);
        prop_assert!(!over || book.unearned.is_zero(), "{}: {} is still a debt", id, book.unearned);
        by_contract(&ledger, &counted, *id, &state, over)?;
    }
    let unearned: i64 = ledger.books.values().map(|book| book.unearned.amount).sum();
    prop_assert_eq!(ledger.balance(Account::Unearned), -unearned);
    Ok(())
}

/// Whose the money of a reservation is, and in whose hands, by the contract that was frozen on it.
fn by_contract(
    ledger: &Ledger,
    counted: &Counted,
    id: ReservationId,
    state: &Reservation,
    over: bool,
) -> Result<(), TestCaseError> {
    let Contract { flow, commission, .. } = counted.contracts[&id].clone();
    let part = |account| ledger.part(id, account);
    let has = state.held_money().amount + counted.fine_paid(id);
    let earned = if over { has } else { 0 };
    let rate = i64::from(commission.0);
    let charged = -part(Account::Commission);
    prop_assert!(charged * 10_000 <= earned * rate, "{}: {} of {} at {}", id, charged, earned, rate);
    prop_assert!((charged + 1) * 10_000 > earned * rate, "{}: {} of {} at {}", id, charged, earned, rate);
    // Follows from the two above; it is the promise that counts.
    prop_assert!(charged == 0 || earned > 0, "{}: commission on what is unpaid, expired or refunded", id);
    prop_assert_eq!(ledger.books[&id].commission.amount, charged);
    let (payable, due, collected) =
        (part(Account::SitePayable(SITE)), part(Account::CommissionDue(SITE)), part(Account::Collected(SITE)));
    match flow {
        Flow::PlatformCollects => {
            prop_assert_eq!((payable, due, collected), (charged - earned, 0, 0), "{}: the site's", id);
        }
        Flow::ManagerCollects => {
            prop_assert_eq!((payable, due), (0, charged), "{}: the platform's", id);
            prop_assert_eq!(collected, counted.in_hand(id) - earned, "{}: in the site's hands, not the site's", id);
            let owed = counted.owed(|of| of == id);
            let credit = counted.credits.get(&id).copied().unwrap_or(0);
            // What was paid from credit the site has not got: the platform owes it.
            let spent = counted.spendings.get(&id).copied().unwrap_or(0);
            let unearned = has - earned;
            prop_assert_eq!(collected, unearned + owed + credit - spent, "{}: what the site must not spend", id);
        }
    }
    Ok(())
}
