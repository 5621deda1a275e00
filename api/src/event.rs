//! The log as it may be read from outside: pseudonymous, in order, without gaps (but those of rights).

pub mod asyncapi;
mod body;
mod filter;
mod follow;
mod list;
mod places;
mod schemas;
mod stream;
mod tail;

pub use body::EventBody;
pub use filter::Filter;
pub use follow::{Sight, begin};
pub use list::sees;
pub use places::Limits;
pub(crate) use places::Places;
pub(crate) use tail::Tail;

use domain::{actor::Role, key::Scope};

use crate::http::operation::{Authz, Operation, Over};

pub const OPERATIONS: &[&Operation] =
    &[&list::LIST, &follow::FOLLOW, &stream::STREAM, &schemas::SCHEMAS, &schemas::SCHEMA];

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
