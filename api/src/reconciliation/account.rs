//! Whose account: the platform's, or a manager's own by its name.

use domain::{
    actor::Role,
    payment::Method,
    reconciliation::{MAIN, Provider, merchant_account},
    text::Slug,
};

use projections::reconciliation::is_known;

use crate::{
    http::{
        call::Call,
        operation::{Kind, Param},
    },
    problem::Problem,
};

/// Of one day.
pub(super) const ACCOUNT: Param = Param::new(
    "account",
    Kind::Text,
    "The manager's own account of that name; `main`, the platform's, when left out.",
    "fatou",
)
.checked("the accounts there are at the provider");

/// Whoever sees what lies on a manager's own account (docs/reconciliation.md).
pub(super) fn sees_managers(call: &Call) -> bool {
    matches!(call.caller.role(), Some(Role::Finance | Role::Auditor))
}

/// The account that was asked for at one of these providers; `None` when none was.
///
/// # Errors
/// `reconciliation.unknown_account` for one that is neither in the settings nor in the log, `auth.role_forbidden` for whoever
/// sees the platform's alone.
pub(super) async fn asked_for(call: &Call, providers: &[Provider]) -> Result<Option<Slug>, Problem> {
    let Some(asked) = call.query.text("account") else { return Ok(None) };
    let settings = &call.app.settings;
    let methods: Vec<Method> = providers.iter().flat_map(|provider| provider.methods()).copied().collect();
    let at = |account: &Slug| settings.methods_of(Some(account)).iter().any(|method| methods.contains(method));
    let account = Slug::new(asked).ok();
    if let Some(account) = &account
        && merchant_account(account).is_none()
    {
        return Ok(Some(account.clone()));
    }
    if !sees_managers(call) {
        let role = call.caller.role().map_or("?", Role::as_str);
        return Err(Problem::new("auth.role_forbidden").with("role", role));
    }
    if let Some(account) = account {
        // One that is no longer in the settings still has its past.
        let pool = call.app.store.pool();
        if at(&account) || is_known(pool, &account, &methods).await.map_err(Problem::from)? {
            return Ok(Some(account));
        }
    }
    let there = settings.accounts.keys().filter(|account| at(account)).map(Slug::as_str);
    let there: Vec<&str> = [MAIN].into_iter().chain(there).collect();
    Err(Problem::new("reconciliation.unknown_account").with("value", there.join(", ")).member("accounts", there))
}

/// Of which account a list is: of all when none was asked for, of the platform's for whoever sees no other.
pub(super) async fn filter(call: &Call, providers: &[Provider]) -> Result<Option<Slug>, Problem> {
    match asked_for(call, providers).await? {
        None if !sees_managers(call) => Slug::new(MAIN).map(Some).map_err(|_| Problem::new("server.error")),
        asked => Ok(asked),
    }
}
