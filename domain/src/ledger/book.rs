//! The book of a reservation: what was received for it, what of that is earned, what is on its way back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{
    Account, Entry, Posting,
    entry::{credit, debit},
};
use crate::{
    client,
    contract::{Contract, Flow},
    event::Event,
    ids::{ClientId, PaymentId, RefundId, ReservationId, SiteId},
    invoice,
    money::{Money, MoneyError},
    payment::{self, Method},
    payout,
    refund::{self, Route},
    reservation, till,
};

/// Why an event cannot be entered.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LedgerError {
    #[error("an entry of {sum} is not balanced")]
    Unbalanced { sum: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("refund {refund_id} was never requested")]
    NoRefund { refund_id: RefundId },
    #[error("money cannot come on account")]
    NoMoney,
    #[error("there is no client to credit")]
    NoClient,
}

/// Whose book an event is entered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    Reservation(ReservationId),
    /// The event only names the refund: its reservation is that of `refund.requested`.
    Refund(RefundId),
    /// It is no reservation's: what it moves, `ledger::alone` says.
    Alone,
}

/// Whose book an event is entered in; `None` when it moves no money and is not needed to say where money is.
pub fn concern(event: &Event) -> Option<Concern> {
    use refund::Event as R;
    use reservation::Event as E;
    Some(match event {
        Event::Reservation(event) => Concern::Reservation(match event {
            E::Held(held) => held.reservation_id,
            E::CheckedIn(here) => here.reservation_id,
            E::Cancelled(cancelled) => cancelled.reservation_id,
            E::NoShow(no_show) => no_show.reservation_id,
            E::SplitUp(_)
            | E::HoldProlonged(_)
            | E::PaymentReceived(_)
            | E::Confirmed(_)
            | E::Expired(_)
            | E::MoneyReturned(_)
            | E::Rescheduled(_)
            | E::Completed(_) => return None,
        }),
        // A share may be paid by anybody: what becomes credit of it is theirs.
        Event::Payment(payment::Event::Requested(asked)) if asked.share_id.is_some() => {
            Concern::Reservation(asked.reservation_id)
        }
        Event::Payment(payment::Event::Succeeded(succeeded)) => Concern::Reservation(succeeded.reservation_id),
        Event::Payment(payment::Event::Duplicated(duplicated)) => Concern::Reservation(duplicated.reservation_id),
        Event::Payout(
            payout::Event::Approved(_)
            | payout::Event::Succeeded(_)
            | payout::Event::Failed(_)
            | payout::Event::Reversed(_)
            | payout::Event::PaidByHand(_),
        ) => Concern::Alone,
        Event::Invoice(invoice::Event::Paid(_)) => Concern::Alone,
        Event::Refund(R::Requested(requested)) => Concern::Reservation(requested.reservation_id),
        Event::Refund(R::Approved(approved)) => Concern::Refund(approved.refund_id),
        Event::Refund(R::Succeeded(succeeded)) => Concern::Reservation(succeeded.reservation_id),
        Event::Refund(R::Reversed(reversed)) => Concern::Refund(reversed.refund_id),
        Event::Reconciliation(event) if super::reconciled::moves(event) => Concern::Alone,
        Event::Client(
            client::Event::CreditForfeited(_)
            | client::Event::Fined(_)
            | client::Event::FineDecided(_)
            | client::Event::FineSettled(_),
        ) => Concern::Alone,
        Event::Till(till::Event::CashMoved(_) | till::Event::Closed(_)) => Concern::Alone,
        _ => return None,
    })
}

/// Where the money of a reservation is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Book {
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    /// As it was when it was placed.
    pub contract: Contract,
    /// Received for it and not earned yet.
    pub unearned: Money,
    /// Received for it and kept: the site's, less the commission.
    pub earned: Money,
    /// Of what is earned, entered as the platform's so far.
    pub commission: Money,
    /// They came, or did not, or it was called off: what still comes is earned at once.
    pub over: bool,
    /// Of a payment: received, and neither the reservation's nor the client's. It goes back, by a refund of the same decision.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub leaving: BTreeMap<PaymentId, Money>,
    /// Of the payments of shares: who pays, where that is known. All others are the client's.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub payers: BTreeMap<PaymentId, Option<ClientId>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refunds: BTreeMap<RefundId, Owed>,
}

/// A refund that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Owed {
    pub payment_id: PaymentId,
    /// How the money had come.
    pub method: Method,
    pub amount: Money,
    /// The account it was paid from.
    pub paid_by: Option<Route>,
    /// The provider that paid it, when it is another one than the money came through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paid_through: Option<Method>,
}

