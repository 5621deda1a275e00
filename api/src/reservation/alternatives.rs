//! What to play instead of a taken slot: one look-up for all who lost the same one at the same moment.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use domain::{
    aggregate::Loaded,
    guard::OpenClaim,
    ids::PitchId,
    interval::Interval,
    reservation::Channel,
    site::{self, MOST_ALTERNATIVES, Site},
};
use projections::site::Wish;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::{
    http::call::Call,
    problem::Problem,
    shape::{Money, local_text},
};

/// How long an answer is good for the next one who lost.
const GOOD: Duration = Duration::from_millis(500);
const MOST_KEPT: usize = 1_000;

type Slot = (PitchId, Interval, bool);
type Cell = Arc<OnceCell<Arc<Value>>>;

/// Look-ups in flight or just made.
#[derive(Default)]
pub struct Alternatives {
    flights: Mutex<HashMap<Slot, (Instant, Cell)>>,
}

impl Alternatives {
    fn flight(&self, slot: Slot) -> Cell {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.len() >= MOST_KEPT {
            flights.retain(|_, (begun, _)| begun.elapsed() < GOOD);
        }
        let (begun, cell) = flights.entry(slot).or_insert_with(|| (Instant::now(), Cell::default()));
        if begun.elapsed() >= GOOD {
            (*begun, *cell) = (Instant::now(), Cell::default());
        }
        Arc::clone(cell)
    }
}

/// The refusal of a taken slot, with up to five others.
pub async fn slot_taken(call: &Call, site: &Loaded<Site>, pitch: PitchId, during: Interval) -> Problem {
    let channel = call.channel();
    let cell = call.app.alternatives.flight((pitch, during, channel == Channel::Manual));
    let found = cell.get_or_try_init(|| find(call, site, pitch, during, channel)).await;
    let alternatives = match found {
        Ok(found) => Arc::clone(found),
        // Without a look-up it is refused all the same.
        Err(_) => Arc::new(json!([])),
    };
    Problem::new("reservation.slot_taken").shared("alternatives", alternatives)
}

async fn find(
    call: &Call,
    site: &Loaded<Site>,
    pitch: PitchId,
    during: Interval,
    channel: Channel,
) -> Result<Arc<Value>, Problem> {
    let around =
        Interval::new(during.from() - TimeDelta::hours(12), during.to() + TimeDelta::hours(12)).unwrap_or(during);
    let cells: Vec<_> = site.state.cells.iter().map(|cell| cell.id).collect();
    let claims: Vec<OpenClaim> = call
        .app
        .store
        .claims(&cells, around)
        .await?
        .into_iter()
        .map(|claim| OpenClaim {
            cell: claim.cell,
            during: claim.during,
            holder: claim.holder,
            releasable_at: claim.releasable_at,
        })
        .collect();
    let now = call.now();
    let here = site::alternatives(site, pitch, during, channel, &claims, now);
    let zone = site.state.identity.as_ref().map_or(chrono_tz::UTC, |identity| identity.time_zone);
    let mut found: Vec<Value> = here
        .iter()
        .filter_map(|other| {
            let pitch = site.state.pitch(other.pitch_id)?;
            Some(json!({
                "site_id": site.id, "pitch_id": pitch.id, "pitch_name": pitch.name, "format": pitch.format,
                "starts_at": local_text(other.during.from(), zone), "ends_at": local_text(other.during.to(), zone),
                "total": Money::from(other.price.total), "deposit": Money::from(other.price.deposit),
            }))
        })
        .collect();
    let missing = MOST_ALTERNATIVES.saturating_sub(found.len());
    let format = site.state.pitch(pitch).map(|pitch| pitch.format.clone());
    if missing > 0 && channel == Channel::Online {
        let wish = Wish { during, format, price_gte: None, price_lte: None };
        let elsewhere = projections::site::elsewhere(call.app.store.pool(), site, &wish, now, missing).await?;
        found.extend(elsewhere.iter().filter_map(|other| {
            let identity = other.row.site.state.identity.as_ref()?;
            let pitch = other.row.site.state.pitch(other.offer.pitch_id)?;
            let during = other.offer.slot.during;
            Some(json!({
                "site_id": other.row.site.id, "site_name": identity.profile.name,
                "distance_m": other.distance_m.round(), "pitch_id": pitch.id, "pitch_name": pitch.name,
                "format": pitch.format,
                "starts_at": local_text(during.from(), identity.time_zone),
                "ends_at": local_text(during.to(), identity.time_zone),
                "total": Money::from(other.offer.price.total), "deposit": Money::from(other.offer.price.deposit),
            }))
        }));
    }
    Ok(Arc::new(Value::Array(found)))
}
