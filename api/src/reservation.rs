//! Reservations: placed, paid, moved, called off, let in.

mod alternatives;
mod body;
mod cancel;
mod check_in;
mod follow;
mod history;
mod list;
mod pay;
mod place;
mod placing;
mod reschedule;
mod show;
mod split;
mod ticket;
mod wish;

use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::{PaymentId, RefundId, ReservationId},
    key::Scope,
    payment::Payment,
    reservation::{Channel, Reservation, Source},
    site::Site,
};

pub use alternatives::Alternatives;
pub use body::ReservationBody;
pub use follow::{Owners, sees};
pub use placing::accepted;
pub use ticket::TicketKeys;
pub use wish::Wish;

use crate::{
    http::{
        call::{Call, Object},
        operation::{Authz, Operation, Over},
    },
    problem::Problem,
};

pub const OPERATIONS: &[&Operation] = &[
    &place::PLACE,
    &place::PUT,
    &list::LIST,
    &show::SHOW,
    &history::HISTORY,
    &follow::FOLLOW,
    &split::SPLIT,
    &split::SHOW_SPLIT,
    &pay::PAY,
    &cancel::CANCEL,
    &reschedule::RESCHEDULE,
    &check_in::CHECK_IN,
    &check_in::CHECK_IN_ANY,
    &ticket::SHOW,
    &ticket::PNG,
    &ticket::KEYS,
];

/// Who makes and changes reservations.
const BOOKS: Authz = Authz::Keys {
    scope: Scope::ReservationsWrite,
    roles: &[(Role::Client, Over::Own), (Role::Manager, Over::Sites), (Role::Service, Over::MadeOrSites)],
};

/// Who reads them.
pub const READS: Authz = Authz::Keys {
    scope: Scope::ReservationsRead,
    roles: &[
        (Role::Client, Over::Own),
        (Role::Gatekeeper, Over::SitesToday),
        (Role::Cashier, Over::Sites),
        (Role::Manager, Over::Sites),
        (Role::Service, Over::MadeOrSites),
        (Role::Support, Over::All),
        (Role::Finance, Over::All),
        (Role::Admin, Over::All),
        (Role::Auditor, Over::All),
    ],
};

impl Call {
    /// How this caller books: a manager as quick as a phone call, everybody else under the rules of the house.
    pub fn channel(&self) -> Channel {
        if self.caller.role() == Some(Role::Manager) { Channel::Manual } else { Channel::Online }
    }

    /// Whether the caller may book at this site: clients anywhere, managers at their own, services where their key says.
    ///
    /// # Errors
    /// `object.not_found`.
    pub fn may_book_at(&self, site: &Loaded<Site>) -> Result<(), Problem> {
        match self.caller.role() {
            Some(Role::Manager) => self.may_touch(&crate::site::object(site)),
            _ if self.caller.sites().is_none_or(|sites| sites.contains(&site.id)) => Ok(()),
            _ => Err(Problem::new("object.not_found")),
        }
    }

    /// The reservation of the path, if the caller may touch it: as it is in the log now.
    ///
    /// # Errors
    /// `object.not_found`.
    pub async fn own_reservation(&self) -> Result<Loaded<Reservation>, Problem> {
        let id = ReservationId::new(self.uuid("id")?);
        let reservation: Loaded<Reservation> = self.app.store.load(id).await.map_err(not_found_if_other)?;
        self.may_touch(&self.object_of(&reservation).await?)?;
        Ok(reservation)
    }

    /// Whose a reservation is.
    ///
    /// # Errors
    /// `object.not_found` before it is placed.
    pub async fn object_of(&self, reservation: &Loaded<Reservation>) -> Result<Object, Problem> {
        let terms = reservation.state.terms.as_ref().ok_or_else(|| Problem::new("object.not_found"))?;
        let site = self.app.store.recall::<Site>(terms.slot.site_id).await?;
        Ok(Object {
            client: terms.client_id.map(|client| client.uuid()),
            made_by: terms.placed_by.id.map(|principal| principal.uuid()),
            today: crate::site::is_of_today(&site, terms.slot.during, self.now()),
            ..crate::site::object(&site)
        })
    }

    /// The payments with money in a reservation.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn paying(&self, reservation: &Reservation) -> Result<Vec<Loaded<Payment>>, Problem> {
        let mut payments = Vec::new();
        for id in reservation.paying() {
            payments.push(self.app.store.load::<Payment>(PaymentId::new(id.uuid())).await?);
        }
        Ok(payments)
    }

    /// Those payments with an id each for the refund they may get.
    pub fn sources<'a>(&self, payments: &'a [Loaded<Payment>]) -> Vec<Source<'a>> {
        payments.iter().map(|payment| Source { payment, refund_id: RefundId::new(self.new_id()) }).collect()
    }
}

/// An id of something else names no reservation.
pub fn not_found_if_other(error: eventstore::LoadError) -> Problem {
    match error {
        eventstore::LoadError::OtherNoun { .. } => Problem::new("object.not_found"),
        other => other.into(),
    }
}
