//! Where all the money is once everything is quiet: with the site, with the client, or credited. Nowhere else.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::books::{Books, CREDITS, Payment, Refund, Reservation};
use crate::court::{Court, Objection};

const ALLOTTED: &str = "money.allotted";
const CONSERVED: &str = "money.conserved";
const ENDED: &str = "money.ended";
const ORPHANS: &str = "money.no_orphan";
const REFUNDS: &str = "money.refunds_end";

pub(super) fn check(books: &Books, court: &mut Court<'_>) {
    allotted(books, court);
    conserved(books, court);
    ended(books, court);
    orphans(books, court);
    refunds(books, court);
    credits(books, court);
}

/// Every refund has its part of a payment, and every part its refund.
fn allotted(books: &Books, court: &mut Court<'_>) {
    court.saw(ALLOTTED, books.refunds.len().max(books.allotted.len()));
    for (id, refund) in &books.refunds {
        if books.allotted.get(id) != Some(&(refund.payment, refund.amount)) {
            let said = format!("refund {id} of {} has no such claim on payment {}", refund.amount, refund.payment);
            court.object(ALLOTTED, Objection::new(said).at(refund.position));
        }
    }
    for (id, (payment, amount)) in books.allotted.iter().filter(|(id, _)| !books.refunds.contains_key(id)) {
        court.object(ALLOTTED, Objection::new(format!("{amount} of payment {payment} are for {id}, which is nothing")));
    }
}

/// Of each payment: received = with the reservation + credited + gone back; what settled a fine may be there besides.
fn conserved(books: &Books, court: &mut Court<'_>) {
    court.saw(CONSERVED, books.payments.len());
    for (id, payment) in &books.payments {
        let (received, back) = (payment.received(), books.going_back(*id));
        let (held, credited, fine) = (payment.held, payment.credited, payment.of_fine(back));
        if received != held + credited + back + fine || !(0..=payment.settles).contains(&fine) {
            let said = format!(
                "payment {id} received {received}, of which {held} are the reservation's, {credited} credited, {back} go back"
            );
            court.object(CONSERVED, Objection::new(said).at(last(payment)));
        }
    }
}

fn last(payment: &Payment) -> i64 {
    payment.captures.last().map_or(0, |capture| capture.position)
}

/// Of each reservation that ended unplayed: received = refunded + kept + credited, and what settled its fine.
fn ended(books: &Books, court: &mut Court<'_>) {
    let mut received: BTreeMap<Uuid, (i64, i64)> = BTreeMap::new();
    for payment in books.payments.values() {
        let sums = received.entry(payment.reservation).or_default();
        *sums = (sums.0 + payment.received(), sums.1 + payment.credited);
    }
    let unplayed = books
        .reservations
        .iter()
        .filter(|(_, reservation)| matches!(reservation.status, "expired" | "cancelled" | "no_show"));
    for (id, reservation) in unplayed {
        court.saw(ENDED, 1);
        let (received, credited) = received.get(id).copied().unwrap_or_default();
        let kept = if reservation.status == "expired" { 0 } else { reservation.kept };
        let refunded = books.going_back(*id);
        if received != refunded + kept + credited + reservation.fines {
            let said = format!(
                "{id} ended {}: received {received}, refunded {refunded}, kept {kept}, credited {credited}",
                reservation.status
            );
            court.object(ENDED, Objection::new(said).at(reservation.position));
        }
    }
    court.saw(ENDED, 0);
}

/// Money is for a reservation that is known and has come to something; one that expired keeps none.
fn orphans(books: &Books, court: &mut Court<'_>) {
    let paid = books.payments.iter().filter(|(_, payment)| !payment.captures.is_empty());
    court.saw(ORPHANS, 0);
    for (id, payment) in paid {
        court.saw(ORPHANS, 1);
        let said = match books.reservations.get(&payment.reservation) {
            Some(Reservation {
                status: "confirmed" | "checked_in" | "completed" | "no_show" | "cancelled", ..
            }) => {
                continue;
            }
            Some(Reservation { status: "expired", .. }) if payment.held == 0 => continue,
            Some(reservation) => {
                let (status, held) = (reservation.status, payment.held);
                format!("payment {id} was paid, its reservation is {status} and has {held} of it")
            }
            None => format!("payment {id} was paid for nothing"),
        };
        court.object(ORPHANS, Objection::new(said).at(last(payment)));
    }
}

/// When all is quiet, a refund has been paid or declined. What a person hands out may wait for them; what failed for
/// good waits for a person only when there is nobody to credit.
fn refunds(books: &Books, court: &mut Court<'_>) {
    court.saw(REFUNDS, books.refunds.len());
    for (id, refund) in &books.refunds {
        let by_hand = matches!(refund.route.as_str(), "cash" | "transfer");
        let ended = match refund.status {
            "succeeded" | "declined" => true,
            "approved" => by_hand,
            "failed" | "reversed" => refund.returned || (!refund.has_client && refund.attempts.len() > 1),
            _ => false,
        };
        if !ended {
            let said = format!("refund {id} of {} is still {}", refund.amount, refund.status);
            court.object(REFUNDS, Objection::new(said).at(refund.position));
        }
    }
}

/// What became credit is on the client's account, once.
fn credits(books: &Books, court: &mut Court<'_>) {
    court.saw(CREDITS, 0);
    for (id, payment) in &books.payments {
        let paid = |refund: &&Refund| {
            refund.status == "succeeded" && refund.attempts.last().is_some_and(|attempt| attempt.route == "credit")
        };
        let refunded: i64 = books.refunds_of(*id).filter(paid).map(|refund| refund.amount).sum();
        let (due, given) = (payment.credited + refunded, payment.credit_given);
        court.saw(CREDITS, usize::from(due != 0 || given != 0));
        if due != given {
            let said = format!("{due} of payment {id} became credit, and {given} were credited");
            court.object(CREDITS, Objection::new(said).at(last(payment)));
        }
        let (paid, spent) = (if payment.by_credit() { payment.received() } else { 0 }, payment.credit_spent);
        if paid != spent {
            let said = format!("{paid} of payment {id} was paid by credit, and {spent} was spent");
            court.object(CREDITS, Objection::new(said).at(last(payment)));
        }
    }
}
