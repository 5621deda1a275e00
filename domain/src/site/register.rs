//! A site enters the catalogue.

use chrono_tz::Tz;

use crate::{aggregate::Loaded, decision::Decision, ids::PrincipalId, money::Currency, text::Slug};

use super::{Profile, Refusal, Registered, Site, describe::check_profile};

/// What a site is called, whose it is, and where its clock and its money are from.
#[derive(Clone, Debug, PartialEq)]
pub struct Registration {
    pub slug: Slug,
    pub manager_id: PrincipalId,
    pub time_zone: Tz,
    pub currency: Currency,
    pub profile: Profile,
}

/// Registers a site. That a slug belongs to one site is kept by the guard.
///
/// # Errors
/// [`Refusal::AlreadyRegistered`] when it exists with other contents; the same again is nothing to do.
/// [`Refusal::Invalid`] when the profile contradicts itself.
pub fn register(site: &Loaded<Site>, wanted: Registration) -> Result<Decision, Refusal> {
    check_profile(&wanted.profile)?;
    if let Some(identity) = &site.state.identity {
        let same = identity.slug == wanted.slug
            && identity.manager_id == wanted.manager_id
            && identity.time_zone == wanted.time_zone
            && identity.currency == wanted.currency
            && identity.profile == wanted.profile;
        return if same { Ok(Decision::nothing()) } else { Err(Refusal::AlreadyRegistered) };
    }
    let Registration { slug, manager_id, time_zone, currency, profile } = wanted;
    Ok(Decision::nothing().then(site, Registered { site_id: site.id, slug, manager_id, time_zone, currency, profile }))
}
