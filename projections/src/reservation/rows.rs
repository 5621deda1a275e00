//! `read.reservations`: filled from events, asked by id, by code, with the money of each.

use domain::{
    Timestamp,
    event::Event,
    ids::{CellId, ReservationId, SiteId},
    money::{Money, MoneyError},
    reservation::Event as ReservationEvent,
};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use super::{Details, details::Doc};
use crate::{
    Position,
    engine::{ApplyError, Copied, Entry, Kept, Tuples, breathe},
    page::Found,
    payment::Payment,
    refund::Refund,
};

/// A reservation with its payments and refunds, from one statement.
#[derive(Clone, Debug, PartialEq)]
pub struct Reservation {
    pub details: Details,
    /// Oldest first.
    pub payments: Vec<Payment>,
    /// Oldest first.
    pub refunds: Vec<Refund>,
}

impl Reservation {
    /// What has really reached the client again.
    ///
    /// # Errors
    /// [`MoneyError`] when currencies were mixed, which the domain never does.
    pub fn refunded(&self) -> Result<Money, MoneyError> {
        let back = self.refunds.iter().filter(|refund| refund.has_arrived()).map(|refund| refund.amount);
        Money::sum(self.details.price.total.currency, back)
    }
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = Kept::default();
    fold(&mut rows, connection, entries).await?;
    if rows.count() == 0 {
        return Ok(());
    }
    save(connection, rows.changed().map(|(_, row)| row)).await
}

/// Takes the events of reservations in; what is not in memory is loaded.
pub(super) async fn fold(
    rows: &mut Kept<Doc>,
    connection: &mut PgConnection,
    entries: &[Entry],
) -> Result<(), ApplyError> {
    let events = || entries.iter().filter(|entry| matches!(entry.event, Event::Reservation(_)));
    let missing = rows.missing(Entry::with_a_past(events()));
    rows.loaded(load(connection, &missing).await?);
    for (number, entry) in events().enumerate() {
        breathe(number).await;
        let Event::Reservation(event) = &entry.event else { continue };
        if let ReservationEvent::Held(held) = event {
            rows.insert(entry.stream_id, Doc::new(held.reservation_id, entry.position));
        }
        rows.get_mut(entry.stream_id).ok_or_else(|| entry.without_a_row())?.evolve(event, entry);
    }
    Ok(())
}

impl Copied for Doc {
    const COPY: &'static str = "COPY reservations (reservation_id, site_id, pitch_id, cells, client_id, placed_by, status, \
        code, starts_at, ends_at, doc, version, position, created_position) FROM STDIN (FORMAT binary)";

    async fn delete(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM reservations WHERE reservation_id = ANY ($1)", ids)
            .execute(connection)
            .await
            .map(drop)
    }

    /// Nothing for a reservation before its first event.
    fn put(&self, _: Uuid, tuples: &mut Tuples) -> Result<(), serde_json::Error> {
        let Some(terms) = self.reservation.state.terms.as_ref() else { return Ok(()) };
        let slot = &terms.slot;
        tuples.row(14);
        tuples.uuid(self.reservation.id.uuid());
        tuples.uuid(slot.site_id.uuid());
        tuples.uuid(slot.pitch_id.uuid());
        tuples.uuids(slot.cells.iter().map(|cell| cell.uuid()));
        tuples.maybe_uuid(terms.client_id.map(|client| client.uuid()));
        tuples.maybe_uuid(terms.placed_by.id.map(Uuid::from));
        tuples.text(self.reservation.state.status.as_str());
        tuples.text(&terms.code.0);
        tuples.time(slot.during.from());
        tuples.time(slot.during.to());
        tuples.json(self)?;
        tuples.int(self.reservation.version);
        tuples.bigint(self.position);
        tuples.bigint(self.created_position);
        Ok(())
    }
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, Doc)>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query!(
        r#"SELECT reservation_id, doc AS "doc: Json<Doc>" FROM reservations WHERE reservation_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.reservation_id, row.doc.0)).collect())
}

/// The columns of a batch: each is bound as one array, which costs the database far less than a record of JSON.
#[derive(Default)]
struct Columns {
    reservation_id: Vec<Uuid>,
    site_id: Vec<Uuid>,
    pitch_id: Vec<Uuid>,
    /// As the text of an array: an array of arrays would have to be rectangular.
    cells: Vec<String>,
    client_id: Vec<Option<Uuid>>,
    placed_by: Vec<Option<Uuid>>,
    status: Vec<String>,
    code: Vec<String>,
    starts_at: Vec<Timestamp>,
    ends_at: Vec<Timestamp>,
    doc: Vec<String>,
    version: Vec<i32>,
    position: Vec<Position>,
    created_position: Vec<Position>,
}

