//! `read.reservation_accounts`: the reservations whose money goes through a manager's account, as their frozen contracts say.

use std::collections::BTreeMap;

use domain::{
    event::Event,
    payment::{Event as PaymentEvent, Method},
    refund::Event as RefundEvent,
    reservation::Event as ReservationEvent,
    text::Slug,
};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::engine::{ApplyError, Entry};

pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let held = entries.iter().filter_map(|entry| match &entry.event {
        Event::Reservation(ReservationEvent::Held(held)) => {
            Some((entry.stream_id, held.contract.merchant_account.as_ref()?.to_string()))
        }
        _ => None,
    });
    let (ids, accounts): (Vec<Uuid>, Vec<String>) = held.unzip();
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO reservation_accounts (reservation_id, merchant_account)
         SELECT * FROM unnest($1::uuid[], $2::text[]) ON CONFLICT (reservation_id) DO NOTHING",
        &ids,
        &accounts
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The accounts of the reservations whose movements begin in a batch, after [`apply`]. One that has none is the platform's.
pub(super) async fn of_batch(
    connection: &mut PgConnection,
    entries: &[Entry],
) -> Result<BTreeMap<Uuid, Slug>, ApplyError> {
    let begun = entries.iter().filter_map(|entry| match &entry.event {
        Event::Payment(PaymentEvent::Requested(asked)) => Some(asked.reservation_id.uuid()),
        Event::Refund(RefundEvent::Requested(asked)) => Some(asked.reservation_id.uuid()),
        _ => None,
    });
    let begun: Vec<Uuid> = begun.collect();
    let mut accounts = BTreeMap::new();
    if begun.is_empty() {
        return Ok(accounts);
    }
    let rows = sqlx::query!(
        "SELECT reservation_id, merchant_account FROM reservation_accounts WHERE reservation_id = ANY ($1)",
        &begun
    )
    .fetch_all(connection)
    .await?;
    for row in rows {
        let account = Slug::new(&row.merchant_account).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        accounts.insert(row.reservation_id, account);
    }
    Ok(accounts)
}

/// Whether a movement by one of these methods lies, or was to lie, on a manager's account of this name.
///
/// # Errors
/// Whatever the database says.
pub async fn is_known(db: impl PgExecutor<'_>, account: &Slug, methods: &[Method]) -> Result<bool, sqlx::Error> {
    let methods: Vec<String> = methods.iter().map(|method| method.as_str().to_owned()).collect();
    sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT FROM movements WHERE merchant_account = $1 AND method = ANY ($2)) AS "known!""#,
        account.as_str(),
        &methods
    )
    .fetch_one(db)
    .await
}
