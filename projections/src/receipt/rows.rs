//! `read.receipts`, and `read.receipt_sites`: at which site a payment is.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    event::Event,
    ids::ReservationId,
    money::Money,
    payment::{Event as PaymentEvent, Method, ProviderId},
};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
};

/// Money that came, as an event tells it.
struct Came<'a> {
    entry: &'a Entry,
    payment_id: Uuid,
    reservation_id: Uuid,
    method: Method,
    transaction: &'a ProviderId,
    amount: Money,
    duplicate: bool,
    at: Timestamp,
}

impl<'a> Came<'a> {
    fn of(entry: &'a Entry) -> Option<Self> {
        let Event::Payment(event) = &entry.event else { return None };
        let came = match event {
            PaymentEvent::Succeeded(paid) => Self {
                entry,
                payment_id: paid.payment_id.uuid(),
                reservation_id: paid.reservation_id.uuid(),
                method: paid.method,
                transaction: &paid.transaction,
                amount: paid.received,
                duplicate: false,
                at: paid.at,
            },
            PaymentEvent::Duplicated(again) => Self {
                entry,
                payment_id: again.payment_id.uuid(),
                reservation_id: again.reservation_id.uuid(),
                method: again.method,
                transaction: &again.transaction,
                amount: again.received,
                duplicate: true,
                at: again.at,
            },
            _ => return None,
        };
        came.amount.is_positive().then_some(came)
    }
}

#[derive(Serialize)]
struct Row<'a> {
    site_id: Uuid,
    number: i64,
    position: Position,
    payment_id: Uuid,
    reservation_id: Uuid,
    method: &'static str,
    transaction: &'a str,
    amount: i64,
    currency: &'static str,
    duplicate: bool,
    at: Timestamp,
}

/// Writes a batch: first at which site each payment is, then the money that came, numbered on from what is there.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    begun(connection, entries).await?;
    let came: Vec<Came<'_>> = entries.iter().filter_map(Came::of).collect();
    if came.is_empty() {
        return Ok(());
    }
    let payments: Vec<Uuid> = came.iter().map(|came| came.payment_id).collect();
    let known = sqlx::query!("SELECT payment_id, site_id FROM receipt_sites WHERE payment_id = ANY ($1)", &payments)
        .fetch_all(&mut *connection)
        .await?;
    let sites: BTreeMap<Uuid, Uuid> = known.into_iter().map(|row| (row.payment_id, row.site_id)).collect();
    let of: Vec<Uuid> = sites.values().copied().collect();
    let last = sqlx::query!(
        r#"SELECT site_id, max(number) AS "number!" FROM receipts WHERE site_id = ANY ($1) GROUP BY site_id"#,
        &of
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut last: BTreeMap<Uuid, i64> = last.into_iter().map(|row| (row.site_id, row.number)).collect();
    let mut rows = Vec::with_capacity(came.len());
    for Came { entry, payment_id, reservation_id, method, transaction, amount, duplicate, at } in came {
        let site_id = *sites.get(&payment_id).ok_or_else(|| entry.without_a_row())?;
        let number = last.entry(site_id).or_default();
        *number += 1;
        rows.push(Row {
            site_id,
            number: *number,
            position: entry.position,
            payment_id,
            reservation_id,
            method: method.as_str(),
            transaction: transaction.as_str(),
            amount: amount.amount,
            currency: amount.currency.code(),
            duplicate,
            at,
        });
    }
    sqlx::query!(
        "INSERT INTO receipts
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             site_id uuid, number bigint, position bigint, payment_id uuid, reservation_id uuid, method text,
             transaction text, amount bigint, currency text, duplicate boolean, at timestamptz)",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn begun(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let begun = entries.iter().filter_map(|entry| match &entry.event {
        Event::Payment(PaymentEvent::Requested(asked)) => Some((asked.payment_id.uuid(), asked.site_id.uuid())),
        _ => None,
    });
    let (payments, sites): (Vec<Uuid>, Vec<Uuid>) = begun.unzip();
    if payments.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO receipt_sites (payment_id, site_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])
         ON CONFLICT (payment_id) DO NOTHING",
        &payments,
        &sites
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// Money that came for a reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Of its site: 1, 2, 3… without a gap.
    pub number: i64,
    pub position: Position,
    pub payment_id: Uuid,
    pub method: String,
    /// The provider's transaction, or ours for cash.
    pub transaction: String,
    /// Minor units of the reservation's currency.
    pub amount: i64,
    /// Paid a second time: it goes back.
    pub duplicate: bool,
    pub at: Timestamp,
}

/// The receipts of a reservation in the order of the log, at most 200.
///
/// # Errors
/// Whatever the database says.
pub async fn of_reservation(db: impl PgExecutor<'_>, id: ReservationId) -> Result<Vec<Receipt>, sqlx::Error> {
    sqlx::query_as!(
        Receipt,
        "SELECT number, position, payment_id, method, transaction, amount, duplicate, at FROM receipts
         WHERE reservation_id = $1 ORDER BY position LIMIT 200",
        id.uuid()
    )
    .fetch_all(db)
    .await
}
