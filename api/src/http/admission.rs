//! How much is worked on at once, and what gives way when that is not enough (reliability.md §5.2).
//!
//! Before anything is done for a request, its key looked up or its body read, it gets a place, waits a moment for one, or is
//! told to come back. How many places there are is learnt from how long requests take (`limit`); which request gets one
//! says the class of its operation (`class`); who waits and for how long, `gate`. Here are the clock and the tasks.
//!
//! A request that waits for somebody else (its body, a view, a provider) stands aside meanwhile: it takes nothing that
//! another could use, and what it waited for says nothing about how busy this process is.

pub mod class;
mod deadline;
pub mod door;
mod gate;
mod limit;

use std::{
    collections::HashMap,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State as Of},
    middleware::Next,
    response::Response,
};
use tokio::sync::oneshot;

pub use class::Class;
pub use deadline::Deadline;
pub use limit::FEW;

use self::{
    gate::{Arrival, Gate},
    limit::{Limit, Seen},
};
use crate::{
    App,
    http::{operation::Operation, pipeline},
    problem::Problem,
};

/// What is mostly there at once, a body say, is waited for that long before the place is given to another.
const AT_ONCE: Duration = Duration::from_millis(5);

/// The places of one process. Clones are the same.
#[derive(Clone)]
pub struct Admission(Option<Arc<Shared>>);

struct Shared {
    begun: Instant,
    state: Mutex<State>,
}

struct State {
    gate: Gate,
    limit: Limit,
    waiting: HashMap<u64, oneshot::Sender<Inside>>,
}

/// Somebody who is in hand, until this is dropped.
struct Inside {
    shared: Arc<Shared>,
    /// They came in beside few others.
    alone: bool,
}

tokio::task_local! {
    /// Of the request that is worked on.
    static PLACE: Place;
}

/// What a request has: its place, or nothing while it stands aside. Clones are the same.
#[derive(Clone)]
pub struct Place(Option<Arc<Mutex<Held>>>);

struct Held {
    shared: Arc<Shared>,
    inside: Option<Inside>,
    alone: bool,
    /// Of its work, whatever it waited for left out.
    worked: Duration,
    since: Instant,
}

impl Admission {
    /// At most so many requests at once; `None`: as many as come.
    pub fn new(most: Option<usize>) -> Self {
        Self(most.map(|most| {
            let limit = Limit::new(most);
            gauge(limit.places());
            let state = State { gate: Gate::default(), limit, waiting: HashMap::new() };
            Arc::new(Shared { begun: Instant::now(), state: Mutex::new(state) })
        }))
    }

    /// A place for a request, at once or after a moment.
    ///
    /// # Errors
    /// 503 `server.overloaded` when there is none, or none before its caller's deadline.
    pub async fn enter(&self, class: Class, deadline: Deadline) -> Result<Place, Problem> {
        if deadline.is_over() {
            return Err(refused(class, "late"));
        }
        let Some(shared) = &self.0 else { return Ok(Place(None)) };
        let inside = enter(shared, class, deadline).await?;
        let alone = inside.alone;
        let held =
            Held { shared: shared.clone(), inside: Some(inside), alone, worked: Duration::ZERO, since: Instant::now() };
        Ok(Place(Some(Arc::new(Mutex::new(held)))))
    }
}

/// Waits for somebody else: what takes longer than a moment is waited for without a place, which is there again afterwards,
/// whoever else waits for one.
pub async fn aside<F: Future>(waiting: F) -> F::Output {
    match PLACE.try_with(Clone::clone) {
        Ok(place) => place.aside(waiting).await,
        Err(_) => waiting.await,
    }
}

/// What comes from the caller: when it is not there at once, the request is afterwards let in as if it were a new one, so that
/// whoever sends slowly keeps nobody out.
///
/// # Errors
/// 503 as [`Admission::enter`].
pub async fn taking_in<F: Future>(class: Class, deadline: Deadline, waiting: F) -> Result<F::Output, Problem> {
    match PLACE.try_with(Clone::clone) {
        Ok(place) => place.taking_in(class, deadline, waiting).await,
        Err(_) => Ok(waiting.await),
    }
}

/// A place for a page for people, which is no operation: who looks at one is about to pay.
pub async fn pages(Of(app): Of<App>, request: Request, next: Next) -> Response {
    let entered = match Deadline::of(request.headers()) {
        Ok(deadline) => app.admission.enter(Class::Confirm, deadline).await,
        Err(problem) => Err(problem),
    };
    match entered {
        Ok(_place) => next.run(request).await,
        Err(problem) => pipeline::refuse(&app, &request.into_parts().0, problem),
    }
}

