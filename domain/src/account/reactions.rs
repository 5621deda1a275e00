//! What is owed after an event of an account.

use crate::{actor::Actor, reaction::Reaction};

use super::{Approved, Duty, Event, Invited};

/// An invitation goes out once nobody else has to agree.
pub fn react(event: &Event) -> Vec<Reaction> {
    match event {
        Event::Invited(Invited { account_id, role, sites, by, .. }) => {
            let waits = Duty { role: *role, sites: sites.clone() }.takes_two() && *by != Actor::SYSTEM;
            if waits { Vec::new() } else { vec![Reaction::Invite { account_id: *account_id }] }
        }
        Event::Approved(Approved { account_id, .. }) => vec![Reaction::Invite { account_id: *account_id }],
        Event::Accepted(_)
        | Event::PassphraseSet(_)
        | Event::RoleProposed(_)
        | Event::RoleGranted(_)
        | Event::Suspended(_)
        | Event::Resumed(_) => Vec::new(),
    }
}
