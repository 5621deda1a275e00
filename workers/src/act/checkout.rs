//! Opening and closing checkouts at a provider.

use adapters::{
    call::{Outcome as Call, Refusal},
    payments::{Asked, Closed, Opened, Order, ProviderStatus, Rail},
};
use chrono::TimeDelta;
use domain::{
    Timestamp,
    aggregate::Loaded,
    client::Client,
    ids::{PaymentId, ReservationId},
    payment::{Method, Payment, ProviderId, Requested, Status},
    reservation::{self, Purpose, Reservation},
    text::Slug,
};
use eventstore::failpoint;
use url::Url;

use super::{
    Learned, Report, TurnError, again, at, busy, learn,
    learn::{expire, unknown},
    report::decide,
};
use crate::{
    context::{Context, Guarded},
    effect::{self, Outcome, Taken},
};

/// Calls a provider through its breaker. One that rests asks to come later.
pub(crate) async fn call<P, T>(guarded: &Guarded<P>, calling: impl Future<Output = Call<T>>) -> Call<T> {
    let pass = match guarded.breaker.enter().await {
        Ok(pass) => pass,
        Err(open) => return Call::RetryAfter(Some(open.retry_after)),
    };
    let outcome = calling.await;
    failpoint("effect.called");
    match &outcome {
        Call::Unknown(why) => pass.failed(why.class()),
        Call::Refused(refusal) if refusal.is_about_our_account() => pass.refused_us(),
        Call::Done(_) | Call::Refused(_) | Call::RetryAfter(_) => pass.answered(),
    }
    outcome
}

/// The merchant account that the money of a reservation goes through, as it was agreed when it was placed.
pub(crate) async fn account(ctx: &Context, id: ReservationId) -> Result<Option<Slug>, TurnError> {
    let reservation: Loaded<Reservation> = ctx.store.load(id).await?;
    Ok(reservation.state.terms.and_then(|terms| terms.contract.merchant_account))
}

/// The provider of a payment, at the account of its reservation; or why it cannot be called.
pub(crate) async fn rail<'a>(
    ctx: &'a Context,
    request: &Requested,
) -> Result<Result<&'a Guarded<Rail>, String>, TurnError> {
    let account = account(ctx, request.reservation_id).await?;
    let rail = ctx.providers.rail(request.method, account.as_ref());
    Ok(rail.ok_or_else(|| missing(request.method, account.as_ref())))
}

/// A checkout, as a provider is asked about it.
pub(crate) const fn asked<'a>(request: &'a Requested, provider_id: &'a ProviderId) -> Asked<'a> {
    Asked { provider_id, reference: &request.reference, amount: request.amount }
}

/// Why a provider cannot be called: it waits for whoever writes the settings.
pub(super) fn missing(method: Method, account: Option<&Slug>) -> String {
    let method = method.as_str();
    match account {
        None => format!("no provider is configured for {method}"),
        Some(account) => {
            tracing::error!(method, %account, "a merchant account is not configured");
            metrics::counter!("kalel_merchant_accounts_missing_total").increment(1);
            format!("the merchant account {account} is not configured for {method}")
        }
    }
}

/// Creates the checkout: asked for by reference first whenever somebody may have created it already.
pub(super) async fn open(ctx: &Context, taken: &Taken, payment_id: PaymentId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    let Some(request) = &payment.state.request else { return Ok(Outcome::Dropped("no such payment".into())) };
    // Unknown ones are asked about; whatever else is known is over.
    if payment.state.status != Status::Requested {
        return Ok(Outcome::Done);
    }
    let rail = match rail(ctx, request).await? {
        Ok(rail) => rail,
        Err(why) => return Ok(again(ctx, taken, why)),
    };
    if taken.called_at.is_some() {
        match call(rail, rail.provider.search(&request.reference)).await {
            Call::Done(ProviderStatus::NotFound | ProviderStatus::Unpaid) => {}
            Call::Done(status) => {
                learn(ctx, &report, payment_id, status).await?;
                return Ok(Outcome::Done);
            }
            other => return Ok(later(ctx, taken, other)),
        }
    }
    create(ctx, taken, &report, request, rail).await
}

