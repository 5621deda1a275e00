//! What we owe the world after something happened to a reservation.

use super::{Agenda, Confirmed, Event, Held, HoldProlonged, Purpose, expire::fence};
use crate::{
    Timestamp,
    ids::ReservationId,
    reaction::{Alarm, Notice, Reaction, Whom, tell_client},
};

/// Reactions to one event. Pure.
pub fn react(event: &Event) -> Vec<Reaction> {
    match event {
        Event::Held(held) => hold_ends(held),
        Event::PaymentReceived(received) => {
            let (reservation_id, payment_id) = (received.reservation_id, received.payment_id);
            if received.share_id.is_some() {
                let notice = Notice::SharePaid { reservation_id, payment_id };
                return tell_client(received.client_id, notice).into_iter().collect();
            }
            // A deposit, or everything at once, is told by the confirmation.
            let later = matches!(received.purpose, Purpose::Balance | Purpose::Difference);
            let paid = later.then_some(Notice::Paid { reservation_id, payment_id });
            paid.and_then(|notice| tell_client(received.client_id, notice)).into_iter().collect()
        }
        Event::Confirmed(confirmed) => confirmed_reactions(confirmed),
        Event::Expired(expired) => {
            let reservation_id = expired.reservation_id;
            let mut reactions =
                vec![Reaction::CloseCheckouts { reservation_id }, Reaction::ReturnMoney { reservation_id }];
            reactions.push(Reaction::ReleaseDiscount { reservation_id });
            reactions.extend(tell_client(expired.client_id, Notice::Expired { reservation_id }));
            reactions
        }
        Event::Cancelled(cancelled) => {
            let reservation_id = cancelled.reservation_id;
            let notice = Notice::Cancelled { reservation_id };
            let mut reactions = vec![Reaction::CloseCheckouts { reservation_id }];
            reactions.extend(tell_client(cancelled.client_id, notice));
            reactions.push(Reaction::Tell { whom: Whom::ManagerOf(cancelled.site_id), notice });
            if cancelled.kept.is_zero() {
                reactions.push(Reaction::ReleaseDiscount { reservation_id });
            }
            reactions
        }
        Event::Rescheduled(moved) => {
            let reservation_id = moved.reservation_id;
            let notice = Notice::Rescheduled { reservation_id };
            // What is open was asked for at the old price.
            let mut reactions = vec![Reaction::CloseCheckouts { reservation_id }];
            reactions.extend(tell_client(moved.client_id, notice));
            reactions.push(Reaction::Tell { whom: Whom::ManagerOf(moved.to.site_id), notice });
            reactions.extend(alarms(reservation_id, moved.agenda, moved.to.during.from(), moved.at));
            reactions
        }
        Event::NoShow(no_show) => {
            let reservation_id = no_show.reservation_id;
            let mut reactions = vec![Reaction::CloseCheckouts { reservation_id }];
            reactions.extend(tell_client(no_show.client_id, Notice::NoShow { reservation_id }));
            reactions
        }
        // An open checkout that keeps the cells a little longer is found then.
        Event::HoldProlonged(HoldProlonged { reservation_id, until, .. }) => {
            vec![Reaction::Wake { reservation_id: *reservation_id, at: *until, alarm: Alarm::HoldEnds }]
        }
        // The links are handed out by whoever split it.
        Event::SplitUp(_) | Event::MoneyReturned(_) | Event::CheckedIn(_) | Event::Completed(_) => Vec::new(),
    }
}

/// At its end, and once more when a checkout may no longer keep the cells.
fn hold_ends(held: &Held) -> Vec<Reaction> {
    let reservation_id = held.reservation_id;
    let wake = |at| Reaction::Wake { reservation_id, at, alarm: Alarm::HoldEnds };
    vec![wake(held.hold_expires_at), wake(fence(held))]
}

fn confirmed_reactions(confirmed: &Confirmed) -> Vec<Reaction> {
    let reservation_id = confirmed.reservation_id;
    let late = confirmed.reclaims.is_some();
    let notice = if late { Notice::ConfirmedLate { reservation_id } } else { Notice::Confirmed { reservation_id } };
    // A second tab may still be open for the same deposit.
    let mut reactions = vec![Reaction::CloseCheckouts { reservation_id }];
    reactions.extend(tell_client(confirmed.client_id, notice));
    reactions.push(Reaction::Tell { whom: Whom::ManagerOf(confirmed.site_id), notice });
    reactions.extend(alarms(reservation_id, confirmed.agenda, confirmed.during.from(), confirmed.at));
    reactions
}

fn alarms(
    reservation_id: ReservationId,
    agenda: Agenda,
    starts_at: Timestamp,
    now: Timestamp,
) -> impl Iterator<Item = Reaction> {
    let wake = move |at, alarm| Reaction::Wake { reservation_id, at, alarm };
    // Confirmed later than the reminder would go out: the confirmation is the reminder.
    let remind = (now < agenda.remind_at).then(|| wake(agenda.remind_at, Alarm::Remind { starts_at }));
    remind.into_iter().chain([wake(agenda.complete_at, Alarm::Finish)])
}
