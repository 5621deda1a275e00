//! What the database says, under the lane lock, about everything a batch touches: one query each.
//!
//! `OFFSET 0` in a lateral subquery keeps it an index probe per element: plans are made once, often while the tables are
//! empty, and a join would be planned as a scan of the table.

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use domain::{
    Timestamp,
    aggregate::Version,
    guard::{Lapse, Op},
    interval::Interval,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::command::Command;
use crate::{answers::StoredRecord, recorded::Position};

#[derive(Debug, Default)]
pub(crate) struct Facts {
    pub(crate) head: Position,
    /// The instant of this batch: never below the last one recorded.
    pub(crate) now: Timestamp,
    pub(crate) versions: HashMap<Uuid, Version>,
    pub(crate) records: HashMap<Vec<u8>, StoredRecord>,
    pub(crate) claims: Vec<OpenClaim>,
    pub(crate) uniques: HashMap<(String, String), Uuid>,
    pub(crate) holdings: HashMap<String, HashSet<Uuid>>,
    pub(crate) fences: HashMap<String, i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct OpenClaim {
    pub(crate) cell: Uuid,
    pub(crate) during: Interval,
    pub(crate) holder: Uuid,
    pub(crate) releasable_at: Option<DateTime<Utc>>,
    pub(crate) lapse: Option<Lapse>,
}

/// What a batch asks about.
#[derive(Default)]
struct Questions {
    streams: Vec<Uuid>,
    keys: Vec<Vec<u8>>,
    fences: Vec<String>,
    /// Cells and when they are wanted.
    slots: Vec<(Uuid, Timestamp, Timestamp)>,
    holders: Vec<Uuid>,
    scopes: Vec<String>,
    unique_scopes: Vec<String>,
    unique_keys: Vec<String>,
}

impl Questions {
    fn of(commands: &[&Command]) -> Self {
        let mut questions = Self::default();
        for command in commands {
            questions.streams.extend(command.streams());
            questions.keys.extend(command.idempotency.iter().map(|once| once.key.0.to_vec()));
            questions.fences.extend(command.fence.iter().map(|fence| fence.key.clone()));
            for op in command.ops() {
                questions.ask(op);
            }
        }
        for list in [&mut questions.streams, &mut questions.holders] {
            list.sort_unstable();
            list.dedup();
        }
        // A crowd wants one and the same.
        questions.slots.sort_unstable();
        questions.slots.dedup();
        for list in [&mut questions.scopes, &mut questions.fences] {
            list.sort_unstable();
            list.dedup();
        }
        questions
    }

    fn ask(&mut self, op: &Op) {
        match op {
            Op::Claim(claim) => {
                let (from, to) = (claim.during.from(), claim.during.to());
                self.slots.extend(claim.cells.iter().map(|cell| (cell.uuid(), from, to)));
                self.holders.push(claim.holder);
            }
            Op::Firm { holder } | Op::Extend { holder, .. } | Op::Release { holder } => self.holders.push(*holder),
            Op::Unique { scope, key, .. } | Op::Forget { scope, key } => {
                self.unique_scopes.push((*scope).to_owned());
                self.unique_keys.push(key.clone());
            }
            Op::Limit { scope, .. } => self.scopes.push(scope.clone()),
            Op::Enter { .. } | Op::Leave { .. } => {}
        }
    }
}

/// Gathers the facts of a batch. The connection holds the lane lock.
pub(crate) async fn gather(tx: &mut PgConnection, commands: &[&Command]) -> Result<Facts, sqlx::Error> {
    let mut questions = Questions::of(commands);
    let now = sqlx::query!(r#"SELECT head AS "head!", at AS "at!" FROM event_log.head()"#).fetch_one(&mut *tx).await?;
    let mut facts = Facts { head: now.head, now: now.at, ..Facts::default() };
    records(tx, &questions, &mut facts).await?;
    holdings(tx, &mut questions, &mut facts).await?;
    claims(tx, &mut questions, &mut facts).await?;
    uniques(tx, &questions, &mut facts).await?;
    versions(tx, &questions, &mut facts).await?;
    fences(tx, &questions, &mut facts).await?;
    Ok(facts)
}

async fn records(tx: &mut PgConnection, asked: &Questions, facts: &mut Facts) -> Result<(), sqlx::Error> {
    if asked.keys.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query_as!(
        StoredRecord,
        "SELECT key, fingerprint, ids, first_position, last_position, recorded_at, subject, answer
         FROM event_log.idempotency WHERE key = ANY ($1)",
        &asked.keys
    )
    .fetch_all(tx)
    .await?;
    facts.records = rows.into_iter().map(|row| (row.key.clone(), row)).collect();
    Ok(())
}

/// Who is counted in the limited scopes; whether their claims have lapsed is asked with the other claims.
async fn holdings(tx: &mut PgConnection, asked: &mut Questions, facts: &mut Facts) -> Result<(), sqlx::Error> {
    if asked.scopes.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!("SELECT scope, holder FROM event_log.holdings WHERE scope = ANY ($1)", &asked.scopes)
        .fetch_all(tx)
        .await?;
    for row in rows {
        asked.holders.push(row.holder);
        facts.holdings.entry(row.scope).or_default().insert(row.holder);
    }
    Ok(())
}

/// Every open claim of every holder that the batch names or meets.
async fn claims(tx: &mut PgConnection, asked: &mut Questions, facts: &mut Facts) -> Result<(), sqlx::Error> {
    if asked.slots.is_empty() && asked.holders.is_empty() {
        return Ok(());
    }
    let cells: Vec<Uuid> = asked.slots.iter().map(|slot| slot.0).collect();
    let froms: Vec<Timestamp> = asked.slots.iter().map(|slot| slot.1).collect();
    let tos: Vec<Timestamp> = asked.slots.iter().map(|slot| slot.2).collect();
    let rows = sqlx::query!(
        r#"WITH involved AS (
               SELECT claim.holder
               FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS asked (cell, f, t)
               CROSS JOIN LATERAL (
                   SELECT open.holder FROM event_log.slot_claims AS open
                   WHERE open.cell_id = asked.cell AND open.during && tstzrange(asked.f, asked.t)
                       AND open.to_position IS NULL OFFSET 0
               ) AS claim
               UNION
               SELECT unnest($4::uuid[])
           )
           SELECT claim.cell_id, lower(claim.during) AS "from!", upper(claim.during) AS "to!", claim.holder,
                  claim.releasable_at, claim.lapse::text AS lapse
           FROM involved CROSS JOIN LATERAL (
               SELECT open.* FROM event_log.slot_claims AS open
               WHERE open.holder = involved.holder AND open.to_position IS NULL OFFSET 0
           ) AS claim"#,
        &cells,
        &froms,
        &tos,
        &asked.holders
    )
    .fetch_all(tx)
    .await?;
    for row in rows {
        let during = Interval::new(row.from, row.to).map_err(|error| sqlx::Error::Decode(error.into()))?;
        let lapse: Option<Lapse> = row
            .lapse
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        // Its stream may need the event that ends it.
        asked.streams.extend(lapse.iter().map(|lapse| lapse.reservation_id.uuid()));
        let (cell, holder, releasable_at) = (row.cell_id, row.holder, row.releasable_at);
        facts.claims.push(OpenClaim { cell, during, holder, releasable_at, lapse });
    }
    Ok(())
}

async fn uniques(tx: &mut PgConnection, asked: &Questions, facts: &mut Facts) -> Result<(), sqlx::Error> {
    if asked.unique_scopes.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        "SELECT claim.scope, claim.key, claim.holder FROM unnest($1::text[], $2::text[]) AS asked (scope, key)
         CROSS JOIN LATERAL (
             SELECT taken.* FROM event_log.unique_claims AS taken
             WHERE taken.scope = asked.scope AND taken.key = asked.key OFFSET 0
         ) AS claim",
        &asked.unique_scopes,
        &asked.unique_keys
    )
    .fetch_all(tx)
    .await?;
    facts.uniques = rows.into_iter().map(|row| ((row.scope, row.key), row.holder)).collect();
    Ok(())
}

async fn versions(tx: &mut PgConnection, asked: &Questions, facts: &mut Facts) -> Result<(), sqlx::Error> {
    let rows = sqlx::query!(
        r#"SELECT asked.id AS "id!", coalesce((SELECT e.version FROM event_log.events AS e
               WHERE e.stream_id = asked.id ORDER BY e.version DESC LIMIT 1), 0) AS "version!"
           FROM unnest($1::uuid[]) AS asked (id)"#,
        &asked.streams
    )
    .fetch_all(tx)
    .await?;
    facts.versions = rows.into_iter().map(|row| (row.id, row.version)).collect();
    Ok(())
}

/// A lease that is changing hands at this moment is locked and counts as lost: waiting for it would stop every writer.
async fn fences(tx: &mut PgConnection, asked: &Questions, facts: &mut Facts) -> Result<(), sqlx::Error> {
    if asked.fences.is_empty() {
        return Ok(());
    }
    let rows = sqlx::query!(
        "SELECT key, token FROM event_log.fences WHERE key = ANY ($1) FOR SHARE SKIP LOCKED",
        &asked.fences
    )
    .fetch_all(tx)
    .await?;
    facts.fences = rows.into_iter().map(|row| (row.key, row.token)).collect();
    Ok(())
}