async fn enter(shared: &Arc<Shared>, class: Class, deadline: Deadline) -> Result<Inside, Problem> {
    let (ticket, patience, mut place) = {
        let now = shared.now();
        let mut state = shared.lock();
        let places = state.limit.places();
        match state.gate.arrive(class, places, now) {
            Arrival::In => {
                let inside = state.inside(shared);
                drop(state);
                count(class, "admitted");
                return Ok(inside);
            }
            Arrival::Refused => {
                state.limit.missed();
                drop(state);
                return Err(refused(class, "shed"));
            }
            Arrival::Waits { ticket, patience, instead_of } => {
                state.limit.missed();
                let (sender, receiver) = oneshot::channel();
                state.waiting.insert(ticket, sender);
                // Without its sender it knows.
                drop(instead_of.and_then(|gone| state.waiting.remove(&gone)));
                (ticket, patience, receiver)
            }
        }
    };
    let mut waiting = Waiting { shared, class, ticket, over: false };
    let patience = Duration::from_micros(patience);
    let patience = deadline.left().map_or(patience, |left| left.min(patience));
    let mut inside = tokio::time::timeout(patience, &mut place).await.ok().and_then(Result::ok);
    waiting.give_up();
    // It may have come while we gave up.
    inside = inside.or_else(|| place.try_recv().ok());
    match inside {
        Some(_) if deadline.is_over() => Err(refused(class, "late")),
        Some(inside) => {
            count(class, "waited");
            Ok(inside)
        }
        None => Err(refused(class, "shed")),
    }
}

/// Somebody in the queue, whose caller may go away.
struct Waiting<'a> {
    shared: &'a Arc<Shared>,
    class: Class,
    ticket: u64,
    over: bool,
}

impl Waiting<'_> {
    fn give_up(&mut self) {
        if !std::mem::replace(&mut self.over, true) {
            let now = self.shared.now();
            let mut state = self.shared.lock();
            state.gate.give_up(self.class, self.ticket, now);
            state.waiting.remove(&self.ticket);
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.give_up();
    }
}

impl Shared {
    fn now(&self) -> u64 {
        micros(self.begun.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets in whoever may be.
    fn let_in(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        let now = self.now();
        let mut gone = Vec::new();
        loop {
            let places = state.limit.places();
            let Some(ticket) = state.gate.next(places, now) else { break };
            let inside = state.inside(self);
            gone.extend(match state.waiting.remove(&ticket) {
                Some(sender) => sender.send(inside).err(),
                None => Some(inside),
            });
        }
        drop(state);
        // Whoever went away in this moment leaves by the way of everybody.
        drop(gone);
    }
}

impl State {
    fn inside(&mut self, shared: &Arc<Shared>) -> Inside {
        let in_hand = self.gate.in_hand();
        self.limit.used(in_hand);
        Inside { shared: shared.clone(), alone: in_hand <= FEW }
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.gate.leave();
        self.shared.let_in(state);
    }
}

impl Place {
    fn lock(held: &Arc<Mutex<Held>>) -> MutexGuard<'_, Held> {
        held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The work of the request that has it.
    pub async fn scope<F: Future>(&self, work: F) -> F::Output {
        PLACE.scope(self.clone(), work).await
    }

    async fn aside<F: Future>(&self, waiting: F) -> F::Output {
        let Some(held) = &self.0 else { return waiting.await };
        let mut waiting = pin!(waiting);
        let begun = Instant::now();
        if let Ok(output) = tokio::time::timeout(AT_ONCE, &mut waiting).await {
            let mut held = Self::lock(held);
            held.since += begun.elapsed();
            return output;
        }
        let left = {
            let mut held = Self::lock(held);
            let worked = begun.saturating_duration_since(held.since);
            held.worked += worked;
            held.inside.take()
        };
        drop(left);
        let output = waiting.await;
        let mut held = Self::lock(held);
        let shared = held.shared.clone();
        shared.lock().gate.come_back();
        held.inside = Some(Inside { shared, alone: held.alone });
        held.since = Instant::now();
        output
    }

    async fn taking_in<F: Future>(&self, class: Class, deadline: Deadline, waiting: F) -> Result<F::Output, Problem> {
        let Some(held) = &self.0 else { return Ok(waiting.await) };
        let mut waiting = pin!(waiting);
        if let Ok(output) = tokio::time::timeout(AT_ONCE, &mut waiting).await {
            Self::lock(held).since = Instant::now();
            return Ok(output);
        }
        let (shared, left) = {
            let mut held = Self::lock(held);
            (held.shared.clone(), held.inside.take())
        };
        drop(left);
        let output = waiting.await;
        let inside = enter(&shared, class, deadline).await?;
        let mut held = Self::lock(held);
        held.alone = inside.alone;
        held.inside = Some(inside);
        held.since = Instant::now();
        Ok(output)
    }

    /// The work is done, or was given up: the place is free, and how long it took is remembered.
    pub fn done(&self, operation: &Operation, failed: bool) {
        let Some(held) = &self.0 else { return };
        let (shared, inside, took, alone) = {
            let mut held = Self::lock(held);
            let took = held.worked + held.since.elapsed();
            (held.shared.clone(), held.inside.take(), took, held.alone)
        };
        let now = shared.now();
        let mut state = shared.lock();
        if state.limit.learn(Seen { operation: operation.id, took: micros(took), alone, failed }, now) {
            gauge(state.limit.places());
        }
        drop(state);
        drop(inside);
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn refused(class: Class, how: &'static str) -> Problem {
    count(class, how);
    refusal()
}

fn refusal() -> Problem {
    Problem::new("server.overloaded").retry_after(1)
}

fn count(class: Class, how: &'static str) {
    metrics::counter!("api_admission_total", "class" => class.as_str(), "outcome" => how).increment(1);
}

fn gauge(places: usize) {
    metrics::gauge!("api_admission_limit").set(f64::from(u32::try_from(places).unwrap_or(u32::MAX)));
}
