//! Reads while tables are exchanged: none fails, none goes back in time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use projections::{
    Position, Projector, RunError, Runner, Shadow, Watch, reservation,
    reservation::{Filter, Whose},
    schedule, site,
};
use tokio::task::JoinSet;

use super::{
    engine::a_little_history,
    make::{Booking, Ground, Log, at, hours},
};

/// Keeps a projector going as its process does: taken back whenever somebody else had it for a moment.
async fn keep_going(projector: &'static Projector, store: eventstore::Store, watch: Watch, ended: Arc<AtomicBool>) {
    while !ended.load(Ordering::Relaxed) {
        let mut runner = Runner::own(projector, store.clone(), "process", Some(watch.clone())).await.unwrap();
        loop {
            match runner.run_batch(100).await {
                Ok(progress) if progress.caught_up => tokio::time::sleep(Duration::from_millis(5)).await,
                Ok(_) => {}
                Err(RunError::Fenced { .. }) => break,
                Err(error) if error.is_transient() => {}
                Err(error) => panic!("{error}"),
            }
            if ended.load(Ordering::Relaxed) {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_read_fails_and_none_goes_back_while_tables_are_exchanged() {
    let mut log = Log::new().await;
    let (ground, first, _) = a_little_history(&mut log).await;
    log.project().await;
    let (ended, reads) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let (store, watch) = (log.world.store().await, Watch::new(log.store.clone()));
    let mut tasks = JoinSet::new();
    for projector in [&site::PROJECTOR, &schedule::PROJECTOR, &reservation::PROJECTOR] {
        tasks.spawn(keep_going(projector, store.clone(), watch.clone(), Arc::clone(&ended)));
    }
    for number in 0..6 {
        let (pool, watch) = (log.store.pool().clone(), watch.clone());
        let (ended, reads) = (Arc::clone(&ended), Arc::clone(&reads));
        let (site_id, cells) = (ground.site, ground.cells);
        let id = first.id;
        tasks.spawn(async move {
            let mut seen: Position = 0;
            while !ended.load(Ordering::Relaxed) {
                let as_of = match number % 3 {
                    0 => {
                        let found = reservation::find(&pool, id).await.unwrap();
                        assert!(found.row.is_some(), "the row is never away");
                        found.as_of
                    }
                    1 => schedule::of_cells(&pool, &cells, hours(0, 40)).await.unwrap().as_of,
                    _ => {
                        let listed = reservation::list(&pool, &Filter::of(Whose::Everybody), None, 10).await.unwrap();
                        assert!(listed.items.len() >= 2);
                        assert!(site::find(&pool, site_id).await.unwrap().row.is_some());
                        listed.as_of
                    }
                };
                assert!(as_of >= seen, "{seen}, then {as_of}");
                seen = as_of;
                // Who waited for a position finds it, whatever is exchanged in between.
                watch.wait_for(&[&reservation::PROJECTOR], seen.min(as_of), Duration::from_secs(5)).await.unwrap();
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    for round in 0..4 {
        for projector in [&reservation::PROJECTOR, &schedule::PROJECTOR, &site::PROJECTOR] {
            let other = Ground::new();
            log.write(other.site, other.events("Other", None)).await;
            let mut shadow = Shadow::own(projector, store.clone(), "operator").await.unwrap();
            let compared = shadow.compare().await.unwrap();
            assert!(compared.is_equal(), "{round}: {compared:?}");
            let booking = Booking::new(other.slot(other.north, hours(10, 11)));
            let written = log.write(booking.id, vec![booking.held(at(2))]).await;
            watch.wait_for(&[projector], written, Duration::from_secs(10)).await.unwrap();
            assert!(shadow.swap().await.unwrap() >= written);
        }
    }
    ended.store(true, Ordering::Relaxed);
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
    assert!(reads.load(Ordering::Relaxed) > 100, "{reads:?} reads");
}

/// Somebody who keeps a table for long: the exchange gives way again and again, and nobody behind it waits for long.
#[tokio::test]
async fn a_long_read_holds_up_the_exchange_and_not_the_other_readers() {
    let mut log = Log::new().await;
    let (_, first, _) = a_little_history(&mut log).await;
    log.project().await;
    let mut long = log.world.pool.begin().await.unwrap();
    assert!(reservation::find(&mut *long, first.id).await.unwrap().row.is_some());
    let shadow = Shadow::own(&reservation::PROJECTOR, log.store.clone(), "operator").await.unwrap();
    let mut swapping = tokio::spawn(shadow.swap());
    for _ in 0..10 {
        let read = tokio::time::timeout(Duration::from_secs(1), reservation::find(log.store.pool(), first.id));
        assert!(read.await.expect("not held up").unwrap().row.is_some());
        assert!(tokio::time::timeout(Duration::from_millis(50), &mut swapping).await.is_err(), "still in use");
    }
    drop(long);
    swapping.await.unwrap().unwrap();
}
