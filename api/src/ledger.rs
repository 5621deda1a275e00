//! The ledger: every posting with the event that made it, and what is on each account at any position.

mod accounts;
mod entries;
mod statement;
mod trial_balance;

use domain::{actor::Role, key::Scope, ledger::Account, site::Site};

use crate::{
    http::{
        call::Call,
        operation::{Authz, Operation, Over},
    },
    problem::Problem,
    site,
};

pub const OPERATIONS: &[&Operation] =
    &[&accounts::ACCOUNTS, &entries::ENTRIES, &statement::STATEMENT, &trial_balance::TRIAL_BALANCE];

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

/// Refuses an account that is not the caller's to see.
async fn may_see(call: &Call, account: Account, parameter: &str) -> Result<(), Problem> {
    match account.site() {
        Some(site) => call.may_touch(&site::object(&*call.app.store.recall::<Site>(site).await?)),
        None if sees_everything(call) => Ok(()),
        None => {
            let problem = Problem::new("request.invalid_parameter");
            Err(problem.parameter(parameter, "must be of a site of yours"))
        }
    }
}

/// Whether all of the ledger is the caller's to see: a key that names sites is narrowed to them.
fn sees_everything(call: &Call) -> bool {
    call.caller.over(call.operation) == Some(Over::All) && call.caller.sites().is_none()
}
