//! The log as it may be read from outside: pseudonymous, in order, without gaps (but those of rights).

mod body;
mod list;
mod stream;

pub use body::{EventBody, is_personal};
pub use list::sees;

use domain::{actor::Role, key::Scope};

use crate::http::operation::{Authz, Operation, Over};

pub const OPERATIONS: &[&Operation] = &[&list::LIST, &stream::STREAM];

/// Who reads the log; integrators and managers within their sites.
pub const READS: Authz = Authz::Keys {
    scope: Scope::EventsRead,
    roles: &[
        (Role::Auditor, Over::All),
        (Role::Admin, Over::All),
        (Role::Finance, Over::All),
        (Role::Manager, Over::Sites),
        (Role::Service, Over::Sites),
    ],
};
