//! Filling a shadow with many events at once: rows are folded in memory and written once, however often they change.
//!
//! Three things go on at a time: a part of the log is read, the part before is folded, and what was folded before that is
//! written, with its checkpoint, in one transaction. What is in memory is only ever ahead of the database: whoever takes
//! the shadow over begins at its checkpoint.

use domain::Timestamp;
use eventstore::{Store, failpoint};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use super::{
    Applying, Entry, RunError,
    apply::{Stand, caught, lock, move_to},
    batch::{Ahead, Batch, read},
    entry::Read,
    error::{Setback, unreadable},
    rows::Hold,
    runner::note,
};
use crate::Position;

/// Rows of a projector's tables as they are made in memory.
pub trait Bulk: Send + Sync {
    /// Takes events in, in log order; loads what it lacks.
    fn fold<'a>(&'a mut self, connection: &'a mut PgConnection, entries: &'a [Entry]) -> Applying<'a>;

    /// Rows that were changed.
    fn changed(&self) -> usize;

    /// What was changed, to be written in this order. It is remembered until the next time, so that it need not be loaded.
    fn take(&mut self) -> Vec<Box<dyn Changes>>;
}

/// Rows to be written, into tables that nobody reads.
pub trait Changes: Send + Sync {
    /// Writes them. After an error the connection cannot be used any more.
    fn write<'a>(&'a self, connection: &'a mut PgConnection) -> Applying<'a>;
}

/// How much is taken at a time.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// Events read at a time.
    pub events: usize,
    /// Rows changed after which they are written. Twice as many are kept in memory, of 3 to 5 kB each.
    pub rows: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { events: 10_000, rows: 20_000 }
    }
}

/// Events after which the checkpoint is written though few rows were changed, in parts of the log.
const PARTS: usize = 20;

/// A shadow being filled.
pub(super) struct Filling {
    hold: Hold,
    store: Store,
    sizes: Sizes,
    rows: Box<dyn Bulk>,
    /// Up to where events are in `rows`.
    folded: Stand,
    recorded_at: Option<Timestamp>,
    /// Up to where they were written, or are being written.
    given: Position,
    ahead: Option<Ahead>,
    /// The write under way: one task at most.
    writing: JoinSet<Result<Written, Setback>>,
    connection: Option<PgConnection>,
}

struct Written {
    stand: Stand,
    connection: PgConnection,
}

impl Filling {
    /// Begins where the database says.
    pub(super) fn new(hold: Hold, store: Store, sizes: Sizes, rows: Box<dyn Bulk>, from: Stand) -> Self {
        let (given, recorded_at, ahead, writing) = (from.position, None, None, JoinSet::new());
        Self { hold, store, sizes, rows, folded: from, recorded_at, given, ahead, writing, connection: None }
    }

    /// Up to where events were taken in.
    pub(super) fn folded(&self) -> Position {
        self.folded.position
    }

    /// Takes a part of the log in, and begins to write when there is enough of it; at the end writes what is left. Answers
    /// where the database stands, if that is known to be another place than before.
    pub(super) async fn step(&mut self, until: Position) -> Result<Option<Stand>, Setback> {
        let limit = self.limit(self.folded.position, until);
        if limit == 0 {
            return self.end().await;
        }
        let batch = self.next(limit).await?;
        let Some(last) = batch.reads.last().map(|read| &read.recorded) else { return self.end().await };
        (self.folded.position, self.recorded_at) = (last.position, Some(last.recorded_at));
        self.folded.digest.clone_from(&batch.chain.to);
        let more = self.limit(self.folded.position, until);
        if more > 0 {
            let Stand { position, digest } = self.folded.clone();
            self.ahead = Some(Ahead::start(self.store.clone(), self.hold.projector, position, more, digest));
        }
        self.fold(&wanted(batch.reads)?).await?;
        let waiting = usize::try_from(self.folded.position - self.given).unwrap_or(usize::MAX);
        if self.rows.changed() < self.sizes.rows && waiting < self.sizes.events.saturating_mul(PARTS) {
            return Ok(None);
        }
        let stand = self.written().await?;
        self.write().await?;
        Ok(stand)
    }

