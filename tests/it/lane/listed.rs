//! The guards of the real lane against a list of who stands where (`model`): in batches one after the other, and at the
//! same time from two processes' lanes.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Mutex,
};

use chrono::{DateTime, Utc};
use eventstore::{AppendError, Appended, Refusal, Store};
use proptest::{
    collection::vec,
    test_runner::{Config, TestCaseError, TestRunner},
};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

use super::{
    append, in_one_batch,
    model::{Command, Model, Step, a_step, says},
};
use crate::world::World;

/// At least 24 cases, and as many more as it takes until each kind of answer was given once: a limit is reached in few
/// of them. Cases share a database, each with a ground, clients and holds of its own: a database costs more than a case.
fn check(
    runtime: &Runtime,
    heard: &Heard,
    steps: impl proptest::strategy::Strategy<Value = Vec<Vec<Step>>>,
    case: impl AsyncFn(Vec<Vec<Step>>) -> Result<(), TestCaseError>,
) {
    let config = Config { cases: 24, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new(config);
    for _ in 0..20 {
        let outcome = runner.run(&steps, |steps| runtime.block_on(case(steps)));
        outcome.unwrap_or_else(|failure| panic!("{failure}"));
        if heard.missing().is_empty() {
            return;
        }
    }
    panic!("of no case: {:?}", heard.missing());
}

/// The kinds of answers there were: a law that is never put to the test holds always.
#[derive(Default)]
struct Heard(Mutex<BTreeSet<&'static str>>);

impl Heard {
    fn note(&self, outcome: &Result<Appended, AppendError>) {
        let kind = match outcome {
            Ok(_) => "applied",
            Err(AppendError::Conflict { .. }) => "moved meanwhile",
            Err(AppendError::Refused(Refusal::SlotTaken { releasable_at: None, .. })) => "taken for good",
            Err(AppendError::Refused(Refusal::SlotTaken { .. })) => "held",
            Err(AppendError::Refused(Refusal::NotUnique { .. })) => "name taken",
            Err(AppendError::Refused(Refusal::LimitReached { .. })) => "limit",
            Err(_) => "other",
        };
        self.0.lock().unwrap().insert(kind);
    }

    /// The kinds that no case has led to yet. Any other than those below is a defect.
    fn missing(&self) -> BTreeSet<&'static str> {
        let all = BTreeSet::from(["applied", "held", "limit", "moved meanwhile", "name taken", "taken for good"]);
        let heard = self.0.lock().unwrap();
        assert!(heard.is_subset(&all), "{heard:?}");
        &all - &heard
    }
}

fn wrong(what: String) -> TestCaseError {
    TestCaseError::fail(what)
}

/// The claims there ever were on the ground, since when and until when, and who is counted: as the list has it.
async fn same_tables(world: &World, model: &Model) -> Result<(), TestCaseError> {
    type Row = (Uuid, DateTime<Utc>, DateTime<Utc>, Uuid, i64, Option<i64>);
    let mut stored: Vec<Row> = sqlx::query_as(
        "SELECT cell_id, lower(during), upper(during), holder, from_position, to_position
         FROM event_log.slot_claims WHERE cell_id = ANY ($1)",
    )
    .bind(model.cells())
    .fetch_all(&world.pool)
    .await
    .unwrap();
    let row =
        |row: super::model::Row| (row.cell.uuid(), row.during.from(), row.during.to(), row.owner, row.since, row.until);
    let mut listed: Vec<Row> = model.rows().into_iter().map(row).collect();
    for (.., until) in stored.iter_mut().chain(&mut listed) {
        *until = until.map(|position| model.about(position));
    }
    stored.sort();
    listed.sort();
    if stored != listed {
        return Err(wrong(format!("claims: {stored:#?}\nthe list: {listed:#?}")));
    }
    let mut counted: Vec<(String, Uuid)> =
        sqlx::query_as("SELECT scope, holder FROM event_log.holdings WHERE holder = ANY ($1)")
            .bind(model.people())
            .fetch_all(&world.pool)
            .await
            .unwrap();
    counted.sort();
    if counted == model.counted() {
        Ok(())
    } else {
        Err(wrong(format!("{counted:#?}\nthe list: {:#?}", model.counted())))
    }
}

/// One batch after the other, each in the order in which it was sent: every answer is foreseen.
async fn foreseen(world: &World, store: &Store, batches: Vec<Vec<Step>>, heard: &Heard) -> Result<(), TestCaseError> {
    let mut model = Model::new(store.clock(), store.head().await.unwrap());
    for batch in batches {
        // Whoever makes a batch appends something of their own first.
        let alone = batch.len() == 1;
        model.head += i64::from(!alone);
        let (mut decisions, mut expected) = (Vec::new(), Vec::new());
        for step in &batch {
            let Some(command) = model.prepare(step, store.clock(), &mut HashSet::new()) else { continue };
            expected.push((step, model.submit(&command)));
            decisions.push(command.decision);
        }
        let outcomes = match (alone, decisions.pop()) {
            (true, Some(decision)) => vec![append(store, decision).await],
            (true, None) => Vec::new(),
            (false, last) => in_one_batch(world, store, decisions.into_iter().chain(last).collect()).await,
        };
        for ((step, foreseen), outcome) in expected.into_iter().zip(&outcomes) {
            heard.note(outcome);
            let as_foreseen = match (outcome, &foreseen) {
                (Ok(Appended::Applied { first, last, .. }), Ok(positions)) => (*first, *last) == *positions,
                (Err(error), Err(reasons)) => says(error, reasons),
                _ => false,
            };
            if !as_foreseen {
                return Err(wrong(format!("{step:?}: {outcome:?}, not {foreseen:?}")));
            }
        }
    }
    same_tables(world, &model).await
}

#[test]
fn in_any_order_and_batch_the_lane_says_what_the_list_says() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let (world, store) = runtime.block_on(async {
        let world = World::new().await;
        let store = world.store().await;
        (world, store)
    });
    let batches = vec(proptest::prop_oneof![vec(a_step(), 1), vec(a_step(), 2..10)], 1..12);
    let heard = Heard::default();
    check(&runtime, &heard, batches, async |batches| foreseen(&world, &store, batches, &heard).await);
    runtime.block_on(store.close());
}

