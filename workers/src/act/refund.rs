//! Sending money back: written down before the call, under a key that stays the same until the outcome is known.

use adapters::{
    call::Outcome as Call,
    payments::{PayoutOrder, PayoutStatus, Rail},
};
use domain::{
    aggregate::{Loaded, Version},
    client::Client,
    ids::RefundId,
    payment::Method,
    phone::Phone,
    reaction::{Notice, Whom},
    refund::{self, Attempt, Means, Next, Refund, Requested, Route, Ways},
    text::Note,
};

use super::{
    Report, TurnError, again, busy,
    checkout::{account, alarmed, call},
    number,
    report::{PROVIDER, decide},
};
use crate::{
    context::{Context, Guarded},
    effect::{self, Intent, Letter, Outcome, Taken, Work},
};

/// The first try.
pub(super) async fn submit(ctx: &Context, taken: &Taken, refund_id: RefundId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    let submitted = decide!(ctx, report, "submit", None, {
        let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
        let Some(known) = Known::of(ctx, &refund).await? else { return Ok(no_rail(ctx, taken)) };
        match refund::submit(&refund, &known.means(), ctx.store.clock().now()) {
            Ok(decision) => decision,
            // Whoever hands it out was told.
            Err(refund::Refusal::ByHand { .. }) => return Ok(Outcome::Done),
            Err(refusal) => return Err(TurnError::from(&refusal)),
        }
    });
    submitted?;
    send(ctx, taken, &report, refund_id).await
}

/// What follows after one way has failed.
pub(super) async fn retry(ctx: &Context, taken: &Taken, refund_id: RefundId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
    let Some(known) = Known::of(ctx, &refund).await? else { return Ok(no_rail(ctx, taken)) };
    if refund::next(&refund.state, &known.means()) == Next::Cash {
        return by_hand(ctx, taken, &refund).await;
    }
    decide!(ctx, report, "retry", None, {
        let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
        let Some(known) = Known::of(ctx, &refund).await? else { return Ok(no_rail(ctx, taken)) };
        refund::retry(&refund, &known.means(), ctx.store.clock().now()).map_err(|refusal| TurnError::from(&refusal))?
    })?;
    send(ctx, taken, &report, refund_id).await
}

/// What the decision which way to go rests on.
struct Known {
    own: Ways,
    others: Vec<Method>,
    client: Option<Version>,
}

impl Known {
    /// `None` while the provider that the money came through is not configured.
    async fn of(ctx: &Context, refund: &Loaded<Refund>) -> Result<Option<Self>, TurnError> {
        let Some(request) = &refund.state.request else { return Ok(None) };
        // It goes back by the account that it came to, whatever the way: what one account received another does not owe.
        let account = account(ctx, request.reservation_id).await?;
        let at = |method| ctx.providers.rail(method, account.as_ref());
        let own = match (request.method.has_provider(), at(request.method)) {
            (true, None) => return Ok(None),
            (_, rail) => rail.map(|rail| rail.provider.ways()).unwrap_or_default(),
        };
        let client = match request.client_id {
            Some(client_id) => Some(ctx.store.load::<Client>(client_id).await?),
            None => None,
        };
        let verified = client.as_ref().is_some_and(|client| client.state.number_verified);
        let sends = |method: &Method| at(*method).is_some_and(|rail| rail.provider.ways().payout);
        let others = Method::WITH_PROVIDER.into_iter().filter(|method| *method != request.method && sends(method));
        let others = others.filter(|_| verified).collect();
        Ok(Some(Self { own, others, client: client.map(|client| client.version) }))
    }

    fn means(&self) -> Means<'_> {
        Means { own: self.own, others: &self.others, client: self.client }
    }
}

fn no_rail(ctx: &Context, taken: &Taken) -> Outcome {
    again(ctx, taken, "no such provider, or no such merchant account there, is configured")
}

/// No provider can do it: the manager hands it out against signature.
async fn by_hand(ctx: &Context, taken: &Taken, refund: &Loaded<Refund>) -> Result<Outcome, TurnError> {
    let Some(request) = &refund.state.request else { return Ok(Outcome::Dropped("no such refund".into())) };
    let letter = Letter { whom: Whom::ManagerOf(request.site_id), notice: Notice::HandOut { refund_id: refund.id } };
    let now = ctx.store.clock().now();
    for work in [Work::SendSms(letter), Work::SendEmail(letter)] {
        let intent = Intent { key: format!("{}:{}", taken.key, work.kind()), work, due_at: now };
        effect::intend(&mut *ctx.store.pool().acquire().await?, &intent, taken.cause, now).await?;
    }
    Ok(Outcome::Done)
}

