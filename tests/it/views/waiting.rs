//! Read-your-writes: whoever waits for a position gets it, or is told why not.

use std::time::{Duration, Instant};

use projections::{PROJECTORS, Runner, WaitError, Watch, rebuild, reservation, schedule, site};

use super::{
    engine::a_little_history,
    make::{Ground, Log},
};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn who_waits_sees_their_write_as_soon_as_it_is_there() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    let head = log.store.head().await.unwrap();
    let watch = Watch::new(log.store.clone());
    // Thirty readers of three projections; nobody rings the watch, so it has to ask by itself.
    let mut readers = tokio::task::JoinSet::new();
    for number in 0..30 {
        let watch = watch.clone();
        readers.spawn(async move {
            let wanted = [PROJECTORS[number % 3], &schedule::PROJECTOR];
            watch.wait_for(&wanted, head, PATIENCE).await
        });
    }
    log.project().await;
    for outcome in readers.join_all().await {
        outcome.unwrap();
    }
    // Known now: no question, no wait.
    let begun = Instant::now();
    for _ in 0..1_000 {
        watch.wait_for(&[&schedule::PROJECTOR], head, Duration::ZERO).await.unwrap();
    }
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_runner_of_the_same_process_rings() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let position = log.write(ground.site, ground.events("Rings", None)).await;
    let watch = Watch::new(log.store.clone());
    let mut runner = Runner::own(&site::PROJECTOR, log.store.clone(), "test", Some(watch.clone())).await.unwrap();
    let waiter = {
        let watch = watch.clone();
        tokio::spawn(async move { watch.wait_for(&[&site::PROJECTOR], position, PATIENCE).await })
    };
    runner.catch_up().await.unwrap();
    waiter.await.unwrap().unwrap();
    // Rung, so it does not even have to ask.
    watch.wait_for(&[&site::PROJECTOR], position, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn what_nobody_wrote_is_not_waited_for_and_what_is_late_is_said() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    let head = log.store.head().await.unwrap();
    log.own(&reservation::PROJECTOR).await.run_batch(2).await.unwrap();
    let watch = Watch::new(log.store.clone());
    let beyond = watch.wait_for(&[&site::PROJECTOR], head + 1, PATIENCE).await.unwrap_err();
    assert!(
        matches!(beyond, WaitError::BeyondHead { wanted, head: at } if (wanted, at) == (head + 1, head)),
        "{beyond}"
    );
    let late = watch.wait_for(&[&reservation::PROJECTOR], head, Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(late, WaitError::Behind { projector: "reservation", reached: 2, .. }), "{late}");
    watch.wait_for(&[&reservation::PROJECTOR], 2, Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_rebuild_puts_the_watch_back() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    log.project().await;
    let head = log.store.head().await.unwrap();
    let watch = Watch::new(log.store.clone());
    watch.wait_for(&[&site::PROJECTOR], head, PATIENCE).await.unwrap();
    // Another process rebuilds; this one only has the database to go by.
    rebuild(&site::PROJECTOR, &log.store, "elsewhere", None).await.unwrap();
    sqlx::query("UPDATE read.checkpoints SET position = 1 WHERE name = 'site'").execute(&log.world.pool).await.unwrap();
    // While somebody waits for anything, it asks about everything.
    let ground = Ground::new();
    let next = log.write(ground.site, ground.events("Next", None)).await;
    let late = watch.wait_for(&[&reservation::PROJECTOR], next, Duration::from_millis(200)).await.unwrap_err();
    assert!(matches!(late, WaitError::Behind { .. }), "{late}");
    let back = watch.wait_for(&[&site::PROJECTOR], head, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(back, WaitError::Behind { projector: "site", reached: 1, .. }), "{back}");
}
