//! A shadow filled in bulk, with rows in memory ahead of the database: left, taken over or poisoned at any place, nothing is
//! lost and nothing written twice.

use projections::{
    Position, Projector, RunError, Runner, Shadow, Sizes, content_digest, progress, reservation, schedule,
};
use sqlx::Connection;

use super::{
    engine::{a_little_history, with},
    make::{Booking, Ground, Log, at, hours},
};

const BULK: [&Projector; 2] = [&reservation::PROJECTOR, &schedule::PROJECTOR];

async fn own(log: &Log, projector: &'static Projector, sizes: Sizes) -> Shadow {
    Shadow::own(projector, log.store.clone(), "test").await.unwrap().in_parts_of(sizes)
}

/// Several little histories, so that rows change again after they were written.
async fn a_longer_history(log: &mut Log) {
    for hour in 8..12 {
        let ground = Ground::new();
        let mut bookings = Vec::new();
        for pitch in [ground.north, ground.south] {
            let booking = Booking::new(ground.slot(pitch, hours(hour, hour + 1)));
            log.write_all(vec![
                (booking.id.uuid(), vec![booking.held(at(2))]),
                (booking.payment.uuid(), vec![booking.requested()]),
            ])
            .await;
            bookings.push(booking);
        }
        for booking in &bookings {
            log.write(booking.payment, vec![booking.opened(None)]).await;
        }
        for booking in &bookings {
            log.write(booking.payment, vec![booking.succeeded()]).await;
            log.write(booking.id, vec![booking.received(), booking.confirmed(false)]).await;
        }
    }
    a_little_history(log).await;
}

/// Position of the shadow's checkpoint, its reservations, and how many there must be.
async fn standing(log: &Log) -> (Position, i64, i64) {
    sqlx::query_as(
        "SELECT position, (SELECT count(*) FROM read_shadow.reservations),
                (SELECT count(*) FROM event_log.events AS e
                 WHERE e.type = 'reservation.held' AND e.position <= c.position)
         FROM read.checkpoints AS c WHERE name = 'reservation:shadow'",
    )
    .fetch_one(&log.world.pool)
    .await
    .unwrap()
}

#[tokio::test]
async fn rows_are_the_same_whatever_is_taken_at_a_time() {
    let mut log = Log::new().await;
    a_longer_history(&mut log).await;
    log.project().await;
    for projector in BULK {
        for (events, rows) in [(1, 1), (1, 3), (3, 1), (5, 4), (7, 1_000), (1_000, 1)] {
            let compared = own(&log, projector, Sizes { events, rows }).await.compare().await.unwrap();
            assert!(compared.is_equal(), "{events} {rows}: {compared:?}");
            assert!(projections::shadow::discard(projector, &log.store).await.unwrap());
        }
    }
}

#[tokio::test]
async fn left_with_rows_in_memory_it_loses_nothing() {
    let mut log = Log::new().await;
    a_longer_history(&mut log).await;
    log.project().await;
    let head = log.store.head().await.unwrap();
    let (mut steps, mut ahead) = (0, 0);
    loop {
        let mut shadow = own(&log, &reservation::PROJECTOR, Sizes { events: 3, rows: 4 }).await;
        let mut taken_in = shadow.position();
        for _ in 0..steps {
            let progress = shadow.step().await.unwrap();
            taken_in += 3;
            if progress.caught_up {
                break;
            }
        }
        // What is in memory, and a write under way, go with it.
        drop(shadow);
        let (position, rows, held) = standing(&log).await;
        assert_eq!(rows, held, "rows and checkpoint agree at {position}");
        ahead += i64::from(taken_in > position);
        if position == head {
            break;
        }
        steps += 1;
    }
    assert!(ahead > 0, "something was in memory");
    let compared = own(&log, &reservation::PROJECTOR, Sizes::default()).await.compare().await.unwrap();
    assert!(compared.is_equal(), "{compared:?}");
}

#[tokio::test]
async fn a_former_owner_s_memory_is_never_written() {
    let mut log = Log::new().await;
    a_longer_history(&mut log).await;
    log.project().await;
    for projector in BULK {
        let mut former = own(&log, projector, Sizes { events: 4, rows: 1_000 }).await;
        for _ in 0..4 {
            assert_eq!(former.step().await.unwrap().position, 0, "nothing is written yet");
        }
        let mut present = own(&log, projector, Sizes { events: 5, rows: 2 }).await;
        present.step().await.unwrap();
        let refused = former.step().await.unwrap_err();
        assert!(matches!(refused, RunError::Fenced { .. }), "{refused}");
        assert!(present.compare().await.unwrap().is_equal());
    }
}

