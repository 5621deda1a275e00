//! Rows, checkpoint and digest in one transaction: redelivery, two owners and replays change nothing.

use domain::event::Event;
use projections::{
    Position, Projector, RunError, Runner, content_digest, key, progress, rebuild, reservation, schedule, site,
};

use super::make::{Booking, Ground, Log, at, hours};

/// A site, a reservation that is paid, moved and played, one that expired and came back late, a client, a key.
pub async fn a_little_history(log: &mut Log) -> (Ground, Booking, Booking) {
    let ground = Ground::new();
    log.write(ground.site, ground.events("Temple du Foot", Some((14.7167, -17.4677)))).await;
    let first = Booking::new(ground.slot(ground.north, hours(20, 21)));
    log.write_all(vec![(first.id.uuid(), vec![first.held(at(2))]), (first.payment.uuid(), vec![first.requested()])])
        .await;
    log.write(first.payment, vec![first.opened(Some(at(3)))]).await;
    log.write_all(vec![
        (first.payment.uuid(), vec![first.succeeded()]),
        (first.id.uuid(), vec![first.received(), first.confirmed(false)]),
    ])
    .await;
    log.write(first.id, vec![first.moved(ground.slot(ground.south, hours(20, 21)), 30_000)]).await;
    let late = Booking::new(ground.slot(ground.north, hours(20, 21)));
    log.write_all(vec![(late.id.uuid(), vec![late.held(at(2))]), (late.payment.uuid(), vec![late.requested()])]).await;
    log.write(late.id, vec![late.expired()]).await;
    log.write_all(vec![
        (late.payment.uuid(), vec![late.succeeded()]),
        (late.id.uuid(), vec![late.received(), late.confirmed(true)]),
    ])
    .await;
    super::people::register(log).await;
    (ground, first, late)
}

const ALL: &[&Projector] = projections::PROJECTORS;

async fn digest(log: &Log, projector: &Projector) -> Vec<u8> {
    let query = "SELECT digest FROM read.checkpoints WHERE name = $1";
    sqlx::query_scalar(query).bind(projector.name).fetch_one(&log.world.pool).await.unwrap()
}

#[tokio::test]
async fn a_replay_from_the_first_event_makes_the_same_rows_and_the_same_digest() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    for projector in ALL.iter().copied() {
        // One event a batch, so that the replay in one batch is folded quite differently.
        let mut runner = log.own(projector).await;
        while !runner.run_batch(1).await.unwrap().caught_up {}
        let (chain, rows) = (digest(&log, projector).await, content_digest(projector, &log.store).await.unwrap());
        assert_ne!(rows, vec![0; 32]);
        let reached = rebuild(projector, &log.store, "replay", None).await.unwrap();
        assert_eq!(reached, log.store.head().await.unwrap());
        assert_eq!(digest(&log, projector).await, chain, "{}", projector.name);
        assert_eq!(content_digest(projector, &log.store).await.unwrap(), rows, "{}", projector.name);
    }
    // All read the same log, whatever they made of it.
    assert_eq!(digest(&log, &site::PROJECTOR).await, digest(&log, &key::PROJECTOR).await);
}

#[tokio::test]
async fn rows_that_differ_have_another_content_digest() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    log.project().await;
    let before = content_digest(&reservation::PROJECTOR, &log.store).await.unwrap();
    sqlx::query("UPDATE read.payments SET status = 'failed'").execute(&log.world.pool).await.unwrap();
    assert_ne!(content_digest(&reservation::PROJECTOR, &log.store).await.unwrap(), before);
}

/// While a full batch is written the next one is read: what comes after that reading is not missed.
#[tokio::test]
async fn what_is_read_ahead_hides_nothing_that_comes_later() {
    let mut log = Log::new().await;
    let (ground, ..) = a_little_history(&mut log).await;
    let mut runner = log.own(&site::PROJECTOR).await;
    let head = log.store.head().await.unwrap();
    let all = usize::try_from(head).unwrap();
    assert_eq!(runner.run_batch(all).await.unwrap().position, head);
    let written = log.write(ground.site, vec![ground.registered("Again", None)]).await;
    while !runner.run_batch(all).await.unwrap().caught_up {}
    assert_eq!(runner.position(), written);
}

