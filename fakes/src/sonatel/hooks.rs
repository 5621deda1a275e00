//! Webhooks: events, their proofs, deliveries with retries in the fake's own time, and the ways in which `/__control`
//! upsets them. At least once; but any 4xx is final, as at Sonatel.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{
    Proof, Sonatel,
    forge::proofs,
    state::{Row, Status},
};
use crate::{
    clock::{Clock, seconds},
    server::{self, lock},
};

/// How the next events are treated.
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
}

/// In which order held events are let go.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    #[default]
    AsMade,
    Reversed,
}

/// Where an event goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Endpoint {
    pub url: String,
    /// Goes along as `Authorization: Basic`; nothing does when no callback was registered.
    pub api_key: Option<String>,
}

/// An event as sent: the same bytes each time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Event {
    /// `X-Sonatel-Idempotency-Key`
    pub id: String,
    pub transaction: String,
    pub status: Status,
    pub at: String,
    pub body: String,
    /// `None`: nobody asked to be told.
    pub endpoint: Option<Endpoint>,
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
    endpoint: Endpoint,
    due: DateTime<Utc>,
    first: DateTime<Utc>,
    tries: usize,
}

impl Delivery {
    fn new(event: &Event, due: DateTime<Utc>) -> Option<Self> {
        let endpoint = event.endpoint.clone()?;
        Some(Self { event: event.clone(), endpoint, due, first: due, tries: 0 })
    }
}

/// Events and what is still to be sent; what `/__control` has asked for is not kept over a restart.
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
    proof: Mutex<Proof>,
    wake: Notify,
    settled: Notify,
    retry_seconds: Vec<i64>,
    client: reqwest::Client,
    clock: Clock,
}

impl Hooks {
    /// `kept` is the book of an earlier run: what was waiting goes on waiting.
    pub(crate) fn new(mut kept: Book, proof: Proof, retry_seconds: Vec<i64>, clock: Clock) -> io::Result<Self> {
        let unanswered = std::mem::take(&mut kept.in_flight);
        kept.queue.extend(unanswered.into_values());
        let (book, proof, client) = (Mutex::new(kept), Mutex::new(proof), server::client()?);
        Ok(Self { book, proof, wake: Notify::new(), settled: Notify::new(), retry_seconds, client, clock })
    }

    pub(crate) fn keep(&self) -> Value {
        json!(*lock(&self.book))
    }

    pub(crate) fn proof(&self) -> Proof {
        lock(&self.proof).clone()
    }

