//! Sending money back: written down before the call, under a key that stays the same until the outcome is known.

use adapters::payments::PayoutStatus;
use domain::{
    aggregate::{Loaded, Version},
    client::Client,
    ids::RefundId,
    payment::Method,
    phone::Phone,
    reaction::{Ask, Notice, Whom},
    refund::{self, Attempt, Means, Next, Refund, Requested, Route, Ways},
};

use super::{
    Report, TurnError, again,
    checkout::account,
    number,
    order::{News, Order, Purpose},
    report::{PROVIDER, decide},
};
use crate::{
    context::Context,
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
        let mut own = match (request.method.has_provider(), at(request.method)) {
            (true, None) => return Ok(None),
            (_, rail) => rail.map(|rail| rail.provider.ways()).unwrap_or_default(),
        };
        let client = match request.client_id {
            Some(client_id) => Some(ctx.store.load::<Client>(client_id).await?),
            None => None,
        };
        let now = ctx.store.clock().now();
        let verified = client.as_ref().is_some_and(|client| client.state.may_be_paid_otherwise(now));
        own.payout &= client.as_ref().is_none_or(|client| client.state.may_be_paid(now));
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
    let Some(out) = Out::of(ctx, report, &refund) else { return Ok(Outcome::Done) };
    let Some(order) = out.order(taken, None).await? else { return Ok(no_rail(ctx, taken)) };
    if let Some(outcome) = order.not_yet().await? {
        return Ok(outcome);
    }
    let over = match out.attempt.route {
        Route::WholeTransaction => out.give_back_whole(&order).await?,
        Route::Payout => order.send().await?,
        Route::Cash | Route::Transfer | Route::Credit => None,
    };
    Ok(over.unwrap_or(Outcome::Done))
}

/// One question about a refund that is out. `None` while its answer is not final.
pub(super) async fn ask(
    ctx: &Context,
    taken: &Taken,
    question: Ask,
    refund_id: RefundId,
) -> Result<Option<Outcome>, TurnError> {
    let report = Report::from(taken);
    let refund: Loaded<Refund> = ctx.store.load(refund_id).await?;
    let Some(out) = Out::of(ctx, &report, &refund) else { return Ok(Some(Outcome::Done)) };
    let Some(order) = out.order(taken, Some(question)).await? else { return Ok(None) };
    if let Some(outcome) = order.not_yet().await? {
        return Ok(Some(outcome));
    }
    match out.attempt.route {
        Route::Payout => order.ask().await,
        // Doing it again is how a provider is asked here: it is idempotent, and its answer is the status.
        Route::WholeTransaction => out.give_back_whole(&order).await,
        Route::Cash | Route::Transfer | Route::Credit => Ok(Some(Outcome::Done)),
    }
}

/// A refund that is out.
struct Out<'a> {
    ctx: &'a Context,
    report: &'a Report,
    refund_id: RefundId,
    request: &'a Requested,
    attempt: &'a Attempt,
}

impl<'a> Out<'a> {
    fn of(ctx: &'a Context, report: &'a Report, refund: &'a Loaded<Refund>) -> Option<Self> {
        let (request, attempt) = (refund.state.request.as_ref()?, refund.state.attempt.as_ref()?);
        refund.state.status.is_out().then_some(Self { ctx, report, refund_id: refund.id, request, attempt })
    }

    /// At the provider of the attempt, at the account the money came to; `None` while it is not configured.
    async fn order(&'a self, taken: &'a Taken, question: Option<Ask>) -> Result<Option<Order<'a, Self>>, TurnError> {
        let account = account(self.ctx, self.request.reservation_id).await?;
        let method = self.attempt.method.unwrap_or(self.request.method);
        let Some(rail) = self.ctx.providers.rail(method, account.as_ref()) else { return Ok(None) };
        Ok(Some(Order {
            ctx: self.ctx,
            taken,
            of: self,
            rail,
            amount: self.request.amount,
            reference: &self.attempt.reference,
            provider_id: self.attempt.provider_id.as_ref(),
            since: self.attempt.since,
            lost_at: self.attempt.lost_at.max(taken.called_at),
            reason: "Remboursement",
            question,
        }))
    }

    /// The whole transaction; doing it again is harmless.
    async fn give_back_whole(&self, order: &Order<'_, Self>) -> Result<Option<Outcome>, TurnError> {
        let Some(checkout) = &self.request.provider_id else {
            return order.fail("the checkout it was paid in is not known").await;
        };
        let (provider_id, amount) = (self.request.transaction.clone(), self.request.amount);
        let given_back = |()| PayoutStatus::Succeeded { provider_id, amount, fee: None, at: None };
        order.became(order.call(order.rail.provider.refund_full(checkout)).await?.map(given_back)).await
    }
}

impl Purpose for Out<'_> {
    const EXACT: bool = false;

    async fn recipient(&self) -> Result<Option<Phone>, TurnError> {
        let Some(client_id) = self.request.client_id else { return Ok(None) };
        let client: Loaded<Client> = self.ctx.store.load(client_id).await?;
        // Decided on while they had another: that one is not theirs any more, and this one not for long enough.
        if !client.state.may_be_paid(self.ctx.store.clock().now()) {
            return Ok(None);
        }
        number::of(self.ctx, &client).await
    }

    async fn write(&self, news: &News) -> Result<(), TurnError> {
        // A second attempt's news is not the first one's.
        let what = format!("{}:{}", news.verb(), self.attempt.number);
        let over = matches!(news, News::Succeeded { .. } | News::Failed(_));
        decide!(self.ctx, self.report, &what, over.then_some(self.request.site_id), {
            let refund: Loaded<Refund> = self.ctx.store.load(self.refund_id).await?;
            let now = self.ctx.store.clock().now();
            let decided = match news.clone() {
                News::Pending(provider_id) => refund::pending(&refund, provider_id, now),
                News::Succeeded { provider_id, .. } => refund::succeed(&refund, Some(provider_id), PROVIDER, now),
                News::Failed(why) => refund::fail(&refund, why, now),
                News::Reversed(why) => refund::reverse(&refund, why, now),
                News::Unknown(why) => refund::unknown(&refund, why, now),
            };
            decided.map_err(|refusal| TurnError::from(&refusal))?
        })?;
        Ok(())
    }
}
