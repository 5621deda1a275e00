//! The same command twice; leases that were lost; keys of people.

use std::time::Duration;

use domain::{ids::StreamId, phone::Phone};
use eventstore::{
    Answer, Append, AppendError, Appended, Fence, FirstAnswer, Idempotency, Keep, Keyring, Meta, Mode, OpenError,
    Options, Store, Token, fence,
};

use super::{by_system, log, sample};
use crate::world::World;

fn once(store: &Store, key: &str, body: &str) -> Idempotency {
    let answers = store.answers();
    Idempotency {
        key: answers.key("client:1:reservation.place", key),
        fingerprint: answers.fingerprint(body.as_bytes()),
        keep: Keep::ThirtyDays,
    }
}

fn new_stream(store: &Store) -> Append {
    let stream = store.clock().new_id();
    by_system(sample::one(StreamId::new(stream), 0, [sample::plain(stream, store.clock().now())]))
}

#[tokio::test]
async fn a_repeated_command_is_told_the_first_answer_and_writes_nothing() {
    let world = World::new().await;
    let (here, there) = (world.store().await, world.store().await);
    let first = new_stream(&here).once(once(&here, "k", "body"));
    let stream = first.decision.changes[0].stream.uuid();
    here.append(first).await.unwrap();
    let again = there.append(new_stream(&there).once(once(&there, "k", "body"))).await.unwrap();
    let Appended::Duplicate(record) = again else { panic!("{again:?}") };
    assert_eq!((record.first, record.last, record.ids.as_slice()), (1, 1, [stream].as_slice()));
    assert_eq!(record.answer, FirstAnswer::Pending);
    let other = there.append(new_stream(&there).once(once(&there, "k", "another body"))).await.unwrap_err();
    assert!(matches!(other, AppendError::KeyReused), "{other:?}");
    assert_eq!(log(&here).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_100_identical_commands_at_once_one_is_carried_out() {
    let world = World::new().await;
    let stores = [world.store().await, world.store().await];
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let store = stores[n % 2].clone();
            tokio::spawn(async move { store.append(new_stream(&store).once(once(&store, "k", "body"))).await })
        })
        .collect();
    let mut applied = 0;
    let mut records = Vec::new();
    for task in tasks {
        match task.await.unwrap().unwrap() {
            Appended::Applied { .. } => applied += 1,
            Appended::Duplicate(record) => records.push((record.first, record.last, record.ids)),
        }
    }
    assert_eq!(applied, 1);
    records.dedup();
    assert_eq!(records.len(), 1, "all are told the same");
    assert_eq!((records[0].0, records[0].1), (1, 1));
    assert_eq!(log(&stores[0]).await.len(), 1);
}

#[tokio::test]
async fn only_successes_consume_a_key() {
    let world = World::new().await;
    let store = world.store().await;
    let mut stale = new_stream(&store).once(once(&store, "k", "body"));
    stale.decision.changes[0].expected = 7;
    store.append(stale).await.unwrap_err();
    assert_eq!(store.answers().find(&once(&store, "k", "body").key).await.unwrap(), None);
    let applied = store.append(new_stream(&store).once(once(&store, "k", "body"))).await.unwrap();
    assert!(matches!(applied, Appended::Applied { .. }));
}

