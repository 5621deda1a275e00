//! `read.invoices`: one claim of commission on a site, as its events tell it.

use domain::{ids::InvoiceId, invoice::Invoice};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    chain,
    engine::{ApplyError, Entry},
    page::Found,
};

/// An invoice and its place in the log.
pub type Row = chain::Row<Invoice>;

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let before = load(connection, &Entry::with_a_past(entries.iter())).await?;
    let rows = chain::fold(before, entries)?;
    sqlx::query!(
        "INSERT INTO invoices
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             id uuid, site_id uuid, status text, amount bigint, doc jsonb, version int, position bigint,
             created_position bigint)
         ON CONFLICT (invoice_id) DO UPDATE SET
             status = excluded.status, doc = excluded.doc, version = excluded.version, position = excluded.position",
        chain::columns(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<Json<Row>>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    sqlx::query_scalar!(r#"SELECT doc AS "doc: Json<Row>" FROM invoices WHERE invoice_id = ANY ($1)"#, ids)
        .fetch_all(connection)
        .await
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
