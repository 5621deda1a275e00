//! Money landed: the late-money table, decided on what stands in the log and enforced by the lane.

use adapters::payments::Receipt;
use domain::{
    aggregate::Loaded,
    client::Client,
    ids::{PaymentId, RefundId},
    payment::{Cells, Landed, Payment, Row, Settle, TRANSACTION},
    promotion::Promotion,
    reservation::{Reservation, Status},
};
use eventstore::{AppendError, Refusal};

use super::{
    Report, TurnError,
    report::{PROVIDER, TRIES},
};
use crate::context::Context;

/// Settles a payment with what its provider, asked by us, says it received. The same transaction lands once.
///
/// # Errors
/// [`TurnError`]; [`TurnError::Refused`] when the money is not of this payment, and then nothing changed.
pub(crate) async fn settle(
    ctx: &Context,
    report: &Report,
    payment_id: PaymentId,
    receipt: &Receipt,
) -> Result<Row, TurnError> {
    let mut cells = Cells::Free;
    for _ in 0..TRIES {
        let payment: Loaded<Payment> = ctx.store.load(payment_id).await?;
        let Some(request) = payment.state.request.clone() else { return Err(unknown(payment_id)) };
        let reservation: Loaded<Reservation> = ctx.store.load(request.reservation_id).await?;
        // Whoever pays a share is not who holds it.
        let client = match request.client_id {
            Some(client_id) => Some(ctx.store.load::<Client>(client_id).await?),
            None => None,
        };
        // Only a hold that ended has given its part of a budget back.
        let discount = reservation.state.terms.as_ref().and_then(|terms| terms.price.discounts.first());
        let promotion: Option<Loaded<Promotion>> = match discount {
            Some(discount) if reservation.state.status == Status::Expired => {
                Some(ctx.store.load(discount.promotion_id).await?)
            }
            _ => None,
        };
        let settle = Settle {
            payment: &payment,
            reservation: &reservation,
            client: client.as_ref().map(|client| client.version),
            fine: client.as_ref().and_then(|client| client.state.fines.get(&request.reservation_id).copied()),
            promotion: promotion.as_ref(),
            refund_id: RefundId::new(ctx.store.clock().new_id()),
            landed: Landed {
                transaction: receipt.transaction_id.clone(),
                provider_id: Some(receipt.provider_id.clone()),
                received: receipt.amount,
                by: PROVIDER,
            },
            now: ctx.store.clock().now(),
        };
        let settled = settle.decide(cells).map_err(|refusal| TurnError::from(&refusal))?;
        let what = format!("settle:{}", receipt.transaction_id);
        match report.write(ctx, settled.decision, &what, Some(request.site_id)).await {
            Ok(_) => {
                tracing::info!(%payment_id, row = ?settled.row, "money landed");
                metrics::counter!("kalel_settlements_total", "row" => format!("{:?}", settled.row)).increment(1);
                return Ok(settled.row);
            }
            // The hold had ended and somebody else has the cells: the money goes back.
            Err(AppendError::Refused(Refusal::SlotTaken { .. })) if cells == Cells::Free => cells = Cells::Taken,
            Err(AppendError::Refused(Refusal::NotUnique { scope, holder, .. })) if scope == TRANSACTION => {
                return if holder == payment_id.uuid() { Ok(Row::Known) } else { Err(of_another(payment_id)) };
            }
            Err(AppendError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(TurnError::Contended)
}

fn unknown(payment_id: PaymentId) -> TurnError {
    TurnError::Refused { code: "payment.not_found", why: format!("there is no payment {payment_id}") }
}

fn of_another(payment_id: PaymentId) -> TurnError {
    TurnError::Refused {
        code: "payment.transaction_of_another",
        why: format!("the transaction has paid another payment than {payment_id}"),
    }
}
