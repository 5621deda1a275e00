//! `read.payouts`: one movement of money to a site, as its events tell it.

use std::collections::BTreeMap;

use domain::{
    aggregate::Aggregate,
    event::Event,
    ids::{PayoutId, SiteId},
    payout::{Event as PayoutEvent, Payout, Status},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
    page::Found,
};

/// A payout and its place in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub payout_id: PayoutId,
    pub site_id: SiteId,
    pub payout: Payout,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = load(connection, &Entry::with_a_past(entries.iter())).await?;
    for entry in entries {
        let Event::Payout(event) = &entry.event else { continue };
        if let PayoutEvent::Prepared(prepared) = event {
            let row = Row {
                payout_id: prepared.payout_id,
                site_id: prepared.site_id,
                payout: Payout::default(),
                version: 0,
                position: 0,
                created_position: entry.position,
            };
            rows.insert(entry.stream_id, row);
        }
        let row = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.payout.evolve(event.clone());
        row.version = entry.version;
        row.position = entry.position;
    }
    save(connection, rows.values()).await
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Row>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows =
        sqlx::query!(r#"SELECT payout_id, doc AS "doc: Json<Row>" FROM payouts WHERE payout_id = ANY ($1)"#, ids)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.payout_id, row.doc.0)).collect())
}

#[derive(Serialize)]
struct Columns<'a> {
    payout_id: PayoutId,
    site_id: SiteId,
    status: Status,
    amount: i64,
    doc: &'a Row,
    version: i32,
    position: Position,
    created_position: Position,
}

async fn save(connection: &mut PgConnection, rows: impl Iterator<Item = &Row>) -> Result<(), ApplyError> {
    let rows: Vec<Columns<'_>> = rows
        .map(|row| Columns {
            payout_id: row.payout_id,
            site_id: row.site_id,
            status: row.payout.status,
            amount: row.payout.prepared.as_ref().map_or(0, |prepared| prepared.amount.amount),
            doc: row,
            version: row.version,
            position: row.position,
            created_position: row.created_position,
        })
        .collect();
    sqlx::query!(
        "INSERT INTO payouts
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             payout_id uuid, site_id uuid, status text, amount bigint, doc jsonb, version int, position bigint,
             created_position bigint)
         ON CONFLICT (payout_id) DO UPDATE SET
             status = excluded.status, doc = excluded.doc, version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One payout.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: PayoutId) -> Result<Found<Row>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Row>"
           FROM checkpoints AS c LEFT JOIN payouts AS p ON p.payout_id = $1
           WHERE c.name = 'payout'"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}
