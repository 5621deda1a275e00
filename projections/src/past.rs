//! What the views said at an earlier position: the events of the streams in question become rows aside, by the same
//! projectors, and are asked with the same queries (design.md §3, `as_of`).
//!
//! Which streams belong together is taken from the live rows: links are only ever added, so those of today hold those of
//! any day before. The live rows must have reached the position that is asked about.

use domain::{
    ids::{CellId, PaymentId, RefundId, ReservationId, SiteId},
    interval::Interval,
};
use eventstore::Store;
use uuid::Uuid;

use crate::{
    Position,
    engine::{Aside, RunError},
    page::Found,
    payment::{self, Payment},
    refund::{self, Refund},
    reservation::{self, Reservation},
    schedule::{self, Standing},
};

/// A reservation with its money.
///
/// # Errors
/// [`RunError`].
pub async fn reservation(store: &Store, id: ReservationId, as_of: Position) -> Result<Found<Reservation>, RunError> {
    let mut aside = money(store, id, as_of).await?;
    Ok(reservation::find(aside.connection(), id).await?)
}

/// A payment of a reservation.
///
/// # Errors
/// [`RunError`].
pub async fn payment(
    store: &Store,
    of: ReservationId,
    id: PaymentId,
    as_of: Position,
) -> Result<Found<Payment>, RunError> {
    let mut aside = money(store, of, as_of).await?;
    Ok(payment::find(aside.connection(), id).await?)
}

/// A refund of a reservation.
///
/// # Errors
/// [`RunError`].
pub async fn refund(
    store: &Store,
    of: ReservationId,
    id: RefundId,
    as_of: Position,
) -> Result<Found<Refund>, RunError> {
    let mut aside = money(store, of, as_of).await?;
    Ok(refund::find(aside.connection(), id).await?)
}

/// Rows of a reservation, its payments and its refunds.
async fn money(store: &Store, id: ReservationId, as_of: Position) -> Result<Aside, RunError> {
    let mut streams = vec![id.uuid()];
    if let Some(row) = reservation::find(store.pool(), id).await?.row {
        streams.extend(row.payments.iter().map(|payment| payment.payment_id.uuid()));
        streams.extend(row.refunds.iter().map(|refund| refund.refund_id.uuid()));
    }
    let events = store.read_streams_until(&streams, as_of).await?;
    let mut aside = Aside::open(store, &[&reservation::PROJECTOR], as_of).await?;
    aside.apply(&reservation::PROJECTOR, events).await?;
    Ok(aside)
}

/// What stood on the cells of a site within an interval.
///
/// # Errors
/// [`RunError`].
pub async fn standing(
    store: &Store,
    site: SiteId,
    cells: &[CellId],
    within: Interval,
    as_of: Position,
) -> Result<Standing, RunError> {
    // Closures are in the stream of the site.
    let mut streams: Vec<Uuid> = store.claimants(cells, within, as_of).await?;
    streams.extend(payment::ids_of(store.pool(), &streams).await?);
    streams.push(site.uuid());
    let events = store.read_streams_until(&streams, as_of).await?;
    let mut aside = Aside::open(store, &[&schedule::PROJECTOR], as_of).await?;
    aside.apply(&schedule::PROJECTOR, events).await?;
    Ok(schedule::of_site(aside.connection(), site, within).await?)
}
