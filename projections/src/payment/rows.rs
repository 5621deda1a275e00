//! `read.payments`: filled from events, asked by id and by reservation.

use domain::{
    event::Event,
    ids::{PaymentId, ReservationId},
    payment::{Event as PaymentEvent, ProviderId},
};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use super::Payment;
use crate::{
    Position,
    engine::{ApplyError, Copied, Entry, Kept, Tuples, breathe},
    page::Found,
};

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(crate) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = Kept::default();
    fold(&mut rows, connection, entries).await?;
    if rows.count() == 0 {
        return Ok(());
    }
    save(connection, rows.changed().map(|(_, row)| row)).await
}

/// Takes the events of payments in; what is not in memory is loaded.
pub(crate) async fn fold(
    rows: &mut Kept<Payment>,
    connection: &mut PgConnection,
    entries: &[Entry],
) -> Result<(), ApplyError> {
    let events = || entries.iter().filter(|entry| matches!(entry.event, Event::Payment(_)));
    let missing = rows.missing(Entry::with_a_past(events()));
    rows.loaded(load(connection, &missing).await?);
    for (number, entry) in events().enumerate() {
        breathe(number).await;
        let Event::Payment(event) = &entry.event else { continue };
        if let PaymentEvent::Requested(requested) = event {
            rows.insert(entry.stream_id, Payment::requested(requested, entry));
            continue;
        }
        let row = rows.get_mut(entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.evolve(event).map_err(|error| entry.contradiction(&error))?;
        row.version = entry.version;
        row.position = entry.position;
    }
    Ok(())
}

impl Copied for Payment {
    const COPY: &'static str = "COPY payments (payment_id, reservation_id, site_id, client_id, status, method, reference, \
        provider_id, transaction, doc, version, position, created_position) FROM STDIN (FORMAT binary)";

    async fn delete(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM payments WHERE payment_id = ANY ($1)", ids).execute(connection).await.map(drop)
    }

    fn put(&self, _: Uuid, tuples: &mut Tuples) -> Result<(), serde_json::Error> {
        tuples.row(13);
        tuples.uuid(self.payment_id.uuid());
        tuples.uuid(self.reservation_id.uuid());
        tuples.uuid(self.site_id.uuid());
        tuples.maybe_uuid(self.client_id.map(|client| client.uuid()));
        tuples.text(self.status.as_str());
        tuples.text(self.method.as_str());
        tuples.text(self.reference.as_str());
        tuples.maybe_text(self.provider_id.as_ref().map(ProviderId::as_str));
        tuples.maybe_text(self.transaction.as_ref().map(ProviderId::as_str));
        tuples.json(self)?;
        tuples.int(self.version);
        tuples.bigint(self.position);
        tuples.bigint(self.created_position);
        Ok(())
    }
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, Payment)>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"SELECT payment_id, doc AS "doc: Json<Payment>" FROM payments WHERE payment_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.payment_id, row.doc.0)).collect())
}

/// The columns of a batch, each bound as one array.
#[derive(Default)]
struct Columns {
    payment_id: Vec<Uuid>,
    reservation_id: Vec<Uuid>,
    site_id: Vec<Uuid>,
    client_id: Vec<Option<Uuid>>,
    status: Vec<String>,
    method: Vec<String>,
    reference: Vec<String>,
    provider_id: Vec<Option<String>>,
    transaction: Vec<Option<String>>,
    doc: Vec<String>,
    version: Vec<i32>,
    position: Vec<Position>,
    created_position: Vec<Position>,
}

impl Columns {
    fn push(&mut self, row: &Payment) -> Result<(), serde_json::Error> {
        let text = |id: &ProviderId| id.as_str().to_owned();
        self.payment_id.push(row.payment_id.uuid());
        self.reservation_id.push(row.reservation_id.uuid());
        self.site_id.push(row.site_id.uuid());
        self.client_id.push(row.client_id.map(|client| client.uuid()));
        self.status.push(row.status.as_str().to_owned());
        self.method.push(row.method.as_str().to_owned());
        self.reference.push(row.reference.as_str().to_owned());
        self.provider_id.push(row.provider_id.as_ref().map(text));
        self.transaction.push(row.transaction.as_ref().map(text));
        self.doc.push(serde_json::to_string(row)?);
        self.version.push(row.version);
        self.position.push(row.position);
        self.created_position.push(row.created_position);
        Ok(())
    }
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &Payment>) -> Result<(), ApplyError> {
    let mut columns = Columns::default();
    for (number, row) in rows.enumerate() {
        breathe(number).await;
        columns.push(row)?;
    }
    sqlx::query!(
        "INSERT INTO payments
         SELECT payment_id, reservation_id, site_id, client_id, status, method, reference, provider_id, transaction,
                doc::jsonb, version, position, created_position
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::text[], $10::text[], $11::int[], $12::bigint[], $13::bigint[])
              AS r (payment_id, reservation_id, site_id, client_id, status, method, reference, provider_id, transaction,
                    doc, version, position, created_position)
         ON CONFLICT (payment_id) DO UPDATE SET
             status = excluded.status, provider_id = excluded.provider_id, transaction = excluded.transaction,
             doc = excluded.doc, version = excluded.version, position = excluded.position",
        &columns.payment_id,
        &columns.reservation_id,
        &columns.site_id,
        &columns.client_id as &[Option<Uuid>],
        &columns.status,
        &columns.method,
        &columns.reference,
        &columns.provider_id as &[Option<String>],
        &columns.transaction as &[Option<String>],
        &columns.doc,
        &columns.version,
        &columns.position,
        &columns.created_position,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One payment.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: PaymentId) -> Result<Found<Payment>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Payment>"
           FROM checkpoints AS c LEFT JOIN payments AS p ON p.payment_id = $1
           WHERE c.name = 'reservation'"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}

/// The payments of a reservation, oldest first.
///
/// # Errors
/// Whatever the database says.
pub async fn of_reservation(
    db: impl PgExecutor<'_>,
    id: ReservationId,
) -> Result<(Position, Vec<Payment>), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Payment>"
           FROM checkpoints AS c LEFT JOIN payments AS p ON p.reservation_id = $1
           WHERE c.name = 'reservation' ORDER BY p.created_position"#,
        id.uuid()
    )
    .fetch_all(db)
    .await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    Ok((as_of, rows.into_iter().filter_map(|row| row.doc.map(|doc| doc.0)).collect()))
}

/// The payments of some reservations, by id.
///
/// # Errors
/// Whatever the database says.
pub(crate) async fn ids_of(db: impl PgExecutor<'_>, reservations: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar!("SELECT payment_id FROM payments WHERE reservation_id = ANY ($1)", reservations)
        .fetch_all(db)
        .await
}
