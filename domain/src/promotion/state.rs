//! What a promotion is, folded from its events.

use std::collections::BTreeMap;

use crate::{
    Timestamp,
    aggregate::Aggregate,
    ids::{ClientId, ReservationId, SiteId},
    money::Money,
};

use super::{Event, Terms};

/// What one reservation has of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Redemption {
    pub site_id: SiteId,
    pub client_id: Option<ClientId>,
    pub discount: Money,
}

/// A code as it stands. Absent until [`super::Created`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Promotion {
    pub terms: Option<Terms>,
    /// `None` for every site.
    pub site_id: Option<SiteId>,
    pub created_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// What counts against the budget.
    pub redemptions: BTreeMap<ReservationId, Redemption>,
    /// The sum of it, in the currency of the terms.
    given: i64,
    /// How often it was given by client.
    by_client: BTreeMap<ClientId, u32>,
}

impl Aggregate for Promotion {
    type Id = crate::ids::PromotionId;
    type Event = Event;

    fn select(event: crate::event::Event) -> Option<Event> {
        match event {
            crate::event::Event::Promotion(event) => Some(event),
            _ => None,
        }
    }

    fn evolve(&mut self, event: Event) {
        match event {
            Event::Created(created) => {
                self.site_id = created.site_id;
                self.created_at = Some(created.at);
                self.terms = Some(created.terms);
            }
            Event::Ended(ended) => self.ended_at = Some(ended.at),
            Event::Redeemed(redeemed) => {
                let super::Redeemed { reservation_id, site_id, client_id, discount, .. } = redeemed;
                self.give_up(reservation_id);
                self.given = self.given.saturating_add(discount.amount);
                if let Some(client_id) = client_id {
                    *self.by_client.entry(client_id).or_default() += 1;
                }
                self.redemptions.insert(reservation_id, Redemption { site_id, client_id, discount });
            }
            Event::Released(released) => self.give_up(released.reservation_id),
        }
    }
}

impl Promotion {
    fn give_up(&mut self, reservation_id: ReservationId) {
        let Some(redemption) = self.redemptions.remove(&reservation_id) else { return };
        self.given = self.given.saturating_sub(redemption.discount.amount);
        if let Some(times) = redemption.client_id.and_then(|client_id| self.by_client.get_mut(&client_id)) {
            *times = times.saturating_sub(1);
        }
    }

    /// What it gave and did not get back; `None` while absent.
    pub fn given(&self) -> Option<Money> {
        self.terms.as_ref().map(|terms| Money::new(self.given, terms.currency))
    }

    /// How often it is used, what came back left out.
    pub fn uses(&self) -> u32 {
        u32::try_from(self.redemptions.len()).unwrap_or(u32::MAX)
    }

    /// How often one client uses it.
    pub fn uses_of(&self, client_id: ClientId) -> u32 {
        self.by_client.get(&client_id).copied().unwrap_or_default()
    }
}
