//! `read.schedule`: one row per open claim and cell, made by the same pure function of the events as the guard's claims.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    event::Event,
    guard::{self, Op},
    ids::{CellId, SiteId},
    interval::Interval,
    reservation, site,
};
use sqlx::PgConnection;
use uuid::Uuid;

use super::days::{self, Touched};
use crate::{
    Position,
    engine::{ApplyError, Copied, Entry, Kept, Tuples, breathe},
};

/// The open claims of one holder, as the table has them.
#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    site_id: Option<SiteId>,
    kind: &'static str,
    cells: Vec<(CellId, Interval)>,
    releasable_at: Option<Timestamp>,
    position: Position,
}

/// Writes a batch: the claims of every holder it touches are loaded, changed in memory and written anew.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let (mut held, mut touched) = (Kept::default(), Touched::default());
    fold(&mut held, &mut touched, connection, entries).await?;
    if held.count() == 0 {
        return Ok(());
    }
    replace(connection, &held).await?;
    days::raise(connection, &touched).await
}

/// Takes claims in; those of holders that are not in memory are loaded.
pub(super) async fn fold(
    held: &mut Kept<Held>,
    touched: &mut Touched,
    connection: &mut PgConnection,
    entries: &[Entry],
) -> Result<(), ApplyError> {
    let changes: Vec<(&Entry, Vec<Op>)> =
        entries.iter().map(|entry| (entry, guard::of(&entry.event))).filter(|(_, ops)| !ops.is_empty()).collect();
    let mut holders: BTreeMap<Uuid, bool> = BTreeMap::new();
    for (entry, ops) in &changes {
        for holder in ops.iter().filter_map(holder) {
            // A reservation whose first event is in this batch has no row yet.
            holders.entry(holder).or_insert(entry.version > 1 || entry.stream_id != holder);
        }
    }
    let known = holders.into_iter().filter(|(_, known)| *known).map(|(holder, _)| holder).collect();
    let missing = held.missing(known);
    held.loaded(load(connection, &missing).await?);
    for (number, (entry, ops)) in changes.iter().enumerate() {
        breathe(number).await;
        for op in ops {
            let Some(holder) = holder(op) else { continue };
            let row = held.get_or_default(holder);
            touched.add(row.site_id, &row.cells, entry.position);
            change(row, op, entry);
            touched.add(row.site_id, &row.cells, entry.position);
        }
    }
    Ok(())
}

/// Whose claims an operation changes; `None` when it is about something else than cells.
fn holder(op: &Op) -> Option<Uuid> {
    match op {
        Op::Claim(claim) => Some(claim.holder),
        Op::Firm { holder } | Op::Extend { holder, .. } | Op::Release { holder } => Some(*holder),
        Op::Unique { .. } | Op::Forget { .. } | Op::Limit { .. } | Op::Enter { .. } | Op::Leave { .. } => None,
    }
}

fn change(row: &mut Held, op: &Op, entry: &Entry) {
    row.position = entry.position;
    match op {
        Op::Claim(claim) => {
            row.site_id = site_of(&entry.event).or(row.site_id);
            row.kind = if matches!(entry.event, Event::Site(_)) { CLOSURE } else { RESERVATION };
            row.cells.extend(claim.cells.iter().map(|cell| (*cell, claim.during)));
            row.releasable_at = claim.releasable_at;
        }
        Op::Firm { .. } => row.releasable_at = None,
        Op::Extend { releasable_at, .. } => {
            row.releasable_at = row.releasable_at.and(Some(*releasable_at));
        }
        Op::Release { .. } => row.cells.clear(),
        Op::Unique { .. } | Op::Forget { .. } | Op::Limit { .. } | Op::Enter { .. } | Op::Leave { .. } => {}
    }
}

const RESERVATION: &str = "reservation";
pub(super) const CLOSURE: &str = "closure";

/// The site whose cells an event claims.
fn site_of(event: &Event) -> Option<SiteId> {
    match event {
        Event::Site(site::Event::ClosureScheduled(closure)) => Some(closure.site_id),
        Event::Reservation(reservation::Event::Held(held)) => Some(held.slot.site_id),
        Event::Reservation(reservation::Event::Confirmed(confirmed)) => Some(confirmed.site_id),
        Event::Reservation(reservation::Event::Rescheduled(moved)) => Some(moved.to.site_id),
        _ => None,
    }
}

