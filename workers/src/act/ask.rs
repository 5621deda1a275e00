//! Asking a provider what became of a movement, again and again on the schedule of domain.md, until it says.

use adapters::{call::Outcome as Call, payments::ProviderStatus};
use domain::{
    aggregate::Loaded,
    ids::PaymentId,
    payment::{Payment, Status},
    reaction::{About, Ask, Notice, Reaction, Whom},
};

use super::{
    Learned, Report, TurnError,
    checkout::{alarmed, asked, call, create, rail},
    learn, payout, refund,
};
use crate::{
    context::Context,
    effect::{self, Intent, Letter, Outcome, Taken, Work},
};

/// One question of a series.
pub(super) async fn ask(ctx: &Context, taken: &Taken, question: Ask) -> Result<Outcome, TurnError> {
    let over = match question.about {
        About::Payment(payment_id) => about_payment(ctx, taken, payment_id).await?,
        About::Listed(payment_id) => about_listed(ctx, taken, payment_id).await?,
        About::Refund(refund_id) => refund::ask(ctx, taken, question, refund_id).await?,
        About::Payout(payout_id) => payout::ask(ctx, taken, question, payout_id).await?,
    };
    match over {
        Some(outcome) => Ok(outcome),
        None => next(ctx, taken, question).await,
    }
}

/// The next question; after the last one somebody is told.
async fn next(ctx: &Context, taken: &Taken, question: Ask) -> Result<Outcome, TurnError> {
    let now = ctx.store.clock().now();
    // Questions that were slept through are not made up for one by one.
    let mut following = question.next();
    while let Some(ask) = following
        && ask.due() <= now
        && ask.next().is_some()
    {
        following = ask.next();
    }
    if let Some(ask) = following {
        return Ok(Outcome::next(Reaction::Ask(ask), ask.due().max(now)));
    }
    if let About::Payment(payment_id) = question.about {
        let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
        if payment.state.lingers() {
            return Ok(Outcome::Done);
        }
    }
    let notice = Notice::NoAnswer { about: question.about };
    let work = Work::SendEmail(Letter { whom: Whom::Finance, notice });
    let intent = Intent { key: format!("{}:no_answer", taken.key), work, due_at: now };
    effect::intend(&mut *ctx.store.pool().acquire().await?, &intent, taken.cause, now).await?;
    Ok(Outcome::Failed("no final answer within 72 hours".into()))
}

/// A statement lists it as paid, whatever the log says: if its provider says so too, the money lands. `None` while nobody
/// answers; any other answer leaves it to whoever explains the difference.
async fn about_listed(ctx: &Context, taken: &Taken, payment_id: PaymentId) -> Result<Option<Outcome>, TurnError> {
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    let Some(request) = &payment.state.request else { return Ok(Some(Outcome::Dropped("no such payment".into()))) };
    let Ok(rail) = rail(ctx, request).await? else { return Ok(None) };
    let answer = match payment.state.provider_id() {
        Some(provider_id) => call(rail, rail.provider.status(asked(request, provider_id))).await,
        None => call(rail, rail.provider.search(&request.reference)).await,
    };
    match answer {
        Call::Done(status @ (ProviderStatus::Succeeded(_) | ProviderStatus::Several(_))) => {
            learn(ctx, &Report::from(taken), payment_id, status).await?;
            Ok(Some(Outcome::Done))
        }
        Call::Done(_) => Ok(Some(Outcome::Dropped("its provider does not say that it is paid".into()))),
        Call::Refused(refusal) => {
            alarmed(&refusal);
            Ok(None)
        }
        Call::RetryAfter(_) | Call::Unknown(_) => Ok(None),
    }
}

/// `None` while its answer is not final.
async fn about_payment(ctx: &Context, taken: &Taken, payment_id: PaymentId) -> Result<Option<Outcome>, TurnError> {
    let report = Report::from(taken);
    let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
    let Some(request) = &payment.state.request else { return Ok(Some(Outcome::Dropped("no such payment".into()))) };
    if !payment.state.status.is_open() && !payment.state.lingers() {
        return Ok(Some(Outcome::Done));
    }
    let Ok(rail) = rail(ctx, request).await? else { return Ok(None) };
    let answer = match payment.state.provider_id() {
        Some(provider_id) => call(rail, rail.provider.status(asked(request, provider_id))).await,
        None => call(rail, rail.provider.search(&request.reference)).await,
    };
    let status = match answer {
        Call::Done(status) => status,
        Call::Refused(refusal) => {
            alarmed(&refusal);
            return Ok(None);
        }
        // The schedule is the retry.
        Call::RetryAfter(_) | Call::Unknown(_) => return Ok(None),
    };
    let was_unknown = payment.state.status == Status::Unknown;
    match learn(ctx, &report, payment_id, status).await? {
        // Out of unknown a new series begins by itself.
        Learned::Open if was_unknown => {
            let after: Loaded<Payment> = ctx.store.load(payment_id).await?;
            Ok((after.state.status != Status::Unknown).then_some(Outcome::Done))
        }
        Learned::Open => Ok(None),
        Learned::Settled(_) => Ok(Some(Outcome::Done)),
        Learned::Ended { .. } => {
            let after: Loaded<Payment> = ctx.store.load(payment_id).await?;
            Ok((!after.state.lingers()).then_some(Outcome::Done))
        }
        Learned::Nothing if was_unknown && payment.state.provider_id().is_none() => {
            // It never came into being: it may be made (anew), and this question is the one asked before.
            let outcome = create(ctx, taken, &report, request, rail).await?;
            let after: Loaded<Payment> = ctx.store.load(payment_id).await?;
            // Unknown as before: the questions go on.
            Ok((after.state.status != Status::Unknown).then_some(outcome))
        }
        Learned::Nothing | Learned::Contradiction(_) => Ok(None),
    }
}
