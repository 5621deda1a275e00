//! Call a reservation off: who may, until when, and what goes back. The policy is the one agreed when it was placed.

use chrono::Duration;

use super::{CancelReason, Cancelled, Held, Refusal, Reservation, Source, Status, money_back};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    decision::Decision,
    money::Money,
    refund::Reason,
    text::Note,
};

/// A wish to call it off.
#[derive(Clone, Debug)]
pub struct Cancel<'a> {
    pub reservation: &'a Loaded<Reservation>,
    /// Every payment with money in it ([`Reservation::paying`]). Not needed for a preview.
    pub sources: &'a [Source<'a>],
    pub reason: CancelReason,
    /// Compulsory when whoever runs the site gives no better reason than that it is their wish.
    pub note: Option<Note>,
    pub by: Actor,
    pub now: Timestamp,
}

/// What a cancellation would mean, in money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Goes back to the client.
    pub refund: Money,
    /// Stays with the site.
    pub kept: Money,
    /// Until when the client could cancel and get everything back.
    pub free_until: Timestamp,
}

impl Cancel<'_> {
    /// The money, without writing anything.
    ///
    /// # Errors
    /// [`Refusal`] as the cancellation itself would be refused.
    pub fn preview(&self) -> Result<Preview, Refusal> {
        let terms = self.check()?;
        let state = &self.reservation.state;
        let held = state.held_money();
        // An unpaid or underpaid hold takes nothing from anybody: letting it end would give everything back, too.
        let kept = match state.status {
            Status::Held => Money::zero(held.currency),
            _ => kept_at_most(terms, self.reason, self.now).min(held)?,
        };
        Ok(Preview { refund: held.minus(kept)?, kept, free_until: free_until(terms) })
    }

    /// # Errors
    /// [`Refusal`] when it is not held, confirmed or (for the site's reasons) checked in, already over, or the actor may
    /// not give this reason.
    pub fn decide(self) -> Result<Decision, Refusal> {
        let state = &self.reservation.state;
        if state.status == Status::Cancelled {
            return Ok(Decision::nothing());
        }
        let terms = self.check()?;
        let refunds = money_back::shares(state, self.sources, self.preview()?.refund)?;
        let paid_back = money_back::pay_back(&refunds, self.sources, Reason::Cancellation, self.now)?;
        let gave_up = state.status == Status::Held && self.reason == CancelReason::Client;
        let cancelled = Cancelled {
            reservation_id: self.reservation.id,
            site_id: terms.slot.site_id,
            client_id: terms.client_id,
            reason: self.reason,
            note: self.note.clone(),
            by: self.by,
            kept: state.held_money().minus(money_back::total(state, &refunds)?)?,
            refunds,
            counts_on: if gave_up { terms.counts_on() } else { None },
            at: self.now,
        };
        Ok(Decision::default().then(self.reservation, cancelled).and(paid_back))
    }

    fn check(&self) -> Result<&Held, Refusal> {
        let state = &self.reservation.state;
        let Some(terms) = &state.terms else { return Err(Refusal::NotFound) };
        let role = self.by.role;
        let may = match self.reason {
            CancelReason::Client => matches!(role, Role::Client | Role::Service | Role::Manager),
            CancelReason::Manager | CancelReason::Weather | CancelReason::PowerCut => {
                matches!(role, Role::Manager | Role::Service)
            }
            CancelReason::Closure => matches!(role, Role::Manager | Role::Service | Role::Admin | Role::System),
        };
        if !may {
            return Err(Refusal::RoleNotAllowed { role });
        }
        if self.reason == CancelReason::Manager && self.note.is_none() {
            return Err(Refusal::ReasonRequired);
        }
        match state.status {
            Status::Held | Status::Confirmed => {}
            // The match was broken off: whoever runs the site gives everything back "at any time" (domain.md).
            Status::CheckedIn if self.reason != CancelReason::Client => {}
            status => return Err(Refusal::NotConfirmed { status }),
        }
        let end = terms.slot.during.to();
        if self.reason == CancelReason::Client && end <= self.now {
            return Err(Refusal::Over { at: end });
        }
        Ok(terms)
    }
}

fn free_until(terms: &Held) -> Timestamp {
    terms.slot.during.from() - Duration::minutes(i64::from(terms.policy.free_cancellation_minutes))
}

/// The most the site may keep of a reservation called off then and for this reason: the deposit when the client was
/// late, nothing otherwise. The balance always goes back. Also decides about money that lands after the cancellation.
pub(crate) fn kept_at_most(terms: &Held, reason: CancelReason, at: Timestamp) -> Money {
    let late = free_until(terms) < at;
    match reason {
        CancelReason::Client if late => terms.price.deposit,
        CancelReason::Client
        | CancelReason::Manager
        | CancelReason::Weather
        | CancelReason::PowerCut
        | CancelReason::Closure => Money::zero(terms.price.total.currency),
    }
}