/// Creates it, if it is still wanted. Also from the state unknown, once the provider has said that there is none.
pub(super) async fn create(
    ctx: &Context,
    taken: &Taken,
    report: &Report,
    request: &Requested,
    rail: &Guarded<Rail>,
) -> Result<Outcome, TurnError> {
    let payment_id = request.payment_id;
    let reservation: Loaded<Reservation> = ctx.store.load(request.reservation_id).await?;
    let in_time = request.hold_expires_at.is_none_or(|ends| ctx.store.clock().now() < ends);
    if !in_time || !is_wanted(ctx, request, &reservation.state).await? {
        fail(ctx, report, payment_id, "no longer wanted").await?;
        return Ok(Outcome::Done);
    }
    // Not the pay link itself: while the checkout is open that one leads straight back to the provider.
    let pay_url = (ctx.pay_url)(payment_id);
    let page = |name: &str| Url::parse(&format!("{}/{name}", pay_url.trim_end_matches('/')));
    let (Ok(success_url), Ok(error_url)) = (page("success"), page("error")) else {
        return Ok(Outcome::Failed("the pay link is not an address".into()));
    };
    let order = Order {
        amount: request.amount,
        reference: request.reference.clone(),
        success_url,
        error_url,
        closes_at: closes_at(ctx, request, &reservation.state),
        now: ctx.store.clock().now(),
        payer: None,
    };
    if !effect::about_to_call(ctx.store.pool(), taken, ctx.store.clock().now()).await? {
        return Err(TurnError::Lost);
    }
    match call(rail, rail.provider.open(&order)).await {
        Call::Done(opened) => opened_now(ctx, report, payment_id, &opened).await,
        Call::RetryAfter(wait) => {
            effect::not_called(ctx.store.pool(), taken).await?;
            Ok(busy(ctx, taken, wait))
        }
        Call::Refused(refusal) if refusal.is_about_our_account() => {
            effect::not_called(ctx.store.pool(), taken).await?;
            Ok(again(ctx, taken, alarmed(&refusal)))
        }
        Call::Refused(refusal) => {
            fail(ctx, report, payment_id, &refusal.to_string()).await?;
            Ok(Outcome::Done)
        }
        Call::Unknown(why) if !why.may_have_happened() => {
            effect::not_called(ctx.store.pool(), taken).await?;
            Ok(again(ctx, taken, why.to_string()))
        }
        Call::Unknown(why) => {
            unknown(ctx, report, payment_id, &why.to_string()).await?;
            // Those who ask go on from here.
            Ok(Outcome::Done)
        }
    }
}

/// Whether there is still something to pay of what it was asked for.
async fn is_wanted(ctx: &Context, request: &Requested, reservation: &Reservation) -> Result<bool, TurnError> {
    if let (Purpose::Debt, Some(client_id)) = (request.purpose, request.client_id) {
        // A fine is of a reservation that is over.
        let client: Loaded<Client> = ctx.store.load(client_id).await?;
        return Ok(client.state.owes(request.reservation_id).is_some());
    }
    let status = reservation.status;
    Ok((status.is_live() || status == reservation::Status::Completed)
        && reservation.due_of(request.purpose, request.share_id).is_positive())
}

/// When a provider that can be told lets it end: with the hold. That of a share may last for weeks, and its checkout is for
/// whoever is about to pay.
fn closes_at(ctx: &Context, request: &Requested, reservation: &Reservation) -> Option<Timestamp> {
    let terms = reservation.terms.as_ref().filter(|_| request.share_id.is_some());
    let usual = terms.map(|terms| TimeDelta::seconds(i64::from(terms.policy.hold_seconds)));
    let usual = usual.map(|usual| ctx.store.clock().now() + usual);
    match (request.hold_expires_at, usual) {
        (Some(end), Some(usual)) => Some(end.min(usual)),
        (end, usual) => end.or(usual),
    }
}

async fn opened_now(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
    opened: &Opened,
) -> Result<Outcome, TurnError> {
    match learn::open(ctx, report, payment_id, opened).await? {
        Learned::Contradiction(why) => Ok(Outcome::Failed(why)),
        _ => Ok(Outcome::Done),
    }
}

async fn fail(ctx: &Context, report: &Report, payment_id: PaymentId, why: &str) -> Result<bool, TurnError> {
    decide!(ctx, report, "fail", None, { learn::fail(ctx, payment_id, why).await? })
}