#[tokio::test]
async fn whoever_takes_over_fences_the_former_owner_out() {
    let mut log = Log::new().await;
    let (ground, _, _) = a_little_history(&mut log).await;
    let mut zombie = log.own(&reservation::PROJECTOR).await;
    zombie.run_batch(3).await.unwrap();
    let mut owner = log.own(&reservation::PROJECTOR).await;
    assert_eq!(owner.position(), 3);
    assert!(owner.epoch() > zombie.epoch());
    let refused = zombie.run_batch(100).await.unwrap_err();
    assert!(matches!(refused, RunError::Fenced { projector: "reservation" }), "{refused}");
    assert!(!refused.is_transient());
    let head = owner.catch_up().await.unwrap();
    assert_eq!(head, log.store.head().await.unwrap());
    // Still nothing, with new events and at the right position.
    let booking = Booking::new(ground.slot(ground.whole, hours(10, 11)));
    log.write(booking.id, vec![booking.held(at(2))]).await;
    assert!(zombie.run_batch(100).await.is_err());
    assert_eq!(reservation::find(&log.world.pool, booking.id).await.unwrap().row, None);
}

/// An owner that stands still inside its transaction: the row lock makes the next one wait, not write beside it.
#[tokio::test]
async fn two_owners_at_once_write_every_event_once() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    log.project().await;
    let rows = content_digest(&schedule::PROJECTOR, &log.store).await.unwrap();
    let head = log.store.head().await.unwrap();
    rebuild(&schedule::PROJECTOR, &log.store, "replay", None).await.unwrap();
    let mut contenders = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let store = log.store.clone();
        contenders.spawn(async move {
            loop {
                let mut runner = Runner::own(&schedule::PROJECTOR, store.clone(), "contender", None).await.unwrap();
                match runner.run_batch(2).await {
                    Ok(progress) if progress.position == head => return,
                    Ok(_) | Err(RunError::Fenced { .. }) => {}
                    Err(other) => panic!("{other}"),
                }
            }
        });
    }
    contenders.join_all().await;
    assert_eq!(content_digest(&schedule::PROJECTOR, &log.store).await.unwrap(), rows);
}

/// The answer to a commit was lost: the runner believes it is behind, and learns better without writing.
#[tokio::test]
async fn a_batch_that_was_already_written_changes_nothing() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    let mut lost = log.own(&reservation::PROJECTOR).await;
    let mut other = log.own(&reservation::PROJECTOR).await;
    other.run_batch(5).await.unwrap();
    let (chain, rows) = (
        digest(&log, &reservation::PROJECTOR).await,
        content_digest(&reservation::PROJECTOR, &log.store).await.unwrap(),
    );
    // As if the first had written it itself.
    sqlx::query("UPDATE read.checkpoints SET epoch = $1 WHERE name = 'reservation'")
        .bind(lost.epoch())
        .execute(&log.world.pool)
        .await
        .unwrap();
    let progress = lost.run_batch(5).await.unwrap();
    assert_eq!((progress.position, progress.events, progress.caught_up), (5, 0, false));
    assert_eq!(digest(&log, &reservation::PROJECTOR).await, chain);
    assert_eq!(content_digest(&reservation::PROJECTOR, &log.store).await.unwrap(), rows);
}

/// Dies between the rows and the commit, again and again: every cut leaves a whole number of batches.
#[tokio::test]
async fn a_crash_in_the_middle_leaves_no_half_batch() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    log.project().await;
    let rows = content_digest(&reservation::PROJECTOR, &log.store).await.unwrap();
    let head = log.store.head().await.unwrap();
    reset(&log).await;
    let mut cut = 0_u64;
    loop {
        let mut runner = log.own(&reservation::PROJECTOR).await;
        // Cancelled at a later await each time.
        let batch = tokio::time::timeout(std::time::Duration::from_micros(cut), runner.run_batch(3));
        let _ = batch.await;
        cut += 150;
        // One statement, one moment: a commit may still be under way.
        let (at, reservations, held): (Position, i64, i64) = sqlx::query_as(
            "SELECT position, (SELECT count(*) FROM read.reservations),
                    (SELECT count(*) FROM event_log.events AS e
                     WHERE e.type = 'reservation.held' AND e.position <= c.position)
             FROM read.checkpoints AS c WHERE name = 'reservation'",
        )
        .fetch_one(&log.world.pool)
        .await
        .unwrap();
        assert_eq!(reservations, held, "rows and checkpoint agree at {at}");
        if at == head {
            break;
        }
    }
    assert_eq!(content_digest(&reservation::PROJECTOR, &log.store).await.unwrap(), rows);
}

