//! What goes on while a projection is rebuilt: commands, readers, the projector role.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use eventstore::{Position, Store};
use projections::{reservation, schedule};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use workers::{Context, Providers, Role};

use super::fill::Booking;
use crate::bench::{append::Problem, sample::Ground};

const READERS: usize = 4;

/// Counts, while it runs.
#[derive(Default)]
pub(super) struct Counts {
    over: AtomicBool,
    pub(super) commands: AtomicU64,
    pub(super) reads: AtomicU64,
    /// Reads that failed, found nothing where there was something, or went back in time.
    pub(super) failed: AtomicU64,
    /// Microseconds of the slowest read.
    pub(super) slowest: AtomicU64,
}

/// Commands, readers and projectors, until [`Load::end`].
pub(super) struct Load {
    pub(super) counts: Arc<Counts>,
    tasks: JoinSet<Result<(), Problem>>,
    lags: JoinHandle<Result<Vec<Duration>, Problem>>,
    shutdown: CancellationToken,
}

impl Load {
    pub(super) fn start(store: &Store, commands_per_second: u32, known: Vec<Booking>) -> Self {
        let (counts, shutdown) = (Arc::new(Counts::default()), CancellationToken::new());
        let mut tasks = JoinSet::new();
        let config = workers::Config::new("bench");
        let context = Context::new(store.clone(), config, Providers::default(), Arc::new(|_| String::new()));
        let ending = shutdown.clone();
        tasks.spawn(async move { Ok(workers::run(context, &[Role::Projector], None, None, ending).await?) });
        let (told, written) = mpsc::unbounded_channel();
        tasks.spawn(command(store.clone(), commands_per_second, Arc::clone(&counts), told));
        let lags = tokio::spawn(lags(store.clone(), written));
        let known = Arc::new(known);
        for reader in 0..READERS {
            tasks.spawn(read(store.clone(), Arc::clone(&known), reader, Arc::clone(&counts)));
        }
        Self { counts, tasks, lags, shutdown }
    }

    /// Ends it; what was counted, and how long after its commit each command was in every live view.
    pub(super) async fn end(mut self) -> Result<(Arc<Counts>, Vec<Duration>), Problem> {
        self.counts.over.store(true, Ordering::Relaxed);
        // The last commands are projected first.
        let lags = self.lags.await??;
        self.shutdown.cancel();
        while let Some(ended) = self.tasks.join_next().await {
            ended??;
        }
        Ok((self.counts, lags))
    }
}

/// A commit's position, and when it was acknowledged.
type Written = (Position, Instant);

/// How far the live views are; rows that are being built beside them are behind for as long as it takes, and read by nobody.
const LIVE: &str = "SELECT coalesce(min(position), 0) FROM read.checkpoints WHERE name NOT LIKE '%:shadow'";
/// How often the views are asked how far they are.
const LOOKED: Duration = Duration::from_millis(4);
/// Long enough for the views to be filled from nothing.
const PATIENCE: Duration = Duration::from_secs(900);

async fn lags(store: Store, mut written: mpsc::UnboundedReceiver<Written>) -> Result<Vec<Duration>, Problem> {
    let mut lags = Vec::new();
    let mut seen = 0;
    while let Some((position, at)) = written.recv().await {
        while seen < position {
            seen = sqlx::query_scalar(LIVE).fetch_one(store.pool()).await?;
            if seen < position && at.elapsed() > PATIENCE {
                return Err(format!("the views stand still at {seen}").into());
            }
            if seen < position {
                tokio::time::sleep(LOOKED).await;
            }
        }
        lags.push(at.elapsed());
    }
    Ok(lags)
}

async fn command(
    store: Store,
    per_second: u32,
    counts: Arc<Counts>,
    told: mpsc::UnboundedSender<Written>,
) -> Result<(), Problem> {
    let mut due = tokio::time::interval(Duration::from_secs(1) / per_second.max(1));
    let ground = Ground::new(store.clock(), 1);
    let mut number = 0;
    while !counts.over.load(Ordering::Relaxed) {
        due.tick().await;
        let position = Booking::new(&store, &ground, number)?.step(&store, 0).await?;
        // Nobody listens when the views could not be asked: that error is told at the end.
        told.send((position, Instant::now())).ok();
        number += 2;
        counts.commands.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Asks for a reservation and for what stands on its cells, again and again.
async fn read(store: Store, known: Arc<Vec<Booking>>, reader: usize, counts: Arc<Counts>) -> Result<(), Problem> {
    let mut seen = (0, 0);
    for number in reader.. {
        if counts.over.load(Ordering::Relaxed) {
            break;
        }
        let Some(booking) = known.get(number % known.len().max(1)) else { break };
        let began = Instant::now();
        let found = reservation::find(store.pool(), booking.wish.reservation_id).await;
        let slot = &booking.wish.slot;
        let standing = schedule::of_cells(store.pool(), &slot.cells, slot.during).await;
        let took = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        counts.slowest.fetch_max(took, Ordering::Relaxed);
        let well = match (&found, &standing) {
            (Ok(found), Ok(standing)) => {
                let before = std::mem::replace(&mut seen, (found.as_of, standing.as_of));
                found.row.is_some() && found.as_of >= before.0 && standing.as_of >= before.1
            }
            _ => false,
        };
        if !well {
            tracing::warn!(error = ?found.as_ref().err(), other = ?standing.as_ref().err(), "a read failed");
            counts.failed.fetch_add(1, Ordering::Relaxed);
        }
        counts.reads.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    Ok(())
}