/// Whether a checkout of a share may go on although the reservation was confirmed without it: the others' quorum was enough,
/// and this share is a part of the balance.
async fn share_is_wanted(ctx: &Context, payment: &Payment, request: &Requested) -> Result<bool, TurnError> {
    let (Some(share_id), Some(checkout)) = (request.share_id, &payment.checkout) else { return Ok(false) };
    let in_time = checkout.close_at.is_some_and(|end| ctx.store.clock().now() < end);
    let reservation: Loaded<Reservation> = ctx.store.load(request.reservation_id).await?;
    let confirmed = matches!(reservation.state.status, reservation::Status::Confirmed | reservation::Status::CheckedIn);
    Ok(in_time && confirmed && reservation.state.share_due(share_id).is_positive())
}

/// Has the provider close the checkout, so that nothing can be paid in it; before its cells are freed.
pub(super) async fn close(ctx: &Context, taken: &Taken, payment_id: PaymentId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    let Some(request) = &payment.state.request else { return Ok(Outcome::Dropped("no such payment".into())) };
    if !payment.state.status.is_open() {
        return Ok(Outcome::Done);
    }
    if share_is_wanted(ctx, &payment.state, request).await? {
        return Ok(Outcome::Dropped("the share may still be paid".into()));
    }
    let rail = match rail(ctx, request).await? {
        Ok(rail) => rail,
        Err(why) => return Ok(again(ctx, taken, why)),
    };
    let Some(provider_id) = payment.state.provider_id() else {
        // Not opened as far as we know. Once it is, the log says when to close it; asking finds one that was lost.
        return match call(rail, rail.provider.search(&request.reference)).await {
            Call::Done(ProviderStatus::NotFound | ProviderStatus::Unpaid)
                if payment.state.status == Status::Unknown =>
            {
                expire(ctx, &report, payment_id).await?;
                Ok(Outcome::Done)
            }
            Call::Done(ProviderStatus::NotFound | ProviderStatus::Unpaid) => Ok(Outcome::Done),
            Call::Done(status) => {
                learn(ctx, &report, payment_id, status).await?;
                Ok(Outcome::Done)
            }
            other => Ok(later(ctx, taken, other)),
        };
    };
    match call(rail, rail.provider.expire(asked(request, provider_id))).await {
        Call::Done(Closed::Now | Closed::NotFound) => {
            expire(ctx, &report, payment_id).await?;
            Ok(Outcome::Done)
        }
        Call::Done(closed @ (Closed::Already | Closed::ByItself)) => {
            match call(rail, rail.provider.status(asked(request, provider_id))).await {
                Call::Done(status) => match learn(ctx, &report, payment_id, status).await? {
                    Learned::Open | Learned::Nothing => Ok(match payment.state.ends_by_itself() {
                        Some(end) if closed == Closed::ByItself && end > ctx.store.clock().now() => at(end),
                        _ => again(ctx, taken, "closed and open at once"),
                    }),
                    Learned::Contradiction(why) => Ok(Outcome::Failed(why)),
                    Learned::Settled(_) | Learned::Ended { .. } => Ok(Outcome::Done),
                },
                other => Ok(later(ctx, taken, other)),
            }
        }
        Call::Unknown(why) if why.may_have_happened() => {
            unknown(ctx, &report, payment_id, &why.to_string()).await?;
            // Closing twice is harmless, and the cells wait for it.
            Ok(again(ctx, taken, why.to_string()))
        }
        other => Ok(later(ctx, taken, other)),
    }
}

/// Not this time.
pub(super) fn later<T>(ctx: &Context, taken: &Taken, call: Call<T>) -> Outcome {
    match call {
        Call::Done(_) => again(ctx, taken, "unexpected"),
        Call::RetryAfter(wait) => busy(ctx, taken, wait),
        Call::Refused(refusal) => again(ctx, taken, alarmed(&refusal)),
        Call::Unknown(why) => again(ctx, taken, why.to_string()),
    }
}

/// A refusal of a question is about us, not about the payment: somebody must look.
pub(super) fn alarmed(refusal: &Refusal) -> String {
    tracing::error!(code = refusal.code, http = refusal.http, "a provider refuses us");
    metrics::counter!("kalel_provider_refusals_total", "code" => refusal.code.clone()).increment(1);
    refusal.to_string()
}
