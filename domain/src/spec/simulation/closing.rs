//! The end of a world: nobody is left, and the books of everybody agree: those of the providers, ours, and what was counted.

use std::collections::HashSet;

use uuid::Uuid;

use super::{
    Run,
    calls::method_number,
    faults::Fault,
    statement::{self, Difference},
};
use crate::{ids::ReservationId, ledger::Account, payment::Method, reconciliation::Kind, spec::world::SITE};

/// Of each statement so many lines are spoilt.
const SPOILT: u64 = 5;

impl Run {
    /// Nothing happens any more.
    pub(super) fn close(&mut self) {
        if let Some((of, stay)) = self.audit.stays.iter().next() {
            let (of, status) = (*of, stay.status);
            return self.audit.wrong("comes_to_rest", of, format!("it is {status}, and nothing happens any more"));
        }
        let found = self.by_their_books().or_else(|| self.by_the_ledger());
        let found = found.or_else(|| Method::WITH_PROVIDER.into_iter().find_map(|method| self.by_statement(method)));
        if let Some((law, what)) = found.or_else(|| self.by_all_statements()) {
            self.audit.wrong(law, ReservationId::new(Uuid::nil()), what);
        }
    }

    /// What the providers' own ledgers say: every charge has its end, what went back went back for a refund, and whoever did
    /// not pay twice was not charged twice.
    fn by_their_books(&self) -> Option<(&'static str, String)> {
        let (mut charged, mut out, mut again) = (0, 0, 0);
        for provider in &self.providers {
            let payments: HashSet<&str> =
                provider.charges.iter().map(|charge| provider.checkouts[charge.checkout].reference.as_str()).collect();
            charged += provider.charged();
            out += provider.out();
            again += (provider.charges.len() - payments.len()) as u64;
        }
        if charged != self.report.charged {
            let ended = self.report.charged;
            return Some(("no_franc_is_orphaned", format!("{charged} were charged, {ended} have an end")));
        }
        let back = self.report.francs.back + self.report.moving_in_cases;
        if out != back {
            return Some(("refunded_once", format!("{out} went out there, {back} here")));
        }
        let will = self.tally.of(Fault::TwiceInOneCheckout);
        (again != will).then(|| ("charged_once", format!("{again} charged again, {will} paid again")))
    }

    /// What the accounts say, against what was counted from the events.
    fn by_the_ledger(&self) -> Option<(&'static str, String)> {
        let balance = |account: &Account| self.audit.balances.get(account).copied().unwrap_or(0);
        let credit = |account: &&Account| matches!(account, Account::ClientCredit(_));
        let credit: i64 = self.audit.balances.keys().filter(credit).map(balance).sum();
        let mut accounts = vec![
            ("suspense".to_owned(), balance(&Account::Suspense), 0),
            ("refunds:payable".to_owned(), balance(&Account::RefundsPayable), -self.report.owed),
            ("client credit".to_owned(), credit, self.audit.spent - self.report.credited),
        ];
        for method in Method::WITH_PROVIDER {
            let purse = self.audit.purses.get(&method).copied().unwrap_or(0);
            let book = Account::of(method, SITE).map_or(0, |account| balance(&account));
            accounts.push((format!("clearing of {method:?}"), book, purse));
        }
        let (name, book, counted) = accounts.into_iter().find(|(_, book, counted)| book != counted)?;
        Some(("ledgers_agree", format!("{name}: {book} in the ledger, {counted} counted")))
    }

    /// A provider's statement beside our lines: first as it is, then with five lines spoilt, each of which must be found.
    fn by_statement(&mut self, method: Method) -> Option<(&'static str, String)> {
        let provider = &self.providers[method_number(method)];
        let (ours, mut theirs) = (self.audit.statement.of(method), statement::theirs(provider));
        let known = statement::differences(method, &ours, &theirs, self.now);
        let unseen = |difference: &Difference| difference.0 == Kind::MissingHere;
        let apart = theirs.iter().filter(|line| known.contains(&(Kind::MissingHere, line.id.clone())));
        let apart: i64 = apart.map(|line| line.amount).sum();
        let (sum, balance) = (ours.iter().map(|line| line.amount).sum::<i64>(), provider.charged() - provider.out());
        if sum + apart != balance || !known.iter().all(unseen) {
            return Some(("ledgers_agree", format!("{method:?}: {sum} here, {balance} there: {known:?}")));
        }
        self.report.unseen += known.len() as u64;
        let wrong = statement::spoil(&mut theirs, &known, &mut self.random);
        let mut expected = [known, wrong].concat();
        expected.sort();
        let found = statement::differences(method, &ours, &theirs, self.now);
        for _ in 0..SPOILT {
            self.tally.note(Fault::StatementWrong);
        }
        self.report.differences += found.len() as u64;
        (found != expected).then(|| ("statement_errors_are_found", format!("{found:?} instead of {expected:?}")))
    }

    /// What is only in the statements is what nobody was told of.
    fn by_all_statements(&self) -> Option<(&'static str, String)> {
        let (found, counted) = (self.report.unseen, self.report.only_there);
        (found != counted)
            .then(|| ("statement_errors_are_found", format!("{found} lines only in statements, {counted} counted")))
    }
}
