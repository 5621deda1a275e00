//! The owner of a projector: takes it over, applies batch after batch.

use eventstore::Store;

use super::{Poison, Projector, RunError, Watch, apply::attempt, entry::Read, error::Setback, park, reset};
use crate::Position;

/// What one run achieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where the projector stands now.
    pub position: Position,
    /// Events this run took in, wanted or not.
    pub events: usize,
    /// Nothing more was in the log when it looked.
    pub caught_up: bool,
}

/// Runs one projector under one epoch. Whoever owns it later fences this one out.
pub struct Runner {
    projector: &'static Projector,
    store: Store,
    watch: Option<Watch>,
    epoch: i64,
    position: Position,
}

impl Runner {
    /// Takes ownership: raises the epoch, so that a former owner (a zombie, a slow process) can write nothing more.
    /// When the rows are of an older version of the projector, they are cleared and will be built again.
    ///
    /// `watch` is rung after every batch: readers of this process wait without asking the database.
    ///
    /// # Errors
    /// [`RunError::Outdated`] when the rows are of a newer version; [`RunError::Gap`] when they are further than the log.
    pub async fn own(
        projector: &'static Projector,
        store: Store,
        owner: &str,
        watch: Option<Watch>,
    ) -> Result<Self, RunError> {
        let head = store.head().await?;
        let mut transaction = store.pool().begin().await?;
        sqlx::query!(
            "INSERT INTO read.checkpoints (name, version) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            projector.name,
            projector.version,
        )
        .execute(&mut *transaction)
        .await?;
        let found = sqlx::query!(
            "UPDATE read.checkpoints SET epoch = epoch + 1, owner = $2 WHERE name = $1
             RETURNING version, epoch, position",
            projector.name,
            owner,
        )
        .fetch_one(&mut *transaction)
        .await?;
        let mut position = found.position;
        if found.version > projector.version {
            return Err(RunError::Outdated {
                projector: projector.name,
                found: found.version,
                ours: projector.version,
            });
        }
        if found.version < projector.version {
            tracing::info!(projector = projector.name, from = found.version, to = projector.version, "rebuilding");
            reset::clear(&mut transaction, projector).await?;
            position = 0;
        }
        if position > head {
            return Err(RunError::Gap { projector: projector.name, at: position, found: head });
        }
        transaction.commit().await?;
        Ok(Self { projector, store, watch, epoch: found.epoch, position })
    }

