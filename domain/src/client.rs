//! A person who books. Everything personal is sealed under their own key.

mod credit;
mod erase;
mod event;
mod refusal;
mod register;
mod rename;
mod state;
mod verify;

pub use credit::credit;
pub use erase::erase;
pub use event::*;
pub use refusal::Refusal;
pub use register::{Person, register};
pub use rename::rename;
pub use state::Client;
pub use verify::verify;

use crate::guard::Op;

/// A number belongs to one client.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Registered(registered) => {
            vec![Op::Unique { scope: PHONE, key: registered.phone_hash.0.clone(), holder: registered.client_id.uuid() }]
        }
        Event::Erased(erased) => vec![Op::Forget { scope: PHONE, key: erased.phone_hash.0.clone() }],
        Event::Renamed(_)
        | Event::Credited(_)
        | Event::CreditSpent(_)
        | Event::CreditForfeited(_)
        | Event::NumberVerified(_) => Vec::new(),
    }
}

/// Scope of the unique claim on a phone number's keyed hash.
pub const PHONE: &str = "client.phone";

#[cfg(test)]
mod tests;
