//! `read.reconciliations` and `read.reconciliation_differences`: filled from events, asked by id.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    event::Event,
    ids::ReconciliationId,
    reconciliation::{Event as ReconciliationEvent, Standing},
};
use sqlx::{PgConnection, PgExecutor, types::Json};
use uuid::Uuid;

use super::{Difference, Reconciliation};
use crate::{
    engine::{ApplyError, Entry, breathe},
    page::Found,
};

/// The differences of a reconciliation, by number.
type Differences = BTreeMap<i32, Difference>;

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let events = || entries.iter().filter(|entry| matches!(entry.event, Event::Reconciliation(_)));
    let past = Entry::with_a_past(events());
    let mut rows = load(connection, &past).await?;
    let mut differences = load_differences(connection, &past).await?;
    let mut touched: BTreeSet<(Uuid, i32)> = BTreeSet::new();
    for (number, entry) in events().enumerate() {
        breathe(number).await;
        let Event::Reconciliation(event) = &entry.event else { continue };
        if entry.version == 1
            && let Some(row) = Reconciliation::begun(event, entry)
        {
            rows.insert(entry.stream_id, row);
        }
        let row = rows.get_mut(&entry.stream_id).ok_or_else(|| entry.without_a_row())?;
        row.evolve(event);
        row.version = entry.version;
        row.position = entry.position;
        let of = differences.entry(entry.stream_id).or_default();
        let number = match event {
            ReconciliationEvent::DifferenceFound(found) => found.number,
            ReconciliationEvent::ExplanationProposed(proposed) => proposed.number,
            ReconciliationEvent::DifferenceExplained(explained) => explained.number,
            _ => continue,
        };
        let number = i32::try_from(number).unwrap_or(i32::MAX);
        match event {
            ReconciliationEvent::DifferenceFound(found) => {
                of.insert(number, Difference::found(found));
            }
            event => of.get_mut(&number).ok_or_else(|| entry.without_a_row())?.evolve(event),
        }
        touched.insert((entry.stream_id, number));
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let current = || of.values().filter(|difference| difference.is_current());
        row.differences = count(current().count());
        row.unexplained = count(current().filter(|difference| difference.standing != Standing::Explained).count());
    }
    save(connection, &rows).await?;
    let touched = touched.iter().filter_map(|(id, number)| Some((*id, *number, differences.get(id)?.get(number)?)));
    save_differences(connection, touched).await
}

async fn load(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeMap<Uuid, Reconciliation>, sqlx::Error> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        r#"SELECT reconciliation_id, doc AS "doc: Json<Reconciliation>" FROM reconciliations
           WHERE reconciliation_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|row| (row.reconciliation_id, row.doc.0)).collect())
}

async fn load_differences(
    connection: &mut PgConnection,
    ids: &[Uuid],
) -> Result<BTreeMap<Uuid, Differences>, sqlx::Error> {
    let mut all: BTreeMap<Uuid, Differences> = BTreeMap::new();
    if ids.is_empty() {
        return Ok(all);
    }
    let rows = sqlx::query!(
        r#"SELECT reconciliation_id, number, doc AS "doc: Json<Difference>" FROM reconciliation_differences
           WHERE reconciliation_id = ANY ($1)"#,
        ids
    )
    .fetch_all(connection)
    .await?;
    for row in rows {
        all.entry(row.reconciliation_id).or_default().insert(row.number, row.doc.0);
    }
    Ok(all)
}

async fn save(connection: &mut PgConnection, rows: &BTreeMap<Uuid, Reconciliation>) -> Result<(), ApplyError> {
    for (id, row) in rows {
        sqlx::query!(
            "INSERT INTO reconciliations VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (reconciliation_id) DO UPDATE SET
                 status = excluded.status, doc = excluded.doc, version = excluded.version,
                 position = excluded.position",
            id,
            row.provider.as_str(),
            row.account.as_str(),
            row.day,
            row.status.as_str(),
            serde_json::to_value(row)?,
            row.version,
            row.position,
            row.created_position
        )
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn save_differences<'a>(
    connection: &mut PgConnection,
    rows: impl Iterator<Item = (Uuid, i32, &'a Difference)>,
) -> Result<(), ApplyError> {
    let (mut ids, mut numbers, mut standings, mut docs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for (id, number, difference) in rows {
        ids.push(id);
        numbers.push(number);
        standings.push(difference.standing.as_str().to_owned());
        docs.push(serde_json::to_value(difference)?);
    }
    sqlx::query!(
        "INSERT INTO reconciliation_differences (reconciliation_id, number, standing, doc)
         SELECT * FROM unnest($1::uuid[], $2::int[], $3::text[], $4::jsonb[])
         ON CONFLICT (reconciliation_id, number) DO UPDATE SET standing = excluded.standing, doc = excluded.doc",
        &ids,
        &numbers,
        &standings,
        &docs
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// One reconciliation.
///
/// # Errors
/// Whatever the database says.
pub async fn find(db: impl PgExecutor<'_>, id: ReconciliationId) -> Result<Found<Reconciliation>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, r.doc AS "doc?: Json<Reconciliation>"
           FROM checkpoints AS c LEFT JOIN reconciliations AS r ON r.reconciliation_id = $1
           WHERE c.name = 'reconciliation'"#,
        id.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}

/// One value of an enumeration by the name it is stored under: the table holds no other.
pub(super) fn choice<T: Copy>(all: &[T], name: fn(T) -> &'static str, text: &str) -> Result<T, sqlx::Error> {
    let found = all.iter().copied().find(|choice| name(*choice) == text);
    found.ok_or_else(|| sqlx::Error::Decode(format!("{text} is not a choice").into()))
}
