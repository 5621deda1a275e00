//! The provider's own books against ours: every movement of theirs is an event of ours, and the other way round.

use std::collections::HashMap;

use uuid::Uuid;

use super::books::{Books, Refund};
use crate::{
    court::{Court, Objection},
    input::{Entry, Input},
};

const CHARGES: &str = "money.charges";
const ONCE: &str = "money.moved_once";
const PAID_BACK: &str = "money.paid_back";
const TOTALS: &str = "money.totals";

const CHARGE: &str = "api_checkout";
const REFUND: &str = "api_checkout_refund";
const PAYOUT: &str = "api_payout";
const REVERSAL: &str = "api_payout_reversal";

pub(super) fn check(input: &Input, books: &Books, court: &mut Court<'_>) {
    charges(input, books, court);
    once(input, court);
    paid_back(input, books, court);
}

fn of_kind<'a>(input: &'a Input, kind: &'a str) -> impl Iterator<Item = &'a Entry> {
    input.wave.entries.iter().filter(move |entry| entry.kind == kind)
}

/// A transaction of theirs lands in one event of ours, with the same amount, on the payment that it names.
fn charges(input: &Input, books: &Books, court: &mut Court<'_>) {
    let mut landed: HashMap<&str, Vec<(i64, &str, i64)>> = HashMap::new();
    for payment in books.payments.values().filter(|payment| payment.method == "wave") {
        for capture in &payment.captures {
            let here = landed.entry(&capture.transaction).or_default();
            here.push((capture.amount, &payment.reference, capture.position));
        }
    }
    let mut charged = 0;
    for entry in of_kind(input, CHARGE) {
        charged += 1;
        let id = entry.transaction_id.as_str();
        match landed.remove(id).unwrap_or_default().as_slice() {
            [(amount, reference, position)] => {
                let there = entry.client_reference.as_deref().unwrap_or("no reference");
                if (*amount, *reference) != (entry.gross, there) {
                    let said = format!(
                        "transaction {id} is {} for {there} at the provider, and {amount} for {reference} in the log",
                        entry.gross
                    );
                    court.object(CHARGES, Objection::new(said).at(*position));
                }
            }
            [] => {
                let said = format!("transaction {id} of {} was charged and is not in the log", entry.gross);
                court.object(CHARGES, Objection::new(said));
            }
            [.., (_, _, position)] => {
                let said = format!("transaction {id} is in the log more than once");
                court.object(CHARGES, Objection::new(said).at(*position));
            }
        }
    }
    court.saw(CHARGES, charged);
    let mut invented: Vec<_> = landed.into_iter().collect();
    invented.sort_unstable();
    for (id, here) in invented {
        let position = here.first().map_or(0, |(_, _, position)| *position);
        let said = format!("transaction {id} is in the log and not at the provider");
        court.object(CHARGES, Objection::new(said).at(position));
    }
}

/// Nothing was charged, refunded or paid out twice: by their count and by ours.
fn once(input: &Input, court: &mut Court<'_>) {
    let repeated = &input.wave.repeated;
    let lists = [(CHARGE, &repeated.charges), (REFUND, &repeated.refunds), (PAYOUT, &repeated.payouts)];
    court.saw(ONCE, 0);
    for (kind, theirs) in lists {
        let mut count: HashMap<&str, usize> = HashMap::new();
        for entry in of_kind(input, kind) {
            court.saw(ONCE, 1);
            if let Some(reference) = &entry.client_reference {
                *count.entry(reference).or_insert(0) += 1;
            }
        }
        let ours = count.into_iter().filter(|(_, times)| *times > 1).map(|(reference, _)| reference);
        let mut twice: Vec<&str> = ours.chain(theirs.iter().map(String::as_str)).collect();
        twice.sort_unstable();
        twice.dedup();
        for reference in twice {
            court.object(ONCE, Objection::new(format!("{kind} of {reference} happened more than once")));
        }
    }
    let mut seen = std::collections::HashSet::new();
    let known = input.wave.entries.iter().filter(|entry| !entry.transaction_id.is_empty());
    for entry in known.filter(|entry| !seen.insert(&entry.transaction_id)) {
        court.object(ONCE, Objection::new(format!("transaction {} happened twice", entry.transaction_id)));
    }
}

/// One try of ours at the provider: which refund, whether it says the client has the money.
struct Try<'a> {
    id: Uuid,
    refund: &'a Refund,
    paid: bool,
}

/// What left the wallet under a reference is what the refund says was paid under it, no more and no less.
fn paid_back(input: &Input, books: &Books, court: &mut Court<'_>) {
    let mut left: HashMap<(&str, &str), i64> = HashMap::new();
    for (kind, route) in [(REFUND, "whole_transaction"), (PAYOUT, "payout"), (REVERSAL, "payout")] {
        for entry in of_kind(input, kind) {
            let reference = entry.client_reference.as_deref().unwrap_or_default();
            *left.entry((route, reference)).or_insert(0) -= entry.gross;
        }
    }
    let tries = tries(books);
    court.saw(PAID_BACK, left.len().max(tries.len()));
    let total: i64 = left.values().sum();
    let paid: i64 = tries.values().flatten().filter(|one| one.paid).map(|one| one.refund.amount).sum();
    let mut keys: Vec<_> = left.keys().chain(tries.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    for key in keys {
        let there = left.get(&key).copied().unwrap_or(0);
        let ours = tries.get(&key).map(Vec::as_slice).unwrap_or_default();
        let here: i64 = ours.iter().filter(|one| one.paid).map(|one| one.refund.amount).sum();
        if there != here {
            let (route, reference) = key;
            let whose = ours.last().map_or("no refund of ours".to_owned(), |one| {
                format!("refund {}, which is {}", one.id, one.refund.status)
            });
            let said = format!("{there} left by {route} under {reference}, {here} by the log: {whose}");
            let position = ours.last().map_or(0, |one| one.refund.position);
            court.object(PAID_BACK, Objection::new(said).at(position));
        }
    }
    court.saw(TOTALS, 1);
    if total != paid {
        let said = format!("{total} left the wallet in refunds and payouts, {paid} were paid back by the log");
        court.object(TOTALS, Objection::new(said));
    }
}

/// Tries that went through the provider, by route and by the reference it knows them under: a whole transaction goes
/// back under the reference it was paid with, a payout under its own.
fn tries(books: &Books) -> HashMap<(&str, &str), Vec<Try<'_>>> {
    let mut tries: HashMap<(&str, &str), Vec<Try<'_>>> = HashMap::new();
    for (id, refund) in &books.refunds {
        let paid_with = books.payments.get(&refund.payment).map_or("", |payment| payment.reference.as_str());
        for attempt in refund.attempts.iter().filter(|attempt| attempt.method == "wave") {
            let key = match attempt.route.as_str() {
                "whole_transaction" => ("whole_transaction", paid_with),
                "payout" => ("payout", attempt.reference.as_str()),
                _ => continue,
            };
            let paid = attempt.state == "succeeded";
            tries.entry(key).or_default().push(Try { id: *id, refund, paid });
        }
    }
    tries
}
