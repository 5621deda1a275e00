//! The append lane: order, guards, repetition, and what happens when something breaks (design.md §2).

mod answers;
mod crash;
mod faults;
mod guards;
mod listed;
mod model;
mod order;
mod paused;
mod races;

use domain::{Timestamp, decision::Decision};
use eventstore::{Append, AppendError, Appended, Meta, Recorded, Refusal, Store};
use kalel::bench::sample;
use sqlx::{Connection as _, PgConnection};

use crate::world::World;

/// The key of the lane's advisory lock (eventstore/src/lane/plan.rs).
const LOCK: i64 = 20_261_122;

fn by_system(decision: Decision) -> Append {
    Append::new(decision, Meta::system())
}

async fn append(store: &Store, decision: Decision) -> Result<Appended, AppendError> {
    store.append(by_system(decision)).await
}

async fn log(store: &Store) -> Vec<Recorded> {
    store.read_after(0, i64::MAX).await.unwrap()
}

async fn names(store: &Store) -> Vec<String> {
    log(store).await.into_iter().map(|event| event.name).collect()
}

fn in_an_hour(store: &Store) -> Timestamp {
    store.clock().now() + chrono::TimeDelta::hours(1)
}

fn refusal(outcome: Result<Appended, AppendError>) -> Refusal {
    match outcome {
        Err(AppendError::Refused(refusal)) => refusal,
        other => panic!("not a refusal: {other:?}"),
    }
}

/// Somebody else who has the lane's lock: what is appended meanwhile queues and becomes one batch.
struct Elsewhere(PgConnection);

impl Elsewhere {
    async fn holds_the_lane(world: &World) -> Self {
        let mut connection = PgConnection::connect(&world.database_url).await.unwrap();
        sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut connection).await.unwrap();
        Self(connection)
    }

    async fn lets_go(mut self) {
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut self.0).await.unwrap();
    }
}

/// Appends decisions so that they are decided in one batch, in this order; answers what became of each.
async fn in_one_batch(world: &World, store: &Store, decisions: Vec<Decision>) -> Vec<Result<Appended, AppendError>> {
    let elsewhere = Elsewhere::holds_the_lane(world).await;
    // The first batch is whatever comes first; it waits for the lock while the others queue.
    let ground = sample::Ground::new(store.clock(), 1);
    let first = ground.wish(store.clock(), 0, in_an_hour(store)).unwrap().place();
    let mut waiting = vec![queued(store, first).await];
    for decision in decisions {
        waiting.push(queued(store, decision).await);
    }
    elsewhere.lets_go().await;
    let mut outcomes = Vec::new();
    for task in waiting {
        outcomes.push(task.await.unwrap());
    }
    outcomes.remove(0).unwrap();
    outcomes
}

/// Starts an append and lets it reach the queue before anything else happens: these tests run on one thread.
async fn queued(store: &Store, decision: Decision) -> tokio::task::JoinHandle<Result<Appended, AppendError>> {
    let store = store.clone();
    let task = tokio::spawn(async move { append(&store, decision).await });
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    task
}
