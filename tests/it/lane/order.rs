//! Positions, versions, bytes.

use domain::{decision::Read, ids::StreamId};
use eventstore::{AppendError, Appended, LoadError};
use sqlx::{Connection as _, PgConnection};

use super::{append, in_an_hour, log, sample};
use crate::world::World;

#[tokio::test]
async fn positions_are_gapless_and_a_refused_command_takes_none() {
    let world = World::new().await;
    let store = world.store().await;
    let ground = sample::Ground::new(store.clock(), 2);
    let until = in_an_hour(&store);
    for half_hour in 0..4 {
        let wish = ground.wish(store.clock(), half_hour * 2, until).unwrap();
        append(&store, wish.place()).await.unwrap();
        let rival = ground.wish(store.clock(), half_hour * 2 + 1, until).unwrap();
        append(&store, rival.place()).await.unwrap_err();
    }
    let positions: Vec<i64> = log(&store).await.iter().map(|event| event.position).collect();
    assert_eq!(positions, [1, 2, 3, 4]);
    assert_eq!(store.head().await.unwrap(), 4);
}

#[tokio::test]
async fn all_streams_of_a_decision_are_written_or_none() {
    let world = World::new().await;
    let store = world.store().await;
    let (one, two) = (store.clock().new_id(), store.clock().new_id());
    let at = store.clock().now();
    let both = |version| {
        sample::one(StreamId::new(one), version, [sample::plain(one, at), sample::plain(one, at)]).and(sample::one(
            StreamId::new(two),
            version,
            [sample::plain(two, at)],
        ))
    };
    let applied = append(&store, both(0)).await.unwrap();
    let Appended::Applied { first: 1, last: 3, versions, .. } = applied else { panic!("{applied:?}") };
    assert_eq!(versions, [(one, 2), (two, 1)]);
    // The first stream is where the decision expects it, the second is not.
    let stale = sample::one(StreamId::new(one), 2, [sample::plain(one, at)]).and(sample::one(
        StreamId::new(two),
        0,
        [sample::plain(two, at)],
    ));
    let conflict = append(&store, stale).await.unwrap_err();
    assert!(
        matches!(conflict, AppendError::Conflict { stream, expected: 0, actual: 1 } if stream == two),
        "{conflict:?}"
    );
    assert_eq!(log(&store).await.len(), 3);
}

#[tokio::test]
async fn a_decision_falls_with_what_it_relied_on() {
    let world = World::new().await;
    let store = world.store().await;
    let (site, stream) = (store.clock().new_id(), store.clock().new_id());
    let at = store.clock().now();
    append(&store, sample::one(StreamId::new(site), 0, [sample::plain(site, at)])).await.unwrap();
    let mut relying = sample::one(StreamId::new(stream), 0, [sample::plain(stream, at)]);
    relying.reads.push(Read { stream: StreamId::new(site), version: 1 });
    append(&store, sample::one(StreamId::new(site), 1, [sample::plain(site, at)])).await.unwrap();
    let conflict = append(&store, relying.clone()).await.unwrap_err();
    assert!(matches!(conflict, AppendError::Conflict { stream, actual: 2, .. } if stream == site), "{conflict:?}");
    relying.reads[0].version = 2;
    append(&store, relying).await.unwrap();
}

#[tokio::test]
async fn the_bytes_are_kept_and_the_instants_never_go_back() {
    let world = World::new().await;
    let store = world.store().await;
    let until = in_an_hour(&store);
    let ground = sample::Ground::new(store.clock(), 1);
    let wish = ground.wish(store.clock(), 0, until).unwrap();
    let event: domain::event::Event = wish.held.clone().into();
    append(&store, wish.place()).await.unwrap();
    store.clock().advance(std::time::Duration::from_secs(3_600)).await.unwrap();
    append(&store, sample::one(wish.reservation_id, 1, [wish.confirm(until)])).await.unwrap();
    let events = log(&store).await;
    assert_eq!(events[0].data, event.to_json().unwrap());
    assert_eq!(events[0].event().unwrap(), event);
    assert!(events[1].recorded_at - events[0].recorded_at >= chrono::TimeDelta::hours(1), "the test clock counts");
    assert!(!events[0].export_line().contains('\n'));
    let loaded = store.load::<domain::reservation::Reservation>(wish.reservation_id).await.unwrap();
    assert_eq!(loaded.version, 2);
    let other = store.load::<domain::site::Site>(wish.reservation_id.uuid().into()).await;
    assert!(matches!(other, Err(LoadError::OtherNoun { .. })));
}

#[tokio::test]
async fn nobody_changes_what_is_recorded() {
    let world = World::new().await;
    let store = world.store().await;
    let stream = store.clock().new_id();
    let at = store.clock().now();
    append(&store, sample::one(StreamId::new(stream), 0, [sample::plain(stream, at)])).await.unwrap();
    for url in [&world.database_url, &world.owner_url] {
        let mut connection = PgConnection::connect(url).await.unwrap();
        for change in
            ["UPDATE event_log.events SET type = 'x'", "DELETE FROM event_log.events", "TRUNCATE event_log.events"]
        {
            let refused = sqlx::query(sqlx::AssertSqlSafe(change)).execute(&mut connection).await.unwrap_err();
            let code = refused.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
            assert_eq!(code, "42501", "{url} {change}: {refused}");
        }
    }
}

#[tokio::test]
async fn a_remembered_state_is_dropped_when_the_lane_says_that_it_moved() {
    let world = World::new().await;
    let (here, there) = (world.store().await, world.store().await);
    let until = in_an_hour(&here);
    let wish = sample::Ground::new(here.clock(), 1).wish(here.clock(), 0, until).unwrap();
    append(&here, wish.place()).await.unwrap();
    let recalled = here.recall::<domain::reservation::Reservation>(wish.reservation_id).await.unwrap();
    assert_eq!(recalled.version, 1);
    append(&there, sample::one(wish.reservation_id, 1, [wish.confirm(until)])).await.unwrap();
    // Still the old one: memory costs no query.
    let recalled = here.recall::<domain::reservation::Reservation>(wish.reservation_id).await.unwrap();
    assert_eq!(recalled.version, 1);
    let at = here.clock().now();
    append(&here, sample::one(wish.reservation_id, recalled.version, [wish.cancel(at)])).await.unwrap_err();
    let recalled = here.recall::<domain::reservation::Reservation>(wish.reservation_id).await.unwrap();
    assert_eq!(recalled.version, 2);
}
