//! An API key: who may act, as what, where. The secret itself is never stored, only its keyed hash.

mod event;
mod grant;
mod refusal;
mod revoke;
mod rotate;
mod scopes;
mod state;

pub use event::*;
pub use grant::{Grant, belongs, grant};
pub use refusal::Refusal;
pub use revoke::revoke;
pub use rotate::{LONGEST_OVERLAP, rotate};
pub use scopes::scopes_of;
pub use state::{Holder, Key};

use crate::guard::Op;

/// Scope of the unique claim on a key's secret.
pub const SECRET: &str = "key.secret";

/// No two keys share a secret, and none is ever given out twice.
pub(crate) fn guards(event: &Event) -> Vec<Op> {
    let (hash, holder) = match event {
        Event::Granted(granted) => (&granted.secret_hash, granted.key_id),
        Event::Rotated(rotated) => (&rotated.secret_hash, rotated.key_id),
        Event::Revoked(_) => return Vec::new(),
    };
    vec![Op::Unique { scope: SECRET, key: hash.0.clone(), holder: holder.uuid() }]
}

#[cfg(test)]
mod tests;
