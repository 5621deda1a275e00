//! Move a reservation: the old cells are freed and the new ones taken in one step, the deposit follows.

use chrono::Duration;

use super::{Held, Refusal, Rescheduled, Reservation, Slot, Source, Status, confirm, money_back};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::{Decision, Read},
    money::Money,
    quote::Price,
    refund::Reason,
};

/// A wish to play at another time or on another pitch of the site.
#[derive(Clone, Debug)]
pub struct Reschedule<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// Allowed by [`crate::site::check`].
    pub to: Slot,
    /// Of the new slot.
    pub price: Price,
    /// The site as it was checked: it must not have moved until this is written.
    pub site: Read,
    /// Every payment with money in it ([`Reservation::paying`]).
    pub sources: &'a [Source<'a>],
    pub by: Actor,
    pub now: Timestamp,
}

/// What a move would mean, in money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The new price.
    pub total: Money,
    /// Received above the new price: goes back.
    pub refund: Money,
    /// What the new price adds to what is still to pay.
    pub difference: Money,
}

impl Reschedule<'_> {
    /// The money, without writing anything.
    ///
    /// # Errors
    /// [`Refusal`] as the move itself would be refused.
    pub fn preview(&self) -> Result<Preview, Refusal> {
        let terms = self.check()?;
        let (old, new) = (terms.price.total, self.new_price(terms)?.total);
        let held = self.reservation.state.held_money();
        let zero = Money::zero(new.currency);
        let above =
            |more: Money, less: Money| more.minus(less).map(|rest| if rest.is_positive() { rest } else { zero });
        Ok(Preview { total: new, refund: above(held, new)?, difference: above(new, old)? })
    }

    /// # Errors
    /// [`Refusal`] when it is not confirmed, too late, moved too often already, or leaves the site.
    pub fn decide(self) -> Result<Decision, Refusal> {
        let terms = self.check()?;
        if self.to == terms.slot {
            return Ok(Decision::nothing());
        }
        let state = &self.reservation.state;
        let refunds = money_back::shares(state, self.sources, self.preview()?.refund)?;
        let paid_back = money_back::pay_back(&refunds, self.sources, Reason::Reschedule, self.now)?;
        let moved = Rescheduled {
            reservation_id: self.reservation.id,
            client_id: terms.client_id,
            from: terms.slot.clone(),
            agenda: confirm::agenda(&self.to, &terms.policy),
            price: self.new_price(terms)?,
            to: self.to,
            by: self.by,
            refunds,
            at: self.now,
        };
        let moving = Decision { reads: vec![self.site], ..Decision::default() }.then(self.reservation, moved);
        Ok(moving.and(paid_back))
    }

    /// The deposit and the discount follow.
    fn new_price(&self, terms: &Held) -> Result<Price, Refusal> {
        let price = self.price.clone().discounted_as(&terms.price)?;
        Ok(Price { deposit: terms.price.deposit.min(price.total)?, ..price })
    }

    fn check(&self) -> Result<&Held, Refusal> {
        let state = &self.reservation.state;
        let Some(terms) = &state.terms else { return Err(Refusal::NotFound) };
        if state.status != Status::Confirmed {
            return Err(Refusal::NotConfirmed { status: state.status });
        }
        if self.to.site_id != terms.slot.site_id {
            return Err(Refusal::OtherSite);
        }
        match self.by.role {
            // Whoever runs the site may always move a reservation.
            Role::Manager => Ok(terms),
            Role::Client | Role::Service => self.check_limits(terms).map(|()| terms),
            role => Err(Refusal::RoleNotAllowed { role }),
        }
    }

    fn check_limits(&self, terms: &Held) -> Result<(), Refusal> {
        let version = self.reservation.state.policy_version;
        let (minutes, allowed) = (terms.policy.reschedule_minutes, terms.policy.free_reschedules);
        let latest = terms.slot.during.from() - Duration::minutes(i64::from(minutes));
        if latest < self.now {
            return Err(Refusal::TooLateToReschedule { latest, minutes, version });
        }
        if self.reservation.state.reschedules >= allowed {
            return Err(Refusal::ReschedulesUsed { allowed, version });
        }
        Ok(())
    }
}
