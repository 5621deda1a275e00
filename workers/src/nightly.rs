//! Each night the statements of the days before are asked for, of every account at a provider that lists its transactions.

use std::{collections::BTreeSet, time::Duration};

use chrono::{NaiveDate, TimeDelta};
use domain::{
    actor::Actor,
    aggregate::Loaded,
    reconciliation::{MAIN, Provider, Reconciliation, end, id_of, want},
    text::Slug,
};
use eventstore::{Append, AppendError, Meta};

use crate::{
    context::{Context, Providers},
    runtime::{Progress, Step, StepError},
};

/// How long after a day its statement is asked for: late listings are in it by then.
const LATE: TimeDelta = TimeDelta::minutes(150);
/// A night in which nobody worked is made up for.
const DAYS: u64 = 3;

/// The loop that asks.
#[derive(Debug)]
pub struct Nightly {
    ctx: Context,
    /// When the log began: before it there is nothing to compare.
    first: Option<NaiveDate>,
    /// What was asked for, as far as this process knows.
    asked: BTreeSet<(Provider, Slug, NaiveDate)>,
}

impl Nightly {
    pub const fn new(ctx: Context) -> Self {
        Self { ctx, first: None, asked: BTreeSet::new() }
    }

    /// The platform's accounts, and those of managers.
    fn accounts(&self) -> Result<BTreeSet<(Provider, Slug)>, StepError> {
        let main = Slug::new(MAIN).map_err(|error| StepError::Stopped(error.to_string()))?;
        let Providers { rails, accounts, .. } = &self.ctx.providers;
        let all = rails.values().map(|rail| (rail, &main));
        let all = all.chain(accounts.iter().map(|((_, account), rail)| (rail, account)));
        let lists = all.filter(|(rail, _)| rail.provider.lists());
        let named = lists.filter_map(|(rail, account)| Some((Provider::named(rail.provider.name())?, account.clone())));
        Ok(named.collect())
    }

    async fn ask(&self, provider: Provider, account: Slug, day: NaiveDate) -> Result<(), StepError> {
        let store = &self.ctx.store;
        let loaded = store.load::<Reconciliation>(id_of(provider, &account, day)).await;
        let known: Loaded<Reconciliation> = loaded.map_err(|error| StepError::Stopped(error.to_string()))?;
        // Whatever came of it before is a person's to take up again.
        if known.version > 0 {
            return Ok(());
        }
        let now = store.clock().now();
        let decision = want(&known, provider, account, day, Actor::SYSTEM, now);
        let decision = decision.map_err(|refusal| StepError::Stopped(refusal.to_string()))?;
        match store.append(Append::new(decision, Meta::system())).await {
            // Another process was faster.
            Ok(_) | Err(AppendError::Conflict { .. }) => {
                self.ctx.bells.log.ring();
                Ok(())
            }
            Err(error) => Err(StepError::Stopped(error.to_string())),
        }
    }
}

impl Step for Nightly {
    fn name(&self) -> String {
        "nightly statements".to_owned()
    }

    fn rest(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn step(&mut self) -> Result<Progress, StepError> {
        let store = &self.ctx.store;
        if self.first.is_none() {
            let first = store.read_after(0, 1).await?;
            self.first = first.first().map(|recorded| recorded.recorded_at.date_naive());
        }
        let Some(first) = self.first else { return Ok(Progress::Idle) };
        let now = store.clock().now();
        let accounts = self.accounts()?;
        for back in 1..=DAYS {
            let day = now.date_naive().checked_sub_days(chrono::Days::new(back));
            let Some(day) = day.filter(|day| *day >= first && end(*day) + LATE <= now) else { continue };
            for (provider, account) in &accounts {
                let what = (*provider, account.clone(), day);
                if !self.asked.contains(&what) {
                    self.ask(*provider, account.clone(), day).await?;
                    self.asked.insert(what);
                }
            }
        }
        Ok(Progress::Idle)
    }
}
