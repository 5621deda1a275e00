//! `read.invoices`: one claim of commission on a site, as its events tell it.

use std::collections::BTreeMap;

use domain::{
    aggregate::Aggregate,
    event::Event,
    ids::{InvoiceId, SiteId},
    invoice::{Event as InvoiceEvent, Invoice, Status},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
    page::Found,
};

/// An invoice and its place in the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub invoice_id: InvoiceId,
    pub site_id: SiteId,
    pub invoice: Invoice,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows = load(connection, &Entry::with_a_past(entries.iter())).await?;
    for entry in entries {
        let Event::Invoice(event) = &entry.event else { continue };
        if let InvoiceEvent::Issued(issued) = event {
            let row = Row {
                invoice_id: issued.invoice_id,
                site_id: issued.site_id,
                invoice: Invoice::default(),
                version: 0,
                position: 0,
                created_position: entry.position,
            };
            rows.insert(entry.stream_id, row);
        }
        let row = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.invoice.evolve(event.clone());
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
        sqlx::query!(r#"SELECT invoice_id, doc AS "doc: Json<Row>" FROM invoices WHERE invoice_id = ANY ($1)"#, ids)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().map(|row| (row.invoice_id, row.doc.0)).collect())
}

#[derive(Serialize)]
struct Columns<'a> {
    invoice_id: InvoiceId,
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
            invoice_id: row.invoice_id,
            site_id: row.site_id,
            status: row.invoice.status,
            amount: row.invoice.issued.as_ref().map_or(0, |issued| issued.amount.amount),
            doc: row,
            version: row.version,
            position: row.position,
            created_position: row.created_position,
        })
        .collect();
    sqlx::query!(
        "INSERT INTO invoices
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             invoice_id uuid, site_id uuid, status text, amount bigint, doc jsonb, version int, position bigint,
             created_position bigint)
         ON CONFLICT (invoice_id) DO UPDATE SET
             status = excluded.status, doc = excluded.doc, version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One invoice.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: InvoiceId) -> Result<Found<Row>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, p.doc AS "doc?: Json<Row>"
           FROM checkpoints AS c LEFT JOIN invoices AS p ON p.invoice_id = $1
           WHERE c.name = 'invoice'"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}
