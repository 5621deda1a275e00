//! Read your own write: `Kalel-Min-Position` waits until the views hold a position (design.md §3).

use std::time::Duration;

use axum::http::HeaderMap;
use projections::{PROJECTORS, Projector, WaitError};

use crate::{App, http::admission::aside, problem::Problem};

const PATIENCE: Duration = Duration::from_secs(2);

/// # Errors
/// 400 for a position beyond the head or no number, 503 `projection_behind` when the views are not there in time.
pub async fn wait(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(value) = headers.get("kalel-min-position") else { return Ok(()) };
    let position =
        value.to_str().ok().and_then(|text| text.parse::<i64>().ok()).filter(|position| *position >= 0).ok_or_else(
            || Problem::new("request.invalid_header").parameter("Kalel-Min-Position", "must be a position"),
        )?;
    reached(app, position).await
}

/// Waits until the views hold a position.
///
/// # Errors
/// As [`wait`].
pub async fn reached(app: &App, position: i64) -> Result<(), Problem> {
    reached_by(app, PROJECTORS, position).await
}

/// Waits until the views of some projectors hold a position.
///
/// # Errors
/// As [`wait`].
pub async fn reached_by(app: &App, projectors: &[&'static Projector], position: i64) -> Result<(), Problem> {
    match aside(app.watch.wait_for(projectors, position, PATIENCE)).await {
        Ok(()) => Ok(()),
        Err(WaitError::BeyondHead { head, .. }) => Err(Problem::new("position.beyond_head").member("head", head)),
        Err(WaitError::Behind { reached, .. }) => {
            Err(Problem::new("projection_behind").member("reached", reached).retry_after(1))
        }
        Err(WaitError::Log(error)) => Err(error.into()),
    }
}
