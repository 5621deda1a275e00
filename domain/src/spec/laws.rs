//! The laws of the books, checked on the events alone, by rules written here and not taken from the code they check.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::properties::Play;
use crate::{
    actor::Role,
    event::Event,
    ids::{PaymentId, RefundId, ReservationId},
    payment, refund,
    refund::Reason,
    reservation::{self, CancelReason, Grounds, Purpose, RefundShare},
};

/// The published state machines: which event may follow in which state, and where it leads. `-` keeps the state.
const LEGAL: &[(&str, &[&str], &str)] = &[
    ("reservation.held", &[""], "held"),
    (
        "reservation.payment_received",
        &["held", "expired", "confirmed", "checked_in", "completed", "cancelled", "no_show"],
        "-",
    ),
    ("reservation.split", &["held", "confirmed"], "-"),
    ("reservation.hold_prolonged", &["held"], "-"),
    ("reservation.confirmed", &["held", "expired"], "confirmed"),
    ("reservation.expired", &["held"], "expired"),
    (
        "reservation.money_returned",
        &["expired", "confirmed", "checked_in", "completed", "cancelled", "no_show", "held"],
        "-",
    ),
    ("reservation.cancelled", &["held", "confirmed", "checked_in"], "cancelled"),
    ("reservation.rescheduled", &["confirmed"], "confirmed"),
    ("reservation.checked_in", &["confirmed"], "checked_in"),
    ("reservation.completed", &["checked_in"], "completed"),
    ("reservation.no_show", &["confirmed"], "no_show"),
    ("payment.requested", &[""], "requested"),
    ("payment.opened", &["requested", "unknown"], "pending"),
    ("payment.became_unknown", &["requested", "pending"], "unknown"),
    ("payment.succeeded", &["requested", "pending", "unknown", "failed", "expired"], "succeeded"),
    ("payment.duplicated", &["succeeded"], "-"),
    ("payment.put_on_account", &["requested"], "on_account"),
    ("payment.failed", &["requested", "pending", "unknown"], "failed"),
    ("payment.expired", &["requested", "pending", "unknown"], "expired"),
    ("payment.refund_allotted", &["succeeded"], "-"),
    ("payment.refund_returned", &["succeeded"], "-"),
    ("refund.requested", &[""], "requested"),
    ("refund.approved", &["requested"], "approved"),
    ("refund.declined", &["requested"], "declined"),
    ("refund.submitted", &["approved", "failed", "reversed"], "submitted"),
    ("refund.pending", &["submitted", "unknown"], "pending"),
    ("refund.became_unknown", &["submitted", "pending"], "unknown"),
    ("refund.outcome_stated", &["requested", "submitted", "pending", "unknown"], "-"),
    ("refund.succeeded", &["submitted", "pending", "unknown"], "succeeded"),
    ("refund.failed", &["submitted", "pending", "unknown"], "failed"),
    ("refund.reversed", &["succeeded"], "reversed"),
    ("client.credited", &["", "client"], "client"),
    ("client.credit_spent", &["client"], "client"),
    ("client.fined", &["", "client"], "client"),
    ("client.fine_appealed", &["client"], "client"),
    ("client.fine_decided", &["client"], "client"),
    ("client.fine_settled", &["client"], "client"),
    ("client.erased", &["client"], "erased"),
];

/// The books of one payment, kept from events alone.
#[derive(Default)]
struct Book {
    captured: i64,
    credited: i64,
    /// Allocated to the reservation and not given back by it.
    held: i64,
    /// Of a payment for a fine: what settled it.
    fined: Option<i64>,
    /// Refunds with a claim: amount, approved or not.
    refunds: BTreeMap<RefundId, (i64, bool)>,
}

