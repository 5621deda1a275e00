//! The searches: each goes through every state of a bounded world.

use stateright::{Checker, Model};

use super::{Begin, Booking, broken::Broken, laws, provider::Kind, state::Left};
use crate::{
    reservation::Purpose,
    spec::story::{DEPOSIT, TOTAL},
};

mod page;
mod refuted;

/// The instants between which a way of paying back rests before the next is tried.
const PATIENT: &[i64] = &[0, 60, 900, 1_020, 2_700, 3_600, 5_400, 80 * 3_600, 160 * 3_600];
/// Without the first questions, and without a while after the hold: for searches with much else in them.
const COARSE: &[i64] = &[0, 900, 1_020, 80 * 3_600, 160 * 3_600];
const NOTHING: Left = Booking::plain().left;

/// The shortest way to a state that has this name, by looking one step further each time.
fn shortest(model: &Booking, name: &'static str) -> Vec<String> {
    for depth in 1..60 {
        let checker = model.clone().checker().target_max_depth(depth).spawn_bfs().join();
        if let Some(path) = checker.discovery(name) {
            let log = path.last_state().lane.world.names().join(", ");
            let steps = path.into_actions().into_iter().map(|action| format!("{action:?}"));
            return steps.chain([log]).collect();
        }
    }
    Vec::new()
}

/// Searches everything; the laws hold everywhere, and `sights` were seen.
#[track_caller]
fn search(model: Booking, sights: &[&str]) {
    let again = model.clone();
    let checker = model.checker().threads(2).spawn_bfs().join();
    let mut seen: Vec<&str> = Vec::new();
    for (name, path) in checker.discoveries() {
        if laws::SIGHTS.iter().any(|(sight, _)| *sight == name) {
            seen.push(name);
            continue;
        }
        drop(path);
        panic!("{name} does not hold after {:#?}", shortest(&again, name));
    }
    seen.sort_unstable();
    let (states, ways, deep) = (checker.unique_state_count(), checker.state_count(), checker.max_depth());
    println!("{states} states by {ways} ways, {deep} steps deep: {seen:?}");
    for sight in sights {
        assert!(seen.contains(sight), "never seen: {sight} (seen: {seen:?})");
    }
}

#[test]
fn paid_or_not() {
    search(Booking::plain(), &["is confirmed", "is confirmed late", "expires"]);
}

/// The standard search: somebody else wants the slot; a call is cut off, a worker dies, a webhook is lost or repeated.
#[test]
fn late_lost_repeated_unknown_and_a_death() {
    let left = Left { others: 1, cuts: 1, deaths: 1, losses: 1, repeats: 1, ..NOTHING };
    let sights = [
        "is confirmed",
        "is confirmed late",
        "expires",
        "goes back for a lost slot",
        "a payment is unknown",
        "two checkouts under one reference",
    ];
    search(Booking { left, ..Booking::plain() }, &sights);
}

#[test]
fn a_second_tab() {
    let left = Left { tabs: 1, charges: 2, others: 1, ..NOTHING };
    let model = Booking { left, instants: COARSE, ..Booking::plain() };
    search(model, &["goes back for a second success", "goes back for a lost slot"]);
}

#[test]
fn too_little_then_the_rest() {
    let left = Left { tabs: 1, charges: 2, ..NOTHING };
    let (amounts, instants) = (&[DEPOSIT - 1], COARSE);
    search(Booking { left, amounts, instants, ..Booking::plain() }, &["is confirmed", "goes back for too little"]);
}

#[test]
fn more_than_was_due() {
    let left = Left { others: 1, cancels: 1, ..NOTHING };
    search(Booking { left, amounts: &[TOTAL + 700], ..Booking::plain() }, &["becomes credit"]);
}

#[test]
fn charged_twice_in_one_checkout() {
    let left = Left { twice: 1, repeats: 1, others: 1, ..NOTHING };
    search(Booking { left, ..Booking::plain() }, &["goes back for a second success"]);
}

/// A provider that shows one of two charges: the other never lands by itself. Its message is asked about again, refused in
/// the end, and somebody is told (`workers/src/inbox.rs`).
#[test]
fn of_two_charges_the_one_that_is_not_shown_never_lands_by_itself() {
    let left = Left { twice: 1, ..NOTHING };
    let model = Booking { left, shows_latest_only: true, ..Booking::plain() };
    let way = shortest(&model, "no_charge_is_lost");
    println!("{way:#?}");
    assert!(!way.is_empty());
}

#[test]
fn forged() {
    let left = Left { forgeries: 1, tabs: 1, ..NOTHING };
    search(Booking { left, instants: COARSE, ..Booking::plain() }, &["is confirmed"]);
}

