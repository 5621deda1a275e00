//! When somebody was here as a client: a number that nobody comes with for long becomes somebody else's.

use std::time::Duration;

use domain::{
    Timestamp,
    ids::{ClientId, PrincipalId},
    sign_in::{RECYCLED, is_recycled},
};
use eventstore::auth;
use projections::{
    WaitError,
    reservation::{Filter, Whose},
};

use crate::{http::call::Call, problem::Problem};

/// How long the views are waited for, so that a reservation made a moment ago counts.
const PATIENCE: Duration = Duration::from_secs(2);

/// When somebody was signed in, or anything happened to them, the last time; now when they play, or played lately. What the views
/// show of reservations is advice: they are asked last, because what is in the log and who was signed in says enough mostly.
///
/// # Errors
/// `projection_behind`, and when the log or a view cannot be read.
pub(crate) async fn last_seen(call: &Call, id: ClientId) -> Result<Timestamp, Problem> {
    let (store, now) = (&call.app.store, call.now());
    let session = auth::last_seen(store, PrincipalId::new(id.uuid())).await.map_err(eventstore::ReadError::from)?;
    let written = store.read_stream(id.uuid(), 0, i64::MAX).await?.last().map(|last| last.recorded_at);
    let seen = session.max(written).unwrap_or(now);
    if !is_recycled(seen, now) {
        return Ok(seen);
    }
    up_to_date(call).await?;
    let filter = Filter { starts_at_gte: Some(now - RECYCLED), ..Filter::of(Whose::Client(id)) };
    let played = projections::reservation::list(store.pool(), &filter, None, 1).await?;
    Ok(if played.items.is_empty() { seen } else { now })
}

/// Waits until the views of reservations show what is in the log.
///
/// # Errors
/// `projection_behind` after a while.
pub(super) async fn up_to_date(call: &Call) -> Result<(), Problem> {
    let head = call.app.store.head().await?;
    match call.app.watch.wait_for(&[&projections::reservation::PROJECTOR], head, PATIENCE).await {
        Ok(()) => Ok(()),
        Err(WaitError::Behind { reached, .. }) => {
            Err(Problem::new("projection_behind").member("reached", reached).retry_after(1))
        }
        Err(WaitError::BeyondHead { .. }) => Err(Problem::new("server.error")),
        Err(WaitError::Log(error)) => Err(error.into()),
    }
}
