//! Place a reservation: take the cells, and ask for the money or record it, in one decision.

use chrono::Duration;

use super::{Channel, Code, Grounds, Held, Purpose, Refusal, Reservation, Slot, confirm};
use crate::{
    Timestamp,
    actor::{Actor, Role},
    aggregate::Loaded,
    client::Client,
    contract::Contract,
    decision::{Decision, Read},
    ids::ClientId,
    payment::{self, Method, Payment, Record, Spend},
    policy::Policy,
    quote::Price,
};

/// A wish for a slot that [`crate::site::check`] allowed at a price that [`crate::quote::price`] made.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// A new stream.
    pub reservation: &'a Loaded<Reservation>,
    pub slot: Slot,
    pub price: Price,
    /// The policy of the site, to be snapshotted.
    pub policy: Policy,
    /// The contract of the site, to be frozen.
    pub contract: Contract,
    /// The site as it was checked: it must not have moved until this is written.
    pub site: Read,
    pub client_id: Option<ClientId>,
    pub channel: Channel,
    pub code: Code,
    pub pays: Pays<'a>,
    pub by: Actor,
    pub now: Timestamp,
}

/// What happens about money when the reservation is placed. The amount is ours to say: deposit or whole price.
#[derive(Clone, Copy, Debug)]
pub enum Pays<'a> {
    /// Nothing yet: only the hold.
    Later,
    /// A checkout at a provider; `purpose` is the deposit or the whole price.
    Online { payment: &'a Loaded<Payment>, method: Method, purpose: Purpose },
    /// The manager has the money, or vouches for it: confirmed at once.
    Recorded { payment: &'a Loaded<Payment>, method: Method, purpose: Purpose },
    /// From what we hold of the client's: confirmed at once.
    Credit { payment: &'a Loaded<Payment>, client: &'a Loaded<Client>, purpose: Purpose },
}

impl Place<'_> {
    /// # Errors
    /// [`Refusal`] when the stream exists, the actor may not use the channel, or the payment cannot be asked for.
    pub fn decide(self) -> Result<Decision, Refusal> {
        if self.reservation.version > 0 {
            return Err(Refusal::AlreadyPlaced);
        }
        self.check_role()?;
        let held = self.held();
        let mut placed = self.reservation.clone();
        placed.apply(held.clone().into());
        let decision = Decision { reads: vec![self.site], ..Decision::default() }.then(self.reservation, held.clone());
        let purpose = match self.pays {
            Pays::Later => Purpose::Deposit,
            Pays::Online { purpose, .. } | Pays::Recorded { purpose, .. } | Pays::Credit { purpose, .. } => purpose,
        };
        // A price or deposit of zero has nothing to wait for.
        if placed.state.due(purpose).is_zero() {
            let confirmed = confirm::confirmed(&placed.state, &held, Grounds::Free, self.now);
            return Ok(decision.then(self.reservation, confirmed));
        }
        match self.pays {
            Pays::Later => Ok(decision),
            Pays::Online { payment, method, purpose } => {
                let request = payment::Request { reservation: &placed, payment, method, purpose, by: self.by };
                Ok(decision.and(request.ask(self.now)?))
            }
            Pays::Recorded { payment, method, purpose } => {
                let amount = placed.state.due(purpose);
                let record = Record { reservation: &placed, payment, method, amount, by: self.by, now: self.now };
                Ok(decision.and(record.decide()?))
            }
            Pays::Credit { payment, client, purpose } => {
                let (by, now, share_id) = (self.by, self.now, None);
                let spend = Spend { reservation: &placed, payment, client, purpose, share_id, by, now };
                Ok(decision.and(spend.decide()?))
            }
        }
    }

    fn check_role(&self) -> Result<(), Refusal> {
        let role = self.by.role;
        let may = match self.channel {
            Channel::Online => matches!(role, Role::Client | Role::Service),
            Channel::Manual => matches!(role, Role::Manager | Role::Service),
        };
        if may { Ok(()) } else { Err(Refusal::RoleNotAllowed { role }) }
    }

    fn held(&self) -> Held {
        let lasts = self.now + Duration::seconds(i64::from(self.policy.hold_seconds));
        let start = self.slot.during.from();
        Held {
            reservation_id: self.reservation.id,
            slot: self.slot.clone(),
            client_id: self.client_id,
            channel: self.channel,
            placed_by: self.by,
            price: self.price.clone(),
            policy: self.policy.clone(),
            contract: self.contract.clone(),
            code: self.code.clone(),
            // A hold never outlives the start of the slot it protects; a manual one may begin after it.
            hold_expires_at: if self.now < start { lasts.min(start) } else { lasts },
            held_on: self.now.with_timezone(&self.slot.time_zone).date_naive(),
            at: self.now,
        }
    }
}
