//! `read.till_sessions`: a drawer from its opening to its closing.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    actor::Actor,
    event::Event,
    ids::{SiteId, TillId},
    money::Money,
    text::{Name, Note},
    till::{CashMoved, Closed, Counted, Event as TillEvent, Opened},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, PgExecutor, PgPool, types::Json};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Entry},
    page::{Cursor, Found, ListError, Page, cut, hash_of, with_one_more},
};

/// A session as its events tell it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    pub till_id: TillId,
    pub site_id: SiteId,
    /// 1 for the first one.
    pub session: u32,
    pub float: Money,
    pub opened_by: Actor,
    pub opened_at: Timestamp,
    /// Movements after this position count.
    pub from_position: Position,
    pub counts: Vec<Count>,
    pub moves: Vec<Moved>,
    /// How it was closed; `None` while it is open.
    pub closed: Option<Closed>,
    pub version: i32,
    pub position: Position,
    pub created_position: Position,
}

/// A count on the way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Count {
    pub counted: Money,
    pub expected: Money,
    pub variance: Money,
    pub as_of_position: Position,
    pub by: Actor,
    pub at: Timestamp,
}

/// Cash that was taken to the bank.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    pub amount: Money,
    pub reason: Note,
    pub reference: Option<Name>,
    pub by: Actor,
    pub at: Timestamp,
}

impl From<&Counted> for Count {
    fn from(event: &Counted) -> Self {
        let Counted { counted, expected, variance, as_of_position, by, at, .. } = *event;
        Self { counted, expected, variance, as_of_position, by, at }
    }
}

impl From<&CashMoved> for Moved {
    fn from(event: &CashMoved) -> Self {
        let CashMoved { amount, by, at, .. } = *event;
        Self { amount, reason: event.reason.clone(), reference: event.reference.clone(), by, at }
    }
}

impl Session {
    fn opened(opened: &Opened, entry: &Entry) -> Self {
        Self {
            till_id: opened.till_id,
            site_id: opened.site_id,
            session: opened.session,
            float: opened.float,
            opened_by: opened.by,
            opened_at: opened.at,
            from_position: opened.as_of_position,
            counts: Vec::new(),
            moves: Vec::new(),
            closed: None,
            version: entry.version,
            position: entry.position,
            created_position: entry.position,
        }
    }

    /// Taken to the bank so far.
    pub fn moved(&self) -> i64 {
        self.moves.iter().map(|moved| moved.amount.amount).fold(0, i64::saturating_add)
    }
}

const fn number(event: &TillEvent) -> u32 {
    match event {
        TillEvent::Opened(opened) => opened.session,
        TillEvent::Counted(counted) => counted.session,
        TillEvent::CashMoved(moved) => moved.session,
        TillEvent::Closed(closed) => closed.session,
    }
}

type Key = (Uuid, i32);

/// Writes a batch: the rows it touches are loaded once, folded in memory, written once.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let mut rows: BTreeMap<Key, Session> = BTreeMap::new();
    let events: Vec<(&Entry, &TillEvent)> = entries
        .iter()
        .filter_map(|entry| match &entry.event {
            Event::Till(event) => Some((entry, event)),
            _ => None,
        })
        .collect();
    if events.is_empty() {
        return Ok(());
    }
    let streams: Vec<Uuid> = events.iter().map(|(entry, _)| entry.stream_id).collect();
    // At most one session of a drawer is open.
    let open = sqlx::query!(
        r#"SELECT DISTINCT ON (till_id) till_id, session, doc AS "doc: Json<Session>" FROM till_sessions
           WHERE till_id = ANY ($1) ORDER BY till_id, session DESC"#,
        &streams
    )
    .fetch_all(&mut *connection)
    .await?;
    rows.extend(open.into_iter().map(|row| ((row.till_id, row.session), row.doc.0)));
    for (entry, event) in events {
        let key = (entry.stream_id, i32::try_from(number(event)).unwrap_or(i32::MAX));
        if let TillEvent::Opened(opened) = event {
            rows.insert(key, Session::opened(opened, entry));
            continue;
        }
        let row = rows.get_mut(&key).ok_or_else(|| entry.without_a_row())?;
        match event {
            TillEvent::Opened(_) => {}
            TillEvent::Counted(counted) => row.counts.push(counted.into()),
            TillEvent::CashMoved(moved) => row.moves.push(moved.into()),
            TillEvent::Closed(closed) => row.closed = Some(closed.clone()),
        }
        row.version = entry.version;
        row.position = entry.position;
    }
    save(connection, &rows).await
}