async fn load(connection: &mut PgConnection, holders: &[Uuid]) -> Result<BTreeMap<Uuid, Held>, sqlx::Error> {
    if holders.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = sqlx::query!(
        r#"SELECT holder, cell_id, site_id, kind, releasable_at, position,
                  lower(during) AS "starts!", upper(during) AS "ends!"
           FROM schedule WHERE holder = ANY ($1) ORDER BY cell_id"#,
        holders
    )
    .fetch_all(connection)
    .await?;
    let mut held: BTreeMap<Uuid, Held> = BTreeMap::new();
    for row in rows {
        let one = held.entry(row.holder).or_default();
        one.site_id = Some(row.site_id.into());
        one.kind = if row.kind == CLOSURE { CLOSURE } else { RESERVATION };
        one.cells.push((row.cell_id.into(), interval(row.starts, row.ends)?));
        one.releasable_at = row.releasable_at;
        one.position = row.position;
    }
    Ok(held)
}

/// The table only holds intervals that were one.
pub(super) fn interval(starts: Timestamp, ends: Timestamp) -> Result<Interval, sqlx::Error> {
    Interval::new(starts, ends).map_err(|error| sqlx::Error::Decode(error.into()))
}

impl Copied for Held {
    const COPY: &'static str = "COPY schedule (cell_id, during, site_id, holder, kind, releasable_at, position) \
        FROM STDIN (FORMAT binary)";

    async fn delete(connection: &mut PgConnection, ids: &[Uuid]) -> Result<(), sqlx::Error> {
        sqlx::query!("DELETE FROM schedule WHERE holder = ANY ($1)", ids).execute(connection).await.map(drop)
    }

    fn put(&self, holder: Uuid, tuples: &mut Tuples) -> Result<(), serde_json::Error> {
        let Some(site_id) = self.site_id else { return Ok(()) };
        for (cell, during) in &self.cells {
            tuples.row(7);
            tuples.uuid(cell.uuid());
            tuples.range(*during);
            tuples.uuid(site_id.uuid());
            tuples.uuid(holder);
            tuples.text(self.kind);
            tuples.maybe_time(self.releasable_at);
            tuples.bigint(self.position);
        }
        Ok(())
    }
}

/// The columns of a batch, each bound as one array.
#[derive(Default)]
struct Columns {
    cell_id: Vec<Uuid>,
    starts: Vec<Timestamp>,
    ends: Vec<Timestamp>,
    site_id: Vec<Uuid>,
    holder: Vec<Uuid>,
    kind: Vec<String>,
    releasable_at: Vec<Option<Timestamp>>,
    position: Vec<Position>,
}

async fn replace(connection: &mut PgConnection, held: &Kept<Held>) -> Result<(), ApplyError> {
    // Freed before taken: within a batch a cell may pass from one holder to the next.
    let stored = held.stored();
    if !stored.is_empty() {
        Held::delete(&mut *connection, &stored).await?;
    }
    let mut columns = Columns::default();
    for (holder, one) in held.changed() {
        let Some(site_id) = one.site_id else { continue };
        for (cell, during) in &one.cells {
            columns.cell_id.push(cell.uuid());
            columns.starts.push(during.from());
            columns.ends.push(during.to());
            columns.site_id.push(site_id.uuid());
            columns.holder.push(holder);
            columns.kind.push(one.kind.to_owned());
            columns.releasable_at.push(one.releasable_at);
            columns.position.push(one.position);
        }
    }
    sqlx::query!(
        "INSERT INTO schedule (cell_id, during, site_id, holder, kind, releasable_at, position)
         SELECT cell_id, tstzrange(starts, ends), site_id, holder, kind, releasable_at, position
         FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[], $4::uuid[], $5::uuid[], $6::text[],
                     $7::timestamptz[], $8::bigint[])
              AS r (cell_id, starts, ends, site_id, holder, kind, releasable_at, position)",
        &columns.cell_id,
        &columns.starts,
        &columns.ends,
        &columns.site_id,
        &columns.holder,
        &columns.kind,
        &columns.releasable_at as &[Option<Timestamp>],
        &columns.position,
    )
    .execute(connection)
    .await?;
    Ok(())
}
