//! `read.reconciliation_pairs`: which statement lists a movement, so that another day's comparison finds it.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    event::Event,
    payment::ProviderId,
    reconciliation::{Elsewhere, Event as ReconciliationEvent, How, Kind, Object, Subject},
};
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::rows;
use crate::engine::{ApplyError, Entry};

#[derive(Serialize)]
struct Row<'a> {
    transaction: &'a ProviderId,
    number: i32,
    subject_id: Uuid,
    nth: u16,
    object: Object,
}

/// After [`rows::apply`]: the day is in the row.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    for entry in entries {
        let Event::Reconciliation(event) = &entry.event else { continue };
        match event {
            // What is matched is said anew; differences stay until they are superseded.
            ReconciliationEvent::StatementImported(_) => {
                delete(connection, entry.stream_id, 0).await?;
            }
            ReconciliationEvent::Matched(matched) => {
                let pairs = matched.pairs.iter().filter_map(|pair| Some((&pair.transaction, 0, pair.subject?)));
                insert(connection, entry.stream_id, &pairs.map(row).collect::<Vec<_>>()).await?;
            }
            ReconciliationEvent::DifferenceFound(found) => {
                let number = i32::try_from(found.number).unwrap_or(i32::MAX);
                if let (Some(here), Some(there)) = (&found.here, &found.there)
                    && found.kind != Kind::Duplicate
                {
                    insert(connection, entry.stream_id, &[row((&there.transaction, number, here.subject))]).await?;
                }
            }
            ReconciliationEvent::DifferenceExplained(explained) if explained.how == How::Superseded => {
                delete(connection, entry.stream_id, i32::try_from(explained.number).unwrap_or(i32::MAX)).await?;
            }
            ReconciliationEvent::ImportRequested(_)
            | ReconciliationEvent::DifferenceExplained(_)
            | ReconciliationEvent::ExplanationProposed(_)
            | ReconciliationEvent::Closed(_) => {}
        }
    }
    Ok(())
}

fn row((transaction, number, subject): (&ProviderId, i32, Subject)) -> Row<'_> {
    Row { transaction, number, subject_id: subject.id, nth: subject.nth, object: subject.object }
}

async fn insert(connection: &mut PgConnection, id: Uuid, pairs: &[Row<'_>]) -> Result<(), ApplyError> {
    sqlx::query!(
        "INSERT INTO reconciliation_pairs (reconciliation_id, transaction, number, subject_id, nth, object, day)
         SELECT r.reconciliation_id, p.transaction, p.number, p.subject_id, p.nth, p.object, r.day
         FROM json_to_recordset($2::text::json) AS p (
                  transaction text, number int, subject_id uuid, nth smallint, object text),
              reconciliations AS r
         WHERE r.reconciliation_id = $1
         ON CONFLICT (reconciliation_id, transaction, number, subject_id) DO NOTHING",
        id,
        serde_json::to_string(pairs)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

async fn delete(connection: &mut PgConnection, id: Uuid, number: i32) -> Result<(), sqlx::Error> {
    sqlx::query!("DELETE FROM reconciliation_pairs WHERE reconciliation_id = $1 AND number = $2", id, number)
        .execute(connection)
        .await
        .map(drop)
}

/// Where statements of other days list these movements.
pub(super) async fn elsewhere(
    connection: &mut PgConnection,
    day: NaiveDate,
    subjects: &[Uuid],
) -> Result<BTreeMap<Subject, Elsewhere>, sqlx::Error> {
    let rows = sqlx::query!(
        "SELECT object, subject_id, nth, transaction, day FROM reconciliation_pairs
         WHERE subject_id = ANY ($1) AND day <> $2 ORDER BY subject_id, nth, day DESC",
        subjects,
        day
    )
    .fetch_all(connection)
    .await?;
    let mut all = BTreeMap::new();
    for row in rows {
        let object = rows::choice(&Object::ALL, Object::as_str, &row.object)?;
        let nth = u16::try_from(row.nth).unwrap_or_default();
        let transaction = ProviderId::new(&row.transaction).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        all.insert(Subject { object, id: row.subject_id, nth }, Elsewhere { day: row.day, transaction });
    }
    Ok(all)
}