/// Calls the provider for the attempt that is out, if one is.
async fn send(ctx: &Context, taken: &Taken, report: &Report, refund_id: RefundId) -> Result<Outcome, TurnError> {
    let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
    let (Some(request), Some(attempt)) = (&refund.state.request, &refund.state.attempt) else {
        return Ok(Outcome::Done);
    };
    if !refund.state.status.is_out() {
        return Ok(Outcome::Done);
    }
    let rail = of_attempt(ctx, request, attempt).await?;
    let out = Out { ctx, taken, report, refund_id, request, attempt, rail, again: taken.called_before };
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

/// One question about a refund that is out. `None` while its answer is not final.
pub(super) async fn ask(ctx: &Context, taken: &Taken, refund_id: RefundId) -> Result<Option<Outcome>, TurnError> {
    let report = Report::from(taken);
    let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
    let (Some(request), Some(attempt)) = (&refund.state.request, &refund.state.attempt) else {
        return Ok(Some(Outcome::Done));
    };
    if !refund.state.status.is_out() {
        return Ok(Some(Outcome::Done));
    }
    let rail = of_attempt(ctx, request, attempt).await?;
    let out = Out { ctx, taken, report: &report, refund_id, request, attempt, rail, again: true };
    match attempt.route {
        Route::Payout => out.ask_payout().await,
        // Doing it again is how a provider is asked here: it is idempotent, and its answer is the status.
        Route::WholeTransaction => out.call().await,
        Route::Cash | Route::Transfer | Route::Credit => Ok(Some(Outcome::Done)),
    }
}

/// The provider of an attempt, at the account the money came to.
async fn of_attempt<'a>(
    ctx: &'a Context,
    request: &Requested,
    attempt: &Attempt,
) -> Result<Option<&'a Guarded<Rail>>, TurnError> {
    let account = account(ctx, request.reservation_id).await?;
    Ok(ctx.providers.rail(attempt.method.unwrap_or(request.method), account.as_ref()))
}

/// A refund that is out.
struct Out<'a> {
    ctx: &'a Context,
    taken: &'a Taken,
    report: &'a Report,
    refund_id: RefundId,
    request: &'a Requested,
    attempt: &'a Attempt,
    /// The provider of this attempt, at the account the money came to.
    rail: Option<&'a Guarded<Rail>>,
    /// Whether the order went out before, as far as we know.
    again: bool,
}

