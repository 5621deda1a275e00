//! Which payments at providers belong to a reservation: the state that process managers need beside the event.

use domain::{
    event::Event,
    ids::{PaymentId, ReservationId},
    payment::{self, ProviderId},
};
use sqlx::{PgConnection, PgPool};

/// Keeps up with one event.
pub(super) async fn keep(tx: &mut PgConnection, event: &Event) -> Result<(), sqlx::Error> {
    let Event::Payment(event) = event else { return Ok(()) };
    match event {
        payment::Event::Requested(requested) if requested.method.has_provider() => {
            sqlx::query!(
                "INSERT INTO work.payments (payment_id, reservation_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                requested.payment_id.uuid(),
                requested.reservation_id.uuid()
            )
            .execute(tx)
            .await?;
        }
        payment::Event::Opened(opened) => {
            sqlx::query!(
                "UPDATE work.payments SET provider_id = $2 WHERE payment_id = $1",
                opened.payment_id.uuid(),
                opened.provider_id.as_str()
            )
            .execute(tx)
            .await?;
        }
        payment::Event::Succeeded(payment::Succeeded { payment_id, .. })
        | payment::Event::Failed(payment::Failed { payment_id, .. })
        | payment::Event::Expired(payment::Expired { payment_id, .. }) => {
            sqlx::query!("UPDATE work.payments SET open = false WHERE payment_id = $1", payment_id.uuid())
                .execute(tx)
                .await?;
        }
        payment::Event::Requested(_)
        | payment::Event::BecameUnknown(_)
        | payment::Event::Duplicated(_)
        | payment::Event::PutOnAccount(_)
        | payment::Event::RefundAllotted(_)
        | payment::Event::RefundReturned(_) => {}
    }
    Ok(())
}

/// The payments of a reservation about which a provider may still say something, as of the transaction.
pub(super) async fn open_in(tx: &mut PgConnection, reservation: ReservationId) -> Result<Vec<PaymentId>, sqlx::Error> {
    let ids = sqlx::query_scalar!(
        "SELECT payment_id FROM work.payments WHERE reservation_id = $1 AND open ORDER BY payment_id",
        reservation.uuid()
    )
    .fetch_all(tx)
    .await?;
    Ok(ids.into_iter().map(PaymentId::new).collect())
}

/// The payments of a reservation about which a provider may still say something.
///
/// # Errors
/// The database's.
pub async fn open_of(pool: &PgPool, reservation: ReservationId) -> Result<Vec<PaymentId>, sqlx::Error> {
    open_in(&mut *pool.acquire().await?, reservation).await
}

/// The payment a checkout belongs to.
///
/// # Errors
/// The database's.
pub async fn by_provider_id(pool: &PgPool, provider_id: &ProviderId) -> Result<Option<PaymentId>, sqlx::Error> {
    let id = sqlx::query_scalar!("SELECT payment_id FROM work.payments WHERE provider_id = $1", provider_id.as_str())
        .fetch_optional(pool)
        .await?;
    Ok(id.map(PaymentId::new))
}
