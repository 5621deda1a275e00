//! A statement is to be fetched from the provider.

use chrono::NaiveDate;

use super::{ImportRequested, Provider, Reconciliation, Refusal, Status, begin, state::Scope};
use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, text::Slug};

/// Asks for the statement of a day. While one is on its way, nothing to do.
///
/// # Errors
/// [`Refusal`] when the day has not begun or is closed.
pub fn want(
    reconciliation: &Loaded<Reconciliation>,
    provider: Provider,
    account: Slug,
    day: NaiveDate,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let state = &reconciliation.state;
    let scope = Scope { provider, account, day };
    if state.scope.as_ref().is_some_and(|known| *known != scope) {
        return Err(Refusal::AnotherAccount);
    }
    if now < begin(day) {
        return Err(Refusal::NotBegun { day });
    }
    if state.status == Status::Closed {
        return Err(Refusal::AlreadyClosed);
    }
    if state.wanted {
        return Ok(Decision::nothing());
    }
    let Scope { provider, account, day } = scope;
    let wanted = ImportRequested { reconciliation_id: reconciliation.id, provider, account, day, by, at: now };
    Ok(Decision::nothing().then(reconciliation, wanted))
}
