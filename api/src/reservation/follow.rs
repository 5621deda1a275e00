//! Reservations as they move: server-sent events for whoever sees only their own.

use std::collections::HashMap;

use domain::{
    actor::Role,
    aggregate::Loaded,
    ids::{ReservationId, SiteId},
    key::Scope,
    reservation::{self, Reservation},
};
use eventstore::Recorded;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::{
    event::{EventBody, Filter, Sight, begin},
    http::{
        call::{Call, Object},
        halt::Halt,
        operation::{Authz, Kind, Operation, Over, Param, Shape, Success},
        reply::{EVENT_STREAM, Reply},
    },
    problem::Problem,
    site,
};

pub const FOLLOW: Operation = Operation {
    id: "reservation.follow",
    path: "/v1/reservations/stream",
    summary: "Your reservations as they move",
    about: "Server-sent events of the reservations that you may read, as `/v1/events/stream` tells them: `id` is the position, \
            `event` the type, `data` the event. Begins after `Last-Event-ID` or `after`, without either with what happens from \
            now on. Connect again whenever it ends; nothing is lost and nothing comes twice.",
    authz: Authz::Keys {
        scope: Scope::ReservationsRead,
        roles: &[(Role::Client, Over::Own), (Role::Manager, Over::Sites), (Role::Service, Over::MadeOrSites)],
    },
    query: &[Param::new("after", Kind::Integer { min: 0, max: i64::MAX }, "Position; 0 for the beginning.", "")],
    success: Success {
        media: EVENT_STREAM,
        shape: Some(Shape::of::<EventBody>()),
        about: "Messages whose `data` is such an object.",
        ..Operation::READ.success
    },
    refusals: &["event.too_many_streams", "position.beyond_head"],
    run: |call| Box::pin(follow(call)),
    ..Operation::READ
};

async fn follow(call: Call) -> Result<Reply, Halt> {
    begin(call, Filter::only(&[reservation::Event::ALL]), Sight::Reservations).await
}

/// Reservations whose owners are remembered.
const MOST: usize = 20_000;

/// Whose reservations are: said when they are placed, and never changed. For all streams of this process together, so that
/// an event is looked up once, however many listen.
#[derive(Default)]
pub struct Owners(Mutex<HashMap<Uuid, Owner>>);

#[derive(Clone, Copy)]
struct Owner {
    site: SiteId,
    client: Option<Uuid>,
    made_by: Option<Uuid>,
}

impl Owners {
    async fn of(&self, call: &Call, id: Uuid) -> Result<Option<Owner>, Problem> {
        // Held while it is looked up: who comes second finds it.
        let mut known = self.0.lock().await;
        if let Some(owner) = known.get(&id) {
            return Ok(Some(*owner));
        }
        let reservation: Loaded<Reservation> = call.app.store.load(ReservationId::new(id)).await?;
        let Some(terms) = &reservation.state.terms else { return Ok(None) };
        let owner = Owner {
            site: terms.slot.site_id,
            client: terms.client_id.map(|client| client.uuid()),
            made_by: terms.placed_by.id.map(|principal| principal.uuid()),
        };
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(id, owner);
        Ok(Some(owner))
    }
}

/// Whether the caller may read the reservation that an event is about.
///
/// # Errors
/// When the log cannot be read.
pub async fn sees(call: &Call, recorded: &Recorded) -> Result<bool, Problem> {
    let Some(owner) = call.app.owners.of(call, recorded.stream_id).await? else { return Ok(false) };
    let site = call.app.store.recall::<domain::site::Site>(owner.site).await?;
    let object = Object { client: owner.client, made_by: owner.made_by, ..site::object(&site) };
    Ok(call.caller.may_touch(call.operation, &object))
}