async fn reset(log: &Log) {
    sqlx::raw_sql(
        "DELETE FROM read.reservations; DELETE FROM read.payments; DELETE FROM read.refunds;
         UPDATE read.checkpoints SET position = 0 WHERE name = 'reservation'",
    )
    .execute(&log.world.pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn rows_of_another_version_are_nobody_s_to_write() {
    static NEWER: Projector = Projector { version: key::PROJECTOR.version + 1, ..with(&key::PROJECTOR) };
    let (old, new) = (key::PROJECTOR.version, NEWER.version);
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    let mut runner = log.own(&key::PROJECTOR).await;
    let epoch = runner.epoch();
    let refused = Runner::own(&NEWER, log.store.clone(), "new", None).await.err().unwrap();
    assert!(matches!(refused, RunError::Older { found, ours, .. } if (found, ours) == (old, new)), "{refused}");
    // The refusal took nothing over: the older program keeps its rows up to date.
    runner.catch_up().await.unwrap();
    assert_eq!(log.own(&key::PROJECTOR).await.epoch(), epoch + 1);
    rebuild(&NEWER, &log.store, "new", None).await.unwrap();
    let refused = Runner::own(&key::PROJECTOR, log.store.clone(), "old", None).await.err().unwrap();
    assert!(matches!(refused, RunError::Outdated { found, ours, .. } if (found, ours) == (new, old)), "{refused}");
}

/// Filled batch by batch, whatever else is said of it.
pub const fn with(projector: &Projector) -> Projector {
    Projector {
        name: projector.name,
        version: projector.version,
        poison: projector.poison,
        kinds: projector.kinds,
        tables: projector.tables,
        apply: projector.apply,
        bulk: None,
    }
}

#[tokio::test]
async fn progress_says_how_far_everybody_is() {
    let mut log = Log::new().await;
    a_little_history(&mut log).await;
    let head = log.store.head().await.unwrap();
    log.own(&site::PROJECTOR).await.catch_up().await.unwrap();
    log.own(&schedule::PROJECTOR).await.run_batch(2).await.unwrap();
    let all = progress(&log.store).await.unwrap();
    let of = |name: &str| all.iter().find(|status| status.name == name).unwrap().clone();
    assert_eq!((of("site").lag(), of("site").position), (0, head));
    assert_eq!((of("schedule").lag(), of("schedule").owner), (head - 2, "test".to_owned()));
    assert_eq!(of("schedule").halted, None);
    // A log that was cut behind it is not followed.
    sqlx::query("UPDATE read.checkpoints SET position = $1 WHERE name = 'site'")
        .bind(head + 7)
        .execute(&log.world.pool)
        .await
        .unwrap();
    let refused = Runner::own(&site::PROJECTOR, log.store.clone(), "test", None).await.err().unwrap();
    assert!(matches!(refused, RunError::Gap { .. }), "{refused}");
}

/// Nouns that no view shows: an account and an endpoint are read from their own streams, and endpoints are found by a guard.
const WITHOUT_A_VIEW: [&str; 2] = ["account", "endpoint"];

#[test]
fn every_event_there_is_has_a_projector_that_wants_its_noun() {
    for (name, _) in Event::types() {
        let noun = name.split('.').next().unwrap();
        if WITHOUT_A_VIEW.contains(&noun) {
            assert!(ALL.iter().all(|projector| !projector.kinds.contains(&noun)), "{name} has a view now");
            continue;
        }
        assert!(ALL.iter().any(|projector| projector.kinds.contains(&noun)), "{name}");
    }
}
