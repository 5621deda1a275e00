//! Codes that somebody asked for become effects: each once, in the transaction that takes it up.

use eventstore::auth::challenge::take_unqueued;

use crate::{
    context::Context,
    effect::{Code, Intent, Work, intend},
    runtime::{Progress, Step, StepError},
};

/// Taken up at a time.
const BATCH: i64 = 100;

/// The loop that takes them up.
#[derive(Debug)]
pub struct Codes {
    ctx: Context,
}

impl Codes {
    pub const fn new(ctx: Context) -> Self {
        Self { ctx }
    }
}

impl Step for Codes {
    fn name(&self) -> String {
        "codes".to_owned()
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let store = &self.ctx.store;
        let now = store.clock().now();
        let mut tx = store.pool().begin().await?;
        let challenges = take_unqueued(&mut tx, now, BATCH).await?;
        if challenges.is_empty() {
            return Ok(Progress::Idle);
        }
        // Nothing in the log caused it: where the log is says when.
        let head = store.head().await?;
        for challenge_id in challenges {
            let key = format!("challenge:{challenge_id}:send_code");
            let intent = Intent { key, work: Work::SendCode(Code { challenge_id }), due_at: now };
            intend(&mut tx, &intent, head, now).await?;
        }
        tx.commit().await?;
        self.ctx.bells.effects.ring();
        Ok(Progress::Busy)
    }
}
