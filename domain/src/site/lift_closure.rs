//! Closed cells can be sold again. Reservations that the closure called off stay called off.

use crate::{aggregate::Loaded, decision::Decision, ids::ClosureId};

use super::{ClosureLifted, Refusal, Site};

/// Lifts a closure.
///
/// # Errors
/// [`Refusal::UnknownClosure`] when the site has none of this id, or it was lifted.
pub fn lift_closure(site: &Loaded<Site>, closure_id: ClosureId) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if !site.state.closures.contains_key(&closure_id) {
        return Err(Refusal::UnknownClosure(closure_id));
    }
    Ok(Decision::nothing().then(site, ClosureLifted { site_id: site.id, closure_id }))
}
