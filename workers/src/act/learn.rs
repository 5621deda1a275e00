//! What a provider answered about a checkout becomes what the payment is.

use adapters::payments::{Opened, ProviderStatus, Receipt};
use domain::{
    aggregate::Loaded,
    decision::Decision,
    ids::{PaymentId, ReservationId},
    payment::{self, Open, Payment, Requested, Row, Status},
    reservation::Reservation,
    text::{Note, Text},
};

use super::{Report, TurnError, number, report::decide, settle};
use crate::{context::Context, process};

/// What an answer meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Learned {
    /// It can still be paid.
    Open,
    /// Money landed, in this row of the table.
    Settled(Row),
    /// It ended unpaid; whether that is news.
    Ended { news: bool },
    /// The provider knows nothing of it.
    Nothing,
    /// The answer contradicts what was asked for: nothing changed, somebody is told.
    Contradiction(String),
}

/// Takes in what the provider says, having been asked.
///
/// # Errors
/// [`TurnError`]; the answer can be taken in again.
pub(crate) async fn learn(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
    status: ProviderStatus,
) -> Result<Learned, TurnError> {
    match status {
        ProviderStatus::Pending { opened, .. } => open(ctx, report, payment_id, &opened).await,
        ProviderStatus::Succeeded(receipt) => landed(ctx, report, payment_id, &receipt).await,
        ProviderStatus::Failed { code, provider_id } => {
            if is_another(ctx, payment_id, &provider_id).await? {
                return Ok(Learned::Open);
            }
            let news = decide!(ctx, report, "fail", None, { fail(ctx, payment_id, &code).await? })?;
            Ok(Learned::Ended { news })
        }
        ProviderStatus::Expired { provider_id } => {
            if is_another(ctx, payment_id, &provider_id).await? {
                return Ok(Learned::Open);
            }
            Ok(Learned::Ended { news: expire(ctx, report, payment_id).await? })
        }
        ProviderStatus::Unpaid => unpaid(ctx, report, payment_id).await,
        ProviderStatus::UnderWay => Ok(Learned::Open),
        ProviderStatus::NotFound => Ok(Learned::Nothing),
        ProviderStatus::Several(all) => several(ctx, report, payment_id, all).await,
    }
}

/// Nobody paid, says a provider that cannot tell an open checkout from one that has ended: the time tells.
async fn unpaid(ctx: &Context, report: &Report, payment_id: PaymentId) -> Result<Learned, TurnError> {
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    if payment.state.provider_id().is_none() {
        return Ok(Learned::Nothing);
    }
    let over = payment.state.ends_by_itself().is_some_and(|end| end <= ctx.store.clock().now());
    if over && payment.state.status.is_open() {
        return Ok(Learned::Ended { news: expire(ctx, report, payment_id).await? });
    }
    let (Status::Unknown, Some(checkout)) = (payment.state.status, &payment.state.checkout) else {
        return Ok(Learned::Open);
    };
    // Nobody paid, so it is as open as it was: from here it is asked about anew.
    let opened = Opened {
        provider_id: checkout.provider_id.clone(),
        launch_url: checkout.checkout_url.to_string(),
        expires_at: checkout.expires_at,
    };
    open(ctx, report, payment_id, &opened).await
}

/// Notes that a checkout ended unpaid. Answers whether that is news.
pub(crate) async fn expire(ctx: &Context, report: &Report, payment_id: PaymentId) -> Result<bool, TurnError> {
    decide!(ctx, report, "expire", None, {
        let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
        let reservation = reservation(ctx, &payment).await?;
        let others = others(ctx, &payment).await?;
        let others: Vec<_> = others.iter().collect();
        payment::expire(&payment, &reservation, &others, ctx.store.clock().now())
            .map_err(|refusal| TurnError::from(&refusal))?
    })
}

/// Decides that a checkout failed.
pub(crate) async fn fail(ctx: &Context, payment_id: PaymentId, why: &str) -> Result<Decision, TurnError> {
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    let reservation = reservation(ctx, &payment).await?;
    let others = others(ctx, &payment).await?;
    let others: Vec<_> = others.iter().collect();
    payment::fail(&payment, &reservation, &others, Note::kept_of(why), ctx.store.clock().now())
        .map_err(|refusal| TurnError::from(&refusal))
}

/// What a payment is for. One that was never asked for is for nothing, and its verbs say so.
async fn reservation(ctx: &Context, payment: &Loaded<Payment>) -> Result<Loaded<Reservation>, TurnError> {
    match &payment.state.request {
        Some(request) => Ok(ctx.store.load(request.reservation_id).await?),
        None => Ok(Loaded::new(ReservationId::new(payment.id.uuid()))),
    }
}

