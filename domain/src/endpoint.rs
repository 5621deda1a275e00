//! An endpoint: an address of somebody outside to which events are sent as they happen. Its secrets are never in the log.

mod add;
mod address;
mod change;
mod disable;
mod event;
mod refusal;
mod rotate;
mod state;

pub use add::{MOST_AT_ONCE, MOST_TYPES, Wish, add};
pub use address::{Address, AddressError};
pub use change::{change, remove};
pub use disable::disable;
pub use event::*;
pub use refusal::Refusal;
pub use rotate::{LONGEST_OVERLAP, rotate};
pub use state::{Endpoint, Settings};

use crate::{
    guard::Op,
    ids::PrincipalId,
    reaction::{Notice, Reaction, Whom},
};

/// What counts the endpoints of an owner.
pub fn scope_of(owner: PrincipalId) -> String {
    format!("endpoint:{owner}")
}

/// An owner has a bounded number of endpoints, whoever asks for them at the same time.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Added(added) => {
            let scope = scope_of(added.owner);
            vec![
                Op::Limit { scope: scope.clone(), max: MOST_AT_ONCE },
                Op::Enter { scope, holder: added.endpoint_id.uuid() },
            ]
        }
        Event::Removed(removed) => {
            vec![Op::Leave { scope: scope_of(removed.owner), holder: removed.endpoint_id.uuid() }]
        }
        Event::Changed(_) | Event::SecretRotated(_) | Event::Disabled(_) => Vec::new(),
    }
}

/// Whoever runs the installation hears of an endpoint that nobody seems to look after.
pub(crate) fn react(event: &Event) -> Vec<Reaction> {
    match event {
        Event::Disabled(disabled) if disabled.why == Why::Unreachable => {
            let notice = Notice::EndpointDisabled { endpoint_id: disabled.endpoint_id };
            vec![Reaction::Tell { whom: Whom::Finance, notice }]
        }
        Event::Added(_) | Event::Changed(_) | Event::SecretRotated(_) | Event::Disabled(_) | Event::Removed(_) => {
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests;
