//! A site stays listed but cannot be booked for a while; what is booked stays booked.

use crate::{aggregate::Loaded, decision::Decision, text::Note};

use super::{Refusal, Resumed, Site, Suspended};

/// Stops bookings. A reason is compulsory (domain.md, People).
///
/// # Errors
/// [`Refusal::Unknown`] before registration.
pub fn suspend(site: &Loaded<Site>, reason: Note) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if site.state.suspended.as_ref().is_some_and(|suspension| suspension.reason == reason) {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, Suspended { site_id: site.id, reason }))
}

/// Lets bookings in again.
///
/// # Errors
/// [`Refusal::Unknown`] before registration.
pub fn resume(site: &Loaded<Site>) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    if site.state.suspended.is_none() {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, Resumed { site_id: site.id }))
}
