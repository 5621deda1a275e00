//! Reconciliations: statements of providers compared with the log, day by day, until every franc is explained.

mod account;
mod body;
mod close;
mod difference;
mod explain;
mod import;
mod list;
mod show;
mod want;

use chrono::{Datelike, NaiveDate};
use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::ReconciliationId,
    key,
    reconciliation::{MAIN, Provider, Reconciliation, Scope, id_of},
    text::Slug,
};

use crate::{
    http::{
        call::Call,
        halt::Halt,
        operation::{Authz, Operation, Over},
    },
    problem::Problem,
};

pub const OPERATIONS: &[&Operation] = &[
    &list::LIST,
    &show::SHOW,
    &difference::DIFFERENCES,
    &import::IMPORT,
    &want::WANT,
    &explain::EXPLAIN,
    &close::CLOSE,
];

/// Who sees how the days stand.
const READS: Authz = Authz::Keys {
    scope: key::Scope::PaymentsRead,
    roles: &[(Role::Finance, Over::All), (Role::Admin, Over::All), (Role::Auditor, Over::All)],
};

const WRITES: Authz = Authz::Keys { scope: key::Scope::ReconciliationsWrite, roles: &[(Role::Finance, Over::All)] };

/// What is compared: said by the path, and by the query whose account.
struct Day {
    id: ReconciliationId,
    provider: Provider,
    account: Slug,
    day: NaiveDate,
}

impl Day {
    /// # Errors
    /// `object.not_found` for a provider that is none, or no day; `reconciliation.unknown_account` for an account that is
    /// none there, `auth.role_forbidden` for whoever sees the platform's alone.
    async fn of(call: &Call) -> Result<Self, Problem> {
        // A key that names sites is narrowed to them, and an account at a provider is no site's.
        if call.caller.sites().is_some() {
            return Err(Problem::new("object.not_found"));
        }
        let day = call.segment("day").parse::<NaiveDate>().ok().filter(|day| (2000..2200).contains(&day.year()));
        let (Some(provider), Some(day)) = (Provider::named(call.segment("provider")), day) else {
            return Err(Problem::new("object.not_found"));
        };
        let account = match account::asked_for(call, &[provider]).await? {
            Some(account) => account,
            None => Slug::new(MAIN).map_err(|_| Problem::new("server.error"))?,
        };
        Ok(Self { id: id_of(provider, &account, day), provider, account, day })
    }

    fn scope(&self) -> Scope {
        Scope { provider: self.provider, account: self.account.clone(), day: self.day }
    }

    /// As it stands; it need not have begun.
    async fn load(&self, call: &Call) -> Result<Loaded<Reconciliation>, Problem> {
        Ok(call.app.store.load(self.id).await?)
    }

    /// As it stood when the request was carried out the first time.
    async fn resumed(&self, call: &Call) -> Result<Option<(Loaded<Reconciliation>, i64)>, Halt> {
        match &call.resumed {
            Some(record) => Ok(Some((call.load_at(self.id, record.last).await?, record.last))),
            None => Ok(None),
        }
    }
}

/// A list of all that there is, for a key that is not narrowed.
fn sees_everything(call: &Call) -> Result<(), Problem> {
    if call.caller.sites().is_none() {
        return Ok(());
    }
    let role = call.caller.role().map_or("?", Role::as_str);
    Err(Problem::new("auth.role_forbidden").with("role", role))
}