    pub fn projector(&self) -> &'static Projector {
        self.projector
    }

    pub fn position(&self) -> Position {
        self.position
    }

    /// Number of this ownership; every later one is higher.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Applies at most `max` events in one transaction. With nothing new it costs one read of the log.
    ///
    /// A batch with a poison event is halved until the event stands alone; what lies before it is applied.
    ///
    /// # Errors
    /// [`RunError`]; after a transient one the same call can be made again, and nothing is applied twice.
    pub async fn run_batch(&mut self, max: usize) -> Result<Progress, RunError> {
        let limit = i64::try_from(max.max(1)).unwrap_or(i64::MAX);
        let events = self.store.read_after(self.position, limit).await?;
        let caught_up = i64::try_from(events.len()).is_ok_and(|read| read < limit);
        let mut at = self.position;
        for event in &events {
            if event.position != at + 1 {
                return Err(RunError::Gap { projector: self.projector.name, at, found: event.position });
            }
            at = event.position;
        }
        let batch: Vec<Read> = events.into_iter().map(|recorded| Read::of(self.projector, recorded)).collect();
        if batch.is_empty() {
            return Ok(Progress { position: self.position, events: 0, caught_up: true });
        }
        let applied = self.apply(&batch).await?;
        Ok(Progress { position: self.position, events: applied, caught_up: caught_up && applied == batch.len() })
    }

    async fn apply(&mut self, batch: &[Read]) -> Result<usize, RunError> {
        let mut take = batch.len();
        loop {
            let part = batch.get(..take).unwrap_or_default();
            match attempt(self.store.pool(), self.projector, self.epoch, part, None).await {
                Ok(position) => {
                    self.moved_to(position, part);
                    return Ok(take);
                }
                // Too much for one statement at the moment: less of it may pass.
                Err(Setback::Run(error)) if take > 1 && error.took_too_long() => take /= 2,
                Err(Setback::Run(error)) => return Err(error),
                Err(Setback::Moved(position)) => {
                    self.position = position;
                    return Ok(0);
                }
                Err(Setback::Poison(_) | Setback::Unknown(_)) if take > 1 => take /= 2,
                Err(Setback::Poison(why)) if self.projector.poison == Poison::Park => {
                    return self.park(part, &why).await;
                }
                Err(Setback::Poison(why) | Setback::Unknown(why)) => return Err(self.halt(part, why).await),
            }
        }
    }

    async fn park(&mut self, poison: &[Read], why: &str) -> Result<usize, RunError> {
        match attempt(self.store.pool(), self.projector, self.epoch, poison, Some(why)).await {
            Ok(position) => {
                self.moved_to(position, poison);
                Ok(poison.len())
            }
            Err(Setback::Moved(position)) => {
                self.position = position;
                Ok(0)
            }
            Err(Setback::Run(error)) => Err(error),
            Err(Setback::Poison(why) | Setback::Unknown(why)) => Err(self.halt(poison, why).await),
        }
    }

    /// Notes in the checkpoint that the projector stands still, and why: `progress` and the gauge tell.
    async fn halt(&self, poison: &[Read], why: String) -> RunError {
        let position = poison.first().map_or(self.position + 1, |read| read.recorded.position);
        let noted = sqlx::query!(
            "UPDATE read.checkpoints SET halted_at = $3, halted_why = $4 WHERE name = $1 AND epoch = $2",
            self.projector.name,
            self.epoch,
            position,
            why,
        )
        .execute(self.store.pool())
        .await;
        metrics::gauge!("kalel_projection_halted", "projector" => self.projector.name).set(1.0);
        match noted {
            Ok(_) => RunError::Poisoned { projector: self.projector.name, position, why },
            Err(error) => error.into(),
        }
    }

    fn moved_to(&mut self, position: Position, batch: &[Read]) {
        self.position = position;
        if let Some(watch) = &self.watch {
            watch.ring(self.projector, self.epoch, position);
        }
        let labels = [("projector", self.projector.name)];
        metrics::histogram!("kalel_projection_batch_events", &labels).record(count(batch.len()));
        metrics::counter!("kalel_projection_events_total", &labels).increment(batch.len() as u64);
        metrics::gauge!("kalel_projection_position", &labels).set(count(usize::try_from(position).unwrap_or(0)));
        metrics::gauge!("kalel_projection_halted", &labels).set(0.0);
        if let Some(last) = batch.last() {
            let lag = self.store.clock().now() - last.recorded.recorded_at;
            let seconds = lag.as_seconds_f64().max(0.0);
            metrics::histogram!("kalel_projection_lag_seconds", &labels).record(seconds);
        }
    }

    /// Applies until nothing more is in the log.
    ///
    /// # Errors
    /// As [`Runner::run_batch`].
    pub async fn catch_up(&mut self) -> Result<Position, RunError> {
        while !self.run_batch(CATCH_UP).await?.caught_up {}
        Ok(self.position)
    }

    /// Tries the parked streams again, after a fix. Answers how many are no longer parked.
    ///
    /// # Errors
    /// As [`Runner::run_batch`].
    pub async fn resume_parked(&mut self) -> Result<u64, RunError> {
        park::resume(&self.store, self.projector, self.epoch).await
    }
}

/// Large enough that the transaction costs nothing beside the events, small enough to be undone without regret.
const CATCH_UP: usize = 2_000;

/// Gauges and histograms are floats; no log here comes near 2^53 events.
fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
