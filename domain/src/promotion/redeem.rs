//! A code takes something off a price, and its budget is less by that.

use chrono::{Datelike, Weekday};

use crate::{
    Timestamp,
    aggregate::Loaded,
    decision::Decision,
    ids::{ClientId, PitchId, ReservationId, SiteId},
    interval::Interval,
    money::Money,
    policy::Policy,
    quote::{Discount, Price},
    site::{Format, Site},
};

use super::{Promotion, Redeemed, Reduction, Refusal, Terms};

/// What a code is asked for: where, what, and on which day of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fit {
    pub site_id: SiteId,
    pub format: Format,
    /// Of the opening window in which it begins.
    pub day: Weekday,
}

impl Fit {
    /// Of an interval on a pitch; `None` when there is no such pitch.
    pub fn of(site: &Loaded<Site>, pitch: PitchId, during: Interval) -> Option<Self> {
        let zone = site.state.identity.as_ref()?.time_zone;
        let format = site.state.pitch(pitch)?.format.clone();
        let openings = site.state.hours.covering(zone, during);
        let opened = openings.as_ref().and_then(|openings| openings.first()).map(|opening| opening.day);
        let day = opened.unwrap_or_else(|| during.from().with_timezone(&zone).date_naive()).weekday();
        Some(Self { site_id: site.id, format, day })
    }
}

/// A wish to use a code.
#[derive(Clone, Debug)]
pub struct Redeem<'a> {
    pub promotion: &'a Loaded<Promotion>,
    pub fit: &'a Fit,
    /// Without a discount.
    pub price: &'a Price,
    /// Says what the deposit of the lower price is.
    pub policy: &'a Policy,
    /// Who plays, as far as it is known.
    pub client_id: Option<ClientId>,
    pub now: Timestamp,
}

impl Redeem<'_> {
    /// The price with the discount, for a quote: nothing is taken of the budget yet.
    ///
    /// # Errors
    /// [`Refusal`] when the code does not count for this, or nothing is left of it.
    pub fn quote(&self) -> Result<Price, Refusal> {
        let discount = self.discount()?;
        let taken_off = Discount {
            promotion_id: self.promotion.id,
            // The terms are those of the first event.
            promotion_version: 1,
            amount: Money::zero(discount.currency).minus(discount)?,
        };
        Ok(self.price.reduced(taken_off, self.policy)?)
    }

    /// The same, and the budget is less by it: to be written with the reservation, in one decision. A discount of nothing
    /// redeems nothing.
    ///
    /// # Errors
    /// As [`Self::quote`]; [`Refusal::ClientRequired`] for nobody in particular where clients are counted.
    pub fn decide(&self, reservation_id: ReservationId) -> Result<(Price, Decision), Refusal> {
        let price = self.quote()?;
        let counted = self.promotion.state.terms.as_ref().is_some_and(|terms| terms.uses_per_client.is_some());
        if counted && self.client_id.is_none() {
            return Err(Refusal::ClientRequired);
        }
        let (site_id, client_id, discount) = (self.fit.site_id, self.client_id, self.discount()?);
        let decision = redeemed(self.promotion, reservation_id, site_id, client_id, discount, self.now);
        Ok((price, decision))
    }

    fn discount(&self) -> Result<Money, Refusal> {
        let state = &self.promotion.state;
        let terms = state.terms.as_ref().ok_or(Refusal::Invalid)?;
        let elsewhere = state.site_id.is_some_and(|site_id| site_id != self.fit.site_id);
        let total = self.price.total;
        if elsewhere || state.ended_at.is_some() || !terms.valid.contains(self.now) || terms.currency != total.currency
        {
            return Err(Refusal::Invalid);
        }
        terms.suits(self.fit, total)?;
        let discount = terms.taken_off(total)?;
        state.has_room(self.client_id, discount)?;
        Ok(discount)
    }
}

impl Terms {
    fn suits(&self, fit: &Fit, total: Money) -> Result<(), Refusal> {
        if !self.formats.is_empty() && !self.formats.contains(&fit.format) {
            return Err(Refusal::OtherFormat { formats: self.formats.iter().map(ToString::to_string).collect() });
        }
        if !self.days.is_empty() && !self.days.contains(&fit.day) {
            return Err(Refusal::OtherDay { days: self.days.iter().map(ToString::to_string).collect() });
        }
        match self.minimum_total {
            Some(least) if total.compare(least)?.is_lt() => Err(Refusal::BelowMinimum { least }),
            _ => Ok(()),
        }
    }

    /// What it takes off: a percentage is rounded down to a whole unit, and nothing costs less than nothing.
    fn taken_off(&self, total: Money) -> Result<Money, Refusal> {
        Ok(match self.reduction {
            Reduction::Percent { basis_points } => {
                let part = (i128::from(total.amount) * i128::from(basis_points.0)).div_euclid(10_000);
                Money::new(i64::try_from(part).unwrap_or(i64::MAX), total.currency).min(total)?
            }
            Reduction::Fixed { amount } => amount.min(total)?,
        })
    }
}

impl Promotion {
    /// Whether a discount still fits into what is left.
    fn has_room(&self, client_id: Option<ClientId>, discount: Money) -> Result<(), Refusal> {
        let (Some(terms), Some(given)) = (&self.terms, self.given()) else { return Err(Refusal::Invalid) };
        let above = match terms.budget {
            Some(budget) => given.plus(discount)?.compare(budget)?.is_gt(),
            None => false,
        };
        if above || terms.uses.is_some_and(|most| self.uses() >= most) {
            return Err(Refusal::Exhausted);
        }
        match (terms.uses_per_client, client_id) {
            (Some(most), Some(client_id)) if self.uses_of(client_id) >= most => Err(Refusal::ClientLimit { most }),
            _ => Ok(()),
        }
    }
}

/// The discount of a reservation whose hold had ended and that is to be confirmed after all, at the price it was quoted: it
/// stands, or it is taken of the budget again if that has room. The decision is to be written with the confirmation; `None` when
/// others have used up what came back.
///
/// # Errors
/// [`Refusal`] for amounts that cannot be added.
pub fn stands(
    promotion: &Loaded<Promotion>,
    reservation_id: ReservationId,
    site_id: SiteId,
    client_id: Option<ClientId>,
    discount: Money,
    now: Timestamp,
) -> Result<Option<Decision>, Refusal> {
    if promotion.state.redemptions.contains_key(&reservation_id) {
        // It must not be given up at this very moment.
        return Ok(Some(Decision::nothing().relying_on(promotion)));
    }
    match promotion.state.has_room(client_id, discount) {
        Ok(()) => Ok(Some(redeemed(promotion, reservation_id, site_id, client_id, discount, now))),
        Err(Refusal::Exhausted | Refusal::ClientLimit { .. } | Refusal::Invalid) => Ok(None),
        Err(other) => Err(other),
    }
}

fn redeemed(
    promotion: &Loaded<Promotion>,
    reservation_id: ReservationId,
    site_id: SiteId,
    client_id: Option<ClientId>,
    discount: Money,
    at: Timestamp,
) -> Decision {
    if discount.is_zero() {
        return Decision::nothing().relying_on(promotion);
    }
    let promotion_id = promotion.id;
    let redeemed = Redeemed { promotion_id, reservation_id, site_id, client_id, discount, at };
    Decision::nothing().then(promotion, redeemed)
}
