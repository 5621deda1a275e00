//! A client's number: opened at the last moment, and known to be theirs once a provider says that they paid from it.

use adapters::payments::Receipt;
use domain::{
    aggregate::Loaded,
    client::{self, Client},
    ids::{ClientId, PaymentId},
    phone::Phone,
    sealed::field,
};

use super::{Report, TurnError, report::decide};
use crate::context::Context;

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
