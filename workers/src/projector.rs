//! The projector role: runs a projector as long as it is ours, rung by the doorbell.

use std::time::Duration;

use eventstore::Store;
use projections::{Projector, RunError, Runner, Watch};

use crate::{
    context::Context,
    runtime::{Progress, Step, StepError},
    turn::Turn,
};

/// Events applied in one transaction: large enough to catch up fast, small enough to be seen soon.
const BATCH: usize = 1_000;

/// The loop of one projector. Of several processes one owns it by a lease; a former owner is fenced out by its epoch.
pub struct Projecting {
    ctx: Context,
    projector: &'static Projector,
    watch: Option<Watch>,
    turn: Turn,
    runner: Option<Runner>,
}

impl Projecting {
    /// `watch` is rung after each batch, so that readers in this process need not ask the database.
    pub fn new(ctx: Context, projector: &'static Projector, watch: Option<Watch>) -> Self {
        let turn = Turn::new(&ctx, format!("projector:{}", projector.name));
        Self { ctx, projector, watch, turn, runner: None }
    }
}

impl Step for Projecting {
    fn name(&self) -> String {
        format!("projector {}", self.projector.name)
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        if !self.turn.is_ours().await? {
            self.runner = None;
            return Ok(Progress::Idle);
        }
        let mut runner = match self.runner.take() {
            Some(runner) => runner,
            None => {
                let (store, owner) = (self.ctx.store.clone(), &self.ctx.config.instance);
                match Runner::own(self.projector, store, owner, self.watch.clone()).await {
                    Ok(runner) => runner,
                    // They are for programs of their own version to write; ours are built beside them.
                    Err(RunError::Older { .. }) => {
                        self.turn.leave_to_others().await?;
                        return Ok(Progress::Idle);
                    }
                    Err(error) => return Err(stopped(error)),
                }
            }
        };
        match runner.run_batch(BATCH).await {
            Ok(progress) => {
                self.runner = Some(runner);
                Ok(if progress.caught_up { Progress::Idle } else { Progress::Busy })
            }
            // Somebody took it over by hand, the rows were exchanged, or our lease ran out while we slept: contend again.
            Err(RunError::Fenced { .. }) => {
                self.turn.is_over();
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

    async fn end(&mut self) {
        self.turn.end().await;
    }
}

pub(crate) fn stopped(error: RunError) -> StepError {
    match error {
        RunError::Database(error) => error.into(),
        RunError::Log(error) => error.into(),
        other => StepError::Stopped(other.to_string()),
    }
}

/// Keeps the gauges of all projectors true, whoever owns them and whether anybody asks.
pub struct Figures {
    store: Store,
}

impl Figures {
    pub const fn new(store: Store) -> Self {
        Self { store }
    }
}

impl Step for Figures {
    fn name(&self) -> String {
        "figures of the projectors".to_owned()
    }

    fn rest(&self) -> Duration {
        Duration::from_secs(5)
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        projections::progress(&self.store).await.map_err(stopped)?;
        Ok(Progress::Idle)
    }
}
