//! What stands on cells, asked of `read.schedule`.

use std::collections::BTreeSet;

use domain::{
    Timestamp,
    guard::OpenClaim,
    ids::{CellId, ClosureId, ReservationId, SiteId},
    interval::Interval,
};
use sqlx::PgExecutor;
use uuid::Uuid;

use super::claims::{CLOSURE, interval};
use crate::Position;

/// The claims asked for, and up to which event the answer counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    pub as_of: Position,
    /// By start. Claims that no longer block at this moment are among them: [`domain::guard::stands_in_the_way`] looks
    /// through.
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
    of_sites(db, &[site], within).await
}

/// What stands on all the cells of several sites within an interval.
///
/// # Errors
/// Whatever the database says.
pub async fn of_sites(db: impl PgExecutor<'_>, sites: &[SiteId], within: Interval) -> Result<Standing, sqlx::Error> {
    let sites: Vec<Uuid> = sites.iter().map(|site| site.uuid()).collect();
    let rows = sqlx::query_as!(
        Found,
        r#"SELECT c.position AS as_of, s.cell_id AS "cell_id?", s.holder AS "holder?", s.kind AS "kind?",
                  lower(s.during) AS starts, upper(s.during) AS ends, s.releasable_at
           FROM checkpoints AS c
           LEFT JOIN schedule AS s ON s.site_id = ANY ($1) AND s.during && tstzrange($2, $3)
           WHERE c.name = 'schedule'
           ORDER BY lower(s.during), s.cell_id"#,
        &sites,
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
