//! An API key: who may act, as what, where. The secret itself is never stored, only its keyed hash.

mod event;
mod grant;
mod refusal;
mod revoke;
mod scopes;
mod state;

pub use event::*;
pub use grant::{Grant, grant};
pub use refusal::Refusal;
pub use revoke::revoke;
pub use scopes::scopes_of;
pub use state::{Holder, Key};

use crate::guard::Op;

/// Scope of the unique claim on a key's secret.
pub const SECRET: &str = "key.secret";

/// No two keys share a secret.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    match event {
        Event::Granted(granted) => {
            vec![Op::Unique { scope: SECRET, key: granted.secret_hash.0.clone(), holder: granted.key_id.uuid() }]
        }
        Event::Revoked(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