impl Out<'_> {
    /// Whether sending it again could pay it again.
    fn is_not_repeatable(&self) -> bool {
        let again = |rail: &Guarded<Rail>| rail.provider.unseen_after().is_zero();
        self.attempt.route == Route::Payout && !self.rail.is_some_and(again)
    }

    /// Whether what the provider knows nothing of can be taken for never made.
    fn never_made(&self, rail: &Guarded<Rail>) -> bool {
        self.attempt.since + rail.provider.unseen_after() <= self.ctx.store.clock().now()
    }

    /// Makes the call of this attempt; making it again is harmless. `None` when the answer is not final.
    async fn call(&self) -> Result<Option<Outcome>, TurnError> {
        match self.attempt.route {
            Route::WholeTransaction => self.whole().await,
            Route::Payout => self.payout().await,
            Route::Cash | Route::Transfer | Route::Credit => Ok(Some(Outcome::Done)),
        }
    }

    async fn whole(&self) -> Result<Option<Outcome>, TurnError> {
        let Some(rail) = self.rail else { return Ok(Some(no_rail(self.ctx, self.taken))) };
        let Some(checkout) = &self.request.provider_id else {
            return self.fail("the checkout it was paid in is not known").await.map(Some);
        };
        match call(rail, rail.provider.refund_full(checkout)).await {
            Call::Done(()) => self.succeed(Some(self.request.transaction.clone())).await.map(Some),
            other => self.not_done(other).await,
        }
    }

    async fn payout(&self) -> Result<Option<Outcome>, TurnError> {
        let Some(rail) = self.rail else { return Ok(Some(no_rail(self.ctx, self.taken))) };
        let Some(recipient) = self.recipient().await? else {
            return self.fail("there is no number to send it to").await.map(Some);
        };
        let order = PayoutOrder {
            recipient,
            amount: self.request.amount,
            reference: self.attempt.reference.clone(),
            idempotency_key: self.attempt.reference.to_string(),
            reason: Some("Remboursement".into()),
        };
        match call(rail, rail.provider.payout(&order)).await {
            Call::Done(status) => self.learn(status).await,
            other => self.not_done(other).await,
        }
    }

    async fn ask_payout(&self) -> Result<Option<Outcome>, TurnError> {
        let Some(rail) = self.rail else { return Ok(None) };
        let answer = match &self.attempt.provider_id {
            Some(provider_id) => call(rail, rail.provider.payout_status(provider_id)).await,
            None => call(rail, rail.provider.payout_search(&self.attempt.reference)).await,
        };
        match answer {
            // It never arrived there. Where a key makes it the same payout, the same order again; elsewhere another try,
            // which is written down, guarded and asked about like the first one.
            Call::Done(PayoutStatus::NotFound) if self.attempt.provider_id.is_none() && self.never_made(rail) => {
                if self.is_not_repeatable() {
                    return self.fail("it never arrived at the provider").await.map(Some);
                }
                self.payout().await
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
                let now = || self.ctx.store.clock().now();
                decide!(self.ctx, self.report, "pending", None, {
                    let refund: Loaded<Refund> = self.ctx.store.load(self.refund_id).await?;
                    refund::pending(&refund, provider_id.clone(), now()).map_err(|refusal| TurnError::from(&refusal))?
                })?;
                Ok(None)
            }
            PayoutStatus::Succeeded { provider_id, .. } => self.succeed(Some(provider_id)).await.map(Some),
            PayoutStatus::Failed { code, message, .. } => self.fail(&format!("{code}: {message}")).await.map(Some),
            PayoutStatus::Reversed { provider_id } => {
                self.succeed(Some(provider_id)).await?;
                decide!(self.ctx, self.report, &self.what("reverse"), None, {
                    let refund: Loaded<Refund> = self.ctx.store.load(self.refund_id).await?;
                    let now = self.ctx.store.clock().now();
                    refund::reverse(&refund, Note::kept_of("taken back"), now)
                        .map_err(|refusal| TurnError::from(&refusal))?
                })?;
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

    async fn not_done<T>(&self, answer: Call<T>) -> Result<Option<Outcome>, TurnError> {
        match answer {
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
            Call::Done(_) => Ok(None),
        }
    }

    /// Nothing can have happened: whoever comes next may call.
    async fn not_called(&self) -> Result<(), TurnError> {
        Ok(effect::not_called(self.ctx.store.pool(), self.taken).await?)
    }

    async fn unknown(&self, why: &str) -> Result<(), TurnError> {
        decide!(self.ctx, self.report, &self.what("unknown"), None, {
            let refund: Loaded<Refund> = self.ctx.store.load(self.refund_id).await?;
            let now = self.ctx.store.clock().now();
            refund::unknown(&refund, Note::kept_of(why), now).map_err(|refusal| TurnError::from(&refusal))?
        })?;
        Ok(())
    }

    async fn succeed(&self, provider_id: Option<domain::payment::ProviderId>) -> Result<Outcome, TurnError> {
        decide!(self.ctx, self.report, &self.what("succeed"), Some(self.request.site_id), {
            let refund: Loaded<Refund> = self.ctx.store.load(self.refund_id).await?;
            let now = self.ctx.store.clock().now();
            refund::succeed(&refund, provider_id.clone(), PROVIDER, now).map_err(|refusal| TurnError::from(&refusal))?
        })?;
        Ok(Outcome::Done)
    }

    async fn fail(&self, why: &str) -> Result<Outcome, TurnError> {
        decide!(self.ctx, self.report, &self.what("fail"), Some(self.request.site_id), {
            let refund: Loaded<Refund> = self.ctx.store.load(self.refund_id).await?;
            let now = self.ctx.store.clock().now();
            refund::fail(&refund, Note::kept_of(why), now).map_err(|refusal| TurnError::from(&refusal))?
        })?;
        Ok(Outcome::Done)
    }

    /// A second attempt's news is not the first one's.
    fn what(&self, verb: &str) -> String {
        format!("{verb}:{}", self.attempt.number)
    }

    /// The client's number, opened at the last moment.
    async fn recipient(&self) -> Result<Option<Phone>, TurnError> {
        let Some(client_id) = self.request.client_id else { return Ok(None) };
        number::of(self.ctx, &self.ctx.store.load(client_id).await?).await
    }
}
