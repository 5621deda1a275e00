//! `read.schedule_days`: which position last changed a site's schedule on a UTC day. Part of the key under which answers
//! are cached, so that nothing ever has to be deleted from a cache.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use domain::{
    ids::{CellId, SiteId},
    interval::Interval,
};
use sqlx::{PgConnection, PgExecutor};
use uuid::Uuid;

use crate::{
    Position,
    engine::{ApplyError, Applying, Changes},
};

/// Days changed by a batch, with the last position that did.
#[derive(Default)]
pub(super) struct Touched(BTreeMap<(SiteId, NaiveDate), Position>);

impl Touched {
    pub(super) fn add(&mut self, site: Option<SiteId>, cells: &[(CellId, Interval)], position: Position) {
        let Some(site) = site else { return };
        for (_, during) in cells {
            for day in days(*during) {
                self.0.insert((site, day), position);
            }
        }
    }
}

/// The UTC days an interval touches.
fn days(during: Interval) -> impl Iterator<Item = NaiveDate> {
    // Half-open: what ends at midnight does not touch the next day.
    let last = (during.to() - chrono::TimeDelta::microseconds(1)).date_naive();
    during.from().date_naive().iter_days().take_while(move |day| *day <= last)
}

/// Notes the days a batch changed.
pub(super) async fn raise(connection: &mut PgConnection, touched: &Touched) -> Result<(), ApplyError> {
    let mut sites: Vec<Uuid> = Vec::with_capacity(touched.0.len());
    let mut days = Vec::with_capacity(touched.0.len());
    let mut positions = Vec::with_capacity(touched.0.len());
    for ((site, day), position) in &touched.0 {
        sites.push(site.uuid());
        days.push(*day);
        positions.push(*position);
    }
    sqlx::query!(
        "INSERT INTO schedule_days (site_id, day, position)
         SELECT * FROM unnest($1::uuid[], $2::date[], $3::bigint[])
         ON CONFLICT (site_id, day) DO UPDATE SET position = excluded.position",
        &sites,
        &days,
        &positions,
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Changes for Touched {
    fn write<'a>(&'a self, connection: &'a mut PgConnection) -> Applying<'a> {
        Box::pin(raise(connection, self))
    }
}

/// Position of the last change of a site's schedule on the UTC days that an interval touches; 0 when nothing ever was.
/// A hold also stops blocking by itself, at its `releasable_at`: a cached answer lives no longer than that.
///
/// # Errors
/// Whatever the database says.
pub async fn version(db: impl PgExecutor<'_>, site: SiteId, within: Interval) -> Result<Position, sqlx::Error> {
    let last = (within.to() - chrono::TimeDelta::microseconds(1)).date_naive();
    sqlx::query_scalar!(
        r#"SELECT coalesce(max(position), 0) AS "position!" FROM schedule_days
           WHERE site_id = $1 AND day BETWEEN $2 AND $3"#,
        site.uuid(),
        within.from().date_naive(),
        last,
    )
    .fetch_one(db)
    .await
}

#[cfg(test)]
mod tests {
    use chrono::{TimeZone, Utc};

    use super::*;

    fn over(from: (u32, u32), to: (u32, u32)) -> Vec<String> {
        let at = |(day, hour)| Utc.with_ymd_and_hms(2026, 11, day, hour, 0, 0).unwrap();
        days(Interval::new(at(from), at(to)).unwrap()).map(|day| day.to_string()).collect()
    }

    #[test]
    fn an_interval_touches_the_days_it_has_time_on() {
        assert_eq!(over((22, 23), (23, 1)), ["2026-11-22", "2026-11-23"]);
        assert_eq!(over((22, 22), (23, 0)), ["2026-11-22"], "half-open");
        assert_eq!(over((29, 23), (30, 2)), ["2026-11-29", "2026-11-30"]);
    }
}
