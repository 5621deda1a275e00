//! How far every projector is: for metrics and the operator.

use domain::Timestamp;
use eventstore::Store;

use super::{RunError, rows::SHADOW};
use crate::Position;

/// Where a projector stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub name: String,
    /// Of the rows, as the projector's declaration counts it.
    pub version: i32,
    pub position: Position,
    /// Last position of the log.
    pub head: Position,
    /// When the last applied event was recorded.
    pub recorded_at: Option<Timestamp>,
    /// When the first event that is not applied yet was recorded; none when there is no such event.
    pub waiting_since: Option<Timestamp>,
    /// The instance that owns it.
    pub owner: String,
    /// Number of this ownership; a lower one writes nothing.
    pub epoch: i64,
    /// Position and reason of the event it stopped at.
    pub halted: Option<(Position, String)>,
    /// Streams set aside.
    pub parked: i64,
    /// The rows being built beside these. Their own shadow is always `None`.
    pub shadow: Option<Box<Status>>,
}

impl Status {
    /// Events not applied yet.
    pub fn lag(&self) -> i64 {
        (self.head - self.position).max(0)
    }

    /// For how long the first event not applied yet has been waiting.
    pub fn behind(&self, now: Timestamp) -> chrono::TimeDelta {
        self.waiting_since.map_or(chrono::TimeDelta::zero(), |since| (now - since).max(chrono::TimeDelta::zero()))
    }
}

/// Asks for all projectors, in one statement, and sets the gauges.
///
/// # Errors
/// Whatever the database says.
pub async fn progress(store: &Store) -> Result<Vec<Status>, RunError> {
    // The head is read after the checkpoints, so that nobody seems to be ahead of it.
    let rows = sqlx::query!(
        r#"SELECT name, version, position, recorded_at, owner, epoch, halted_at, halted_why,
                  (SELECT count(*) FROM read.parked WHERE projector = c.name) AS "parked!",
                  (SELECT e.recorded_at FROM event_log.events AS e WHERE e.position = c.position + 1)
                      AS "waiting_since?"
           FROM read.checkpoints AS c ORDER BY name"#
    )
    .fetch_all(store.pool())
    .await?;
    let head = store.head().await?;
    let mut all: Vec<Status> = Vec::new();
    for row in rows {
        let status = Status {
            name: row.name,
            version: row.version,
            position: row.position,
            head,
            recorded_at: row.recorded_at,
            waiting_since: row.waiting_since,
            owner: row.owner,
            epoch: row.epoch,
            halted: row.halted_at.zip(row.halted_why),
            parked: row.parked,
            shadow: None,
        };
        match status.name.strip_suffix(SHADOW) {
            None => all.push(status),
            // In the order of the names it comes right after its own.
            Some(of) => {
                if let Some(live) = all.iter_mut().find(|live| live.name == of) {
                    live.shadow = Some(Box::new(status));
                }
            }
        }
    }
    let now = store.clock().now();
    all.iter().for_each(|status| measure(status, now));
    Ok(all)
}

fn measure(status: &Status, now: Timestamp) {
    let labels = [("projector", status.name.clone())];
    metrics::gauge!("kalel_projection_position", &labels).set(float(status.position));
    metrics::gauge!("kalel_projection_lag_events", &labels).set(float(status.lag()));
    metrics::gauge!("kalel_projection_behind_seconds", &labels).set(status.behind(now).as_seconds_f64());
    metrics::gauge!("kalel_projection_parked", &labels).set(float(status.parked));
    metrics::gauge!("kalel_projection_halted", &labels).set(f64::from(u8::from(status.halted.is_some())));
    let shadow = status.shadow.as_ref();
    metrics::gauge!("kalel_projection_shadow", &labels).set(f64::from(u8::from(shadow.is_some())));
    metrics::gauge!("kalel_projection_shadow_position", &labels).set(shadow.map_or(0.0, |one| float(one.position)));
    let missing = shadow.map_or(0, |one| status.position - one.position);
    metrics::gauge!("kalel_projection_shadow_lag_events", &labels).set(float(missing.max(0)));
    let halted = shadow.is_some_and(|one| one.halted.is_some());
    metrics::gauge!("kalel_projection_shadow_halted", &labels).set(f64::from(u8::from(halted)));
}

/// Gauges are floats; no log here comes near 2^53 events, nor near 2^32.
fn float(number: i64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