/// Everything of a round at once, over two lanes. Replayed in the order of their positions, all that was accepted is
/// accepted by the list, at the same positions; whatever was refused, the list refuses, too, for the same reason, at
/// some moment of that round.
async fn explained(
    world: &World,
    stores: &[Store; 2],
    rounds: Vec<Vec<Step>>,
    heard: &Heard,
) -> Result<(), TestCaseError> {
    let clock = stores[0].clock();
    let mut model = Model::new(clock, stores[0].head().await.unwrap());
    for round in rounds {
        let mut busy = HashSet::new();
        let commands: Vec<Command> = round.iter().filter_map(|step| model.prepare(step, clock, &mut busy)).collect();
        let tasks: Vec<_> = commands
            .iter()
            .enumerate()
            .map(|(number, command)| {
                let (store, decision) = (stores[number % 2].clone(), command.decision.clone());
                tokio::spawn(async move { append(&store, decision).await })
            })
            .collect();
        let (mut accepted, mut refused) = (Vec::new(), Vec::new());
        for (command, task) in commands.iter().zip(tasks) {
            let outcome = task.await.unwrap();
            heard.note(&outcome);
            match outcome {
                Ok(Appended::Applied { first, last, .. }) => accepted.push((first, last, command)),
                Ok(other) => return Err(wrong(format!("{other:?}"))),
                Err(error) => refused.push((error, command)),
            }
        }
        accepted.sort_by_key(|(first, ..)| *first);
        let mut moments = vec![model.clone()];
        for (first, last, command) in accepted {
            let replayed = model.submit(command);
            if replayed != Ok((first, last)) {
                return Err(wrong(format!("{command:?} was written at {first}…{last}; the list says {replayed:?}")));
            }
            moments.push(model.clone());
        }
        for (error, command) in refused {
            let mut said = moments.iter().map(|moment| moment.clone().submit(command));
            if !said.any(|said| said.is_err_and(|reasons| says(&error, &reasons))) {
                return Err(wrong(format!("{command:?} was refused for no reason: {error:?}")));
            }
        }
    }
    same_tables(world, &model).await
}

#[test]
fn at_the_same_time_every_answer_can_be_explained() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (world, stores) = runtime.block_on(async {
        let world = World::new().await;
        let stores = [world.store().await, world.store().await];
        (world, stores)
    });
    let heard = Heard::default();
    let rounds = vec(vec(a_step(), 1..24), 1..8);
    check(&runtime, &heard, rounds, async |rounds| explained(&world, &stores, rounds, &heard).await);
    runtime.block_on(async {
        for store in stores {
            store.close().await;
        }
    });
}
