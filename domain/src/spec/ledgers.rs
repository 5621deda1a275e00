//! The laws of the ledger, on whatever happened in a story: it is balanced after every event, and each account holds what
//! the events, counted another way, say it holds.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{properties::Play, world::World};
use crate::{
    client,
    event::Event,
    ids::{RefundId, ReservationId},
    ledger::{Account, Book, Concern, Entry, LedgerError, concern},
    payment,
    refund::{self, Route},
    reservation::{self, Status},
};

/// Books, and what is on each account.
#[derive(Clone, Default)]
pub struct Ledger {
    pub books: BTreeMap<ReservationId, Book>,
    pub balances: BTreeMap<Account, i64>,
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
            Concern::Reservation(id) => id,
            Concern::Refund(refund_id) => self.of_refund[&refund_id],
        };
        let entry = match event {
            Event::Reservation(reservation::Event::Held(held)) => {
                self.books.insert(id, Book::open(held));
                Entry::nothing()
            }
            event => self.books.get_mut(&id).unwrap().enter(event)?,
        };
        for posting in entry.postings() {
            *self.balances.entry(posting.account).or_default() += posting.amount.amount;
        }
        Ok(())
    }

    pub fn balance(&self, account: Account) -> i64 {
        self.balances.get(&account).copied().unwrap_or(0)
    }
}

/// The same sums, counted from the events alone.
#[derive(Default)]
struct Counted {
    received: i64,
    credited: i64,
    /// Approved refunds: amount, and how it was paid.
    refunds: BTreeMap<RefundId, (i64, bool, Option<Route>)>,
}

fn counted(world: &World) -> Counted {
    let mut counted = Counted::default();
    for (_, event) in &world.log {
        match event {
            Event::Payment(payment::Event::Succeeded(landed)) => counted.received += landed.received.amount,
            Event::Payment(payment::Event::Duplicated(landed)) => counted.received += landed.received.amount,
            Event::Client(client::Event::Credited(credited)) => counted.credited += credited.amount.amount,
            Event::Refund(refund::Event::Requested(asked)) => {
                counted.refunds.insert(asked.refund_id, (asked.amount.amount, false, None));
            }
            Event::Refund(refund::Event::Approved(approved)) => {
                counted.refunds.get_mut(&approved.refund_id).unwrap().1 = true;
            }
            Event::Refund(refund::Event::Succeeded(paid)) => {
                counted.refunds.get_mut(&paid.refund_id).unwrap().2 = Some(paid.route);
            }
            Event::Refund(refund::Event::Reversed(gone)) => {
                counted.refunds.get_mut(&gone.refund_id).unwrap().2 = None;
            }
            _ => {}
        }
    }
    counted
}

pub(super) fn check(play: &Play) -> Result<(), TestCaseError> {
    let ledger = Ledger::of(&play.world).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let counted = counted(&play.world);
    let approved = || counted.refunds.values().filter(|(_, approved, _)| *approved);
    let out: i64 = approved()
        .filter(|(.., route)| route.is_some_and(|route| route != Route::Credit))
        .map(|(amount, ..)| amount)
        .sum();
    let owed: i64 = approved().filter(|(.., route)| route.is_none()).map(|(amount, ..)| amount).sum();
    let on = |wanted: fn(&Account) -> bool| -> i64 {
        ledger.balances.iter().filter(|(account, _)| wanted(account)).map(|(_, amount)| amount).sum()
    };
    let money = on(|account| matches!(account, Account::Clearing(_) | Account::Cash(_) | Account::Transfer(_)));
    prop_assert_eq!(money, counted.received - out, "money is where it is");
    prop_assert_eq!(on(|account| matches!(account, Account::ClientCredit(_))), -counted.credited);
    prop_assert_eq!(ledger.balance(Account::RefundsPayable), -owed);
    prop_assert_eq!(ledger.balance(Account::Suspense), 0);
    for (id, book) in &ledger.books {
        let state = play.world.reservation(*id);
        prop_assert_eq!(book.unearned.amount + book.earned.amount, state.held_money().amount, "{}", id);
        prop_assert!(book.leaving.is_empty(), "{}: money that nobody sends back", id);
        let over = !matches!(state.status, Status::Held | Status::Expired | Status::Confirmed);
        prop_assert_eq!(book.over, over, "{}", id);
        prop_assert!(!over || book.unearned.is_zero(), "{}: {} is still a debt", id, book.unearned);
    }
    let unearned: i64 = ledger.books.values().map(|book| book.unearned.amount).sum();
    prop_assert_eq!(ledger.balance(Account::Unearned), -unearned);
    Ok(())
}