#[test]
fn a_provider_that_refuses() {
    let left = Left { refusals: 1, cuts: 1, others: 1, ..NOTHING };
    search(Booking { left, refuses_checkouts: true, ..Booking::plain() }, &["a payment fails"]);
}

/// Free cancellation ends 20 minutes after the placing; at the last instant the match is long over.
#[test]
fn called_off_early_or_late() {
    let left = Left { cancels: 1, cuts: 1, ..NOTHING };
    let model = Booking { left, starts_in: 12 * 60 + 20, ..Booking::plain() };
    search(model, &["is cancelled", "keeps a deposit after the end", "goes back for a cancellation"]);
}

/// The slot begins 40 minutes after the placing: money that lands then finds it lost.
#[test]
fn a_slot_that_has_begun() {
    let left = Left { cuts: 1, deaths: 1, losses: 1, ..NOTHING };
    search(Booking { left, starts_in: 40, ..Booking::plain() }, &["goes back for a lost slot"]);
}

#[test]
fn the_balance() {
    let left = Left { tabs: 1, cancels: 1, ..NOTHING };
    search(Booking { left, begins: Begin::Confirmed, ..Booking::plain() }, &["goes back for a cancellation"]);
}

/// A whole refund that fails twice goes out as a payout, and becomes credit when that fails, too.
#[test]
fn refunds_refused_and_unknown() {
    let left = Left { charges: 0, cancels: 1, refusals: 4, cuts: 1, ..NOTHING };
    let model = Booking { left, begins: Begin::Confirmed, instants: PATIENT, ..Booking::plain() };
    search(model, &["a refund is unknown", "a refund is paid out", "becomes credit"]);
}

/// Paid in full and called off late: all but the deposit goes back, by a payout that takes its time.
#[test]
fn payouts_slow_refused_and_taken_back() {
    let left = Left { charges: 0, cancels: 1, refusals: 2, slow: 2, cuts: 1, ..NOTHING };
    let (purpose, starts_in, begins) = (Purpose::Full, 12 * 60, Begin::Confirmed);
    let model = Booking { left, purpose, starts_in, begins, instants: PATIENT, ..Booking::plain() };
    search(model, &["a refund is reversed", "a refund is paid out", "becomes credit"]);
}

/// A provider that lists payments only and closes nothing.
#[test]
fn a_provider_that_cannot_close() {
    let left = Left { others: 1, cuts: 1, losses: 1, ..NOTHING };
    let sights = ["is confirmed late", "goes back for a lost slot", "a payment is unknown"];
    search(Booking { left, rail: Kind::Lists, ..Booking::plain() }, &sights);
}

/// Nearly everything at once, with two turns under way at a time: 623 407 states by 1 406 308 ways, 25 steps deep, in 98 s on
/// two busy cores, with 1.5 GB.
#[test]
#[ignore = "takes minutes: cargo test -p domain --lib larger_search -- --ignored --nocapture"]
fn the_larger_search() {
    let left = Left { others: 1, cuts: 1, deaths: 1, losses: 1, cancels: 1, repeats: 1, ..NOTHING };
    let model = Booking { left, starts_in: 12 * 60 + 20, workers: 2, ..Booking::plain() };
    search(model, &["is confirmed late", "keeps a deposit after the end", "goes back for a lost slot"]);
}

/// Refunds by which everything goes wrong: 271 729 states by 529 523 ways, 32 steps deep, in 11 s.
#[test]
#[ignore = "takes longer: cargo test -p domain --lib larger_search -- --ignored --nocapture"]
fn the_larger_search_of_refunds() {
    let left = Left { charges: 0, cancels: 1, refusals: 4, slow: 2, cuts: 2, deaths: 1, ..NOTHING };
    let model = Booking { left, begins: Begin::Confirmed, instants: PATIENT, ..Booking::plain() };
    search(model, &["a refund is reversed", "a refund is unknown", "a refund is paid out", "becomes credit"]);
}

/// Two payments of a reservation that is called off: 571 366 states by 1 320 088 ways, 25 steps deep, in 53 s.
#[test]
#[ignore = "takes longer: cargo test -p domain --lib larger_search -- --ignored --nocapture"]
fn the_larger_search_of_two_payments() {
    let left = Left { tabs: 1, charges: 2, cuts: 1, cancels: 1, ..NOTHING };
    let model = Booking { left, instants: COARSE, starts_in: 12 * 60 + 20, ..Booking::plain() };
    search(model, &["goes back for a second success", "goes back for a cancellation", "a refund is unknown"]);
}