impl Owed {
    /// The provider whose account a payout left.
    fn provider(&self) -> Method {
        self.paid_through.unwrap_or(self.method)
    }
}

impl Book {
    /// The cells are taken and nothing is paid yet.
    pub fn open(held: &reservation::Held) -> Self {
        let nothing = Money::zero(held.price.total.currency);
        Self {
            site_id: held.slot.site_id,
            client_id: held.client_id,
            contract: held.contract.clone(),
            unearned: nothing,
            earned: nothing,
            commission: nothing,
            over: false,
            leaving: BTreeMap::new(),
            payers: BTreeMap::new(),
            refunds: BTreeMap::new(),
        }
    }

    /// Enters what happened next; what it does to the ledger. Events that [`concern`] no book move nothing.
    ///
    /// # Errors
    /// [`LedgerError`] for events that contradict those before.
    pub fn enter(&mut self, event: &Event) -> Result<Entry, LedgerError> {
        match event {
            Event::Reservation(event) => self.end(event),
            Event::Payment(payment::Event::Requested(asked)) if asked.share_id.is_some() => {
                self.payers.insert(asked.payment_id, asked.client_id);
                Ok(Entry::nothing())
            }
            Event::Payment(payment::Event::Succeeded(succeeded)) => self.receive(succeeded),
            Event::Payment(payment::Event::Duplicated(duplicated)) => {
                self.leave(duplicated.payment_id, duplicated.received)?;
                Entry::new([
                    debit(self.account_of(duplicated.method, duplicated.payment_id)?, duplicated.received),
                    credit(Account::RefundsPayable, duplicated.received),
                ])
            }
            Event::Refund(event) => self.pay_back(event),
            _ => Ok(Entry::nothing()),
        }
    }

    /// Money landed: the reservation's, the client's, or on its way back.
    fn receive(&mut self, succeeded: &payment::Succeeded) -> Result<Entry, LedgerError> {
        let payment::Succeeded { received, allocated, credited, .. } = *succeeded;
        let rest = received.minus(allocated)?.minus(credited)?;
        let mut postings = vec![debit(self.account_of(succeeded.method, succeeded.payment_id)?, received)];
        if self.over {
            postings.extend(self.earn(allocated)?);
        } else {
            self.unearned = self.unearned.plus(allocated)?;
            postings.push(credit(Account::Unearned, allocated));
        }
        if credited.is_positive() {
            let client_id = self.payer(succeeded.payment_id).ok_or(LedgerError::NoClient)?;
            postings.push(credit(Account::ClientCredit(client_id), credited));
        }
        if rest.is_positive() {
            self.leave(succeeded.payment_id, rest)?;
            postings.push(credit(Account::RefundsPayable, rest));
        }
        Entry::new(postings)
    }

    /// The deposit becomes the site's: they are here, or what is kept of it when they will not be.
    fn end(&mut self, event: &reservation::Event) -> Result<Entry, LedgerError> {
        let earned = match event {
            reservation::Event::CheckedIn(_) => self.unearned,
            reservation::Event::Cancelled(cancelled) => cancelled.kept.min(self.unearned)?,
            reservation::Event::NoShow(no_show) => no_show.kept.min(self.unearned)?,
            _ => return Ok(Entry::nothing()),
        };
        self.over = true;
        self.unearned = self.unearned.minus(earned)?;
        let site_s = self.earn(earned)?;
        Entry::new([debit(Account::Unearned, earned)].into_iter().chain(site_s))
    }

    /// So much more is earned; less, when it is negative: earned money goes back. The commission follows the sum, so that it
    /// is always that of what is kept, and whatever goes back takes its part along. What the postings add up to is the
    /// credit that whoever gives the money needs.
    fn earn(&mut self, more: Money) -> Result<[Posting; 3], LedgerError> {
        self.earned = self.earned.plus(more)?;
        let due = self.contract.commission(self.earned)?;
        let commission = due.minus(self.commission)?;
        self.commission = due;
        let (site_id, nothing) = (self.site_id, Money::zero(more.currency));
        // Who has the money keeps it and owes the other their part.
        let (site_s, site_owes) = match self.contract.flow {
            Flow::PlatformCollects => (credit(Account::SitePayable(site_id), more.minus(commission)?), nothing),
            Flow::ManagerCollects => (credit(Account::Collected(site_id), more), commission),
        };
        Ok([site_s, debit(Account::CommissionDue(site_id), site_owes), credit(Account::Commission, commission)])
    }

