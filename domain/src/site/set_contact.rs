//! Where the manager hears of bookings.

use crate::{aggregate::Loaded, decision::Decision, ids::PrincipalId, sealed::Sealed};

use super::{Contact, ContactSet, Refusal, Site};

/// Replaces the contact, already sealed under the manager's own key by the edge.
///
/// # Errors
/// [`Refusal::Unknown`] before registration.
pub fn set_contact(
    site: &Loaded<Site>,
    subject: PrincipalId,
    phone: Option<Sealed>,
    email: Option<Sealed>,
) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    let contact = Contact { subject, phone, email };
    if site.state.contact.as_ref() == Some(&contact) {
        return Ok(Decision::nothing());
    }
    let Contact { subject, phone, email } = contact;
    Ok(Decision::nothing().then(site, ContactSet { site_id: site.id, subject, phone, email }))
}
