//! A venue: its ground (cells), what is sold on it (pitches), when (hours, closures), for how much (tariffs), on which
//! terms (policy).

mod event;

pub use event::*;

use crate::guard::{Claim, Op};

/// Scope of the unique claim on a site's slug.
pub const SLUG: &str = "site.slug";

/// A slug belongs to one site; a closure takes its cells like a firm reservation.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Registered(registered) => vec![Op::Unique {
            scope: SLUG,
            key: registered.slug.as_str().to_owned(),
            holder: registered.site_id.uuid(),
        }],
        Event::ClosureScheduled(closure) => vec![Op::Claim(Claim {
            holder: closure.closure_id.uuid(),
            cells: closure.cells.clone(),
            during: closure.during,
            releasable_at: None,
            lapse: None,
        })],
        Event::ClosureLifted(lifted) => vec![Op::Release { holder: lifted.closure_id.uuid() }],
        Event::Described(_)
        | Event::GroundSet(_)
        | Event::HoursSet(_)
        | Event::DaySet(_)
        | Event::TariffsSet(_)
        | Event::PolicySet(_)
        | Event::ContactSet(_) => Vec::new(),
    }
}
