//! Read-your-writes: waiting until a projection has reached a position.
//!
//! One watcher per process serves all readers. The runner rings it when it lives in the same process; while somebody
//! waits, it also asks the database, once for everybody, every few milliseconds.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use eventstore::Store;
use thiserror::Error;
use tokio::sync::watch::{Receiver, Sender};

use super::Projector;
use crate::{PROJECTORS, Position};

/// How often the database is asked while somebody waits.
const EVERY: Duration = Duration::from_millis(10);

/// Why a reader did not get what it waited for.
#[derive(Debug, Error)]
pub enum WaitError {
    /// No event has that position yet: the caller invented it, or it is of another log (400).
    #[error("position {wanted} lies beyond the head of the log, {head}")]
    BeyondHead { wanted: Position, head: Position },
    /// Not there in time (503 `projection_behind`).
    #[error("projection {projector} has reached position {reached}, not yet {wanted}")]
    Behind { projector: &'static str, wanted: Position, reached: Position },
    #[error("the log cannot be read")]
    Log(#[from] eventstore::ReadError),
}

/// Epoch and position. A higher epoch wins even with a lower position: the rows are being built again.
type Reached = (i64, Position);

/// Knows how far every projection is. Cheap to clone; make one per process.
#[derive(Clone)]
pub struct Watch(Arc<Inner>);

struct Inner {
    store: Store,
    reached: Vec<(&'static str, Sender<Reached>)>,
    polling: Mutex<Polling>,
}

#[derive(Default)]
struct Polling {
    waiting: usize,
    running: bool,
}

impl Watch {
    pub fn new(store: Store) -> Self {
        let reached = PROJECTORS.iter().map(|projector| (projector.name, Sender::new((0, 0)))).collect();
        Self(Arc::new(Inner { store, reached, polling: Mutex::default() }))
    }

    /// Called by a runner of this process after each batch.
    pub fn ring(&self, projector: &Projector, epoch: i64, position: Position) {
        self.0.note(projector.name, (epoch, position));
    }

    /// Waits until all of these projections have applied the event at `position`, at most `patience`.
    ///
    /// A rebuild may begin right after: the `as_of_position` that comes with the rows has the last word.
    ///
    /// # Errors
    /// [`WaitError`].
    pub async fn wait_for(
        &self,
        projectors: &[&'static Projector],
        position: Position,
        patience: Duration,
    ) -> Result<(), WaitError> {
        let mut waits: Vec<_> = projectors.iter().filter_map(|projector| self.0.wait(projector, position)).collect();
        if waits.is_empty() {
            return Ok(());
        }
        let head = self.0.store.head().await?;
        if position > head {
            return Err(WaitError::BeyondHead { wanted: position, head });
        }
        let _waiting = Waiting::begin(&self.0);
        let all = async {
            for (_, receiver) in &mut waits {
                // Fails only when the sender is gone, and `self` holds it.
                let _ = receiver.wait_for(|reached| reached.1 >= position).await;
            }
        };
        if tokio::time::timeout(patience, all).await.is_ok() {
            return Ok(());
        }
        let behind = waits.iter().map(|(name, receiver)| (*name, receiver.borrow().1)).find(|late| late.1 < position);
        match behind {
            None => Ok(()),
            Some((projector, reached)) => Err(WaitError::Behind { projector, wanted: position, reached }),
        }
    }
}

impl Inner {
    /// Something to wait on, unless the projection is there already.
    fn wait(&self, projector: &Projector, position: Position) -> Option<(&'static str, Receiver<Reached>)> {
        let (name, sender) = self.reached.iter().find(|(name, _)| *name == projector.name)?;
        (sender.borrow().1 < position).then(|| (*name, sender.subscribe()))
    }

    fn note(&self, name: &str, reached: Reached) {
        if let Some((_, sender)) = self.reached.iter().find(|(known, _)| *known == name) {
            sender.send_if_modified(|known| {
                let further = reached > *known;
                if further {
                    *known = reached;
                }
                further
            });
        }
    }

    async fn refresh(&self) -> Result<(), sqlx::Error> {
        let rows =
            sqlx::query!("SELECT name, epoch, position FROM read.checkpoints").fetch_all(self.store.pool()).await?;
        for row in rows {
            self.note(&row.name, (row.epoch, row.position));
        }
        Ok(())
    }

    fn polling(&self) -> MutexGuard<'_, Polling> {
        self.polling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether to go on asking.
    fn wanted(&self) -> bool {
        let mut polling = self.polling();
        polling.running = polling.waiting > 0;
        polling.running
    }
}

/// Somebody waits as long as this lives.
struct Waiting(Arc<Inner>);

impl Waiting {
    fn begin(inner: &Arc<Inner>) -> Self {
        let mut polling = inner.polling();
        polling.waiting += 1;
        if !polling.running {
            polling.running = true;
            tokio::spawn(poll(Arc::clone(inner)));
        }
        drop(polling);
        Self(Arc::clone(inner))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.polling().waiting -= 1;
    }
}

async fn poll(inner: Arc<Inner>) {
    while inner.wanted() {
        if let Err(error) = inner.refresh().await {
            tracing::warn!(%error, "cannot ask how far the projections are");
        }
        tokio::time::sleep(EVERY).await;
    }
}
