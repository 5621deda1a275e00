//! The statement of a day is fetched from its provider and compared with the log.

use adapters::{call::Outcome as Call, payments::Rail, statements::Listed};
use domain::{
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    ids::ReconciliationId,
    payment::Method,
    reconciliation::{Digest, Import, Line, Listing, Reconciliation, Refusal, Scope, Source, id_of, import},
    text::Text,
};
use sha2::{Digest as _, Sha256};

use super::{Report, TurnError, again, busy, checkout::alarmed, checkout::call, checkout::missing, report::decide};
use crate::{
    context::{Context, Guarded},
    effect::{Outcome, Taken},
};

/// Fetches and compares.
pub(super) async fn fetch(ctx: &Context, taken: &Taken, id: ReconciliationId) -> Result<Outcome, TurnError> {
    let known: Loaded<Reconciliation> = ctx.store.load(id).await?;
    let Some(scope) = &known.state.scope else { return Ok(Outcome::Dropped("no such reconciliation".into())) };
    if !known.state.wanted {
        return Ok(Outcome::Done);
    }
    let rail = match rail(ctx, scope) {
        Ok(rail) => rail,
        // An account that is gone may come back; a list that there is not never comes.
        Err(Some(why)) => return Ok(again(ctx, taken, why)),
        Err(None) => {
            return Ok(Outcome::Failed(format!("{} lists no transactions here", scope.provider.as_str())));
        }
    };
    let listed = match call(rail, rail.provider.statement(scope.day)).await {
        Call::Done(listed) => listed,
        Call::Refused(refusal) => return Ok(again(ctx, taken, alarmed(&refusal))),
        Call::RetryAfter(wait) => return Ok(busy(ctx, taken, wait)),
        Call::Unknown(why) => return Ok(again(ctx, taken, why.to_string())),
    };
    let digest = digest(&listed)?;
    let subjects = ctx.store.subjects();
    let lines: Vec<Line> = listed.into_iter().map(|line| line.line(|number| subjects.hash_phone(number))).collect();
    let day = Day { id, scope: scope.clone(), digest, lines };
    let mut behind = false;
    let what = format!("import:{}", known.version);
    decide!(
        ctx,
        Report::from(taken),
        &what,
        None,
        match day.decide(ctx).await? {
            Some(decision) => decision,
            None => {
                behind = true;
                Decision::nothing()
            }
        }
    )?;
    Ok(if behind { again(ctx, taken, "the views are behind") } else { Outcome::Done })
}

/// The rail that lists an account, and no other one of that provider. Without one: why that may change, if it may.
fn rail<'a>(ctx: &'a Context, scope: &Scope) -> Result<&'a Guarded<Rail>, Option<String>> {
    let Scope { provider, .. } = scope;
    let account = scope.merchant_account();
    let of = |method: &Method| ctx.providers.rail(*method, account);
    let lists = |rail: &&Guarded<Rail>| rail.provider.name() == provider.as_str() && rail.provider.lists();
    let found = provider.methods().iter().filter_map(of).find(lists);
    found.ok_or_else(|| {
        let method = provider.methods().first().filter(|_| account.is_some())?;
        Some(missing(*method, account))
    })
}

struct Day {
    id: ReconciliationId,
    scope: Scope,
    digest: Digest,
    lines: Vec<Line>,
}

impl Day {
    /// `None` while our side is not complete: what was acknowledged before the statement came must be in it.
    async fn decide(&self, ctx: &Context) -> Result<Option<Decision>, TurnError> {
        let Scope { provider, account, day } = &self.scope;
        let pool = ctx.store.pool();
        let head = ctx.store.head().await.map_err(eventstore::LoadError::from)?;
        let sides = projections::reconciliation::sides(pool, &self.scope, &self.lines).await?;
        if sides.as_of < head {
            return Ok(None);
        }
        let wish = Import {
            provider: *provider,
            account: account.clone(),
            day: *day,
            source: Source::Api,
            digest: self.digest.clone(),
            lines: self.lines.clone(),
            movements: sides.movements,
            elsewhere: sides.elsewhere,
            terms: ctx.config.terms.get(provider).copied().unwrap_or_default(),
            as_of_position: sides.as_of,
        };
        let known: Loaded<Reconciliation> = ctx.store.load(self.id).await?;
        let mut neighbours: Vec<Loaded<Reconciliation>> = Vec::new();
        for other in [day.pred_opt(), day.succ_opt()].into_iter().flatten() {
            neighbours.push(ctx.store.load(id_of(*provider, account, other)).await?);
        }
        let neighbours: Vec<&Loaded<Reconciliation>> = neighbours.iter().collect();
        match import(&known, &neighbours, &wish, Actor::SYSTEM, ctx.store.clock().now()) {
            Ok(decision) => Ok(Some(decision)),
            // Somebody closed it meanwhile, by a file.
            Err(Refusal::AlreadyClosed) => Ok(Some(Decision::nothing())),
            Err(refusal) => Err(TurnError::refused(&refusal)),
        }
    }
}

/// Of what the provider lists, in its order.
fn digest(listed: &[Listed]) -> Result<Digest, TurnError> {
    let unreadable = |why: String| TurnError::Refused { code: "reconciliation.statement_unreadable", why };
    let listings: Vec<&Listing> = listed.iter().map(|line| &line.listing).collect();
    let text = serde_json::to_vec(&listings).map_err(|error| unreadable(error.to_string()))?;
    Text::new(&hex::encode(Sha256::digest(text))).map_err(|error| unreadable(error.to_string()))
}
