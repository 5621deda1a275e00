//! A client's number: opened at the last moment, known to be theirs once a provider says that they paid from it, and another
//! one after a day.

use adapters::payments::Receipt;
use domain::{
    actor::Actor,
    aggregate::Loaded,
    client::{self, Client, Stopped},
    ids::{ClientId, NumberChangeId, PaymentId},
    phone::Phone,
    sealed::field,
};

use eventstore::AppendError;

use super::{Report, TurnError, at, report::decide};
use crate::{
    context::Context,
    effect::{Outcome, Taken},
};

/// The number of a client who has one.
pub(super) async fn of(ctx: &Context, client: &Loaded<Client>) -> Result<Option<Phone>, TurnError> {
    let Some(sealed) = &client.state.phone else { return Ok(None) };
    let phone = ctx.store.subjects().open(client.id.uuid(), field::PHONE, sealed).await?;
    Ok(phone.and_then(|phone| Phone::new(&phone).ok()))
}

/// Notes that the number is theirs, when the provider says that the payment came from it.
pub(super) async fn verify(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
    client_id: Option<ClientId>,
    receipt: &Receipt,
) -> Result<(), TurnError> {
    let (Some(client_id), Some(payer)) = (client_id, &receipt.payer) else { return Ok(()) };
    let client: Loaded<Client> = ctx.store.load(client_id).await?;
    if client.state.number_verified || of(ctx, &client).await?.as_ref() != Some(payer) {
        return Ok(());
    }
    decide!(ctx, report, "number", None, {
        let client: Loaded<Client> = ctx.store.load(client_id).await?;
        match client::verify(&client, payment_id, ctx.store.clock().now()) {
            Ok(decision) => decision,
            // Erased meanwhile: there is no number any more.
            Err(client::Refusal::Unknown) => return Ok(()),
            Err(refusal) => return Err(TurnError::refused(&refusal)),
        }
    })?;
    Ok(())
}

/// Makes them known by the number that they asked for, unless that was stopped; whoever else has it meanwhile keeps it.
pub(super) async fn change(
    ctx: &Context,
    taken: &Taken,
    client_id: ClientId,
    change_id: NumberChangeId,
) -> Result<Outcome, TurnError> {
    let report = Report::from(taken);
    let changed = decide!(ctx, report, "change", None, {
        let client: Loaded<Client> = ctx.store.load(client_id).await?;
        match client::complete_number_change(&client, change_id, ctx.store.clock().now()) {
            Ok(decision) => decision,
            Err(client::Refusal::NumberChangeWaits { ready_at }) => return Ok(at(ready_at)),
            Err(refusal) => return Err(TurnError::refused(&refusal)),
        }
    });
    match changed {
        Err(TurnError::Append(AppendError::Refused(_))) => {}
        other => return other.map(|_| Outcome::Done),
    }
    decide!(ctx, report, "taken", None, {
        let client: Loaded<Client> = ctx.store.load(client_id).await?;
        let now = ctx.store.clock().now();
        client::cancel_number_change(&client, Some(change_id), Stopped::Taken, Actor::SYSTEM, now)
    })?;
    Ok(Outcome::Done)
}
