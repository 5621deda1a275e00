//! A venue: its ground (cells), what is sold on it (pitches), when (hours, closures), for how much (tariffs), on which
//! terms (policy).

mod alternatives;
mod best_fit;
mod check;
mod describe;
mod event;
mod hours;
mod invalid;
mod lift_closure;
mod payouts;
mod refusal;
mod register;
mod schedule_closure;
mod set_contact;
mod set_contract;
mod set_day;
mod set_ground;
mod set_hours;
mod set_policy;
mod set_tariffs;
mod starts;
mod state;
mod suspend;

pub use alternatives::{Alternative, MOST_ALTERNATIVES, alternatives};
pub use best_fit::best_fit;
pub use check::{check, offer, playable};
pub use describe::describe;
pub use event::*;
pub use hours::Opening;
pub(crate) use hours::at as hours_at;
pub use invalid::Invalid;
pub use lift_closure::lift_closure;
pub use payouts::{hold_payouts, release_payouts, set_payout_account};
pub use refusal::Refusal;
pub use register::{Registration, register};
pub use schedule_closure::{Hit, MOST_HITS, PlannedClosure, schedule_closure};
pub use set_contact::set_contact;
pub use set_contract::set_contract;
pub use set_day::set_day;
pub use set_ground::set_ground;
pub use set_hours::set_hours;
pub use set_policy::set_policy;
pub use set_tariffs::set_tariffs;
pub use starts::{PitchStarts, Start, Wanted, starts};
pub use state::*;
pub use suspend::{resume, suspend};

use crate::guard::{Claim, Op};

/// Scope of the unique claim on a site's slug.
pub const SLUG: &str = "site.slug";

/// Scopes of the unique claims on ids: nobody can block or sell another site's ground by naming it as theirs.
pub const CELL: &str = "site.cell";
pub const PITCH: &str = "site.pitch";

/// A slug, a cell and a pitch belong to one site; a closure takes its cells like a firm reservation.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Registered(registered) => vec![Op::Unique {
            scope: SLUG,
            key: registered.slug.as_str().to_owned(),
            holder: registered.site_id.uuid(),
        }],
        Event::GroundSet(ground) => {
            let holder = ground.site_id.uuid();
            let cells = ground.cells.iter().map(|cell| Op::Unique { scope: CELL, key: cell.id.to_string(), holder });
            let pitches =
                ground.pitches.iter().map(|pitch| Op::Unique { scope: PITCH, key: pitch.id.to_string(), holder });
            cells.chain(pitches).collect()
        }
        Event::ClosureScheduled(closure) => vec![Op::Claim(Claim {
            holder: closure.closure_id.uuid(),
            cells: closure.cells.clone(),
            during: closure.during,
            releasable_at: None,
            lapse: None,
        })],
        Event::ClosureLifted(lifted) => vec![Op::Release { holder: lifted.closure_id.uuid() }],
        Event::Described(_)
        | Event::HoursSet(_)
        | Event::DaySet(_)
        | Event::TariffsSet(_)
        | Event::PolicySet(_)
        | Event::ContactSet(_)
        | Event::ContractSet(_)
        | Event::PayoutAccountSet(_)
        | Event::PayoutsHeld(_)
        | Event::PayoutsReleased(_)
        | Event::Suspended(_)
        | Event::Resumed(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
