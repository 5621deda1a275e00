//! The sealer role: keeps the seal over the log as long as it is ours (eventstore's `seal`).

use std::time::{Duration, Instant as Moment};

use crate::{
    context::Context,
    runtime::{Progress, Step, StepError},
    turn::Turn,
};
use eventstore::{
    note::Signer,
    seal::{Pace, SealError, Sealer},
};

/// Events added in one transaction.
const BATCH: i64 = 4_096;
/// How often it looks while nothing happens (reliability.md R4: sealed at most 100 ms after the commit). Not rung: a busy
/// log would ring for every command, and each step writes the tiles at the edge again.
const REST: Duration = Duration::from_millis(50);
/// How often it looks while something happens, from step to step: a step on a busy machine is long enough by itself.
const PACE: Duration = Duration::from_millis(20);
/// And so long it rests in any case.
const BREATH: Duration = Duration::from_millis(2);

/// How this log is signed.
#[derive(Clone, Debug)]
pub struct Sealing {
    pub signer: Signer,
    /// Names the log for ever, like a URL without its scheme.
    pub origin: String,
    pub pace: Pace,
}

/// The loop. Of several processes one is the sealer, by a lease; a former one is fenced out by its epoch.
pub struct Seals {
    ctx: Context,
    sealing: Sealing,
    turn: Turn,
    sealer: Option<Sealer>,
    rest: Duration,
}

impl Seals {
    pub fn new(ctx: Context, sealing: Sealing) -> Self {
        let turn = Turn::new(&ctx, "sealer".to_owned());
        Self { ctx, sealing, turn, sealer: None, rest: REST }
    }

    async fn seal(&mut self) -> Result<Progress, SealError> {
        let mut sealer = match self.sealer.take() {
            Some(sealer) => sealer,
            None => {
                let Sealing { signer, origin, pace } = self.sealing.clone();
                Sealer::own(self.ctx.store.clone(), signer, origin, &self.ctx.config.instance, pace).await?
            }
        };
        let begun = Moment::now();
        let step = sealer.step(BATCH).await?;
        self.sealer = Some(sealer);
        self.rest = if step.added > 0 { PACE.saturating_sub(begun.elapsed()).max(BREATH) } else { REST };
        if step.added > 0 {
            metrics::histogram!("kalel_seal_step_seconds").record(begun.elapsed().as_secs_f64());
            metrics::counter!("kalel_seal_events_total").increment(step.added as u64);
            metrics::gauge!("kalel_seal_position").set(u32::try_from(step.size).map_or(f64::from(u32::MAX), f64::from));
        }
        if step.signed {
            metrics::counter!("kalel_seal_checkpoints_total").increment(1);
            tracing::debug!(size = step.size, "checkpoint signed");
        }
        metrics::gauge!("kalel_seal_halted").set(0.0);
        let full = i64::try_from(step.added).is_ok_and(|added| added == BATCH);
        Ok(if full { Progress::Busy } else { Progress::Idle })
    }
}

impl Step for Seals {
    fn name(&self) -> String {
        "sealer".to_owned()
    }

    fn rest(&self) -> Duration {
        self.rest
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        if !self.turn.is_ours().await? {
            (self.sealer, self.rest) = (None, REST);
            return Ok(Progress::Idle);
        }
        match self.seal().await {
            Ok(progress) => Ok(progress),
            Err(SealError::Fenced) => {
                self.turn.is_over();
                Ok(Progress::Idle)
            }
            Err(SealError::Database(error)) => Err(error.into()),
            Err(error) => {
                metrics::gauge!("kalel_seal_halted").set(1.0);
                Err(StepError::Stopped(error.to_string()))
            }
        }
    }
    async fn end(&mut self) {
        self.turn.end().await;
    }
}
