//! `read.reservations`: filled from events, asked by id, by code, with the money of each.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    event::Event,
    ids::{CellId, ClientId, PitchId, ReservationId, SiteId},
    money::{Money, MoneyError},
    reservation::{Code, Event as ReservationEvent},
};
use serde::Serialize;
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use super::{Details, details::Doc};
use crate::{
    Position,
    engine::{ApplyError, Entry},
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
    let events: Vec<_> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Reservation(event) => Some((entry, event)),
            _ => None,
        })
        .collect();
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|(entry, _)| entry.stream_id).collect();
    let mut rows = load(connection, &ids).await?;
    for (entry, event) in events {
        if let ReservationEvent::Held(held) = event {
            rows.insert(entry.stream_id, Doc::new(held.reservation_id, entry.position));
        }
        rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?.evolve(event, entry);
    }
    save(connection, rows.values()).await
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Doc>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT reservation_id, doc AS "doc: Json<Doc>" FROM reservations WHERE reservation_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.reservation_id, row.doc.0)).collect())
}

#[derive(Serialize)]
struct Row<'a> {
    reservation_id: ReservationId,
    site_id: SiteId,
    pitch_id: PitchId,
    cells: &'a [CellId],
    client_id: Option<ClientId>,
    placed_by: Option<Uuid>,
    status: &'static str,
    code: &'a Code,
    starts_at: Timestamp,
    ends_at: Timestamp,
    doc: &'a Doc,
    version: i32,
    position: Position,
    created_position: Position,
}

impl<'a> Row<'a> {
    /// `None` before the first event.
    fn of(doc: &'a Doc) -> Option<Self> {
        let terms = doc.reservation.state.terms.as_ref()?;
        Some(Self {
            reservation_id: doc.reservation.id,
            site_id: terms.slot.site_id,
            pitch_id: terms.slot.pitch_id,
            cells: &terms.slot.cells,
            client_id: terms.client_id,
            placed_by: terms.placed_by.id.map(Uuid::from),
            status: doc.reservation.state.status.as_str(),
            code: &terms.code,
            starts_at: terms.slot.during.from(),
            ends_at: terms.slot.during.to(),
            doc,
            version: doc.reservation.version,
            position: doc.position,
            created_position: doc.created_position,
        })
    }
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &Doc>) -> Result<(), ApplyError> {
    let rows: Vec<Row<'_>> = rows.filter_map(Row::of).collect();
    sqlx::query!(
        "INSERT INTO reservations
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             reservation_id uuid, site_id uuid, pitch_id uuid, cells uuid[], client_id uuid, placed_by uuid,
             status text, code text, starts_at timestamptz, ends_at timestamptz, doc jsonb,
             version int, position bigint, created_position bigint)
         ON CONFLICT (reservation_id) DO UPDATE SET
             pitch_id = excluded.pitch_id, cells = excluded.cells, status = excluded.status,
             starts_at = excluded.starts_at, ends_at = excluded.ends_at, doc = excluded.doc,
             version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
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