/// The other payments of the same reservation that may be open.
async fn others(ctx: &Context, payment: &Loaded<Payment>) -> Result<Vec<Loaded<Payment>>, TurnError> {
    let Some(request) = &payment.state.request else { return Ok(Vec::new()) };
    let mut others = Vec::new();
    for id in process::open_of(ctx.store.pool(), request.reservation_id).await? {
        if id != payment.id {
            others.push(ctx.store.load(id).await?);
        }
    }
    Ok(others)
}

/// Notes that nobody can tell what became of it.
pub(crate) async fn unknown(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
    why: &str,
) -> Result<bool, TurnError> {
    // Becoming unknown, known and unknown again are three pieces of news: the version tells them apart.
    let version = ctx.store.load::<Payment>(payment_id).await?.version;
    decide!(ctx, report, &format!("unknown:{version}"), None, {
        let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
        let reservation = reservation(ctx, &payment).await?;
        payment::unknown(&payment, &reservation, Note::kept_of(why), ctx.store.clock().now())
            .map_err(|refusal| TurnError::from(&refusal))?
    })
}

/// Notes that a checkout is open.
pub(crate) async fn open(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
    opened: &Opened,
) -> Result<Learned, TurnError> {
    let Ok(checkout_url) = Text::new(&opened.launch_url) else {
        return Ok(Learned::Contradiction("the address of the checkout cannot be kept".into()));
    };
    let version = ctx.store.load::<Payment>(payment_id).await?.version;
    let what = format!("open:{}:{version}", opened.provider_id);
    decide!(ctx, report, &what, None, {
        let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
        let Some(request) = &payment.state.request else { return Ok(Learned::Nothing) };
        let reservation: Loaded<Reservation> = ctx.store.load(request.reservation_id).await?;
        let open = Open {
            payment: &payment,
            reservation: &reservation,
            provider_id: opened.provider_id.clone(),
            checkout_url: checkout_url.clone(),
            expires_at: opened.expires_at,
            now: ctx.store.clock().now(),
        };
        match open.decide() {
            Ok(decision) => decision,
            // The other one is known and looked after; this one may be paid too, and its webhook will say so.
            Err(refusal @ payment::Refusal::OtherCheckout { .. }) => {
                return Ok(Learned::Contradiction(refusal.to_string()));
            }
            Err(refusal) => return Err(TurnError::from(&refusal)),
        }
    })?;
    Ok(Learned::Open)
}

/// Money the provider says it received: compared with what was asked for before anything moves.
async fn landed(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
    receipt: &Receipt,
) -> Result<Learned, TurnError> {
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    let Some(request) = &payment.state.request else { return Ok(Learned::Nothing) };
    if let Some(why) = contradicts(request, receipt) {
        tracing::error!(%payment_id, why, "a receipt contradicts its payment");
        metrics::counter!("kalel_receipts_contradicting_total").increment(1);
        return Ok(Learned::Contradiction(why));
    }
    match settle(ctx, report, payment_id, receipt).await {
        Ok(row) => {
            number::verify(ctx, report, payment_id, request.client_id, receipt).await?;
            Ok(Learned::Settled(row))
        }
        Err(TurnError::Refused { code, why }) => {
            tracing::error!(%payment_id, code, why, "a receipt was refused");
            metrics::counter!("kalel_receipts_contradicting_total").increment(1);
            Ok(Learned::Contradiction(format!("{code}: {why}")))
        }
        Err(error) => Err(error),
    }
}

fn contradicts(request: &Requested, receipt: &Receipt) -> Option<String> {
    if receipt.reference.as_deref() != Some(request.reference.as_str()) {
        return Some("the receipt has another reference".into());
    }
    if receipt.amount.currency != request.amount.currency {
        return Some(format!("{} were asked for, {} arrived", request.amount, receipt.amount));
    }
    None
}

/// More than one checkout under one reference: all that was paid lands, and the payment is open while one is.
async fn several(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
    all: Vec<ProviderStatus>,
) -> Result<Learned, TurnError> {
    tracing::error!(%payment_id, checkouts = all.len(), "several checkouts under one reference");
    metrics::counter!("kalel_checkouts_ambiguous_total").increment(1);
    let mut learned = Learned::Nothing;
    for status in &all {
        if let ProviderStatus::Succeeded(receipt) = status {
            learned = landed(ctx, report, payment_id, receipt).await?;
        }
    }
    if learned != Learned::Nothing {
        return Ok(learned);
    }
    for status in all {
        if let ProviderStatus::Pending { opened, .. } = status {
            return open(ctx, report, payment_id, &opened).await;
        }
    }
    Ok(Learned::Ended { news: expire(ctx, report, payment_id).await? })
}

/// Whether the payment is known to be in another checkout than the one that ended.
async fn is_another(ctx: &Context, payment_id: PaymentId, ended: &payment::ProviderId) -> Result<bool, TurnError> {
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    Ok(payment.state.provider_id().is_some_and(|known| known != ended))
}
