//! Many at once.

use std::sync::Arc;

use eventstore::{AppendError, Refusal};

use super::{append, in_an_hour, log, sample};
use crate::world::World;

/// So many clients on one slot, spread over two processes' lanes: one wins, the others hear who has it.
async fn one_wins_of(clients: usize) {
    let world = World::new().await;
    let stores = [world.store().await, world.store().await];
    let ground = Arc::new(sample::Ground::new(stores[0].clock(), 2));
    let until = in_an_hour(&stores[0]);
    let tasks: Vec<_> = (0..clients)
        .map(|client| {
            let (store, ground) = (stores[client % 2].clone(), Arc::clone(&ground));
            tokio::spawn(async move {
                // Two halves and the whole: all of them in each other's way.
                let ground = if client % 3 == 0 { ground.only(&[0]) } else { (*ground).clone() };
                append(&store, ground.wish(store.clock(), 0, until).unwrap().place()).await
            })
        })
        .collect();
    let (mut won, mut lost) = (0, 0);
    for task in tasks {
        match task.await.unwrap() {
            Ok(_) => won += 1,
            Err(AppendError::Refused(Refusal::SlotTaken { .. })) => lost += 1,
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((won, lost), (1, clients - 1));
    assert_eq!(log(&stores[0]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn never_again_check_then_insert() {
    one_wins_of(200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_1000_clients_on_one_slot_one_wins() {
    one_wins_of(1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_by_position_misses_nothing_while_two_lanes_write() {
    let world = World::new().await;
    let stores = [world.store().await, world.store().await];
    let writers: Vec<_> = (0..32)
        .map(|writer| {
            let store = stores[writer % 2].clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    let stream = store.clock().new_id();
                    let event = sample::plain(stream, store.clock().now());
                    append(&store, sample::one(domain::ids::StreamId::new(stream), 0, [event])).await.unwrap();
                }
            })
        })
        .collect();
    let mut last = 0;
    while last < 320 {
        for event in stores[0].read_after(last, 50).await.unwrap() {
            assert_eq!(event.position, last + 1, "what was not there when its follower was seen never existed");
            last = event.position;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(stores[0].head().await.unwrap(), 320);
}
