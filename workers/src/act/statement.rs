//! The statement of a day is fetched from its provider and compared with the log.

use adapters::{call::Outcome as Call, statements::Listed};
use domain::{
    actor::Actor,
    aggregate::Loaded,
    decision::Decision,
    ids::ReconciliationId,
    reconciliation::{Digest, Import, Line, Listing, Reconciliation, Refusal, Scope, Source, id_of, import},
    text::Text,
};
use sha2::{Digest as _, Sha256};

use super::{Report, TurnError, again, busy, checkout::alarmed, checkout::call, report::decide};
use crate::{
    context::Context,
    effect::{Outcome, Taken},
};

/// Fetches and compares.
pub(super) async fn fetch(ctx: &Context, taken: &Taken, id: ReconciliationId) -> Result<Outcome, TurnError> {
    let known: Loaded<Reconciliation> = ctx.store.load(id).await?;
    let Some(scope) = &known.state.scope else { return Ok(Outcome::Dropped("no such reconciliation".into())) };
    if !known.state.wanted {
        return Ok(Outcome::Done);
    }
    let name = scope.provider.as_str();
    let rail = ctx.providers.rails.values().find(|rail| rail.provider.name() == name && rail.provider.lists());
    let Some(rail) = rail else { return Ok(Outcome::Failed(format!("{name} lists no transactions here"))) };
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
        let head = ctx.store.head().await.map_err(eventstore::LoadError::from)?;
        let sides = projections::reconciliation::sides(ctx.store.pool(), *day, provider.methods(), &self.lines).await?;
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
