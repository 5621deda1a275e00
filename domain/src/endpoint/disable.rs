//! An endpoint is no longer sent to.

use crate::{Timestamp, actor::Actor, aggregate::Loaded, decision::Decision, text::Note};

use super::{Disabled, Endpoint, Why};

/// Stops sending. Nothing to do for what is not sent to anyway.
pub fn disable(endpoint: &Loaded<Endpoint>, why: Why, last: Option<Note>, now: Timestamp) -> Decision {
    if endpoint.state.open().is_none() {
        return Decision::nothing();
    }
    let disabled = Disabled { endpoint_id: endpoint.id, why, last, by: Actor::SYSTEM, at: now };
    Decision::nothing().then(endpoint, disabled)
}
