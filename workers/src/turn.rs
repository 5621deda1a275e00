//! Whose turn it is with work of which there is one at a time.

use std::time::Duration;

use eventstore::failpoint;
use tokio::time::Instant;

use crate::{context::Context, lease::Lease, runtime::StepError};

/// A lease that is kept up in time.
#[derive(Debug)]
pub(crate) struct Turn {
    lease: Lease,
    length: Duration,
    held_since: Option<Instant>,
    /// Not before this moment.
    not_before: Option<Instant>,
}

/// How long a lease is left to others who may have a use for it.
const LEFT: Duration = Duration::from_secs(1);

impl Turn {
    pub(crate) fn new(ctx: &Context, name: String) -> Self {
        let length = ctx.config.lease;
        let lease = Lease::new(ctx.store.pool().clone(), name, ctx.config.instance.clone(), length);
        Self { lease, length, held_since: None, not_before: None }
    }

    pub(crate) async fn is_ours(&mut self) -> Result<bool, StepError> {
        if self.not_before.is_some_and(|moment| Instant::now() < moment) {
            return Ok(false);
        }
        if self.held_since.is_some_and(|since| since.elapsed() < self.length / 3) {
            return Ok(true);
        }
        let asked = Instant::now();
        self.held_since = self.lease.hold().await?.map(|_| asked);
        failpoint("lease.held");
        Ok(self.held_since.is_some())
    }

    /// It may have another owner: the lease must be asked.
    pub(crate) fn is_over(&mut self) {
        self.held_since = None;
    }

    /// Gives the lease back because the process ends: whoever stands by goes on at once.
    pub(crate) async fn end(&mut self) {
        if self.held_since.take().is_some()
            && let Err(error) = self.lease.give_back().await
        {
            tracing::debug!(%error, "a lease was not given back; it ends by itself");
        }
    }

    /// Gives the lease back and does not want it for a while.
    pub(crate) async fn leave_to_others(&mut self) -> Result<(), StepError> {
        self.held_since = None;
        self.not_before = Some(Instant::now() + LEFT);
        Ok(self.lease.give_back().await?)
    }
}
