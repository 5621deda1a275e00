//! The cash drawer of a site: opened with a float, counted, closed, and the difference stated.
//!
//! What should be in it is the float and the cash that was taken in and handed out at the site since. A payment does not wait for
//! the drawer and is not written into it: each is in the log at its place, and a count says up to which place it counted
//! (`as_of_position`), so that anybody can add up the same movements again.

mod close;
mod count;
mod event;
mod r#move;
mod open;
mod refusal;
mod state;
#[cfg(test)]
mod tests;

pub use close::{Close, close};
pub use count::count;
pub use event::*;
pub use r#move::{Move, move_cash};
pub use open::{Open, open};
pub use refusal::Refusal;
pub use state::{Closed as LastClose, Session, Till};

use crate::{
    actor::{Actor, Role},
    guard::Op,
    ids::SiteId,
    money::Money,
    reaction::{Notice, Reaction, Whom},
};

/// Scope of the unique claim of a drawer's stream; the key is made by [`name`].
pub const NAME: &str = "till.name";

/// A difference above this is told to whoever runs the site, in minor units.
pub const WORTH_TELLING: i64 = 5_000;

/// A site has one drawer.
pub fn name(site_id: SiteId) -> String {
    format!("{site_id}:main")
}

/// What a drawer's event takes and frees.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Opened(opened) => {
            vec![Op::Unique { scope: NAME, key: name(opened.site_id), holder: opened.till_id.uuid() }]
        }
        Event::Counted(_) | Event::CashMoved(_) | Event::Closed(_) => Vec::new(),
    }
}

/// What we owe the world after a drawer's event: whoever runs the site learns of a large difference.
pub(crate) fn react(event: &Event) -> Vec<Reaction> {
    match event {
        Event::Closed(closed) if closed.variance.amount.unsigned_abs() > WORTH_TELLING.unsigned_abs() => {
            let notice = Notice::TillVariance { site_id: closed.site_id, variance: closed.variance.amount };
            vec![Reaction::Tell { whom: Whom::ManagerOf(closed.site_id), notice }]
        }
        Event::Opened(_) | Event::Counted(_) | Event::CashMoved(_) | Event::Closed(_) => Vec::new(),
    }
}

/// Cash that moved at the site, as the log says: read by whoever asks, at a position that the log has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Takings {
    /// Received by payments since the drawer was opened.
    pub received: Money,
    /// Handed out by refunds since then.
    pub handed_out: Money,
    /// Up to where that counts, this position included.
    pub as_of_position: i64,
}

/// Cashier and manager touch a drawer, under their name.
fn may_touch(by: Actor) -> Result<(), Refusal> {
    match by.role {
        Role::Cashier | Role::Manager if by.id.is_some() => Ok(()),
        role => Err(Refusal::RoleNotAllowed { role }),
    }
}