#[derive(Serialize)]
struct Row<'a> {
    site_id: SiteId,
    session: i32,
    till_id: TillId,
    doc: &'a Session,
    version: i32,
    position: Position,
    created_position: Position,
}

async fn save(connection: &mut PgConnection, rows: &BTreeMap<Key, Session>) -> Result<(), ApplyError> {
    let rows: Vec<Row<'_>> = rows
        .iter()
        .map(|((_, session), row)| Row {
            site_id: row.site_id,
            session: *session,
            till_id: row.till_id,
            doc: row,
            version: row.version,
            position: row.position,
            created_position: row.created_position,
        })
        .collect();
    sqlx::query!(
        "INSERT INTO till_sessions
         SELECT * FROM json_to_recordset($1::text::json) AS r (
             site_id uuid, session int, till_id uuid, doc jsonb, version int, position bigint, created_position bigint)
         ON CONFLICT (till_id, session) DO UPDATE SET
             doc = excluded.doc, version = excluded.version, position = excluded.position",
        serde_json::to_string(&rows)?
    )
    .execute(connection)
    .await?;
    Ok(())
}

/// The latest session of a site's drawer.
///
/// # Errors
/// Whatever the database says.
pub async fn current(db: impl PgExecutor<'_>, site: SiteId) -> Result<Found<Session>, sqlx::Error> {
    let row = sqlx::query!(
        r#"SELECT c.position AS as_of, s.doc AS "doc?: Json<Session>"
           FROM checkpoints AS c LEFT JOIN LATERAL (
               SELECT doc FROM till_sessions WHERE site_id = $1 ORDER BY created_position DESC LIMIT 1) AS s ON true
           WHERE c.name = 'till'"#,
        site.uuid()
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map_or(Found { as_of: 0, row: None }, |row| Found { as_of: row.as_of, row: row.doc.map(|doc| doc.0) }))
}

/// One page of the sessions of a site's drawer, the newest first.
///
/// # Errors
/// [`ListError`] for a cursor of another site, a limit outside 1–100, or whatever the database says.
pub async fn list(pool: &PgPool, site: SiteId, cursor: Option<&str>, limit: u32) -> Result<Page<Session>, ListError> {
    let hash = hash_of("till sessions", &site)?;
    let after = cursor.map(|text| Cursor::decode(text, hash)).transpose()?.map(|cursor| cursor.key);
    let rows = sqlx::query!(
        r#"SELECT c.position AS as_of, s.doc AS "doc?: Json<Session>"
           FROM checkpoints AS c LEFT JOIN LATERAL (
               SELECT doc, created_position FROM till_sessions
               WHERE site_id = $1 AND ($2::bigint IS NULL OR created_position < $2)
               ORDER BY created_position DESC LIMIT $3) AS s ON true
           WHERE c.name = 'till' ORDER BY s.created_position DESC"#,
        site.uuid(),
        after,
        with_one_more(limit)?
    )
    .fetch_all(pool)
    .await?;
    let as_of = rows.first().map_or(0, |row| row.as_of);
    let found: Vec<Session> = rows.into_iter().filter_map(|row| row.doc.map(|doc| doc.0)).collect();
    let (items, next) =
        cut(found, limit, |row| Cursor { key: row.created_position, id: row.till_id.uuid(), filters: hash });
    Ok(Page { as_of, items, next })
}
