//! Paying sites: written down before the call, under one key; prepared by itself at the end of a month.

use adapters::{
    call::Outcome as Call,
    payments::{PayoutOrder, PayoutStatus, Rail},
};
use domain::{
    Timestamp,
    aggregate::Loaded,
    ids::{PayoutId, SiteId},
    money::Money,
    payment::ProviderId,
    payout::{self, Attempt, Payout, Prepared, Previous, Refusal},
    phone::Phone,
    reaction::Reaction,
    sealed::field,
    site::Site,
    text::Note,
};

use super::{
    Report, TurnError, again, busy,
    checkout::{alarmed, call},
    report::{PROVIDER, decide},
};
use crate::{
    context::{Context, Guarded},
    effect::{self, Outcome, Taken},
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
    let Some(out) = Out::of(ctx, taken, &report, &payout, taken.called_before) else { return Ok(Outcome::Done) };
    let Some(rail) = out.rail() else { return Ok(again(ctx, taken, "no such provider is configured")) };
    if !rail.provider.ways().payout {
        return out.fail("this provider sends no money").await;
    }
    if taken.called_before && out.is_not_repeatable() {
        // Somebody may have sent it and could not say so: those who ask find out.
        out.unknown("a worker ended while it was sent").await?;
        return Ok(Outcome::Done);
    }
    if !effect::about_to_call(ctx.store.pool(), taken, ctx.store.clock().now()).await? {
        return Err(TurnError::Lost);
    }
    // Those who ask (since the submission) go on when this is not final.
    Ok(out.call().await?.unwrap_or(Outcome::Done))
}