#[tokio::test]
async fn an_answer_is_frozen_once_and_sealed() {
    let world = World::new().await;
    let store = world.store().await;
    let key = once(&store, "k", "body");
    store.append(new_stream(&store).once(key.clone())).await.unwrap();
    let waiting = tokio::spawn({
        let (store, key) = (store.clone(), key.key.clone());
        async move { store.answers().wait(&key, Duration::from_secs(10)).await }
    });
    let person = store.clock().new_id();
    let answer =
        |body: &str| Answer { status: 201, headers: vec![("etag".into(), "\"v1\"".into())], body: body.into() };
    let frozen = store.answers().freeze(&key.key, &answer("for Awa Ndiaye"), Some(person)).await.unwrap().unwrap();
    assert_eq!(frozen.answer, FirstAnswer::Frozen(answer("for Awa Ndiaye")));
    let second = store.answers().freeze(&key.key, &answer("another"), None).await.unwrap().unwrap();
    assert_eq!(second.answer, frozen.answer, "the first to freeze wins");
    assert_eq!(waiting.await.unwrap().unwrap().unwrap().answer, frozen.answer);
    let stored: String =
        sqlx::query_scalar("SELECT answer FROM event_log.idempotency").fetch_one(&world.pool).await.unwrap();
    assert!(!stored.contains("Awa"));
    // The key of the person destroyed (a later issue): nobody reads it again.
    sqlx::query("UPDATE event_log.subject_keys SET wrapped = NULL, destroyed_at = now() WHERE subject = $1")
        .bind(person)
        .execute(&world.pool)
        .await
        .unwrap();
    let elsewhere = world.store().await;
    assert_eq!(elsewhere.answers().find(&key.key).await.unwrap().unwrap().answer, FirstAnswer::Erased);
    let month = store.clock().now() + chrono::TimeDelta::days(31);
    assert_eq!(store.answers().sweep(month).await.unwrap(), 1);
}

#[tokio::test]
async fn a_command_with_nothing_to_do_still_remembers_its_key() {
    let world = World::new().await;
    let store = world.store().await;
    store.append(new_stream(&store)).await.unwrap();
    let nothing = || Append::new(domain::decision::Decision::nothing(), Meta::system());
    let applied = store.append(nothing()).await.unwrap();
    assert!(matches!(applied, Appended::Applied { first: 2, last: 1, .. }), "{applied:?}");
    store.append(nothing().once(once(&store, "k", "b"))).await.unwrap();
    let again = store.append(nothing().once(once(&store, "k", "b"))).await.unwrap();
    assert!(matches!(again, Appended::Duplicate(record) if record.last == 1));
}

#[tokio::test]
async fn who_lost_the_lease_is_refused_even_while_it_changes_hands() {
    let world = World::new().await;
    let store = world.store().await;
    let lease = |token| Fence { key: "effect:1".into(), token };
    let mut tx = world.pool.begin().await.unwrap();
    let old = fence::raise(&mut tx, "effect:1").await.unwrap();
    tx.commit().await.unwrap();
    store.append(new_stream(&store).fenced(lease(old))).await.unwrap();
    let mut tx = world.pool.begin().await.unwrap();
    let new = fence::raise(&mut tx, "effect:1").await.unwrap();
    let refused = store.append(new_stream(&store).fenced(lease(old))).await.unwrap_err();
    assert!(matches!(refused, AppendError::StaleFence), "{refused:?}");
    tx.commit().await.unwrap();
    assert!(new > old);
    store.append(new_stream(&store).fenced(lease(new))).await.unwrap();
    for token in [old, Token(0), Token(99)] {
        let refused = store.append(new_stream(&store).fenced(lease(token))).await.unwrap_err();
        assert!(matches!(refused, AppendError::StaleFence), "{refused:?}");
    }
    assert_eq!(log(&store).await.len(), 2);
}

#[tokio::test]
async fn a_person_s_fields_open_everywhere_and_only_with_the_keys() {
    let world = World::new().await;
    let (here, there) = (world.store().await, world.store().await);
    let person = here.clock().new_id();
    let (one, two) =
        tokio::join!(here.subjects().seal(person, "name", "Awa"), there.subjects().seal(person, "name", "Awa"));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_ne!(one, two);
    assert_eq!(there.subjects().open(person, "name", &one).await.unwrap().as_deref(), Some("Awa"));
    assert_eq!(here.subjects().open(person, "name", &two).await.unwrap().as_deref(), Some("Awa"));
    assert_eq!(here.subjects().open(person, "phone", &one).await.unwrap(), None);
    let phone = Phone::new("+221771234567").unwrap();
    assert_eq!(here.subjects().hash_phone(&phone), there.subjects().hash_phone(&phone));
    let wrong = Options::new(&world.database_url, Keyring::new([1; 32], [9; 32]), Mode::Test);
    assert!(matches!(Store::open(wrong).await, Err(OpenError::Identity(_))));
    let live = Options::new(&world.database_url, Keyring::new([1; 32], [2; 32]), Mode::Live);
    assert!(matches!(Store::open(live).await, Err(OpenError::Identity(_))));
}
