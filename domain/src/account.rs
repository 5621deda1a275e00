//! People who work: managers and their people, and ours (domain.md, People). Each has one role; what they do they do under
//! their account's id, which keys carry, too.
//!
//! Money and rights take two: an account of finance or of an admin is approved by a second admin before anybody can use it,
//! and so is every other role that somebody is given later.

mod accept;
mod event;
mod invite;
mod reactions;
mod refusal;
mod role;
mod state;
mod suspend;
#[cfg(test)]
mod tests;

pub use accept::{accept, set_passphrase};
pub use event::*;
pub use invite::{Invitation, approve, invite, invite_again};
pub use reactions::react;
pub use refusal::Refusal;
pub use role::{grant_role, propose_role};
pub use state::{Account, Duty};
pub use suspend::{resume, suspend};

use crate::guard::Op;

/// Scope of the unique claim on an address's keyed hash.
pub const EMAIL: &str = "account.email";

/// An address belongs to one account.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Invited(invited) => {
            let (key, holder) = (invited.email_hash.0.clone(), invited.account_id.uuid());
            vec![Op::Unique { scope: EMAIL, key, holder }]
        }
        Event::Approved(_)
        | Event::Accepted(_)
        | Event::PassphraseSet(_)
        | Event::RoleProposed(_)
        | Event::RoleGranted(_)
        | Event::Suspended(_)
        | Event::Resumed(_) => Vec::new(),
    }
}
