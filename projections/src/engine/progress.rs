//! How far every projector is: for metrics and the operator.

use domain::Timestamp;
use eventstore::Store;

use super::RunError;
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
    /// The instance that owns it.
    pub owner: String,
    /// Number of this ownership; a lower one writes nothing.
    pub epoch: i64,
    /// Position and reason of the event it stopped at.
    pub halted: Option<(Position, String)>,
    /// Streams set aside.
    pub parked: i64,
}

impl Status {
    /// Events not applied yet.
    pub fn lag(&self) -> i64 {
        (self.head - self.position).max(0)
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
                  (SELECT count(*) FROM read.parked WHERE projector = checkpoints.name) AS "parked!"
           FROM read.checkpoints ORDER BY name"#
    )
    .fetch_all(store.pool())
    .await?;
    let head = store.head().await?;
    let all = rows.into_iter().map(|row| Status {
        name: row.name,
        version: row.version,
        position: row.position,
        head,
        recorded_at: row.recorded_at,
        owner: row.owner,
        epoch: row.epoch,
        halted: row.halted_at.zip(row.halted_why),
        parked: row.parked,
    });
    Ok(all.inspect(measure).collect())
}

fn measure(status: &Status) {
    let labels = [("projector", status.name.clone())];
    let float = |number: i64| u32::try_from(number).map_or(f64::from(u32::MAX), f64::from);
    metrics::gauge!("kalel_projection_lag_events", &labels).set(float(status.lag()));
    metrics::gauge!("kalel_projection_parked", &labels).set(float(status.parked));
}
