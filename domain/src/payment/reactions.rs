//! What we owe the world after something happened to a payment.

use super::Event;
use crate::{
    Timestamp,
    actor::Role,
    ids::ReservationId,
    reaction::{About, Alarm, Ask, Notice, Reaction, Whom, tell_client},
    reservation::Purpose,
};

/// Reactions to one event. Pure.
pub fn react(event: &Event) -> Vec<Reaction> {
    match event {
        Event::Requested(requested) => {
            if !requested.method.has_provider() {
                return Vec::new();
            }
            let (reservation_id, payment_id) = (requested.reservation_id, requested.payment_id);
            let notice = match requested.hold_expires_at {
                None if requested.purpose == Purpose::Debt => Notice::PayFine { reservation_id, payment_id },
                Some(_) => Notice::PayToConfirm { reservation_id, payment_id },
                None => Notice::PayBalance { reservation_id, payment_id },
            };
            let open = Reaction::OpenCheckout { payment_id };
            // Asked for on a page of ours, by whoever came by its link and is about to pay.
            if requested.share_id.is_some() || requested.by.role == Role::System {
                return vec![open];
            }
            std::iter::once(open).chain(tell_client(requested.client_id, notice)).collect()
        }
        Event::Opened(opened) => {
            let payment_id = opened.payment_id;
            let close = opened.close_at.map(|at| Reaction::CloseCheckout { payment_id, at });
            let ask = Reaction::Ask(Ask::first(About::Payment(payment_id), opened.at));
            std::iter::once(ask).chain(close).collect()
        }
        Event::BecameUnknown(unknown) => {
            vec![Reaction::Ask(Ask::first(About::Payment(unknown.payment_id), unknown.at))]
        }
        Event::Succeeded(succeeded) => {
            let payment_id = succeeded.payment_id;
            let differs = succeeded.received != succeeded.expected;
            let notice = Notice::AmountDiffers { payment_id };
            differs.then_some(Reaction::Tell { whom: Whom::Finance, notice }).into_iter().collect()
        }
        Event::Duplicated(duplicated) => {
            let notice = Notice::PaidTwice { payment_id: duplicated.payment_id };
            vec![Reaction::Tell { whom: Whom::Finance, notice }]
        }
        Event::Failed(failed) => hold_may_end(failed.reservation_id, failed.hold_expires_at, failed.at),
        Event::Expired(expired) => hold_may_end(expired.reservation_id, expired.hold_expires_at, expired.at),
        Event::PutOnAccount(_) | Event::RefundAllotted(_) | Event::RefundReturned(_) => Vec::new(),
    }
}

/// Nothing prolongs the hold any more: it ends when it always would have, or now.
fn hold_may_end(reservation_id: ReservationId, hold_ends: Option<Timestamp>, now: Timestamp) -> Vec<Reaction> {
    let wake = |ends: Timestamp| Reaction::Wake { reservation_id, at: ends.max(now), alarm: Alarm::HoldEnds };
    hold_ends.map(wake).into_iter().collect()
}