impl Columns {
    /// Nothing for a reservation before its first event.
    fn push(&mut self, doc: &Doc) -> Result<(), serde_json::Error> {
        let Some(terms) = doc.reservation.state.terms.as_ref() else { return Ok(()) };
        let slot = &terms.slot;
        self.reservation_id.push(doc.reservation.id.uuid());
        self.site_id.push(slot.site_id.uuid());
        self.pitch_id.push(slot.pitch_id.uuid());
        self.cells.push(array(&slot.cells));
        self.client_id.push(terms.client_id.map(|client| client.uuid()));
        self.placed_by.push(terms.placed_by.id.map(Uuid::from));
        self.status.push(doc.reservation.state.status.as_str().to_owned());
        self.code.push(terms.code.0.clone());
        self.starts_at.push(slot.during.from());
        self.ends_at.push(slot.during.to());
        self.doc.push(serde_json::to_string(doc)?);
        self.version.push(doc.reservation.version);
        self.position.push(doc.position);
        self.created_position.push(doc.created_position);
        Ok(())
    }
}

/// `{a,b}`, as Postgres writes an array.
fn array(cells: &[CellId]) -> String {
    let cells: Vec<String> = cells.iter().map(ToString::to_string).collect();
    format!("{{{}}}", cells.join(","))
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &Doc>) -> Result<(), ApplyError> {
    let mut columns = Columns::default();
    for (number, row) in rows.enumerate() {
        breathe(number).await;
        columns.push(row)?;
    }
    sqlx::query!(
        "INSERT INTO reservations
         SELECT reservation_id, site_id, pitch_id, cells::uuid[], client_id, placed_by, status, code, starts_at, ends_at,
                doc::jsonb, version, position, created_position
         FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::uuid[], $7::text[], $8::text[],
                     $9::timestamptz[], $10::timestamptz[], $11::text[], $12::int[], $13::bigint[], $14::bigint[])
              AS r (reservation_id, site_id, pitch_id, cells, client_id, placed_by, status, code, starts_at, ends_at,
                    doc, version, position, created_position)
         ON CONFLICT (reservation_id) DO UPDATE SET
             pitch_id = excluded.pitch_id, cells = excluded.cells, status = excluded.status,
             starts_at = excluded.starts_at, ends_at = excluded.ends_at, doc = excluded.doc,
             version = excluded.version, position = excluded.position",
        &columns.reservation_id,
        &columns.site_id,
        &columns.pitch_id,
        &columns.cells,
        &columns.client_id as &[Option<Uuid>],
        &columns.placed_by as &[Option<Uuid>],
        &columns.status,
        &columns.code,
        &columns.starts_at,
        &columns.ends_at,
        &columns.doc,
        &columns.version,
        &columns.position,
        &columns.created_position,
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// A reservation with its money.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: ReservationId) -> Result<Found<Reservation>, sqlx::Error> {
    let (as_of, mut rows) = find_many(db, &[id]).await?;
    Ok(Found { as_of, row: rows.pop() })
}

/// The reservation with this short code at a site, as the gate asks.
///
/// # Errors
/// Whatever the database says.
pub async fn find_by_code(
    db: impl PgExecutor<'_>,
    site: SiteId,
    code: &str,
) -> Result<Found<ReservationId>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, r.reservation_id AS "reservation_id?"
           FROM checkpoints AS c
           LEFT JOIN reservations AS r ON r.site_id = $1 AND r.code = upper($2)
           WHERE c.name = 'reservation'"#,
        site.uuid(),
        code,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found {
        as_of: row.as_of,
        row: row.reservation_id.map(ReservationId::from),
    }))
}

/// Reservations with their money, in the order of the ids asked for; unknown ids are left out.
///
/// # Errors
/// Whatever the database says.
pub async fn find_many(
    db: impl PgExecutor<'_>,
    ids: &[ReservationId],
) -> Result<(Position, Vec<Reservation>), sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let rows = sqlx::query!(
        r#"SELECT c.position AS as_of, r.doc AS "details?: Json<Doc>",
                  (SELECT coalesce(jsonb_agg(p.doc ORDER BY p.created_position), '[]')
                   FROM payments AS p WHERE p.reservation_id = r.reservation_id) AS "payments!: Json<Vec<Payment>>",
                  (SELECT coalesce(jsonb_agg(f.doc ORDER BY f.created_position), '[]')
                   FROM refunds AS f WHERE f.reservation_id = r.reservation_id) AS "refunds!: Json<Vec<Refund>>"
           FROM checkpoints AS c
           LEFT JOIN (unnest($1::uuid[]) WITH ORDINALITY AS wanted (id, place)
                      JOIN reservations AS r ON r.reservation_id = wanted.id) ON true
           WHERE c.name = 'reservation'
           ORDER BY wanted.place"#,
        &ids
    )
    .fetch_all(db)
    .await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    let found = rows.into_iter().filter_map(|row| {
        Details::of(row.details?.0).map(|details| Reservation {
            details,
            payments: row.payments.0,
            refunds: row.refunds.0,
        })
    });
    Ok((as_of, found.collect()))
}
