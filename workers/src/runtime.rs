//! Loops that repeat a step, rest when there is nothing to do, are rung by a doorbell and end when asked to.
//!
//! All that a loop knows is in its step, so tests call the step and never wait for a loop.

use std::{future::Future, time::Duration};

use thiserror::Error;
use tokio_util::sync::CancellationToken;

use crate::{bell::Listener, random::Random};

/// How long a loop rests when nobody rings (design.md §3: NATS away ⇒ poll every 250 ms).
pub const REST: Duration = Duration::from_millis(250);
const BACKOFF: Duration = Duration::from_millis(100);
const BACKOFF_CAP: Duration = Duration::from_secs(5);

/// What a step did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// There may be more: come again at once.
    Busy,
    /// Nothing to do for now.
    Idle,
}

/// A step did not succeed; what it did not commit will be done again.
#[derive(Debug, Error)]
pub enum StepError {
    #[error("the database did not answer as expected")]
    Database(#[from] sqlx::Error),
    #[error("the log could not be read")]
    Read(#[from] eventstore::ReadError),
    #[error("the message bus did not answer as expected: {0}")]
    Bus(String),
    #[error("{0}")]
    Stopped(String),
}

/// One unit of a loop's work.
pub trait Step: Send {
    fn name(&self) -> String;

    /// How long it rests when there is nothing to do and nobody rings.
    fn rest(&self) -> Duration {
        REST
    }

    fn step(&mut self) -> impl Future<Output = Result<Progress, StepError>> + Send;

    /// Gives back what others may want, after the last step.
    fn end(&mut self) -> impl Future<Output = ()> + Send {
        async {}
    }
}

/// Repeats a step until `shutdown`. The step under way is finished first, so whoever cancels waits at most one step.
pub async fn run(mut work: impl Step, mut bell: Listener, random: Random, shutdown: CancellationToken) {
    let name = work.name();
    let mut failures = 0_u32;
    while !shutdown.is_cancelled() {
        let rest = match work.step().await {
            Ok(Progress::Busy) => {
                failures = 0;
                // A busy loop must not starve its neighbours.
                tokio::task::yield_now().await;
                continue;
            }
            Ok(Progress::Idle) => {
                failures = 0;
                work.rest()
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                tracing::warn!(work = %name, failures, error = &error as &dyn std::error::Error, "a step failed");
                metrics::counter!("kalel_step_failures_total", "work" => name.clone()).increment(1);
                random.backoff(failures, BACKOFF, BACKOFF_CAP).max(BACKOFF)
            }
        };
        tokio::select! {
            () = bell.rung(), if failures == 0 => {}
            () = tokio::time::sleep(rest) => {}
            () = shutdown.cancelled() => {}
        }
    }
    work.end().await;
    tracing::debug!(work = %name, "ended");
}
