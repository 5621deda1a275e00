//! The step to confirmed, which several verbs take: never without grounds.

use chrono::Duration;

use super::{Agenda, Confirmed, Grounds, Held, Reservation, Slot, Status};
use crate::{Timestamp, policy::Policy};

/// When the reminder and the end of a slot are due.
pub(super) fn agenda(slot: &Slot, policy: &Policy) -> Agenda {
    Agenda {
        remind_at: slot.during.from() - Duration::minutes(i64::from(policy.reminder_minutes)),
        complete_at: slot.during.to() + Duration::minutes(i64::from(policy.completion_grace_minutes)),
    }
}

/// A held reservation is confirmed as it is; one whose hold ended claims its cells again, at the quoted price.
pub(crate) fn confirmed(reservation: &Reservation, terms: &Held, grounds: Grounds, now: Timestamp) -> Confirmed {
    let ended = reservation.status == Status::Expired;
    Confirmed {
        reservation_id: terms.reservation_id,
        site_id: terms.slot.site_id,
        client_id: terms.client_id,
        during: terms.slot.during,
        grounds,
        reclaims: ended.then(|| terms.slot.clone()),
        counted_on: if ended { terms.counts_on() } else { None },
        agenda: agenda(&terms.slot, &terms.policy),
        at: now,
    }
}
