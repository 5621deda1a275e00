//! Where a site is paid, and what of its money stays with the platform while a dispute is open.

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    money::Money,
    payment::Method,
    text::Note,
};

use super::{Destination, Invalid, PayoutAccountSet, PayoutsHeld, PayoutsReleased, Refusal, Site};

/// Replaces the account that the site is paid to, sealed under the manager's own key by the edge. Contract matter: an admin's.
///
/// # Errors
/// [`Refusal::Unknown`] before registration, [`Refusal::RoleNotAllowed`] and [`Refusal::NameRequired`] for anybody but an
/// admin with a name, [`Invalid::PayoutMethod`] for a method that nothing can be sent by.
pub fn set_payout_account(
    site: &Loaded<Site>,
    destination: Destination,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    by_name(site, by, &[Role::Admin])?;
    if matches!(destination.method, Method::Cash | Method::OnAccount | Method::Credit | Method::Card) {
        return Err(Invalid::PayoutMethod.into());
    }
    if site.state.payout_account.as_ref().is_some_and(|account| account.destination == destination) {
        return Ok(Decision::nothing());
    }
    let Destination { method, subject, account } = destination;
    Ok(Decision::nothing().then(site, PayoutAccountSet { site_id: site.id, method, subject, account, by, at: now }))
}

/// Keeps so much of the site's money out of payouts, or all of it. What was held before is replaced.
///
/// # Errors
/// As [`set_payout_account`], for finance and admins; [`Invalid::PayoutHold`] for an amount that is not positive or in
/// another currency.
pub fn hold_payouts(
    site: &Loaded<Site>,
    amount: Option<Money>,
    reason: Note,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    by_name(site, by, &[Role::Finance, Role::Admin])?;
    let currency = site.state.identity.as_ref().map(|identity| identity.currency);
    let fits = |amount: Money| amount.is_positive() && amount.bounded().is_ok() && Some(amount.currency) == currency;
    if !amount.is_none_or(fits) {
        return Err(Invalid::PayoutHold.into());
    }
    let same = |hold: &super::PayoutHold| hold.amount == amount && hold.reason == reason;
    if site.state.payout_hold.as_ref().is_some_and(same) {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, PayoutsHeld { site_id: site.id, amount, reason, by, at: now }))
}

/// Gives what was held back to the site: it is in the next payout.
///
/// # Errors
/// As [`hold_payouts`].
pub fn release_payouts(site: &Loaded<Site>, reason: Note, by: Actor, now: Timestamp) -> Result<Decision, Refusal> {
    by_name(site, by, &[Role::Finance, Role::Admin])?;
    if site.state.payout_hold.is_none() {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, PayoutsReleased { site_id: site.id, reason, by, at: now }))
}

fn by_name(site: &Loaded<Site>, by: Actor, roles: &[Role]) -> Result<(), Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if !roles.contains(&by.role) {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if by.id.is_none() {
        return Err(Refusal::NameRequired);
    }
    Ok(())
}