    pub(crate) fn prove(&self, proof: Proof) {
        *lock(&self.proof) = proof;
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

    /// Events go out as they should from now on.
    pub(crate) fn heal(&self) {
        let mut book = lock(&self.book);
        book.plans.clear();
        book.always = None;
    }

    pub(crate) fn reset(&self, proof: Proof) {
        self.prove(proof);
        let mut book = lock(&self.book);
        // What is on its way arrives, and is forgotten: numbers go on, so that it cannot be mistaken for another.
        *book = Book { sent: book.sent, ..Book::default() };
    }

    pub(crate) fn show(&self) -> Value {
        let book = lock(&self.book);
        let held: Vec<_> = book.held.iter().map(|event| &event.id).collect();
        let waiting = book.queue.iter().map(|delivery| {
            json!({ "event": delivery.event.id, "url": delivery.endpoint.url, "due": seconds(delivery.due) })
        });
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

    fn emit(&self, event: Event) {
        let (now, mut book) = (self.clock.now(), lock(&self.book));
        book.events.push(event.clone());
        let plan = book.plans.pop_front().or(book.always);
        let (copies, delay) = match plan {
            None => (1, 0),
            Some(Plan::Drop) => (0, 0),
            Some(Plan::Delay { ms }) => (1, ms),
            Some(Plan::Duplicate { copies }) => (copies, 0),
            Some(Plan::Hold) => {
                book.held.push(event.clone());
                (0, 0)
            }
        };
        if let Some(delivery) = Delivery::new(&event, now + TimeDelta::milliseconds(delay)) {
            book.queue.extend(std::iter::repeat_n(delivery, copies));
        }
        drop(book);
        self.wake();
    }

    /// Takes what is due; says when to look again.
    fn take_due(&self) -> (Vec<u64>, Duration) {
        let (now, mut book) = (self.clock.now(), lock(&self.book));
        let (due, later): (Vec<_>, Vec<_>) = book.queue.drain(..).partition(|delivery| delivery.due <= now);
        let due = due.into_iter().map(|delivery| book.start(delivery)).collect();
        let next = later.iter().map(|delivery| delivery.due - now).min().unwrap_or(TimeDelta::hours(1));
        book.queue = later;
        (due, next.to_std().unwrap_or_default().max(Duration::from_millis(5)))
    }

    /// Sends held events one after the other; answers with the statuses.
    pub(crate) async fn release(&self, order: Order) -> Vec<Attempt> {
        let mut events = std::mem::take(&mut lock(&self.book).held);
        if matches!(order, Order::Reversed) {
            events.reverse();
        }
        let mut attempts = Vec::new();
        for event in events {
            let Some(delivery) = Delivery::new(&event, self.clock.now()) else { continue };
            let number = lock(&self.book).start(delivery);
            attempts.extend(self.attempt(number).await);
        }
        attempts
    }

    /// Sends a delivery that was started; `None` when it has been forgotten meanwhile.
    async fn attempt(&self, number: u64) -> Option<Attempt> {
        let delivery = lock(&self.book).in_flight.get(&number).cloned()?;
        let event = &delivery.event;
        let headers = proofs(&delivery.endpoint, &self.proof(), &event.id, &event.body, self.clock.now().timestamp());
        let status = self.post(&delivery.endpoint.url, headers, event.body.clone()).await;
        let now = self.clock.now();
        let attempt = Attempt { event: event.id.clone(), url: delivery.endpoint.url.clone(), at: seconds(now), status };
        let mut book = lock(&self.book);
        let mut delivery = book.in_flight.remove(&number)?;
        book.attempts.push(attempt.clone());
        // A 4xx is the merchant's last word on it.
        let over = status.is_some_and(|status| (200..300).contains(&status) || (400..500).contains(&status));
        if !over && now - delivery.first < TimeDelta::days(1) {
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

    pub(crate) async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Option<u16> {
        let sent = self.client.post(url).headers(headers).body(body).send().await;
        sent.ok().map(|response| response.status().as_u16())
    }

    /// Waits until nothing is due or on its way (at most ten seconds). Later retries and held events may remain.
    pub(crate) async fn drain(&self) {
        let quiet = async {
            loop {
                let settled = self.settled.notified();
                tokio::pin!(settled);
                settled.as_mut().enable();
                let busy = {
                    let (now, book) = (self.clock.now(), lock(&self.book));
                    !book.in_flight.is_empty() || book.queue.iter().any(|delivery| delivery.due <= now)
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

impl Sonatel {
    /// Makes the event that tells of a transaction and queues its delivery; answers with its id.
    pub(crate) fn emit(&self, row: &Row, endpoint: Option<Endpoint>) -> String {
        let id = self.ids.lower("", 32);
        let body = row.json(self.config.amounts).to_string();
        let (transaction, at) = (row.transaction_id.clone(), seconds(self.clock.now()));
        self.hooks.emit(Event { id: id.clone(), transaction, status: row.status, at, body, endpoint });
        id
    }

    /// The delivery loop.
    pub(crate) async fn deliver(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let (due, wait) = self.hooks.take_due();
            for delivery in due {
                let sonatel = Arc::clone(&self);
                tokio::spawn(async move {
                    sonatel.hooks.attempt(delivery).await;
                    sonatel.changed.notify_one();
                });
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.hooks.wake.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }
}
