//! One client, one pitch, one half-open interval.
//!
//! ```text
//! (none) ─place→ held ─confirm→ confirmed ─check_in→ checked_in ─complete→ completed
//!                held ─(first share of a split)→ held until its deadline ─(quorum)→ confirmed
//!                held ─expire / cancel→ expired / cancelled
//!                confirmed ─cancel→ cancelled      confirmed ─(end + grace, nobody came)→ no_show
//!                checked_in ─cancel (weather, power cut, manager, closure)→ cancelled
//!                confirmed ─reschedule→ confirmed
//!                expired ─confirm (late money, cells still free)→ confirmed
//! ```

mod cancel;
mod check_in;
mod code;
mod complete;
mod confirm;
mod event;
mod expire;
mod money_back;
mod place;
mod reactions;
mod refusal;
mod reschedule;
mod shares;
mod split;
mod state;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_gate;
#[cfg(test)]
mod tests_moves;
#[cfg(test)]
mod tests_policy;
#[cfg(test)]
mod tests_split;
#[cfg(test)]
mod tests_split_ends;

pub use cancel::{Cancel, Preview as CancelPreview};
pub use check_in::check_in;
pub use complete::{complete, finish, no_show};
pub use event::*;
pub use expire::{expire, return_money};
pub use money_back::Source;
pub use place::{Pays, Place};
pub use reactions::react;
pub use refusal::Refusal;
pub use reschedule::{Preview as ReschedulePreview, Reschedule};
pub use shares::{Shares, Standing};
pub use split::{MOST_SHARES, Parts, Split};
pub use state::{Receipt, Reservation, Return, Status};

pub(crate) use cancel::kept_at_most;
pub(crate) use confirm::confirmed;
pub(crate) use event::of_no_share;
pub(crate) use expire::fence;

use uuid::Uuid;

use crate::{
    client,
    guard::{Claim, Lapse, Op},
    ids::{ClientId, ReservationId},
};

/// Scope of the unique claim on a short code; the key is `site:code`.
pub const CODE: &str = "reservation.code";

/// Live unpaid holds of a client.
fn unpaid(client: ClientId) -> String {
    format!("client:{client}:unpaid_holds")
}

/// Holds of a client that ended unpaid, by the local day on which they were placed.
fn lapsed_on(client: ClientId, day: chrono::NaiveDate) -> String {
    format!("client:{client}:lapsed_holds:{day}")
}

/// What a reservation's event takes and frees.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Held(held) => held.guards(),
        Event::Confirmed(confirmed) => {
            let holder = confirmed.reservation_id.uuid();
            let mut ops = vec![match &confirmed.reclaims {
                Some(slot) => slot.claimed_firmly_by(confirmed.reservation_id),
                None => Op::Firm { holder },
            }];
            if let Some(client) = confirmed.client_id {
                ops.push(Op::Leave { scope: unpaid(client), holder });
                ops.extend(confirmed.counted_on.map(|day| Op::Leave { scope: lapsed_on(client, day), holder }));
            }
            ops
        }
        Event::Expired(expired) => {
            let holder = expired.reservation_id.uuid();
            let mut ops = vec![Op::Release { holder }];
            ops.extend(ended_unpaid(expired.client_id, expired.counts_on, holder));
            ops
        }
        Event::Cancelled(cancelled) => {
            let holder = cancelled.reservation_id.uuid();
            let mut ops = vec![Op::Release { holder }];
            ops.extend(ended_unpaid(cancelled.client_id, cancelled.counts_on, holder));
            ops
        }
        Event::Rescheduled(moved) => {
            vec![Op::Release { holder: moved.reservation_id.uuid() }, moved.to.claimed_firmly_by(moved.reservation_id)]
        }
        Event::Completed(Completed { reservation_id, .. }) | Event::NoShow(NoShow { reservation_id, .. }) => {
            vec![Op::Release { holder: reservation_id.uuid() }]
        }
        // It stays among the unpaid ones until it is confirmed: what one share costs must not buy pitches for weeks.
        Event::HoldProlonged(HoldProlonged { reservation_id, until, .. }) => {
            vec![Op::Extend { holder: reservation_id.uuid(), releasable_at: *until }]
        }
        Event::SplitUp(_) | Event::PaymentReceived(_) | Event::MoneyReturned(_) | Event::CheckedIn(_) => Vec::new(),
    }
}

/// No longer an unpaid hold; counted for its day where it counts.
fn ended_unpaid(client: Option<ClientId>, counts_on: Option<chrono::NaiveDate>, holder: Uuid) -> Vec<Op> {
    let Some(client) = client else { return Vec::new() };
    let counted = counts_on.map(|day| Op::Enter { scope: lapsed_on(client, day), holder });
    std::iter::once(Op::Leave { scope: unpaid(client), holder }).chain(counted).collect()
}

impl Held {
    /// The local day on which this hold counts when it ends unpaid.
    pub fn counts_on(&self) -> Option<chrono::NaiveDate> {
        (self.channel == Channel::Online).then_some(self.held_on)
    }

    fn guards(&self) -> Vec<Op> {
        let holder = self.reservation_id.uuid();
        let mut ops = Vec::new();
        // A manager may hold for a client as often as the telephone rings: only online holds are limited.
        if let (Some(client), Channel::Online) = (self.client_id, self.channel) {
            // A fine is settled, waived or appealed before the next booking.
            ops.push(Op::Limit { scope: client::debts(client), max: 1 });
            ops.push(Op::Limit { scope: unpaid(client), max: self.policy.unpaid_holds_at_once });
            ops.push(Op::Limit { scope: lapsed_on(client, self.held_on), max: self.policy.unpaid_holds_per_day });
            ops.push(Op::Enter { scope: unpaid(client), holder });
        }
        ops.push(Op::Unique { scope: CODE, key: format!("{}:{}", self.slot.site_id, self.code.0), holder });
        ops.push(Op::Claim(Claim {
            holder,
            cells: self.slot.cells.clone(),
            during: self.slot.claims,
            releasable_at: Some(self.hold_expires_at),
            lapse: Some(Lapse {
                reservation_id: self.reservation_id,
                client_id: self.client_id,
                counts_on: self.counts_on(),
            }),
        }));
        ops
    }
}

impl Slot {
    fn claimed_firmly_by(&self, reservation: ReservationId) -> Op {
        Op::Claim(Claim {
            holder: reservation.uuid(),
            cells: self.cells.clone(),
            during: self.claims,
            releasable_at: None,
            lapse: None,
        })
    }
}
