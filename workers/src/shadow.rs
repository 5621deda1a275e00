//! Rows built again beside the live ones: begun by itself when this program's projector is newer than its rows, kept up
//! with them, and put in their place when that is wanted.
//!
//! What an operator began (`kalel rebuild`) and left is kept up, too, and finished should they have been interrupted.

use std::time::Duration;

use projections::{Projector, RunError, Shadow, shadow};

use crate::{
    context::Context,
    projector::stopped,
    runtime::{Progress, REST, Step, StepError},
    turn::Turn,
};

/// How often it is looked whether there is a shadow to build.
const LOOK: Duration = Duration::from_secs(1);

/// The lease under which a projector's shadow is built.
pub fn lease_of(projector: &Projector) -> String {
    format!("projector:{}:shadow", projector.name)
}

/// The loop of one projector's shadow. One process at a time owns it.
pub struct Shadowing {
    ctx: Context,
    projector: &'static Projector,
    turn: Turn,
    shadow: Option<Shadow>,
}

impl Shadowing {
    pub fn new(ctx: Context, projector: &'static Projector) -> Self {
        let turn = Turn::new(&ctx, lease_of(projector));
        Self { ctx, projector, turn, shadow: None }
    }

    /// Whether the live rows are of an older version, and whether there is anything to build for this program.
    async fn look(&self) -> Result<(bool, bool), StepError> {
        let found = shadow::versions(self.projector, &self.ctx.store).await?;
        let ours = self.projector.version;
        let older = found.live.is_some_and(|live| live < ours);
        let newer = found.live.is_some_and(|live| live > ours) || found.shadow.is_some_and(|one| one > ours);
        Ok((older, (older || found.shadow.is_some()) && !newer))
    }

    async fn own(&mut self) -> Result<Option<Shadow>, StepError> {
        let (_, wanted) = self.look().await?;
        if !wanted || !self.turn.is_ours().await? {
            return Ok(None);
        }
        let (store, owner) = (self.ctx.store.clone(), &self.ctx.config.instance);
        match Shadow::own(self.projector, store, owner).await {
            Ok(shadow) => Ok(Some(shadow)),
            // A newer program has come meanwhile.
            Err(RunError::Outdated { .. }) => Ok(None),
            Err(error) => Err(stopped(error)),
        }
    }

    /// Puts it in the place of older rows. Of rows of the same version nobody but an operator decides.
    async fn swap(&mut self, shadow: Shadow) -> Result<(), StepError> {
        shadow.swap().await.map_err(stopped)?;
        self.turn.leave_to_others().await
    }
}

impl Step for Shadowing {
    fn name(&self) -> String {
        format!("shadow of projector {}", self.projector.name)
    }

    fn rest(&self) -> Duration {
        if self.shadow.is_some() { REST } else { LOOK }
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let owned = match self.shadow.take() {
            Some(shadow) if self.turn.is_ours().await? => Some(shadow),
            Some(_) => None,
            None => self.own().await?,
        };
        let Some(mut shadow) = owned else { return Ok(Progress::Idle) };
        match shadow.step().await {
            Ok(progress) if progress.caught_up => {
                if self.ctx.config.swap && self.look().await?.0 {
                    self.swap(shadow).await?;
                } else {
                    self.shadow = Some(shadow);
                }
                Ok(Progress::Idle)
            }
            Ok(_) => {
                self.shadow = Some(shadow);
                Ok(Progress::Busy)
            }
            // It was exchanged, thrown away or taken over.
            Err(RunError::Fenced { .. }) => {
                self.turn.is_over();
                Ok(Progress::Idle)
            }
            Err(error) => {
                if error.is_transient() {
                    self.shadow = Some(shadow);
                }
                Err(stopped(error))
            }
        }
    }

    async fn end(&mut self) {
        self.turn.end().await;
    }
}
