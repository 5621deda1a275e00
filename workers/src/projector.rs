//! The projector role: runs a projector as long as it is ours, rung by the doorbell.

use projections::{Projector, RunError, Runner, Watch};
use tokio::time::Instant;

use crate::{
    context::Context,
    lease::Lease,
    runtime::{Progress, Step, StepError},
};

/// Events applied in one transaction: large enough to catch up fast, small enough to be seen soon.
const BATCH: usize = 1_000;

/// The loop of one projector. Of several processes one owns it by a lease; a former owner is fenced out by its epoch.
pub struct Projecting {
    ctx: Context,
    projector: &'static Projector,
    watch: Option<Watch>,
    lease: Lease,
    held_since: Option<Instant>,
    runner: Option<Runner>,
}

impl Projecting {
    /// `watch` is rung after each batch, so that readers in this process need not ask the database.
    pub fn new(ctx: Context, projector: &'static Projector, watch: Option<Watch>) -> Self {
        let name = format!("projector:{}", projector.name);
        let lease = Lease::new(ctx.store.pool().clone(), name, ctx.config.instance.clone(), ctx.config.lease);
        Self { ctx, projector, watch, lease, held_since: None, runner: None }
    }

    async fn is_ours(&mut self) -> Result<bool, StepError> {
        if self.held_since.is_some_and(|since| since.elapsed() < self.ctx.config.lease / 3) {
            return Ok(true);
        }
        let asked = Instant::now();
        self.held_since = self.lease.hold().await?.map(|_| asked);
        if self.held_since.is_none() {
            self.runner = None;
        }
        Ok(self.held_since.is_some())
    }
}

impl Step for Projecting {
    fn name(&self) -> String {
        format!("projector {}", self.projector.name)
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        if !self.is_ours().await? {
            return Ok(Progress::Idle);
        }
        let mut runner = match self.runner.take() {
            Some(runner) => runner,
            None => {
                let (store, owner) = (self.ctx.store.clone(), &self.ctx.config.instance);
                Runner::own(self.projector, store, owner, self.watch.clone()).await.map_err(stopped)?
            }
        };
        match runner.run_batch(BATCH).await {
            Ok(progress) => {
                self.runner = Some(runner);
                Ok(if progress.caught_up { Progress::Idle } else { Progress::Busy })
            }
            // Somebody took it over by hand, or our lease ran out while we slept: contend again.
            Err(RunError::Fenced { .. }) => {
                self.held_since = None;
                Ok(Progress::Idle)
            }
            Err(error) => {
                if error.is_transient() {
                    self.runner = Some(runner);
                }
                Err(stopped(error))
            }
        }
    }
}

fn stopped(error: RunError) -> StepError {
    match error {
        RunError::Database(error) => error.into(),
        RunError::Log(error) => error.into(),
        other => StepError::Stopped(other.to_string()),
    }
}
