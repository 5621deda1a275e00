//! The ledger that the engine keeps, against the books kept here: balanced at every position, and every account as the events say.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::books::{Books, Refund};
use crate::{
    court::{Court, Objection},
    input::{Input, Posting},
};

const BALANCED: &str = "ledger.balanced";
const RESERVATIONS: &str = "ledger.reservations";
const ACCOUNTS: &str = "ledger.accounts";

pub(super) fn check(input: &Input, books: &Books, court: &mut Court<'_>) {
    balanced(&input.ledger, court);
    reservations(&input.ledger, books, court);
    accounts(&input.ledger, books, court);
}

/// The postings of one event add up to nothing.
fn balanced(ledger: &[Posting], court: &mut Court<'_>) {
    court.saw(BALANCED, 0);
    for entry in ledger.chunk_by(|one, next| one.position == next.position) {
        court.saw(BALANCED, 1);
        let sum: i64 = entry.iter().map(|posting| posting.amount).sum();
        if let (true, Some(first)) = (sum != 0, entry.first()) {
            court.object(BALANCED, Objection::new(format!("an entry of {sum}")).at(first.position));
        }
    }
}

/// What a reservation holds is a debt, to the client or to its site.
fn reservations(ledger: &[Posting], books: &Books, court: &mut Court<'_>) {
    let mut held: BTreeMap<Uuid, i64> = BTreeMap::new();
    for posting in ledger {
        if posting.account == "deposits:unearned" || kind(&posting.account) == ("site", "payable") {
            *held.entry(posting.reservation_id).or_default() -= posting.amount;
        }
    }
    court.saw(RESERVATIONS, books.reservations.len());
    for (id, reservation) in &books.reservations {
        let entered = held.remove(id).unwrap_or_default();
        if entered != reservation.held {
            let said = format!("reservation {id} holds {}, by the ledger {entered}", reservation.held);
            court.object(RESERVATIONS, Objection::new(said).at(reservation.position));
        }
    }
    for (id, entered) in held.into_iter().filter(|(_, entered)| *entered != 0) {
        court.object(RESERVATIONS, Objection::new(format!("the ledger has {entered} for {id}, which is nothing")));
    }
}

/// First and last part of an account's name.
fn kind(account: &str) -> (&str, &str) {
    let first = account.split(':').next().unwrap_or_default();
    (first, account.rsplit(':').next().unwrap_or_default())
}

/// Money, credits, what is owed, and nothing that nobody can explain.
fn accounts(ledger: &[Posting], books: &Books, court: &mut Court<'_>) {
    let on = |wanted: fn(&str) -> bool| -> i64 {
        ledger.iter().filter(|posting| wanted(&posting.account)).map(|posting| posting.amount).sum()
    };
    let by = |refund: &Refund| refund.attempts.last().map(|attempt| attempt.route.clone()).unwrap_or_default();
    let (mut out, mut owed, mut as_credit) = (0, 0, 0);
    for refund in books.refunds.values().filter(|refund| refund.approved && refund.claims()) {
        match (refund.status, by(refund).as_str()) {
            ("succeeded", "credit") => as_credit += refund.amount,
            ("succeeded", _) => out += refund.amount,
            _ => owed += refund.amount,
        }
    }
    let received: i64 = books.payments.values().map(|payment| payment.received()).sum();
    let credited: i64 = books.payments.values().map(|payment| payment.credited).sum();
    let expected = [
        ("money", on(|name| matches!(kind(name).0, "provider" | "cash" | "transfer")), received - out),
        ("client credit", on(|name| kind(name) == ("client", "credit")), -credited - as_credit),
        ("refunds:payable", on(|name| name == "refunds:payable"), -owed),
        ("suspense", on(|name| name == "suspense"), 0),
    ];
    court.saw(ACCOUNTS, expected.len());
    for (name, entered, counted) in expected {
        if entered != counted {
            court.object(ACCOUNTS, Objection::new(format!("{name}: {entered} by the ledger, {counted} by the events")));
        }
    }
}

/// Entries that say what the books say, for trials that are told in tests.
#[cfg(test)]
pub(super) fn told(books: &Books) -> Vec<Posting> {
    let mut ledger = Vec::new();
    let mut enter = |reservation_id: Uuid, account: &str, amount: i64| {
        if amount != 0 {
            let position = i64::try_from(ledger.len()).unwrap_or_default() + 1;
            for (account, amount) in [("provider:wave:clearing", amount), (account, -amount)] {
                ledger.push(Posting { position, reservation_id, account: account.to_owned(), amount });
            }
        }
    };
    for (id, reservation) in &books.reservations {
        enter(*id, "deposits:unearned", reservation.held);
    }
    for payment in books.payments.values() {
        enter(payment.reservation, "client:1:credit", payment.credited);
    }
    for refund in books.refunds.values().filter(|refund| refund.approved && refund.claims()) {
        let credit = refund.attempts.last().is_some_and(|attempt| attempt.route == "credit");
        match (refund.status, credit) {
            ("succeeded", true) => enter(Uuid::nil(), "client:1:credit", refund.amount),
            ("succeeded", false) => {}
            _ => enter(Uuid::nil(), "refunds:payable", refund.amount),
        }
    }
    ledger
}
