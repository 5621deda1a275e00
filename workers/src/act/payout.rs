//! Paying sites: written down before the call, under one key; prepared by itself at the end of a month.

use domain::{
    Timestamp,
    aggregate::Loaded,
    ids::{PayoutId, SiteId},
    payout::{self, Attempt, Payout, Prepared, Previous, Refusal},
    phone::Phone,
    reaction::{Ask, Reaction},
    sealed::field,
    site::Site,
};

use super::{
    Report, TurnError, again, month,
    order::{News, Order, Purpose},
    report::{PROVIDER, decide},
};
use crate::{
    context::Context,
    effect::{Outcome, Taken},
};

/// The one try there is.
pub(super) async fn submit(ctx: &Context, taken: &Taken, id: PayoutId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    let payout: Loaded<Payout> = ctx.store.load(id).await?;
    let Some(prepared) = &payout.state.prepared else { return Ok(Outcome::Dropped("no such payout".into())) };
    if !ctx.providers.rails.contains_key(&prepared.method) {
        return Ok(again(ctx, taken, "no such provider is configured"));
    }
    decide!(ctx, report, "submit", Some(prepared.site_id), {
        let payout: Loaded<Payout> = ctx.store.load(id).await?;
        payout::submit(&payout, ctx.store.clock().now()).map_err(|refusal| TurnError::from(&refusal))?
    })?;
    let payout: Loaded<Payout> = ctx.store.load(id).await?;
    let Some(out) = Out::of(ctx, &report, &payout) else { return Ok(Outcome::Done) };
    let Some(order) = out.order(taken, None) else {
        return Ok(again(ctx, taken, "no such provider is configured"));
    };
    if !order.rail.provider.ways().payout {
        return Ok(order.fail("this provider sends no money").await?.unwrap_or(Outcome::Done));
    }
    if let Some(outcome) = order.not_yet().await? {
        return Ok(outcome);
    }
    Ok(order.send().await?.unwrap_or(Outcome::Done))
}

/// One question about a payout that is out. `None` while its answer is not final.
pub(super) async fn ask(
    ctx: &Context,
    taken: &Taken,
    question: Ask,
    id: PayoutId,
) -> Result<Option<Outcome>, TurnError> {
    let report = Report::from(taken);
    let payout: Loaded<Payout> = ctx.store.load(id).await?;
    let Some(out) = Out::of(ctx, &report, &payout) else { return Ok(Some(Outcome::Done)) };
    let Some(order) = out.order(taken, Some(question)) else { return Ok(None) };
    match order.not_yet().await? {
        Some(outcome) => Ok(Some(outcome)),
        None => order.ask().await,
    }
}

/// What a site has earned before the month that `month` begins, prepared by itself; then the next month.
pub(super) async fn prepare(
    ctx: &Context,
    taken: &Taken,
    site_id: SiteId,
    since: Timestamp,
    month: Option<Timestamp>,
) -> Result<Outcome, TurnError> {
    let site: Loaded<Site> = ctx.store.load(site_id).await?;
    let still_there = site.state.payout_account.as_ref().is_some_and(|account| account.since == since);
    let Some(identity) = site.state.identity.as_ref().filter(|_| still_there) else {
        return Ok(Outcome::Dropped("paid to another account".into()));
    };
    let settled = match month {
        Some(month) => prepare_until(ctx, taken, site_id, month).await?,
        None => Ok(()),
    };
    let turn_of = |month| Reaction::PreparePayout { site_id, since, at: Some(month) };
    Ok(month::then_the_next(ctx, taken, identity.time_zone, settled, turn_of))
}