    fn pay_back(&mut self, event: &refund::Event) -> Result<Entry, LedgerError> {
        match event {
            refund::Event::Requested(requested) => {
                let refund::Requested { payment_id, method, amount, .. } = *requested;
                self.refunds.insert(
                    requested.refund_id,
                    Owed { payment_id, method, amount, paid_by: None, paid_through: None },
                );
                Ok(Entry::nothing())
            }
            refund::Event::Approved(approved) => self.owe(approved.refund_id),
            refund::Event::Succeeded(succeeded) => {
                let owed = self.owed(succeeded.refund_id)?;
                owed.paid_by = Some(succeeded.route);
                owed.paid_through = succeeded.method;
                let (method, payment_id) = (owed.provider(), owed.payment_id);
                let from = self.paying_account(succeeded.route, method, payment_id)?;
                Entry::new([debit(Account::RefundsPayable, succeeded.amount), credit(from, succeeded.amount)])
            }
            refund::Event::Reversed(reversed) => {
                let owed = self.owed(reversed.refund_id)?;
                let Some(route) = owed.paid_by.take() else { return Ok(Entry::nothing()) };
                let (amount, method, payment_id) = (owed.amount, owed.provider(), owed.payment_id);
                let back = self.paying_account(route, method, payment_id)?;
                Entry::new([debit(back, amount), credit(Account::RefundsPayable, amount)])
            }
            _ => Ok(Entry::nothing()),
        }
    }

    /// From now on it is owed. What was never the reservation's is on its way already; the rest leaves the reservation, what
    /// is not earned first. More than that belongs to nobody we know of.
    fn owe(&mut self, refund_id: RefundId) -> Result<Entry, LedgerError> {
        let Owed { payment_id, amount, .. } = *self.owed(refund_id)?;
        let nothing = Money::zero(amount.currency);
        let leaving = self.leaving.remove(&payment_id).unwrap_or(nothing);
        let placed = leaving.min(amount)?;
        self.leave(payment_id, leaving.minus(placed)?)?;
        let missing = amount.minus(placed)?;
        let unearned = missing.min(self.unearned)?;
        let earned = missing.minus(unearned)?.min(self.earned)?;
        self.unearned = self.unearned.minus(unearned)?;
        let nobody_s = missing.minus(unearned)?.minus(earned)?;
        let site_s = self.earn(nothing.minus(earned)?)?;
        let before = [debit(Account::Unearned, unearned)].into_iter().chain(site_s);
        Entry::new(before.chain([debit(Account::Suspense, nobody_s), credit(Account::RefundsPayable, missing)]))
    }

    fn leave(&mut self, payment_id: PaymentId, amount: Money) -> Result<(), LedgerError> {
        if amount.is_positive() {
            let leaving = self.leaving.entry(payment_id).or_insert(Money::zero(amount.currency));
            *leaving = leaving.plus(amount)?;
        }
        Ok(())
    }

    fn owed(&mut self, refund_id: RefundId) -> Result<&mut Owed, LedgerError> {
        self.refunds.get_mut(&refund_id).ok_or(LedgerError::NoRefund { refund_id })
    }

    /// Whose hands money is in that came, or goes, by a method. Credit is in nobody's hands: it is a promise of ours that we
    /// no longer owe, whoever collects.
    fn account_of(&self, method: Method, of: PaymentId) -> Result<Account, LedgerError> {
        if method == Method::Credit {
            return self.payer(of).map(Account::ClientCredit).ok_or(LedgerError::NoClient);
        }
        let ours = Account::of(method, self.site_id).ok_or(LedgerError::NoMoney)?;
        Ok(match self.contract.flow {
            Flow::PlatformCollects => ours,
            Flow::ManagerCollects => Account::Collected(self.site_id),
        })
    }

    /// Who pays, or paid, in a payment.
    fn payer(&self, payment_id: PaymentId) -> Option<ClientId> {
        self.payers.get(&payment_id).copied().unwrap_or(self.client_id)
    }

    /// Where a refund of a payment is paid from.
    fn paying_account(&self, route: Route, method: Method, of: PaymentId) -> Result<Account, LedgerError> {
        match route {
            Route::WholeTransaction | Route::Payout => self.account_of(method, of),
            Route::Cash => self.account_of(Method::Cash, of),
            Route::Transfer => self.account_of(Method::Transfer, of),
            // A promise of ours, and no money moves: what the site has of it, it still has.
            Route::Credit => self.payer(of).map(Account::ClientCredit).ok_or(LedgerError::NoClient),
        }
    }
}

impl Posting {
    /// Whether money came there, or a debt became smaller.
    pub const fn is_debit(&self) -> bool {
        self.amount.amount > 0
    }
}
