//! The end of the log, for all streams of this process together: one poller reads what is new, once, and keeps the last of
//! it in memory. A stream that has fallen behind that reads the log by position, a few at a time.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use eventstore::{ReadError, Recorded, Store};
use tokio::sync::{Semaphore, watch};

use super::EventBody;
use crate::problem::Problem;

/// Events of other processes are looked for this often, those of this process at once.
const EVERY: Duration = Duration::from_millis(250);
/// What this process records in less than this is read together.
const TOGETHER: Duration = Duration::from_millis(5);
/// Events read at a time.
const BATCH: i64 = 200;
/// Kept in memory: events, and bytes of them.
const RECENT: usize = 1_000;
const RECENT_BYTES: usize = 4 << 20;
/// Streams that read the log at the same time; requests need connections, too.
const READERS: usize = 3;

/// An event, and how every stream tells it.
pub struct Told {
    pub recorded: Recorded,
    pub frame: Bytes,
}

/// The tail of the log in this process.
pub struct Tail(Arc<Inner>);

struct Inner {
    store: Store,
    /// The last position the poller has seen.
    head: watch::Sender<i64>,
    recent: Mutex<Recent>,
    readers: Semaphore,
    polling: Mutex<Polling>,
}

#[derive(Default)]
struct Recent {
    told: VecDeque<Arc<Told>>,
    bytes: usize,
}

#[derive(Default)]
struct Polling {
    following: usize,
    running: bool,
}

impl Tail {
    pub fn new(store: Store) -> Self {
        Self(Arc::new(Inner {
            store,
            head: watch::Sender::new(0),
            recent: Mutex::default(),
            readers: Semaphore::new(READERS),
            polling: Mutex::default(),
        }))
    }

    /// Follows the log: the poller runs as long as somebody does.
    pub fn follow(&self) -> Following {
        let mut polling = lock(&self.0.polling);
        polling.following += 1;
        if !polling.running {
            polling.running = true;
            tokio::spawn(poll(Arc::clone(&self.0)));
        }
        drop(polling);
        Following { head: self.0.head.subscribe(), inner: Arc::clone(&self.0) }
    }
}

/// One reader of the tail.
pub struct Following {
    inner: Arc<Inner>,
    head: watch::Receiver<i64>,
}

impl Following {
    /// The next events after a position, in order and without a gap; none when there are none yet.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn after(&self, position: i64) -> Result<Vec<Arc<Told>>, Problem> {
        // The poller wakes whoever waits for more, so it need not be asked whether there is more.
        if *self.head.borrow() == position {
            return Ok(Vec::new());
        }
        if let Some(recent) = lock(&self.inner.recent).after(position) {
            return Ok(recent);
        }
        // Fails only when it is closed, which it never is.
        let _reading = self.inner.readers.acquire().await.map_err(|_| Problem::new("server.overloaded"))?;
        read(&self.inner.store, position).await
    }

    /// Resolves when the poller has seen something beyond a position.
    pub async fn beyond(&mut self, position: i64) {
        // Fails only when the sender is gone, and `inner` holds it.
        let _ = self.head.wait_for(|head| *head > position).await;
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        lock(&self.inner.polling).following -= 1;
    }
}

impl Recent {
    /// `None` when it does not reach back that far.
    fn after(&self, position: i64) -> Option<Vec<Arc<Told>>> {
        let oldest = self.told.front()?.recorded.position;
        let skip = usize::try_from(position.checked_add(1)?.checked_sub(oldest)?).ok()?;
        // Positions have no gap, so the place in the row follows from them.
        let batch = usize::try_from(BATCH).unwrap_or(usize::MAX);
        let next: Vec<_> = self.told.iter().skip(skip).take(batch).cloned().collect();
        (!next.is_empty()).then_some(next)
    }

    fn keep(&mut self, told: &[Arc<Told>]) {
        for one in told {
            self.bytes += size(one);
            self.told.push_back(Arc::clone(one));
        }
        while self.told.len() > RECENT || self.bytes > RECENT_BYTES {
            let Some(gone) = self.told.pop_front() else { break };
            self.bytes -= size(&gone);
        }
    }
}

fn size(told: &Told) -> usize {
    told.frame.len() + told.recorded.data.len() + told.recorded.meta_json.len()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn read(store: &Store, position: i64) -> Result<Vec<Arc<Told>>, Problem> {
    let recorded = store.read_after(position, BATCH).await.map_err(Problem::from)?;
    recorded.into_iter().map(tell).collect()
}

/// An event as one message (WHATWG HTML, Server-sent events): JSON as we write it has no line break.
fn tell(recorded: Recorded) -> Result<Arc<Told>, Problem> {
    let data = serde_json::to_string(&EventBody::of(&recorded)?).map_err(|_| Problem::new("server.error"))?;
    let frame = format!("id: {}\nevent: {}\ndata: {data}\n\n", recorded.position, recorded.name);
    Ok(Arc::new(Told { frame: Bytes::from(frame), recorded }))
}

/// Whether to go on; what is remembered is forgotten when not, for it would have a gap when somebody comes again.
fn wanted(inner: &Inner) -> bool {
    let mut polling = lock(&inner.polling);
    polling.running = polling.following > 0;
    if !polling.running {
        *lock(&inner.recent) = Recent::default();
    }
    polling.running
}

async fn poll(inner: Arc<Inner>) {
    let mut news = inner.store.news();
    let mut position = None;
    while wanted(&inner) {
        if let Err(problem) = advance(&inner, &mut position).await {
            tracing::warn!(code = problem.code(), "the end of the log cannot be read");
        }
        tokio::select! {
            changed = news.changed() => if changed.is_err() { tokio::time::sleep(EVERY).await },
            () = tokio::time::sleep(EVERY) => {}
        }
        tokio::time::sleep(TOGETHER).await;
    }
}

/// Reads to the end of the log. Begins at its end: what was before is for those who have fallen behind.
async fn advance(inner: &Inner, position: &mut Option<i64>) -> Result<(), Problem> {
    let mut at = match *position {
        Some(at) => at,
        None => inner.store.head().await.map_err(|error: ReadError| Problem::from(error))?,
    };
    loop {
        *position = Some(at);
        inner.head.send_if_modified(|head| std::mem::replace(head, at) != at);
        let told = read(&inner.store, at).await?;
        let Some(last) = told.last().map(|told| told.recorded.position) else { return Ok(()) };
        lock(&inner.recent).keep(&told);
        at = last;
    }
}
