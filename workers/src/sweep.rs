//! Forgetting what has served its time: finished effects and webhooks, idempotency keys, what was tried when signing in. The
//! log keeps what happened.

use std::time::Duration;

use chrono::TimeDelta;
use eventstore::{auth, inbox, webhook_out};

use crate::{
    context::Context,
    effect,
    runtime::{Progress, Step, StepError},
};

/// How long finished work stays for whoever wants to look at it. Longer than any provider repeats itself (3 days) and
/// than a refund may be disputed in support.
const KEPT: TimeDelta = TimeDelta::days(90);

/// How long it can be asked how the sending of an event went.
const DELIVERIES_KEPT: TimeDelta = TimeDelta::days(30);

/// The loop that sweeps.
#[derive(Debug)]
pub struct Sweeper {
    ctx: Context,
}

impl Sweeper {
    pub const fn new(ctx: Context) -> Self {
        Self { ctx }
    }
}

impl Step for Sweeper {
    fn name(&self) -> String {
        "sweeper".to_owned()
    }

    fn rest(&self) -> Duration {
        Duration::from_secs(600)
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let store = &self.ctx.store;
        let now = store.clock().now();
        let effects = effect::sweep(store.pool(), now - KEPT).await?;
        let webhooks = inbox::sweep(store, now - KEPT).await?;
        let deliveries = webhook_out::sweep(store.pool(), now - DELIVERIES_KEPT).await?;
        let answers = store.answers().sweep(now).await?;
        let sign_ins = auth::sweep(store, now).await?;
        tracing::debug!(effects, webhooks, deliveries, answers, sign_ins, "swept");
        Ok(Progress::Idle)
    }
}