pub(super) fn check(play: &Play) -> Result<(), TestCaseError> {
    let mut states: BTreeMap<uuid::Uuid, &str> = BTreeMap::new();
    let mut books: BTreeMap<PaymentId, Book> = BTreeMap::new();
    let mut of_refund: BTreeMap<RefundId, PaymentId> = BTreeMap::new();
    let mut transactions = std::collections::HashSet::new();
    let mut terms: BTreeMap<ReservationId, reservation::Held> = BTreeMap::new();
    let mut net: BTreeMap<ReservationId, i64> = BTreeMap::new();
    for (stream, event) in &play.world.log {
        let state = states.entry((*stream).into()).or_insert("");
        let Some((_, from, to)) = LEGAL.iter().find(|(name, ..)| *name == event.name()) else {
            return Err(TestCaseError::fail(format!("{} is not in the table", event.name())));
        };
        prop_assert!(from.contains(state), "{} cannot follow {:?}", event.name(), state);
        if let Event::Reservation(reservation::Event::Cancelled(cancelled)) = event {
            // Once they were let in only the site breaks it off (domain.md: "at any time").
            let by_client = cancelled.reason == CancelReason::Client;
            prop_assert!(*state != "checked_in" || !by_client, "they are playing and call it off");
        }
        if *to != "-" {
            *state = to;
        }
        match event {
            Event::Reservation(event) => {
                reservation_laws(event, &mut terms, &mut net, &mut books)?;
            }
            Event::Payment(payment::Event::Requested(asked)) if asked.purpose == Purpose::Debt => {
                books.entry(asked.payment_id).or_default().fined = Some(0);
            }
            Event::Payment(payment::Event::Succeeded(succeeded)) => {
                prop_assert!(transactions.insert((succeeded.method, succeeded.transaction.clone())), "landed twice");
                let book = books.entry(succeeded.payment_id).or_default();
                book.captured += succeeded.received.amount;
                book.credited += succeeded.credited.amount;
                book.fined = book.fined.map(|fined| fined + succeeded.allocated.amount);
            }
            Event::Payment(payment::Event::Duplicated(duplicated)) => {
                prop_assert!(transactions.insert((duplicated.method, duplicated.transaction.clone())), "landed twice");
                books.entry(duplicated.payment_id).or_default().captured += duplicated.received.amount;
            }
            Event::Payment(payment::Event::RefundAllotted(allotted)) => {
                of_refund.insert(allotted.refund_id, allotted.payment_id);
                let book = books.entry(allotted.payment_id).or_default();
                book.refunds.insert(allotted.refund_id, (allotted.amount.amount, false));
            }
            Event::Payment(payment::Event::RefundReturned(returned)) => {
                books.entry(returned.payment_id).or_default().refunds.remove(&returned.refund_id);
            }
            Event::Refund(refund::Event::Approved(approved)) => {
                let book = books.entry(of_refund[&approved.refund_id]).or_default();
                book.refunds.get_mut(&approved.refund_id).unwrap().1 = true;
            }
            _ => {}
        }
    }
    for (payment, book) in &books {
        let claimed: i64 = book.refunds.values().map(|(amount, _)| amount).sum();
        let leaving: i64 = book.refunds.values().filter(|(_, approved)| *approved).map(|(amount, _)| amount).sum();
        prop_assert!(claimed + book.credited <= book.captured, "{payment}: more goes back than came");
        if let Some(fined) = book.fined {
            let kept = fined + book.credited;
            // What settled it may be asked back by a person.
            prop_assert!(
                kept <= book.captured && book.captured <= kept + leaving,
                "{payment}: of a fine money is lost"
            );
            prop_assert_eq!(book.held, 0, "{}: a fine is no part of a price", payment);
            continue;
        }
        prop_assert_eq!(book.captured, book.held + book.credited + leaving, "{}: money is lost or made", payment);
        prop_assert!(book.held >= 0);
    }
    for (id, net) in &net {
        let state = play.world.reservation(*id);
        prop_assert_eq!(state.held_money().amount, *net, "{}: the state counts otherwise", id);
    }
    super::ledgers::check(play)?;
    super::shares::check(play)?;
    claims_are_held_by_the_living(play, &states)
}

fn reservation_laws(
    event: &reservation::Event,
    terms: &mut BTreeMap<ReservationId, reservation::Held>,
    net: &mut BTreeMap<ReservationId, i64>,
    books: &mut BTreeMap<PaymentId, Book>,
) -> Result<(), TestCaseError> {
    use reservation::Event as E;
    let mut back = |id: ReservationId, shares: &[RefundShare]| {
        for share in shares {
            *net.entry(id).or_default() -= share.amount.amount;
            books.entry(share.payment_id).or_default().held -= share.amount.amount;
        }
        net.get(&id).copied().unwrap_or(0)
    };
    match event {
        E::Held(held) => {
            terms.insert(held.reservation_id, held.clone());
        }
        E::PaymentReceived(received) => {
            *net.entry(received.reservation_id).or_default() += received.amount.amount;
            books.entry(received.payment_id).or_default().held += received.amount.amount;
        }
        E::Confirmed(confirmed) => {
            let deposit = terms[&confirmed.reservation_id].price.deposit.amount;
            let money = net.get(&confirmed.reservation_id).copied().unwrap_or(0);
            match confirmed.grounds {
                Grounds::Payment { .. } => prop_assert!(money >= deposit, "confirmed on {money} of {deposit}"),
                Grounds::OnAccount { by, .. } => {
                    prop_assert!(by.role == Role::Manager && by.id.is_some(), "nobody vouches");
                }
                Grounds::Free => prop_assert_eq!(deposit, 0),
            }
        }
        E::MoneyReturned(returned) => {
            prop_assert!(!returned.refunds.is_empty());
            back(returned.reservation_id, &returned.refunds);
        }
        E::Cancelled(cancelled) => {
            let kept = back(cancelled.reservation_id, &cancelled.refunds);
            prop_assert_eq!(cancelled.kept.amount, kept);
        }
        E::NoShow(no_show) => {
            let kept = back(no_show.reservation_id, &no_show.refunds);
            prop_assert_eq!(no_show.kept.amount, kept);
        }
        E::Rescheduled(moved) => {
            back(moved.reservation_id, &moved.refunds);
            let agreed = terms.get_mut(&moved.reservation_id).unwrap();
            prop_assert!(moved.price.deposit.amount <= agreed.price.deposit.amount, "the deposit follows");
            agreed.price = moved.price.clone();
        }
        // See `shares`.
        E::SplitUp(_) | E::HoldProlonged(_) => {}
        E::Expired(_) | E::CheckedIn(_) | E::Completed(_) => {}
    }
    Ok(())
}

/// Claims are released exactly when the reservation ends; what automatic rules gave back was not what confirmed it.
fn claims_are_held_by_the_living(play: &Play, states: &BTreeMap<uuid::Uuid, &str>) -> Result<(), TestCaseError> {
    let claiming = play.world.claiming();
    for id in &play.reservations {
        let state = states.get(&id.uuid()).copied().unwrap_or("");
        let lives = matches!(state, "held" | "confirmed" | "checked_in");
        prop_assert_eq!(lives, claiming.contains(&id.uuid()), "{} and its claim", state);
        if matches!(state, "confirmed" | "checked_in" | "completed") {
            let returned = play.world.reservation(*id).returns;
            let by_rule = |reason| matches!(reason, Reason::Orphaned | Reason::Underpayment | Reason::NoShow);
            prop_assert!(
                !returned.iter().any(|given| by_rule(given.reason))
                    || play.world.reservation(*id).deposit_due().is_zero(),
                "confirmed and refunded"
            );
        }
    }
    Ok(())
}
