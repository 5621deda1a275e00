//! What a reservation took of a budget comes back: nobody got the discount.

use crate::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    reservation::{Reservation, Status},
};

use super::{Promotion, Refusal, Released};

/// Gives the part of a reservation back to the budget, when its hold ended unpaid or it was called off and the site keeps
/// nothing. In any other state, and again, nothing to do.
///
/// # Errors
/// Never at present; the type is that of every verb.
pub fn release(
    promotion: &Loaded<Promotion>,
    reservation: &Loaded<Reservation>,
    now: Timestamp,
) -> Result<Decision, Refusal> {
    let Some(redemption) = promotion.state.redemptions.get(&reservation.id) else { return Ok(Decision::nothing()) };
    let over = match reservation.state.status {
        Status::Expired => true,
        Status::Cancelled => reservation.state.held_money().is_zero(),
        _ => false,
    };
    if !over {
        return Ok(Decision::nothing());
    }
    let released = Released {
        promotion_id: promotion.id,
        reservation_id: reservation.id,
        site_id: redemption.site_id,
        discount: redemption.discount,
        at: now,
    };
    // It may be confirmed at this very moment, by money that came late.
    Ok(Decision::nothing().then(promotion, released).relying_on(reservation))
}
