//! The ledger that the engine keeps, against the books kept here: balanced at every position, and every account as the events say.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::books::{Books, Refund, Reservation};
use crate::{
    court::{Court, Objection},
    event::Flow,
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

/// What a reservation holds is a debt to the client until it is earned; then the site's, or already with it, less the
/// commission, which is on nothing else.
fn reservations(ledger: &[Posting], books: &Books, court: &mut Court<'_>) {
    let mut entered: BTreeMap<Uuid, BTreeMap<(&str, &str), i64>> = BTreeMap::new();
    for posting in ledger {
        let kind = kind(&posting.account);
        // Payouts and fees are of no reservation.
        if WHOSE.contains(&kind) && !posting.reservation_id.is_nil() {
            *entered.entry(posting.reservation_id).or_default().entry(kind).or_default() += posting.amount;
        }
    }
    court.saw(RESERVATIONS, books.reservations.len());
    for (id, reservation) in &books.reservations {
        let entered = entered.remove(id).unwrap_or_default();
        for (kind, counted) in WHOSE.into_iter().zip(whose(reservation)) {
            let found = entered.get(&kind).copied().unwrap_or_default();
            if found != counted {
                let (first, last) = kind;
                let said = format!("reservation {id} has {counted} on {first}:{last}, by the ledger {found}");
                court.object(RESERVATIONS, Objection::new(said).at(reservation.position));
            }
        }
    }
    for (id, entered) in entered {
        for (_, found) in entered.into_iter().filter(|(_, found)| *found != 0) {
            court.object(RESERVATIONS, Objection::new(format!("the ledger has {found} for {id}, which is nothing")));
        }
    }
}

/// The accounts that say whose the money of a reservation is.
const WHOSE: [(&str, &str); 4] =
    [("deposits", "unearned"), ("site", "payable"), ("site", "commission_due"), ("platform", "commission")];

/// What is on them by the events; a debt is negative.
fn whose(reservation: &Reservation) -> [i64; 4] {
    let (earned, commission) = (reservation.earned(), reservation.commission());
    let (payable, due) = match reservation.contract.flow {
        Flow::PlatformCollects => (commission - earned, 0),
        Flow::ManagerCollects => (0, commission),
    };
    [earned - reservation.has(), payable, due, -commission]
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
    // What the platform has, and what sites have that collect: less what is theirs.
    let (mut ours, mut theirs, mut owed, mut credits) = (0, 0, 0, 0);
    for (id, payment) in &books.payments {
        credits += payment.credited;
        if payment.by_credit() {
            credits -= payment.received();
            continue;
        }
        *if books.at_the_site(*id) { &mut theirs } else { &mut ours } += payment.received();
    }
    credits -= books.forfeited;
    for refund in books.refunds.values().filter(|refund| refund.approved && refund.claims()) {
        match (refund.status, by(refund).as_str()) {
            ("succeeded", "credit") => credits += refund.amount,
            ("succeeded", _) => {
                *if books.at_the_site(refund.payment) { &mut theirs } else { &mut ours } -= refund.amount
            }
            _ => owed += refund.amount,
        }
    }
    let reservations = || books.reservations.values();
    let collecting = reservations().filter(|reservation| reservation.contract.flow == Flow::ManagerCollects);
    theirs -= collecting.map(Reservation::earned).sum::<i64>();
    let commission: i64 = reservations().map(Reservation::commission).sum();
    let fines: i64 = books.fines.values().filter(|fine| fine.is_open()).map(|fine| fine.amount).sum();
    let expected = [
        ("money", on(|name| matches!(kind(name).0, "provider" | "cash" | "transfer")), ours),
        ("money that sites hold", on(|name| kind(name) == ("site", "collected")), theirs),
        ("client credit", on(|name| kind(name) == ("client", "credit")), -credits),
        ("client debt", on(|name| kind(name) == ("client", "debt")), fines),
        ("fines:unpaid", on(|name| name == "fines:unpaid"), -fines),
        ("refunds:payable", on(|name| name == "refunds:payable"), -owed),
        ("platform:commission", on(|name| name == "platform:commission"), -commission),
        ("platform:forfeited", on(|name| name == "platform:forfeited"), -books.forfeited),
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
    const CREDIT: &str = "client:1:credit";
    let mut ledger = Vec::new();
    let mut enter = |reservation_id: Uuid, debit: &str, credit: &str, amount: i64| {
        if amount != 0 {
            let position = i64::try_from(ledger.len()).unwrap_or_default() + 1;
            for (account, amount) in [(debit, amount), (credit, -amount)] {
                ledger.push(Posting { position, reservation_id, account: account.to_owned(), amount });
            }
        }
    };
    let hands = |at_the_site: bool| if at_the_site { "site:1:collected" } else { "provider:wave:clearing" };
    for (id, reservation) in &books.reservations {
        let (earned, commission) = (reservation.earned(), reservation.commission());
        let at_the_site = reservation.contract.flow == Flow::ManagerCollects;
        enter(*id, hands(at_the_site), "deposits:unearned", reservation.has() - earned);
        if !at_the_site {
            enter(*id, hands(false), "site:1:payable", earned - commission);
        }
        enter(*id, if at_the_site { "site:1:commission_due" } else { hands(false) }, "platform:commission", commission);
    }
    for (id, payment) in &books.payments {
        enter(payment.reservation, hands(books.at_the_site(*id)), CREDIT, payment.credited);
    }
    for (id, fine) in books.fines.iter().filter(|(_, fine)| fine.is_open()) {
        enter(*id, "client:1:debt", "fines:unpaid", fine.amount);
    }
    for refund in books.refunds.values().filter(|refund| refund.approved && refund.claims()) {
        let credit = refund.attempts.last().is_some_and(|attempt| attempt.route == "credit");
        let hands = hands(books.at_the_site(refund.payment));
        match (refund.status, credit) {
            ("succeeded", true) => enter(Uuid::nil(), hands, CREDIT, refund.amount),
            ("succeeded", false) => {}
            _ => enter(Uuid::nil(), hands, "refunds:payable", refund.amount),
        }
    }
    ledger
}
