//! `read.payouts`: one movement of money to a site, as its events tell it.

use domain::{ids::PayoutId, payout::Payout};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use crate::{
    chain,
    engine::{ApplyError, Entry},
    page::Found,
};

/// A payout and its place in the log.
pub type Row = chain::Row<Payout>;

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let before = load(connection, &Entry::with_a_past(entries.iter())).await?;
    let rows = chain::fold(before, entries)?;
    sqlx::query!(
        "INSERT INTO payouts
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             id uuid, site_id uuid, status text, amount bigint, doc jsonb, version int, position bigint,
             created_position bigint)
         ON CONFLICT (payout_id) DO UPDATE SET
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
    sqlx::query_scalar!(r#"SELECT doc AS "doc: Json<Row>" FROM payouts WHERE payout_id = ANY ($1)"#, ids)
        .fetch_all(connection)
        .await
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
