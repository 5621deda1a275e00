//! `read.schedule`: one row per open claim and cell, made by the same pure function of the events as the guard's claims.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Timestamp,
    event::Event,
    guard::{self, Op, OpenClaim},
    ids::{CellId, ClosureId, ReservationId, SiteId},
    interval::Interval,
    reservation, site,
};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use super::days;
use crate::{
    Position,
    engine::{ApplyError, Entry},
};

/// The claims asked for, and up to which event the answer counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub as_of: Position,
    /// By start. Claims that no longer block at this moment are among them: [`guard::stands_in_the_way`] looks through.
    pub claims: Vec<OpenClaim>,
    /// The holders that are closures; the others are reservations.
    pub closures: BTreeSet<ClosureId>,
}

impl Standing {
    /// The reservation that holds a claim; `None` for a closure's.
    pub fn reservation(&self, claim: &OpenClaim) -> Option<ReservationId> {
        (!self.closures.contains(&claim.holder.into())).then(|| claim.holder.into())
    }

    /// The first moment after `now` at which one of these claims stops blocking by itself.
    pub fn next_release(&self, now: Timestamp) -> Option<Timestamp> {
        self.claims.iter().filter_map(|claim| claim.releasable_at).filter(|at| *at > now).min()
    }
}

/// The open claims of one holder, as the table has them.
#[derive(Clone, Debug, Default)]
struct Held {
    site_id: Option<SiteId>,
    kind: &'static str,
    cells: Vec<(CellId, Interval)>,
    releasable_at: Option<Timestamp>,
    position: Position,
}

/// Writes a batch: the claims of every holder it touches are loaded, changed in memory and written anew.
pub(super) async fn apply(connection: &mut PgConnection, entries: &[Entry]) -> Result<(), ApplyError> {
    let changes: Vec<(&Entry, Vec<Op>)> =
        entries.iter().map(|entry| (entry, guard::of(&entry.event))).filter(|(_, ops)| !ops.is_empty()).collect();
    let mut holders: BTreeMap<Uuid, bool> = BTreeMap::new();
    for (entry, ops) in &changes {
        for holder in ops.iter().filter_map(holder) {
            // A reservation whose first event is in this batch has no row yet.
            holders.entry(holder).or_insert(entry.version > 1 || entry.stream_id != holder);
        }
    }
    if holders.is_empty() {
        return Ok(());
    }
    let known: Vec<Uuid> = holders.into_iter().filter(|(_, known)| *known).map(|(holder, _)| holder).collect();
    let mut held = load(connection, &known).await?;
    let mut touched = days::Touched::default();
    for (entry, ops) in &changes {
        for op in ops {
            let Some(holder) = holder(op) else { continue };
            let row = held.entry(holder).or_default();
            touched.add(row.site_id, &row.cells, entry.position);
            change(row, op, entry);
            touched.add(row.site_id, &row.cells, entry.position);
        }
    }
    replace(connection, &known, &held).await?;
    days::raise(connection, touched).await
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
const CLOSURE: &str = "closure";

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
fn interval(starts: Timestamp, ends: Timestamp) -> Result<Interval, sqlx::Error> {
    Interval::new(starts, ends).map_err(|error| sqlx::Error::Decode(error.into()))
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

async fn replace(connection: &mut PgConnection, known: &[Uuid], held: &BTreeMap<Uuid, Held>) -> Result<(), ApplyError> {
    // Freed before taken: within a batch a cell may pass from one holder to the next.
    if !known.is_empty() {
        sqlx::query!("DELETE FROM schedule WHERE holder = ANY ($1)", known).execute(&mut *connection).await?;
    }
    let mut columns = Columns::default();
    for (holder, one) in held {
        let Some(site_id) = one.site_id else { continue };
        for (cell, during) in &one.cells {
            columns.cell_id.push(cell.uuid());
            columns.starts.push(during.from());
            columns.ends.push(during.to());
            columns.site_id.push(site_id.uuid());
            columns.holder.push(*holder);
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

struct Found {
    as_of: Position,
    cell_id: Option<Uuid>,
    holder: Option<Uuid>,
    kind: Option<String>,
    starts: Option<Timestamp>,
    ends: Option<Timestamp>,
    releasable_at: Option<Timestamp>,
}

fn standing(rows: Vec<Found>) -> Result<Standing, sqlx::Error> {
    let as_of = rows.first().map_or(0, |row| row.as_of);
    let mut standing = Standing { as_of, claims: Vec::with_capacity(rows.len()), closures: BTreeSet::new() };
    for row in rows {
        let Found { cell_id: Some(cell), holder: Some(holder), starts: Some(starts), ends: Some(ends), .. } = row
        else {
            continue;
        };
        if row.kind.as_deref() == Some(CLOSURE) {
            standing.closures.insert(holder.into());
        }
        let during = interval(starts, ends)?;
        standing.claims.push(OpenClaim { cell: cell.into(), during, holder, releasable_at: row.releasable_at });
    }
    Ok(standing)
}

/// What stands on these cells within an interval.
///
/// # Errors
/// Whatever the database says.
pub async fn of_cells(db: impl PgExecutor<'_>, cells: &[CellId], within: Interval) -> Result<Standing, sqlx::Error> {
    let cells: Vec<Uuid> = cells.iter().map(|cell| cell.uuid()).collect();
    let rows = sqlx::query_as!(
        Found,
        r#"SELECT c.position AS as_of, s.cell_id AS "cell_id?", s.holder AS "holder?", s.kind AS "kind?",
                  lower(s.during) AS starts, upper(s.during) AS ends, s.releasable_at
           FROM checkpoints AS c
           LEFT JOIN schedule AS s ON s.cell_id = ANY ($1) AND s.during && tstzrange($2, $3)
           WHERE c.name = 'schedule'
           ORDER BY lower(s.during), s.cell_id"#,
        &cells,
        within.from(),
        within.to(),
    )
    .fetch_all(db)
    .await?;
    standing(rows)
}

/// What stands on the cells of a site within an interval.
///
/// # Errors
/// Whatever the database says.
pub async fn of_site(db: impl PgExecutor<'_>, site: SiteId, within: Interval) -> Result<Standing, sqlx::Error> {
    let rows = sqlx::query_as!(
        Found,
        r#"SELECT c.position AS as_of, s.cell_id AS "cell_id?", s.holder AS "holder?", s.kind AS "kind?",
                  lower(s.during) AS starts, upper(s.during) AS ends, s.releasable_at
           FROM checkpoints AS c
           LEFT JOIN schedule AS s ON s.site_id = $1 AND s.during && tstzrange($2, $3)
           WHERE c.name = 'schedule'
           ORDER BY lower(s.during), s.cell_id"#,
        site.uuid(),
        within.from(),
        within.to(),
    )
    .fetch_all(db)
    .await?;
    standing(rows)
}

/// The reservations a closure of these cells would hit, soonest first: shown before it is accepted. The command that
/// closes asks the guard itself.
///
/// # Errors
/// Whatever the database says.
pub async fn hits(
    db: impl PgExecutor<'_>,
    cells: &[CellId],
    during: Interval,
) -> Result<(Position, Vec<ReservationId>), sqlx::Error> {
    let standing = of_cells(db, cells, during).await?;
    let mut hits = Vec::new();
    for hit in standing.claims.iter().filter_map(|claim| standing.reservation(claim)) {
        if !hits.contains(&hit) {
            hits.push(hit);
        }
    }
    Ok((standing.as_of, hits))
}
