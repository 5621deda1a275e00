//! The ledger: every posting with the event that made it, and what is on each account at any position.

mod entries;
mod trial_balance;

use domain::{actor::Role, key::Scope};

use crate::http::{
    call::Call,
    operation::{Authz, Operation, Over},
};

pub const OPERATIONS: &[&Operation] = &[&entries::ENTRIES, &trial_balance::TRIAL_BALANCE];

/// Who reads all of it.
const EVERYTHING: Authz = Authz::Keys {
    scope: Scope::PaymentsRead,
    roles: &[(Role::Finance, Over::All), (Role::Admin, Over::All), (Role::Auditor, Over::All)],
};

/// The same, and a manager what belongs to their sites.
const ENTRIES: Authz = Authz::Keys {
    scope: Scope::PaymentsRead,
    roles: &[
        (Role::Manager, Over::Sites),
        (Role::Finance, Over::All),
        (Role::Admin, Over::All),
        (Role::Auditor, Over::All),
    ],
};

/// Whether all of the ledger is the caller's to see: a key that names sites is narrowed to them.
fn sees_everything(call: &Call) -> bool {
    call.caller.over(call.operation) == Some(Over::All) && call.caller.sites().is_none()
}