/// One question about a payout that is out. `None` while its answer is not final.
pub(super) async fn ask(ctx: &Context, taken: &Taken, id: PayoutId) -> Result<Option<Outcome>, TurnError> {
    let report = Report::from(taken);
    let payout: Loaded<Payout> = ctx.store.load(id).await?;
    match Out::of(ctx, taken, &report, &payout, true) {
        Some(out) => out.ask().await,
        None => Ok(Some(Outcome::Done)),
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
    if let Some(month) = month
        && let Err(why) = prepare_until(ctx, taken, site_id, month).await?
    {
        return Ok(again(ctx, taken, why));
    }
    // Months that were slept through are in the payout of the last one.
    let next = payout::month_after(ctx.store.clock().now(), identity.time_zone);
    let reaction = Reaction::PreparePayout { site_id, since, at: Some(next) };
    Ok(Outcome::next(reaction, reaction.due().unwrap_or(next)))
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
    taken: &'a Taken,
    report: &'a Report,
    id: PayoutId,
    prepared: &'a Prepared,
    attempt: &'a Attempt,
    /// Whether the order went out before, as far as we know.
    again: bool,
}

impl<'a> Out<'a> {
    fn of(
        ctx: &'a Context,
        taken: &'a Taken,
        report: &'a Report,
        payout: &'a Loaded<Payout>,
        again: bool,
    ) -> Option<Self> {
        let (prepared, attempt) = (payout.state.prepared.as_ref()?, payout.state.attempt.as_ref()?);
        payout.state.status.is_out().then_some(Self { ctx, taken, report, id: payout.id, prepared, attempt, again })
    }

    fn rail(&self) -> Option<&'a Guarded<Rail>> {
        self.ctx.providers.rails.get(&self.attempt.method)
    }

    /// Whether sending it again could pay it again.
    fn is_not_repeatable(&self) -> bool {
        !self.rail().is_some_and(|rail| rail.provider.unseen_after().is_zero())
    }

    /// Makes the call. `None` when the answer is not final.
    async fn call(&self) -> Result<Option<Outcome>, TurnError> {
        let Some(rail) = self.rail() else { return Ok(None) };
        let Some(recipient) = self.recipient().await? else {
            return self.fail("there is no number to send it to").await.map(Some);
        };
        let order = PayoutOrder {
            recipient,
            amount: self.prepared.amount,
            reference: self.attempt.reference.clone(),
            idempotency_key: self.attempt.reference.to_string(),
            reason: Some("Reversement".into()),
        };
        match call(rail, rail.provider.payout(&order)).await {
            Call::Done(status) => self.learn(status).await,
            Call::Refused(refusal) if refusal.is_about_our_account() || refusal.retryable => {
                self.not_called().await?;
                Ok(Some(again(self.ctx, self.taken, alarmed(&refusal))))
            }
            // The one before may still arrive: those who ask find out.
            Call::Refused(refusal) if self.again && super::may_be_underway(self.attempt.since, self.ctx) => {
                self.unknown(&refusal.to_string()).await?;
                Ok(None)
            }
            Call::Refused(refusal) => self.fail(&refusal.to_string()).await.map(Some),
            Call::RetryAfter(wait) => {
                self.not_called().await?;
                Ok(Some(busy(self.ctx, self.taken, wait)))
            }
            Call::Unknown(why) if !why.may_have_happened() => {
                self.not_called().await?;
                Ok(Some(again(self.ctx, self.taken, why.to_string())))
            }
            Call::Unknown(why) => {
                self.unknown(&why.to_string()).await?;
                Ok(None)
            }
        }
    }

    async fn ask(&self) -> Result<Option<Outcome>, TurnError> {
        let Some(rail) = self.rail() else { return Ok(None) };
        let answer = match &self.attempt.provider_id {
            Some(provider_id) => call(rail, rail.provider.payout_status(provider_id)).await,
            None => call(rail, rail.provider.payout_search(&self.attempt.reference)).await,
        };
        let never_made = || self.attempt.since + rail.provider.unseen_after() <= self.ctx.store.clock().now();
        match answer {
            // It never arrived there. Where a key makes it the same payout, the same order again; elsewhere it failed, and
            // the money is payable again.
            Call::Done(PayoutStatus::NotFound) if self.attempt.provider_id.is_none() && never_made() => {
                if self.is_not_repeatable() {
                    return self.fail("it never arrived at the provider").await.map(Some);
                }
                self.call().await
            }
            Call::Done(status) => self.learn(status).await,
            Call::Refused(refusal) => {
                alarmed(&refusal);
                Ok(None)
            }
            Call::RetryAfter(_) | Call::Unknown(_) => Ok(None),
        }
    }

    async fn learn(&self, status: PayoutStatus) -> Result<Option<Outcome>, TurnError> {
        match status {
            PayoutStatus::Processing { provider_id } => {
                self.write("pending", |payout, now| payout::pending(payout, provider_id.clone(), now)).await?;
                Ok(None)
            }
            PayoutStatus::Succeeded { provider_id, amount, fee, .. } => {
                if amount != self.prepared.amount {
                    return Ok(Some(Outcome::Failed(format!("the provider says {amount}"))));
                }
                self.succeed(provider_id, fee).await?;
                Ok(Some(Outcome::Done))
            }
            PayoutStatus::Failed { code, message, .. } => self.fail(&format!("{code}: {message}")).await.map(Some),
            PayoutStatus::Reversed { provider_id } => {
                self.succeed(provider_id, None).await?;
                self.write("reverse", |payout, now| payout::reverse(payout, Note::kept_of("taken back"), now)).await?;
                Ok(Some(Outcome::Done))
            }
            PayoutStatus::NotFound => Ok(None),
            PayoutStatus::Several(all) => {
                // One key, several movements: the provider broke its word, and a person must look.
                metrics::counter!("kalel_payouts_ambiguous_total").increment(1);
                Ok(Some(Outcome::Failed(format!("{} payouts under one reference", all.len()))))
            }
        }
    }

    /// It is certain that nothing went: whoever comes next may call.
    async fn not_called(&self) -> Result<(), TurnError> {
        Ok(effect::not_called(self.ctx.store.pool(), self.taken).await?)
    }

    async fn unknown(&self, why: &str) -> Result<(), TurnError> {
        self.write("unknown", |payout, now| payout::unknown(payout, Note::kept_of(why), now)).await
    }

    async fn succeed(&self, provider_id: ProviderId, fee: Option<Money>) -> Result<(), TurnError> {
        let id = || Some(provider_id.clone());
        self.write("succeed", |payout, now| payout::succeed(payout, id(), fee, PROVIDER, now)).await
    }

    async fn fail(&self, why: &str) -> Result<Outcome, TurnError> {
        self.write("fail", |payout, now| payout::fail(payout, Note::kept_of(why), now)).await?;
        Ok(Outcome::Done)
    }

    async fn write(
        &self,
        what: &str,
        decide: impl Fn(&Loaded<Payout>, Timestamp) -> Result<domain::decision::Decision, Refusal>,
    ) -> Result<(), TurnError> {
        decide!(self.ctx, self.report, what, Some(self.prepared.site_id), {
            let payout: Loaded<Payout> = self.ctx.store.load(self.id).await?;
            decide(&payout, self.ctx.store.clock().now()).map_err(|refusal| TurnError::from(&refusal))?
        })?;
        Ok(())
    }

    /// The site's number, opened at the last moment; none once its manager was forgotten.
    async fn recipient(&self) -> Result<Option<Phone>, TurnError> {
        let to = self.prepared;
        let account = self.ctx.store.subjects().open(to.subject.uuid(), field::PAYOUT_ACCOUNT, &to.account).await?;
        Ok(account.and_then(|account| Phone::new(&account).ok()))
    }
}
