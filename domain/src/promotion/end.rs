//! A code counts no longer.

use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    text::Note,
};

use super::{Ended, Promotion, Refusal};

/// Ends a promotion; what was redeemed with it stays as it is. Again is nothing to do.
///
/// # Errors
/// [`Refusal::Invalid`] before it was created, [`Refusal::RoleNotAllowed`] for who could not have made it.
pub fn end(
    promotion: &Loaded<Promotion>,
    reason: Option<Note>,
    by: Actor,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Some(terms) = &promotion.state.terms else { return Err(Refusal::Invalid) };
    let may = match promotion.state.site_id {
        Some(_) => matches!(by.role, Role::Manager | Role::Service),
        None => by.role == Role::Finance,
    };
    if !may || by.id.is_none() {
        return Err(Refusal::RoleNotAllowed { role: by.role });
    }
    if promotion.state.ended_at.is_some() {
        return Ok(Decision::nothing());
    }
    let (site_id, code) = (promotion.state.site_id, terms.code.clone());
    Ok(Decision::nothing().then(promotion, Ended { promotion_id: promotion.id, site_id, code, reason, by, at: now }))
}
