//! The public profile of a site changes.

use crate::{aggregate::Loaded, decision::Decision};

use super::{Described, Invalid, Profile, Refusal, Site, invalid::at_most};

/// Longest list of house rules or notes.
const MOST_NOTES: usize = 50;

/// Replaces the profile.
///
/// # Errors
/// [`Refusal::Unknown`] before registration, [`Refusal::Invalid`] when it contradicts itself.
pub fn describe(site: &Loaded<Site>, profile: Profile) -> Result<Decision, Refusal> {
    let identity = site.state.identity.as_ref().ok_or(Refusal::Unknown)?;
    check_profile(&profile)?;
    if identity.profile == profile {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, Described { site_id: site.id, profile }))
}

pub(super) fn check_profile(profile: &Profile) -> Result<(), Invalid> {
    at_most("house_rules", profile.house_rules.len(), MOST_NOTES)?;
    at_most("notes", profile.notes.len(), MOST_NOTES)?;
    super::invalid::distinct("payment method", profile.payment_methods.iter().map(|method| method.as_str()))?;
    if profile.area_m2.is_some_and(|area| !area.is_finite() || area <= 0.0) {
        return Err(Invalid::Area);
    }
    let country = profile.country.as_str();
    if country.len() != 2 || !country.bytes().all(|letter| letter.is_ascii_uppercase()) {
        return Err(Invalid::Country);
    }
    Ok(())
}