    fn limit(&self, after: Position, until: Position) -> i64 {
        i64::try_from(self.sizes.events.max(1)).unwrap_or(i64::MAX).min((until - after).max(0))
    }

    async fn next(&mut self, limit: i64) -> Result<Batch, RunError> {
        let Stand { position, digest } = self.folded.clone();
        if let Some(ahead) = self.ahead.take()
            && let Some(batch) = ahead.take(position, limit).await
        {
            return batch;
        }
        read(self.store.clone(), self.hold.projector, position, limit, digest).await
    }

    /// What it loads was committed by the write before the last one, or is in memory.
    async fn fold(&mut self, entries: &[Entry]) -> Result<(), Setback> {
        let mut connection = self.store.pool().acquire().await?;
        let mut transaction = connection.begin().await?;
        sqlx::query!(
            "SELECT set_config('statement_timeout', $1, true) || set_config('search_path', $2, true) AS settings",
            self.hold.rows.statement_timeout(),
            self.hold.rows.path(),
        )
        .fetch_one(&mut *transaction)
        .await?;
        if let Err(error) = caught(self.rows.fold(&mut transaction, entries)).await {
            drop(transaction);
            // After a panic the wire may be in the middle of a message.
            connection.close_on_drop();
            return Err(error.into());
        }
        transaction.rollback().await?;
        Ok(())
    }

    /// Begins to write what was folded. The write before has ended.
    async fn write(&mut self) -> Result<(), Setback> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            // One of its own, which ends with an error or with whoever waits for it, in the middle of a message or not.
            None => self.store.pool().acquire().await?.detach(),
        };
        let changes = self.rows.take();
        let (hold, stand, recorded_at) = (self.hold.clone(), self.folded.clone(), self.recorded_at);
        let from = std::mem::replace(&mut self.given, stand.position);
        self.writing.spawn(async move {
            transact(&mut connection, &hold, &changes, from, &stand, recorded_at).await?;
            note(&hold, usize::try_from(stand.position - from).unwrap_or(0));
            Ok(Written { stand, connection })
        });
        Ok(())
    }

    /// Waits for the write under way.
    async fn written(&mut self) -> Result<Option<Stand>, Setback> {
        let Some(ended) = self.writing.join_next().await else { return Ok(None) };
        let Written { stand, connection } = ended.map_err(RunError::Interrupted)??;
        self.connection = Some(connection);
        Ok(Some(stand))
    }

    /// Lets the write under way end, well or not.
    pub(super) async fn settle(mut self) {
        if let Err(error) = self.written().await {
            tracing::debug!(projector = self.hold.key, %error, "what was folded was not written");
        }
    }

    async fn end(&mut self) -> Result<Option<Stand>, Setback> {
        let stand = self.written().await?;
        if self.folded.position == self.given {
            return Ok(stand);
        }
        self.write().await?;
        self.written().await
    }
}

/// The events that are wanted; one that cannot be read fails them all.
fn wanted(reads: Vec<Read>) -> Result<Vec<Entry>, Setback> {
    let mut entries = Vec::with_capacity(reads.len());
    for read in reads {
        entries.extend(read.entry.map_err(|error| unreadable(&error))?);
    }
    Ok(entries)
}

async fn transact(
    connection: &mut PgConnection,
    hold: &Hold,
    changes: &[Box<dyn Changes>],
    from: Position,
    to: &Stand,
    recorded_at: Option<Timestamp>,
) -> Result<(), Setback> {
    let mut transaction = connection.begin().await?;
    let checkpoint = lock(&mut transaction, hold).await?;
    if checkpoint.position != from {
        return Err(Setback::Moved(checkpoint.position));
    }
    for change in changes {
        caught(change.write(&mut transaction)).await?;
    }
    failpoint("shadow.bulk_written");
    move_to(&mut transaction, hold, to, recorded_at).await?;
    failpoint("shadow.bulk_before_commit");
    transaction.commit().await?;
    failpoint("shadow.bulk_after_commit");
    Ok(())
}
