//! Money that went back at a provider without us: found by a statement or told by a message, and written down.

use adapters::payments::reference_id;
use chrono::TimeDelta;
use domain::{
    aggregate::Loaded,
    ids::{PaymentId, ReconciliationId, RefundId},
    payment::{Payment, TRANSACTION, transaction_key},
    reconciliation::{Listing, Reconciliation, Scope, Subject, catch_up, paid_back},
    refund::{Movement, Observation, Observed, Refund, Refusal, Status},
    reservation::Reservation,
    text::Note,
};

use super::{
    Report, TurnError, account, at,
    report::{PROVIDER, decide},
};
use crate::{
    context::Context,
    effect::{Outcome, Taken},
};

/// What is on its way itself, or waits for a second person, is looked at again.
const LATER: TimeDelta = TimeDelta::hours(1);

/// A movement that was listed and that nothing was known of: the refund that it is, and the day that it explains.
pub(super) async fn listed(
    ctx: &Context,
    taken: &Taken,
    id: ReconciliationId,
    number: u32,
) -> Result<Outcome, TurnError> {
    let refund_id = RefundId::new(ctx.store.clock().new_id());
    let mut open = None;
    decide!(ctx, Report::from(taken), "observe", None, {
        let day: Loaded<Reconciliation> = ctx.store.load(id).await?;
        let Some(there) = outside(&day, number) else { return Ok(Outcome::Done) };
        let Some(payment_id) = payment_of(ctx, &day, number, there).await? else {
            return Ok(Outcome::Dropped("it names no payment that is known: a person says what it is".into()));
        };
        let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
        if !lies_there(ctx, &day, &payment).await? {
            return Ok(Outcome::Dropped("the payment is not one of this merchant account".into()));
        }
        let movement = Movement {
            provider_id: there.transaction.clone(),
            method: there.method,
            amount: paid_back(there),
            transaction: payment.state.capture(&there.transaction).map(|capture| capture.transaction.clone()),
            note: Note::kept_of("listed by its provider"),
        };
        match observe(ctx, payment, refund_id, movement).await? {
            Ok(seen) if is_paid(ctx, &seen).await? => {
                let (subject, now) = (Subject::refund(seen.refund_id), ctx.store.clock().now());
                let mut decision = seen.decision.and(catch_up(&day, number, subject, now));
                decision.reads.retain(|read| decision.changes.iter().all(|change| change.stream != read.stream));
                decision
            }
            Ok(_) | Err(Refusal::MayBeOurs { .. }) => {
                open = Some(ctx.store.clock().now() + LATER);
                domain::decision::Decision::nothing()
            }
            Err(refusal) => return Ok(Outcome::Dropped(format!("{refusal}: a person says what it is"))),
        }
    })?;
    Ok(open.map_or(Outcome::Done, at))
}

fn outside(day: &Loaded<Reconciliation>, number: u32) -> Option<&Listing> {
    day.state.differences.iter().find(|difference| difference.number == number)?.outside()
}

/// New ones are paid by what is written; a known one may still wait for a second person.
async fn is_paid(ctx: &Context, seen: &Observation) -> Result<bool, TurnError> {
    if !seen.decision.is_nothing() {
        return Ok(true);
    }
    let refund: Loaded<Refund> = ctx.store.load(seen.refund_id).await?;
    Ok(refund.state.status == Status::Succeeded)
}

/// The payment whose money a line gave back: the one of the refund that it is about, or which it names by our reference or
/// by the transaction that had come.
async fn payment_of(
    ctx: &Context,
    day: &Loaded<Reconciliation>,
    number: u32,
    there: &Listing,
) -> Result<Option<PaymentId>, TurnError> {
    let difference = day.state.differences.iter().find(|difference| difference.number == number);
    if let Some(here) = difference.and_then(|difference| difference.found.here.as_ref()) {
        let refund: Loaded<Refund> = ctx.store.load(RefundId::new(here.subject.id)).await?;
        return Ok(refund.state.request.map(|request| request.payment_id));
    }
    let named = there.reference.as_ref().and_then(|reference| reference_id(reference.as_str())).map(PaymentId::new);
    if let Some(id) = named
        && is_payment(ctx, id).await?
    {
        return Ok(Some(id));
    }
    let account = day.state.scope.as_ref().and_then(Scope::merchant_account);
    let key = transaction_key(there.method, account, &there.transaction);
    let holder = ctx.store.holder_of(TRANSACTION, &key).await.map_err(eventstore::LoadError::from)?;
    Ok(holder.map(PaymentId::new))
}

/// What a statement of one account lists tells nothing about another's money.
async fn lies_there(ctx: &Context, day: &Loaded<Reconciliation>, payment: &Loaded<Payment>) -> Result<bool, TurnError> {
    let Some(request) = &payment.state.request else { return Ok(false) };
    let account = account(ctx, request.reservation_id).await?;
    Ok(day.state.scope.as_ref().is_some_and(|scope| scope.merchant_account() == account.as_ref()))
}

async fn is_payment(ctx: &Context, id: PaymentId) -> Result<bool, TurnError> {
    match ctx.store.load::<Payment>(id).await {
        Ok(payment) => Ok(payment.state.request.is_some()),
        // Somebody's id, but not a payment's.
        Err(eventstore::LoadError::OtherNoun { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// A whole payment that its provider, asked by us, says it gave back.
pub(crate) async fn given_back(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
) -> Result<Result<bool, Refusal>, TurnError> {
    let refund_id = RefundId::new(ctx.store.clock().new_id());
    let written = decide!(ctx, report, "observe", None, {
        let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
        // It gives back what it calls the payment: the first that came.
        let (Some(request), Some(capture)) = (&payment.state.request, payment.state.captures.first()) else {
            return Ok(Err(Refusal::NotReceived { transaction: None }));
        };
        let movement = Movement {
            provider_id: capture.transaction.clone(),
            method: request.method,
            amount: capture.received,
            transaction: Some(capture.transaction.clone()),
            note: Note::kept_of("told by its provider"),
        };
        match observe(ctx, payment.clone(), refund_id, movement).await? {
            Ok(seen) => seen.decision,
            Err(refusal) => return Ok(Err(refusal)),
        }
    })?;
    Ok(Ok(written))
}

async fn observe(
    ctx: &Context,
    payment: Loaded<Payment>,
    refund_id: RefundId,
    movement: Movement,
) -> Result<Result<Observation, Refusal>, TurnError> {
    let Some(request) = &payment.state.request else { return Ok(Err(Refusal::NotFound)) };
    let reservation: Loaded<Reservation> = ctx.store.load(request.reservation_id).await?;
    let mut refunds = Vec::new();
    for allotment in &payment.state.allotments {
        refunds.push(ctx.store.load::<Refund>(allotment.refund_id).await?);
    }
    let (payment, reservation, refunds) = (&payment, &reservation, &refunds);
    let now = ctx.store.clock().now();
    Ok(Observed { payment, reservation, refunds, refund_id, movement, by: PROVIDER, now }.decide())
}
