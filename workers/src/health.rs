//! Tells those who offer ways to pay which rails are out of order, as this process finds when it calls them: written down
//! when one falls ill, again while it stays so, and taken back when it answers. What is written ends by itself.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use domain::payment::Method;
use eventstore::health;

use crate::{
    context::Context,
    runtime::{Progress, Step, StepError},
};

/// How long what is written counts.
const LASTS: Duration = Duration::from_secs(30);
/// After so long it is written again.
const AGAIN: Duration = Duration::from_secs(10);

/// The loop that tells.
#[derive(Debug)]
pub struct Health {
    ctx: Context,
    /// What this process has said to be out of order, and when: by method and account, empty for the platform's.
    said: HashMap<(Method, String), Instant>,
}

impl Health {
    pub fn new(ctx: Context) -> Self {
        Self { ctx, said: HashMap::new() }
    }
}

impl Step for Health {
    fn name(&self) -> String {
        "health of rails".to_owned()
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let pool = self.ctx.store.pool();
        let providers = &self.ctx.providers;
        let ours = providers.rails.iter().map(|(method, rail)| ((*method, String::new()), rail));
        let theirs = providers.accounts.iter().map(|((method, account), rail)| ((*method, account.to_string()), rail));
        for (at, rail) in ours.chain(theirs) {
            let (method, account) = &at;
            let said = self.said.get(&at).copied();
            match (rail.breaker.unwell(), said) {
                (Some(_), Some(then)) if then.elapsed() < AGAIN => {}
                (Some(unwell), said) => {
                    health::say_unwell(pool, *method, account, unwell.why, unwell.for_as_long, LASTS).await?;
                    if said.is_none() {
                        tracing::warn!(rail = method.as_str(), account, why = unwell.why, "a rail is out of order");
                    }
                    self.said.insert(at, Instant::now());
                }
                (None, Some(_)) => {
                    health::say_well(pool, *method, account).await?;
                    tracing::info!(rail = method.as_str(), account, "a rail answers again, or is tried again");
                    self.said.remove(&at);
                }
                (None, None) => {}
            }
        }
        Ok(Progress::Idle)
    }
}
