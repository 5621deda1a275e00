//! Callbacks (IPN): deliveries with retries over three days of the fake's own time, and the ways in which `/__control`
//! upsets them. Each goes to the address that came with its invoice or disbursement; none is registered.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::PayDunya;
use crate::{
    clock::{Clock, seconds},
    server::{self, lock},
};

/// How the next callbacks are treated.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plan {
    /// Never sent.
    Drop,
    /// Sent this many milliseconds of the fake's time later.
    Delay { ms: i64 },
    /// Sent this many times at once.
    Duplicate { copies: usize },
    /// Kept until `release`.
    Hold,
    /// Kept until so many are kept, then sent one after the other, last first.
    Reorder { count: usize },
}

/// In which order held callbacks are let go.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    #[default]
    AsMade,
    Reversed,
}

/// A callback as sent: the same bytes each time. The id is the fake's own, for `/__control`; nothing of it is sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    pub id: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub at: String,
    pub url: String,
    pub content_type: String,
    pub body: String,
}

/// One try.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub event: String,
    pub url: String,
    pub at: String,
    /// The answer's status; null when there was none.
    pub status: Option<u16>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Delivery {
    event: Event,
    due: DateTime<Utc>,
    first: DateTime<Utc>,
    tries: usize,
}

/// Callbacks and what is still to be sent; what `/__control` has asked for is not kept over a restart.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Book {
    events: Vec<Event>,
    attempts: Vec<Attempt>,
    queue: Vec<Delivery>,
    /// By a number of their own: what is not answered when the fake ends is sent again.
    in_flight: BTreeMap<u64, Delivery>,
    sent: u64,
    #[serde(skip)]
    plans: VecDeque<Plan>,
    /// Applies when no plan is left.
    #[serde(skip)]
    always: Option<Plan>,
    held: Vec<Event>,
    #[serde(skip)]
    release_at: Option<usize>,
}

impl Book {
    /// Notes that a delivery is on its way, under a new number.
    fn start(&mut self, delivery: Delivery) -> u64 {
        self.sent += 1;
        self.in_flight.insert(self.sent, delivery);
        self.sent
    }
}

pub(crate) struct Hooks {
    book: Mutex<Book>,
    wake: Notify,
    settled: Notify,
    retry_seconds: Vec<i64>,
    client: reqwest::Client,
    clock: Clock,
}

impl Hooks {
    /// `kept` is the book of an earlier run: what was waiting goes on waiting.
    pub(crate) fn new(mut kept: Book, retry_seconds: Vec<i64>, clock: Clock) -> io::Result<Self> {
        kept.queue.extend(std::mem::take(&mut kept.in_flight).into_values());
        let client = server::client()?;
        Ok(Self { book: Mutex::new(kept), wake: Notify::new(), settled: Notify::new(), retry_seconds, client, clock })
    }

    pub(crate) fn keep(&self) -> Value {
        json!(*lock(&self.book))
    }

    /// `times` 0 means from now on.
    pub(crate) fn plan(&self, plan: Plan, times: usize) {
        let mut book = lock(&self.book);
        if times == 0 {
            book.always = Some(plan);
        } else {
            book.plans.extend(std::iter::repeat_n(plan, times));
        }
    }

    /// Callbacks go out as they should from now on.
    pub(crate) fn heal(&self) {
        let mut book = lock(&self.book);
        book.plans.clear();
        book.always = None;
    }

    pub(crate) fn reset(&self) {
        let mut book = lock(&self.book);
        // What is on its way arrives, and is forgotten: numbers go on, so that it cannot be mistaken for another.
        *book = Book { sent: book.sent, ..Book::default() };
    }

    pub(crate) fn show(&self) -> Value {
        let book = lock(&self.book);
        let held: Vec<_> = book.held.iter().map(|event| &event.id).collect();
        let waiting = book.queue.iter().map(
            |delivery| json!({ "event": delivery.event.id, "url": delivery.event.url, "due": seconds(delivery.due) }),
        );
        let waiting = waiting.collect::<Vec<_>>();
        json!({ "events": book.events, "attempts": book.attempts, "waiting": waiting, "held": held })
    }

    pub(crate) fn event(&self, id: &str) -> Option<Event> {
        lock(&self.book).events.iter().find(|event| event.id == id).cloned()
    }

