//! The owner of a projector: takes it over, applies batch after batch.

use eventstore::{Store, failpoint};

use super::{
    Poison, Projector, RunError, Watch,
    apply::{Stand, attempt},
    batch::{Ahead, Batch, read},
    entry::Read,
    error::Setback,
    park,
    rows::{Hold, Rows},
};
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
    pub(super) hold: Hold,
    pub(super) store: Store,
    watch: Option<Watch>,
    position: Position,
    /// Of the log up to `position`, as far as is known.
    digest: Vec<u8>,
    /// It goes no further than this.
    pub(super) until: Position,
    ahead: Option<Ahead>,
}

/// Ownership that was just taken.
pub(super) struct Taken {
    pub epoch: i64,
    pub position: Position,
    pub digest: Vec<u8>,
}

impl Runner {
    /// Takes ownership: raises the epoch, so that a former owner (a zombie, a slow process) can write nothing more.
    ///
    /// `watch` is rung after every batch: readers of this process wait without asking the database.
    ///
    /// # Errors
    /// [`RunError::Outdated`] when the rows are of a newer version; [`RunError::Older`] when they are of an older one,
    /// whose programs may still be running: a [`super::Shadow`] takes their place, and until then nothing is touched;
    /// [`RunError::Gap`] when they are further than the log.
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
             RETURNING version, epoch, position, digest",
            projector.name,
            owner,
        )
        .fetch_one(&mut *transaction)
        .await?;
        // An error takes the new epoch back with it.
        projector.accepts(found.version)?;
        if found.position > head {
            return Err(RunError::Gap { projector: projector.name, at: found.position, found: head });
        }
        transaction.commit().await?;
        failpoint("projector.owned");
        let taken = Taken { epoch: found.epoch, position: found.position, digest: found.digest };
        Ok(Self::with(projector, Rows::Live, store, watch, taken))
    }

    pub(super) fn with(
        projector: &'static Projector,
        rows: Rows,
        store: Store,
        watch: Option<Watch>,
        taken: Taken,
    ) -> Self {
        let Taken { epoch, position, digest } = taken;
        let hold = Hold { projector, rows, key: rows.checkpoint(projector), epoch };
        Self { hold, store, watch, position, digest, until: Position::MAX, ahead: None }
    }

    pub fn projector(&self) -> &'static Projector {
        self.hold.projector
    }

    pub fn position(&self) -> Position {
        self.position
    }

    /// Number of this ownership; every later one is higher.
    pub fn epoch(&self) -> i64 {
        self.hold.epoch
    }

    /// Applies at most `max` events in one transaction. With nothing new it costs one read of the log. While a full
    /// batch is written, the next one is read.
    ///
    /// A batch with a poison event is halved until the event stands alone; what lies before it is applied.
    ///
    /// # Errors
    /// [`RunError`]; after a transient one the same call can be made again, and nothing is applied twice.
    pub async fn run_batch(&mut self, max: usize) -> Result<Progress, RunError> {
        let limit = self.limit(max, self.position);
        if limit == 0 {
            return Ok(Progress { position: self.position, events: 0, caught_up: true });
        }
        let (batch, now) = self.next(limit).await?;
        let Some(last) = batch.reads.last().map(|read| read.recorded.position) else {
            return Ok(Progress { position: self.position, events: 0, caught_up: true });
        };
        let full = i64::try_from(batch.reads.len()).is_ok_and(|read| read >= limit);
        let more = self.limit(max, last);
        if full && more > 0 {
            let (store, digest) = (self.store.clone(), batch.chain.to.clone());
            self.ahead = Some(Ahead::start(store, self.hold.projector, last, more, digest));
        }
        let applied = self.apply(&batch).await?;
        // What was read ahead says nothing about what came since.
        let caught_up = ((!full && now) || more == 0) && applied == batch.reads.len();
        Ok(Progress { position: self.position, events: applied, caught_up })
    }

    /// How many events may be read behind a position.
    fn limit(&self, max: usize, after: Position) -> i64 {
        i64::try_from(max.max(1)).unwrap_or(i64::MAX).min((self.until - after).max(0))
    }

    /// The next batch, and whether it was read just now.
    async fn next(&mut self, limit: i64) -> Result<(Batch, bool), RunError> {
        if let Some(ahead) = self.ahead.take()
            && let Some(read) = ahead.take(self.position, limit).await
        {
            let batch = read?;
            if !batch.reads.is_empty() {
                return Ok((batch, false));
            }
        }
        let digest = self.digest.clone();
        Ok((read(self.store.clone(), self.hold.projector, self.position, limit, digest).await?, true))
    }

    async fn apply(&mut self, batch: &Batch) -> Result<usize, RunError> {
        let mut take = batch.reads.len();
        loop {
            let part = batch.reads.get(..take).unwrap_or_default();
            let chain = (take == batch.reads.len()).then_some(&batch.chain);
            match attempt(self.store.pool(), &self.hold, part, chain, None).await {
                Ok(stand) => {
                    self.moved_to(stand, part);
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
                Err(Setback::Poison(why)) if self.hold.projector.poison == Poison::Park => {
                    return self.park(part, &why).await;
                }
                Err(Setback::Poison(why) | Setback::Unknown(why)) => return Err(self.halt(part, why).await),
            }
        }
    }

    async fn park(&mut self, poison: &[Read], why: &str) -> Result<usize, RunError> {
        match attempt(self.store.pool(), &self.hold, poison, None, Some(why)).await {
            Ok(stand) => {
                self.moved_to(stand, poison);
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

    async fn halt(&self, poison: &[Read], why: String) -> RunError {
        self.halt_at(poison.first().map_or(self.position + 1, |read| read.recorded.position), why).await
    }

    /// Notes in the checkpoint that the projector stands still, and why: `progress` and the gauge tell.
    pub(super) async fn halt_at(&self, position: Position, why: String) -> RunError {
        let noted = sqlx::query!(
            "UPDATE read.checkpoints SET halted_at = $3, halted_why = $4 WHERE name = $1 AND epoch = $2",
            self.hold.key,
            self.hold.epoch,
            position,
            why,
        )
        .execute(self.store.pool())
        .await;
        match noted {
            Ok(_) => RunError::Poisoned { projector: self.hold.projector.name, position, why },
            Err(error) => error.into(),
        }
    }

    pub(super) fn moved_to(&mut self, Stand { position, digest }: Stand, batch: &[Read]) {
        (self.position, self.digest) = (position, digest);
        if let Some(watch) = &self.watch {
            watch.ring(self.hold.projector, self.hold.epoch, position);
        }
        let labels = note(&self.hold, batch.len());
        if let (Rows::Live, Some(last)) = (self.hold.rows, batch.last()) {
            let lag = self.store.clock().now() - last.recorded.recorded_at;
            metrics::histogram!("kalel_projection_lag_seconds", &labels).record(lag.as_seconds_f64().max(0.0));
        }
    }

    /// Where the database stands, as somebody else has made it.
    pub(super) fn stands_at(&mut self, Stand { position, digest }: Stand) {
        (self.position, self.digest, self.ahead) = (position, digest, None);
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
        park::resume_parked(self.hold.projector, &self.store).await
    }
}

/// Counts events that were written.
pub(super) fn note(hold: &Hold, events: usize) -> [(&'static str, String); 1] {
    let labels = [("projector", hold.key.clone())];
    metrics::histogram!("kalel_projection_batch_events", &labels).record(count(events));
    metrics::counter!("kalel_projection_events_total", &labels).increment(events as u64);
    labels
}

/// Large enough that the transaction costs nothing beside the events, small enough to be undone without regret.
const CATCH_UP: usize = 2_000;

/// Gauges and histograms are floats; no log here comes near 2^53 events.
fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}
