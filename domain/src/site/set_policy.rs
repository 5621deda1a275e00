//! The terms for reservations made from now on; those already made keep their snapshot.

use crate::{aggregate::Loaded, decision::Decision, policy::Policy};

use super::{PolicySet, Refusal, Site};

/// Replaces the policy.
///
/// # Errors
/// [`Refusal::Policy`] when a value is out of bounds.
pub fn set_policy(site: &Loaded<Site>, policy: Policy) -> Result<Decision, Refusal> {
    let identity = site.state.identity.as_ref().ok_or(Refusal::Unknown)?;
    policy.check(identity.currency)?;
    if site.state.terms.policy == policy {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, PolicySet { site_id: site.id, policy }))
}