/// The write under way ends with its connection: the next step begins where the database stands.
#[tokio::test]
async fn a_connection_that_is_cut_costs_a_step() {
    let mut log = Log::new().await;
    a_longer_history(&mut log).await;
    log.project().await;
    let mut superuser = kalel::up::postgres::connect(&log.world.superuser_url()).await.unwrap();
    let mut shadow = own(&log, &reservation::PROJECTOR, Sizes { events: 2, rows: 2 }).await;
    let (mut failures, mut steps, mut cuts) = (0, 0, 0);
    loop {
        // Not for ever: what is folded and not written is lost each time.
        if steps % 4 == 3 && cuts < 8 {
            cuts += 1;
            // Waits until each is gone.
            sqlx::query(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
                 WHERE datname = current_database() AND application_name = 'kalel'",
            )
            .execute(&mut superuser)
            .await
            .unwrap();
        }
        steps += 1;
        match shadow.step().await {
            Ok(progress) if progress.caught_up => break,
            Ok(_) => {}
            Err(error) => {
                assert!(error.is_transient(), "{error}");
                failures += 1;
            }
        }
        let (position, rows, held) = standing(&log).await;
        assert_eq!(rows, held, "rows and checkpoint agree at {position}");
    }
    assert!(failures > 0, "nothing was cut");
    assert!(shadow.compare().await.unwrap().is_equal());
}

/// Live rows were made by a program that did not want payments; the shadow's wants them and meets the poison.
#[tokio::test]
async fn poison_in_a_large_part_stops_in_front_of_it_and_what_lies_before_is_written() {
    static WITHOUT: Projector = Projector { kinds: &["reservation"], ..with(&reservation::PROJECTOR) };
    let mut log = Log::new().await;
    a_longer_history(&mut log).await;
    let ground = Ground::new();
    let booking = Booking::new(ground.slot(ground.north, hours(20, 21)));
    let poison = log.poison(booking.payment, "payment.requested", r#"{"amount":"a lot"}"#).await;
    let after = log.write(booking.id, vec![booking.held(at(2))]).await;
    let mut live = Runner::own(&WITHOUT, log.store.clone(), "test", None).await.unwrap();
    assert_eq!(live.catch_up().await.unwrap(), after);
    for sizes in [Sizes { events: 7, rows: 5 }, Sizes::default()] {
        let mut shadow = own(&log, &reservation::PROJECTOR, sizes).await;
        for _ in 0..2 {
            let stopped = shadow.follow().await.unwrap_err();
            assert!(matches!(&stopped, RunError::Poisoned { position, .. } if *position == poison), "{stopped}");
            assert_eq!(shadow.position(), poison - 1);
            let (position, rows, held) = standing(&log).await;
            assert_eq!((position, rows), (poison - 1, held));
        }
        let status = progress(&log.store).await.unwrap().into_iter().find(|one| one.name == "reservation").unwrap();
        assert_eq!(status.shadow.unwrap().halted.map(|(at, _)| at), Some(poison));
    }
    // Put right by the owner of the log, with the trigger out of the way.
    let right = booking.requested().to_json().unwrap();
    let mut owner = sqlx::PgConnection::connect(&log.world.superuser_url()).await.unwrap();
    sqlx::raw_sql("ALTER TABLE event_log.events DISABLE TRIGGER append_only").execute(&mut owner).await.unwrap();
    sqlx::query("UPDATE event_log.events SET data = $2::json WHERE position = $1")
        .bind(poison)
        .bind(right)
        .execute(&mut owner)
        .await
        .unwrap();
    own(&log, &reservation::PROJECTOR, Sizes { events: 7, rows: 5 }).await.swap().await.unwrap();
    let rows = content_digest(&reservation::PROJECTOR, &log.store).await.unwrap();
    // The same batch by batch.
    static SLOWLY: Projector = with(&reservation::PROJECTOR);
    projections::rebuild(&SLOWLY, &log.store, "replay", None).await.unwrap();
    assert_eq!(content_digest(&reservation::PROJECTOR, &log.store).await.unwrap(), rows);
}