/// Prepares, or finds that there is nothing to prepare. Why it must be tried again, if so.
async fn prepare_until(
    ctx: &Context,
    taken: &Taken,
    site_id: SiteId,
    to: Timestamp,
) -> Result<Result<(), &'static str>, TurnError> {
    let (report, store) = (Report::from(taken), &ctx.store);
    let up_to = store.position_before(to).await.map_err(eventstore::LoadError::from)?;
    let id = PayoutId::new(store.clock().new_id());
    decide!(ctx, report, &format!("prepare:{}", to.timestamp()), Some(site_id), {
        let site: Loaded<Site> = store.load(site_id).await?;
        let Some(identity) = &site.state.identity else { return Ok(Ok(())) };
        let last = projections::payout::last(store, site_id).await?;
        let previous = last.as_ref().map(|last| Previous { payout: &last.it, position: last.position });
        let after = last.as_ref().map_or(0, |last| last.it.state.paid_up_to().0);
        let (pool, currency) = (store.pool(), identity.currency);
        let payable = projections::ledger::payable(pool, site_id, currency, after, up_to).await?;
        let Some(payable) = payable else { return Ok(Err("the ledger is behind")) };
        if last.as_ref().is_some_and(|last| payable.read_at < last.position) {
            return Ok(Err("the ledger is behind"));
        }
        let by = domain::actor::Actor::SYSTEM;
        match payout::prepare(id, &site, previous, &payable, to, by, store.clock().now()) {
            Ok(decision) => decision,
            Err(refusal @ (Refusal::NotFound | Refusal::UnknownSite | Refusal::Money(_))) => {
                return Err(TurnError::from(&refusal));
            }
            // Nothing to pay, held, or somebody is at it: the next month has it.
            Err(refusal) => {
                tracing::info!(site = %site_id, why = %refusal, "no payout this month");
                return Ok(Ok(()));
            }
        }
    })?;
    Ok(Ok(()))
}

/// A payout that is out.
struct Out<'a> {
    ctx: &'a Context,
    report: &'a Report,
    id: PayoutId,
    prepared: &'a Prepared,
    attempt: &'a Attempt,
}

impl<'a> Out<'a> {
    fn of(ctx: &'a Context, report: &'a Report, payout: &'a Loaded<Payout>) -> Option<Self> {
        let (prepared, attempt) = (payout.state.prepared.as_ref()?, payout.state.attempt.as_ref()?);
        payout.state.status.is_out().then_some(Self { ctx, report, id: payout.id, prepared, attempt })
    }

    /// `None` while its provider is not configured.
    fn order(&'a self, taken: &'a Taken, question: Option<Ask>) -> Option<Order<'a, Self>> {
        Some(Order {
            ctx: self.ctx,
            taken,
            of: self,
            rail: self.ctx.providers.rails.get(&self.attempt.method)?,
            amount: self.prepared.amount,
            reference: &self.attempt.reference,
            provider_id: self.attempt.provider_id.as_ref(),
            since: self.attempt.since,
            lost_at: self.attempt.lost_at.max(taken.called_at),
            reason: "Reversement",
            question,
        })
    }
}

impl Purpose for Out<'_> {
    const EXACT: bool = true;

    /// None once the site's manager was forgotten.
    async fn recipient(&self) -> Result<Option<Phone>, TurnError> {
        let to = self.prepared;
        let account = self.ctx.store.subjects().open(to.subject.uuid(), field::PAYOUT_ACCOUNT, &to.account).await?;
        Ok(account.and_then(|account| Phone::new(&account).ok()))
    }

    async fn write(&self, news: &News) -> Result<(), TurnError> {
        decide!(self.ctx, self.report, news.verb(), Some(self.prepared.site_id), {
            let payout: Loaded<Payout> = self.ctx.store.load(self.id).await?;
            let now = self.ctx.store.clock().now();
            let decided = match news.clone() {
                News::Pending(provider_id) => payout::pending(&payout, provider_id, now),
                News::Succeeded { provider_id, fee } => payout::succeed(&payout, Some(provider_id), fee, PROVIDER, now),
                News::Failed(why) => payout::fail(&payout, why, now),
                News::Reversed(why) => payout::reverse(&payout, why, now),
                News::Unknown(why) => payout::unknown(&payout, why, now),
            };
            decided.map_err(|refusal| TurnError::from(&refusal))?
        })?;
        Ok(())
    }
}
