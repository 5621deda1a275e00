//! The database as it is at one moment: one transaction that sees one snapshot and can write nothing.

use std::str::FromStr;

use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
use uuid::Uuid;

use super::JudgeError;
use crate::{
    event::{Event, Fact, Time},
    input::{Claim, Effect, Effects, Posting, View},
};

/// Rows asked for at a time.
const PAGE: i64 = 5_000;

pub(super) struct Rows {
    pub log: Vec<Event>,
    pub claims: Vec<Claim>,
    pub views: Vec<View>,
    pub ledger: Vec<Posting>,
    pub effects: Effects,
}

pub(super) async fn read(database_url: &str) -> Result<Rows, JudgeError> {
    let options = PgConnectOptions::from_str(database_url).map_err(JudgeError::Address)?;
    let options = options.application_name("judge").options([("default_transaction_read_only", "on")]);
    let mut connection = PgConnection::connect_with(&options).await?;
    let mut snapshot = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let log = log(&mut snapshot).await?;
    let claims = claims(&mut snapshot).await?;
    let views = views(&mut snapshot).await?;
    let ledger = ledger(&mut snapshot).await?;
    let effects = effects(&mut snapshot).await?;
    snapshot.rollback().await?;
    connection.close().await?;
    Ok(Rows { log, claims, views, ledger, effects })
}

type EventRow = (i64, Uuid, Uuid, i32, String, i16, String, Time);

async fn log(db: &mut PgConnection) -> Result<Vec<Event>, sqlx::Error> {
    let mut log = Vec::new();
    loop {
        // The constraint keeps positions above zero, so whatever there is comes after zero.
        let after = log.last().map_or(0, |event: &Event| event.position);
        let page: Vec<EventRow> = sqlx::query_as(
            "SELECT position, event_id, stream_id, version, type, schema, data::text, recorded_at
             FROM event_log.events WHERE position > $1 ORDER BY position LIMIT $2",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *db)
        .await?;
        if page.is_empty() {
            return Ok(log);
        }
        log.extend(page.into_iter().map(|row| {
            let (position, event_id, stream_id, version, name, schema, data, recorded_at) = row;
            let fact = Fact::read(&name, schema, &data);
            Event { position, event_id, stream_id, version, name, recorded_at, fact }
        }));
    }
}

type ClaimRow = (Uuid, Time, Time, Uuid, i64, bool);

async fn claims(db: &mut PgConnection) -> Result<Vec<Claim>, sqlx::Error> {
    let mut claims: Vec<Claim> = Vec::new();
    loop {
        let (cell, position) = claims.last().map_or((Uuid::nil(), 0), |claim| (claim.cell, claim.position));
        let page: Vec<ClaimRow> = sqlx::query_as(
            "SELECT cell_id, lower(during), upper(during), holder, from_position, releasable_at IS NULL
             FROM event_log.slot_claims
             WHERE to_position IS NULL AND (cell_id, from_position) > ($1, $2)
             ORDER BY cell_id, from_position LIMIT $3",
        )
        .bind(cell)
        .bind(position)
        .bind(PAGE)
        .fetch_all(&mut *db)
        .await?;
        if page.is_empty() {
            return Ok(claims);
        }
        claims.extend(page.into_iter().map(|row| {
            let (cell, from, to, holder, position, firm) = row;
            Claim { cell, from, to, holder, position, firm }
        }));
    }
}

async fn views(db: &mut PgConnection) -> Result<Vec<View>, sqlx::Error> {
    let mut views: Vec<View> = Vec::new();
    let mut after = Uuid::nil();
    loop {
        let page: Vec<(Uuid, Uuid, String, Time, Time)> = sqlx::query_as(
            "SELECT reservation_id, pitch_id, status, starts_at, ends_at
             FROM read.reservations WHERE reservation_id > $1 ORDER BY reservation_id LIMIT $2",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *db)
        .await?;
        let Some((last, ..)) = page.last() else { return Ok(views) };
        after = *last;
        views.extend(page.into_iter().map(|row| {
            let (reservation_id, pitch_id, status, starts_at, ends_at) = row;
            View { reservation_id, pitch_id, status, starts_at, ends_at }
        }));
    }
}

async fn ledger(db: &mut PgConnection) -> Result<Vec<Posting>, sqlx::Error> {
    let mut ledger = Vec::new();
    let mut after = (0_i64, 0_i16);
    loop {
        let page: Vec<(i64, i16, Uuid, String, i64)> = sqlx::query_as(
            "SELECT position, number, coalesce(reservation_id, '00000000-0000-0000-0000-000000000000'), account, amount FROM read.ledger_entries
             WHERE (position, number) > ($1, $2) ORDER BY position, number LIMIT $3",
        )
        .bind(after.0)
        .bind(after.1)
        .bind(PAGE)
        .fetch_all(&mut *db)
        .await?;
        let Some((position, number, ..)) = page.last() else { return Ok(ledger) };
        after = (*position, *number);
        ledger.extend(page.into_iter().map(|row| {
            let (position, _, reservation_id, account, amount) = row;
            Posting { position, reservation_id, account, amount }
        }));
    }
}

type EffectRow = (i64, String, String, String, Time, i64, Option<String>);

async fn effects(db: &mut PgConnection) -> Result<Effects, sqlx::Error> {
    let count: i64 = sqlx::query_scalar("SELECT count(*) FROM work.effects").fetch_one(&mut *db).await?;
    let mut effects = Effects { count: usize::try_from(count).unwrap_or(0), left: Vec::new() };
    let mut after = 0;
    loop {
        let page: Vec<EffectRow> = sqlx::query_as(
            "SELECT id, key, kind, state, due_at, cause_position, last_error FROM work.effects
             WHERE state IN ('failed', 'running', 'ready') AND id > $1 ORDER BY id LIMIT $2",
        )
        .bind(after)
        .bind(PAGE)
        .fetch_all(&mut *db)
        .await?;
        let Some((last, ..)) = page.last() else { return Ok(effects) };
        after = *last;
        effects.left.extend(page.into_iter().map(|row| {
            let (_, key, kind, state, due_at, cause_position, last_error) = row;
            Effect { key, kind, state, due_at, cause_position, last_error }
        }));
    }
}