    /// The clock moved or something was queued: look again.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until there is a reason to look again.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    pub(crate) fn emit(&self, event: Event) {
        let (now, mut book) = (self.clock.now(), lock(&self.book));
        book.events.push(event.clone());
        let plan = book.plans.pop_front().or(book.always);
        let (copies, delay) = match plan {
            Some(Plan::Drop) => (0, 0),
            Some(Plan::Delay { ms }) => (1, ms),
            Some(Plan::Duplicate { copies }) => (copies, 0),
            Some(Plan::Hold) => {
                book.held.push(event.clone());
                (0, 0)
            }
            Some(Plan::Reorder { count }) => {
                book.held.push(event.clone());
                book.release_at = Some(count);
                (0, 0)
            }
            None => (1, 0),
        };
        let due = now + TimeDelta::milliseconds(delay);
        let delivery = Delivery { event, due, first: due, tries: 0 };
        book.queue.extend(std::iter::repeat_n(delivery, copies));
        drop(book);
        self.wake();
    }

    /// Takes what is due; says when to look again.
    pub(crate) fn take_due(&self) -> (Vec<u64>, Duration) {
        let (now, mut book) = (self.clock.now(), lock(&self.book));
        let (due, later): (Vec<_>, Vec<_>) = book.queue.drain(..).partition(|delivery| delivery.due <= now);
        let due = due.into_iter().map(|delivery| book.start(delivery)).collect();
        let next = later.iter().map(|delivery| delivery.due - now).min().unwrap_or(TimeDelta::hours(1));
        book.queue = later;
        (due, next.to_std().unwrap_or_default().max(Duration::from_millis(5)))
    }

    pub(crate) fn take_reordered(&self) -> Option<Vec<Event>> {
        let mut book = lock(&self.book);
        let full = book.release_at.is_some_and(|count| book.held.len() >= count);
        if !full {
            return None;
        }
        book.release_at = None;
        let mut held = std::mem::take(&mut book.held);
        held.reverse();
        Some(held)
    }

    /// Sends held callbacks one after the other; answers with the statuses.
    pub(crate) async fn release(&self, order: Order) -> Vec<Attempt> {
        let mut events = std::mem::take(&mut lock(&self.book).held);
        if matches!(order, Order::Reversed) {
            events.reverse();
        }
        self.send_in_order(events).await
    }

    pub(crate) async fn send_in_order(&self, events: Vec<Event>) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        for event in events {
            let now = self.clock.now();
            let number = lock(&self.book).start(Delivery { event, due: now, first: now, tries: 0 });
            attempts.extend(self.attempt(number).await);
        }
        attempts
    }

    /// Sends a delivery that was started; `None` when it has been forgotten meanwhile.
    pub(crate) async fn attempt(&self, number: u64) -> Option<Attempt> {
        let event = lock(&self.book).in_flight.get(&number)?.event.clone();
        let status = self.post(&event.url, &event.content_type, event.body).await;
        let now = self.clock.now();
        let attempt = Attempt { event: event.id, url: event.url, at: seconds(now), status };
        let mut book = lock(&self.book);
        let mut delivery = book.in_flight.remove(&number)?;
        book.attempts.push(attempt.clone());
        let received = status.is_some_and(|status| (200..300).contains(&status));
        if !received && now - delivery.first < TimeDelta::days(3) {
            let last = self.retry_seconds.last().copied().unwrap_or(3_600);
            let wait = self.retry_seconds.get(delivery.tries).copied().unwrap_or(last).max(1);
            delivery.tries += 1;
            delivery.due = now + TimeDelta::seconds(wait);
            book.queue.push(delivery);
        }
        drop(book);
        self.settled.notify_waiters();
        self.wake();
        Some(attempt)
    }

    pub(crate) async fn post(&self, url: &str, content_type: &str, body: String) -> Option<u16> {
        let sent = self.client.post(url).header(CONTENT_TYPE, content_type).body(body).send().await;
        sent.ok().map(|response| response.status().as_u16())
    }

    /// Waits until nothing is due or on its way (at most ten seconds). Later retries and held callbacks may remain.
    pub(crate) async fn drain(&self) {
        let quiet = async {
            loop {
                let settled = self.settled.notified();
                tokio::pin!(settled);
                settled.as_mut().enable();
                let busy = {
                    let (now, book) = (self.clock.now(), lock(&self.book));
                    let filled = book.release_at.is_some_and(|count| book.held.len() >= count);
                    !book.in_flight.is_empty() || filled || book.queue.iter().any(|delivery| delivery.due <= now)
                };
                if !busy {
                    return;
                }
                settled.await;
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(10), quiet).await;
    }
}

impl PayDunya {
    /// Queues a callback to `url`; answers with the fake's own id of it.
    pub(crate) fn emit(&self, kind: &str, url: &str, (content_type, body): (&str, String)) -> String {
        let id = self.ids.upper("CB_", 12);
        self.hooks.emit(Event {
            id: id.clone(),
            kind: kind.to_owned(),
            at: seconds(self.clock.now()),
            url: url.to_owned(),
            content_type: content_type.to_owned(),
            body,
        });
        id
    }

    /// The delivery loop.
    pub(crate) async fn deliver(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let (due, wait) = self.hooks.take_due();
            for delivery in due {
                let paydunya = Arc::clone(&self);
                tokio::spawn(async move {
                    paydunya.hooks.attempt(delivery).await;
                    paydunya.changed.notify_one();
                });
            }
            if let Some(events) = self.hooks.take_reordered() {
                self.hooks.send_in_order(events).await;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.hooks.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
