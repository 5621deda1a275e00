//! What time alone brings about: holds end, matches are over, reminders are due.

use domain::{
    Timestamp,
    aggregate::Loaded,
    client::{self, Client},
    ids::{ClientId, RefundId, ReservationId},
    payment::Payment,
    promotion::{self, Promotion},
    reaction::{Notice, Whom},
    reservation::{self, Refusal, Reservation, Source, Status},
};

use super::{Report, TurnError, at, report::decide};
use crate::{
    context::Context,
    effect::{self, Intent, Letter, Outcome, Taken, Work},
    process,
};

/// Ends an unpaid hold, unless a checkout keeps its cells a little longer.
pub(super) async fn expire_hold(ctx: &Context, taken: &Taken, id: ReservationId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    decide!(ctx, report, "expire", None, {
        let reservation: Loaded<Reservation> = ctx.store.load(id).await?;
        let mut payments: Vec<Loaded<Payment>> = Vec::new();
        if reservation.state.status == Status::Held {
            for payment_id in process::open_of(ctx.store.pool(), id).await? {
                payments.push(ctx.store.load(payment_id).await?);
            }
        }
        let payments: Vec<&Loaded<Payment>> = payments.iter().collect();
        match reservation::expire(&reservation, &payments, ctx.store.clock().now()) {
            Ok(decision) => decision,
            Err(Refusal::HoldAlive { until }) => return Ok(at(until)),
            Err(refusal) => return Err(TurnError::from(&refusal)),
        }
    })?;
    Ok(Outcome::Done)
}

/// Completed, or a no-show.
pub(super) async fn finish(ctx: &Context, taken: &Taken, id: ReservationId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    decide!(ctx, report, "finish", None, {
        let (reservation, payments) = with_payments(ctx, id).await?;
        // A fine is written to the stream of whoever did not come.
        let client = match reservation.state.terms.as_ref().and_then(|terms| terms.client_id) {
            Some(client_id) => Some(ctx.store.load::<Client>(client_id).await?.version),
            None => None,
        };
        match reservation::finish(&reservation, &sources(ctx, &payments), client, ctx.store.clock().now()) {
            Ok(decision) => decision,
            // It was moved to a later time, which has an alarm of its own.
            Err(Refusal::NotOver { .. }) => return Ok(Outcome::Dropped("moved".into())),
            Err(refusal) => return Err(TurnError::from(&refusal)),
        }
    })?;
    Ok(Outcome::Done)
}

/// Waives a fine whose appeal nobody has decided in time.
pub(super) async fn waive_undecided(
    ctx: &Context,
    taken: &Taken,
    client_id: ClientId,
    id: ReservationId,
) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    decide!(ctx, report, "waive", None, {
        let client: Loaded<Client> = ctx.store.load(client_id).await?;
        match client::waive_undecided(&client, id, ctx.store.clock().now()) {
            Ok(decision) => decision,
            Err(client::Refusal::StillTime { until }) => return Ok(at(until)),
            Err(refusal) => return Err(TurnError::from(&refusal)),
        }
    })?;
    Ok(Outcome::Done)
}

/// Gives back what was received on a hold that ended.
pub(super) async fn return_money(ctx: &Context, taken: &Taken, id: ReservationId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    decide!(ctx, report, "return", None, {
        let (reservation, payments) = with_payments(ctx, id).await?;
        reservation::return_money(&reservation, &sources(ctx, &payments), ctx.store.clock().now())
            .map_err(|refusal| TurnError::from(&refusal))?
    })?;
    Ok(Outcome::Done)
}

/// Gives the part of a budget back that a reservation took which nobody got.
pub(super) async fn release_discount(ctx: &Context, taken: &Taken, id: ReservationId) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    let reservation: Loaded<Reservation> = ctx.store.load(id).await?;
    let discounts = reservation.state.terms.map(|terms| terms.price.discounts).unwrap_or_default();
    for discount in discounts {
        let what = format!("release:{}", discount.promotion_id);
        decide!(ctx, report, &what, None, {
            let reservation: Loaded<Reservation> = ctx.store.load(id).await?;
            let promotion: Loaded<Promotion> = ctx.store.load(discount.promotion_id).await?;
            promotion::release(&promotion, &reservation, ctx.store.clock().now())
                .map_err(|refusal| TurnError::from(&refusal))?
        })?;
    }
    Ok(Outcome::Done)
}

/// Tells the client that they play soon, if they still do and it is still then.
pub(super) async fn remind(
    ctx: &Context,
    taken: &Taken,
    id: ReservationId,
    starts_at: Timestamp,
) -> Result<Outcome, TurnError> {
    let reservation: Loaded<Reservation> = ctx.store.load(id).await?;
    let Some(terms) = &reservation.state.terms else { return Ok(Outcome::Dropped("no such reservation".into())) };
    let now = ctx.store.clock().now();
    if reservation.state.status != Status::Confirmed || terms.slot.during.from() != starts_at || starts_at <= now {
        return Ok(Outcome::Dropped("no longer so".into()));
    }
    let Some(client_id) = terms.client_id else { return Ok(Outcome::Done) };
    let notice = Notice::Reminder { reservation_id: id };
    let work = Work::SendSms(Letter { whom: Whom::Client(client_id), notice });
    let intent = Intent { key: format!("{}:{}", taken.key, work.kind()), work, due_at: now };
    effect::intend(&mut *ctx.store.pool().acquire().await?, &intent, taken.cause, now).await?;
    ctx.bells.effects.ring();
    Ok(Outcome::Done)
}

async fn with_payments(
    ctx: &Context,
    id: ReservationId,
) -> Result<(Loaded<Reservation>, Vec<Loaded<Payment>>), TurnError> {
    let reservation: Loaded<Reservation> = ctx.store.load(id).await?;
    let mut payments = Vec::new();
    for payment_id in reservation.state.paying() {
        payments.push(ctx.store.load(payment_id).await?);
    }
    Ok((reservation, payments))
}

fn sources<'a>(ctx: &Context, payments: &'a [Loaded<Payment>]) -> Vec<Source<'a>> {
    let refund = || RefundId::new(ctx.store.clock().new_id());
    payments.iter().map(|payment| Source { payment, refund_id: refund() }).collect()
}
