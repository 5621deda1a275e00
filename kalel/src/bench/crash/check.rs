//! Checks a log by a fold of its own: what the events say about the ground, not what the guards think of them.

use std::collections::HashMap;

use domain::{
    event::Event,
    ids::CellId,
    interval::Interval,
    reservation::{self, Slot},
};
use eventstore::{Recorded, Store};
use uuid::Uuid;

use super::{Problem, Report, Told};

const PAGE: i64 = 5_000;

/// Who stands where at one position of the log.
#[derive(Default)]
struct Ground {
    taken: HashMap<CellId, Vec<(Interval, Uuid)>>,
    slots: HashMap<Uuid, Slot>,
}

pub(super) async fn check(store: &Store, heard: &[Told], report: &mut Report) -> Result<(), Problem> {
    let mut streams: HashMap<Uuid, i32> = HashMap::new();
    let mut places: Vec<Uuid> = Vec::new();
    let mut ground = Ground::default();
    loop {
        let last = i64::try_from(places.len())?;
        let page = store.read_after(last, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for recorded in page {
            let expected = i64::try_from(places.len())? + 1;
            if recorded.position != expected {
                report.violations.push(format!("position {} where {expected} should be", recorded.position));
                return Ok(());
            }
            let version = streams.entry(recorded.stream_id).or_insert(0);
            *version += 1;
            if recorded.version != *version {
                report.violations.push(format!("version {} of {}", recorded.version, recorded.stream_id));
            }
            places.push(recorded.stream_id);
            ground.fold(&recorded, report)?;
        }
    }
    report.events = places.len() as u64;
    for told in heard {
        compare(told, &places, &streams, report);
    }
    tables(store, &ground, report).await
}

fn compare(told: &Told, places: &[Uuid], streams: &HashMap<Uuid, i32>, report: &mut Report) {
    match told {
        Told::Applied { stream, first, last } => {
            report.applied += 1;
            let there = (*first..=*last)
                .all(|position| usize::try_from(position - 1).ok().and_then(|index| places.get(index)) == Some(stream));
            if !there || last < first {
                report.violations.push(format!("{stream} was acknowledged at {first}…{last} and is not there"));
            }
        }
        Told::Refused { stream } if streams.contains_key(stream) => {
            report.violations.push(format!("{stream} was refused and is in the log"));
        }
        Told::Violation(what) => report.violations.push(what.clone()),
        Told::Refused { .. } | Told::Other => {}
    }
}

impl Ground {
    fn fold(&mut self, recorded: &Recorded, report: &mut Report) -> Result<(), Problem> {
        let holder = recorded.stream_id;
        let Event::Reservation(event) = recorded.event()? else { return Ok(()) };
        match event {
            reservation::Event::Held(held) => self.take(holder, held.slot, recorded.position, report),
            reservation::Event::Expired(_) => {
                report.lapses += 1;
                self.free(holder);
            }
            reservation::Event::Cancelled(_) => self.free(holder),
            reservation::Event::Rescheduled(moved) => {
                self.free(holder);
                self.take(holder, moved.to, recorded.position, report);
            }
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, holder: Uuid, slot: Slot, position: i64, report: &mut Report) {
        for cell in &slot.cells {
            let taken = self.taken.entry(*cell).or_default();
            if let Some((_, other)) =
                taken.iter().find(|(during, other)| during.overlaps(slot.claims) && *other != holder)
            {
                report.violations.push(format!("position {position}: {holder} and {other} on cell {cell}"));
            }
            taken.push((slot.claims, holder));
        }
        self.slots.insert(holder, slot);
    }

    fn free(&mut self, holder: Uuid) {
        for cell in self.slots.remove(&holder).into_iter().flat_map(|slot| slot.cells) {
            self.taken.entry(cell).or_default().retain(|(_, other)| *other != holder);
        }
    }
}

/// Every claim there ever was, with an index by which the overlapping ones are found; as long as it takes.
const CLAIMS: &str = "
    SET LOCAL statement_timeout = 0;
    CREATE TEMPORARY TABLE claims ON COMMIT DROP AS
        SELECT cell_id, during, holder, int8range(from_position, to_position) AS standing FROM event_log.slot_claims;
    CREATE INDEX ON claims USING gist (cell_id, during);
    ANALYZE claims";

/// The guard tables agree with the fold, and nobody ever overlapped in them either.
async fn tables(store: &Store, ground: &Ground, report: &mut Report) -> Result<(), Problem> {
    let mut tx = store.pool().begin().await?;
    sqlx::raw_sql(CLAIMS).execute(&mut *tx).await?;
    let overlaps: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM claims AS a JOIN claims AS b
             ON a.cell_id = b.cell_id AND a.during && b.during AND a.holder < b.holder AND a.standing && b.standing",
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.rollback().await?;
    if overlaps > 0 {
        report.violations.push(format!("{overlaps} claims overlap in time and position"));
    }
    let open: Vec<(Uuid, Uuid)> =
        sqlx::query_as("SELECT cell_id, holder FROM event_log.slot_claims WHERE to_position IS NULL")
            .fetch_all(store.pool())
            .await?;
    let mut open: Vec<(Uuid, Uuid)> = open.into_iter().collect();
    let mut folded: Vec<(Uuid, Uuid)> =
        ground.taken.iter().flat_map(|(cell, taken)| taken.iter().map(|(_, holder)| (cell.uuid(), *holder))).collect();
    open.sort_unstable();
    folded.sort_unstable();
    folded.dedup();
    if open != folded {
        report.violations.push(format!("{} open claims, {} by the events", open.len(), folded.len()));
    }
    Ok(())
}
