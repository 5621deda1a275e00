//! The append lane: group commit with gapless positions.
//!
//! All commands of a process queue to one thread with a connection of its own. It takes what queued while the last commit
//! was in flight, decides in order of arrival, and writes one transaction under a lock that all lanes share, so
//! positions are given, committed and become visible in one order. There is no timer. It is a thread, because a task
//! would wait its turn behind the requests that it holds up. A caller who is alone does without it, on a second
//! connection: handing over to the thread and back is what a lone caller would feel.

mod command;
mod direct;
mod facts;
mod guards;
mod overlay;
mod plan;
mod session;
mod verdict;
mod worker;

use std::{
    fmt, io,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use sqlx::postgres::PgConnectOptions;
use tokio::{
    runtime::{self, Handle},
    sync::{Mutex, mpsc, oneshot, watch},
    time::Instant,
};

pub(crate) use command::Command;
pub(crate) use verdict::Verdict;

use crate::{append::AppendError, clock::Clock};

/// Bounds of the queue: beyond them a command is refused at once, so that what waits is answered in time.
#[derive(Clone, Copy, Debug)]
pub struct LaneLimits {
    /// Commands that may wait.
    pub commands: usize,
    /// What they may take, roughly: their JSON and a little for each.
    pub bytes: usize,
    /// A command that has waited longer is refused unread.
    pub deadline: Duration,
}

impl Default for LaneLimits {
    fn default() -> Self {
        Self { commands: 8_192, bytes: 64 << 20, deadline: Duration::from_secs(3) }
    }
}

impl LaneLimits {
    /// When it is worth trying again after a refusal.
    const RETRY_AFTER: Duration = Duration::from_secs(1);

    pub(crate) const fn overloaded() -> AppendError {
        AppendError::Overloaded { retry_after: Self::RETRY_AFTER }
    }
}

/// What is waiting.
#[derive(Debug, Default)]
pub(crate) struct Load {
    commands: AtomicUsize,
    bytes: AtomicUsize,
    /// Commands come together: whoever comes next had better queue, too, than commit by themselves.
    crowded: AtomicBool,
}

/// A command with whoever waits for its verdict.
pub(crate) struct Pending {
    command: Command,
    bytes: usize,
    since: Instant,
    reply: oneshot::Sender<Result<Verdict, AppendError>>,
}

pub(crate) struct Lane {
    queue: mpsc::UnboundedSender<Pending>,
    load: Arc<Load>,
    limits: LaneLimits,
    stop: watch::Sender<bool>,
    /// The connection of a caller who is alone. Whoever settles a batch of this process holds it, too.
    direct: Arc<Mutex<session::Session>>,
    ended: std::sync::Mutex<Option<oneshot::Receiver<()>>>,
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane").field("load", &self.load).finish_non_exhaustive()
    }
}

impl Lane {
    /// Starts the lane's thread. It ends when the lane is closed or dropped.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn start(options: PgConnectOptions, clock: Clock, limits: LaneLimits) -> Result<Self, io::Error> {
        let (queue, waiting) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let load = Arc::<Load>::default();
        let direct = Arc::new(Mutex::new(session::Session::new(options.clone(), clock.clone())));
        let worker = worker::Worker {
            waiting,
            stopped,
            load: Arc::clone(&load),
            limits,
            session: session::Session::new(options, clock),
            direct: Arc::clone(&direct),
            callers: Handle::current(),
            last: 0,
        };
        let own = runtime::Builder::new_current_thread().enable_all().build()?;
        let (end, ended) = oneshot::channel();
        thread::Builder::new().name("kalel lane".into()).spawn(move || {
            own.block_on(worker.run());
            let _ = end.send(());
        })?;
        Ok(Self { queue, load, limits, stop, direct, ended: std::sync::Mutex::new(Some(ended)) })
    }

    /// Queues a command and waits for its verdict; with nobody else about, has it settled at once.
    pub(crate) async fn submit(&self, command: Command) -> Result<Verdict, AppendError> {
        if self.load.nobody()
            && !self.queue.is_closed()
            && let Ok(session) = Arc::clone(&self.direct).try_lock_owned()
        {
            return direct::settle(session, Arc::clone(&self.load), command).await;
        }
        let bytes = command.size();
        let commands = self.load.commands.fetch_add(1, Ordering::Relaxed) + 1;
        let waiting = self.load.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let full = commands > self.limits.commands || waiting > self.limits.bytes;
        let (reply, verdict) = oneshot::channel();
        let pending = Pending { command, bytes, since: Instant::now(), reply };
        if full || self.queue.send(pending).is_err() {
            self.load.take(1, bytes);
            metrics::counter!("lane_refusals_total", "reason" => "overloaded").increment(1);
            return Err(LaneLimits::overloaded());
        }
        // The lane answers everything it takes; if it vanished it may have written this one.
        verdict.await.unwrap_or(Err(AppendError::Unknown))
    }

    /// Takes no more commands and waits until those that queued are answered.
    pub(crate) async fn close(&self) {
        self.stop.send_replace(true);
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ended) = ended
            && ended.await.is_err()
        {
            tracing::error!("the append lane ended badly");
        }
        // Somebody may be settling directly.
        drop(self.direct.lock().await);
    }
}

impl Load {
    pub(crate) fn take(&self, commands: usize, bytes: usize) {
        self.commands.fetch_sub(commands, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Whether nobody is waiting and the last commit was for one caller.
    fn nobody(&self) -> bool {
        self.commands() == 0 && !self.crowded.load(Ordering::Relaxed)
    }

    /// Notes after a commit whether it was for one caller and nobody came meanwhile.
    pub(crate) fn settled(&self, commands: usize) {
        self.crowded.store(commands > 1 || self.commands() > 0, Ordering::Relaxed);
    }

    pub(crate) fn commands(&self) -> usize {
        self.commands.load(Ordering::Relaxed)
    }
}
