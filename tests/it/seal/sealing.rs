//! The sealer: follows, resumes, is alone, and stops when something is not as it was.

use std::time::Duration;

use eventstore::{
    merkle::{Growing, Hash},
    note::Checkpoint,
    seal::{Pace, SealError, Sealer},
};

use super::{ORIGIN, as_superuser, every, fill, own, signer};
use crate::world::World;

#[tokio::test]
async fn the_tree_is_that_of_the_export_lines_whatever_the_steps() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 700).await;
    let mut sealer = own(&store, every(300)).await.unwrap();
    for most in [1, 254, 1, 1, 300, 1_000] {
        sealer.step(most).await.unwrap();
        // Whoever comes next goes on from what is kept.
        sealer = own(&store, every(300)).await.unwrap();
    }
    assert_eq!(sealer.position(), 700);
    let mut tree = Growing::default();
    let events = store.read_after(0, i64::MAX).await.unwrap();
    let mut roots = vec![tree.root()];
    for event in &events {
        tree.push(Hash::leaf(event.export_line().as_bytes()));
        roots.push(tree.root());
    }
    let kept = store.checkpoints(0, i64::MAX, 100).await.unwrap();
    let sizes: Vec<i64> = kept.iter().map(|kept| kept.size).collect();
    assert_eq!(sizes, [1, 557], "the first at once, then when 300 more are there");
    for kept in kept {
        let checkpoint = Checkpoint::open(&kept.note, ORIGIN, &signer(1).verifier()).unwrap();
        assert_eq!(checkpoint.root, roots[usize::try_from(kept.size).unwrap()]);
        assert_eq!(kept.verifier, signer(1).verifier().to_text());
    }
}

#[tokio::test]
async fn a_checkpoint_is_signed_by_number_by_time_and_when_somebody_waits() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 10).await;
    let mut sealer = own(&store, every(100)).await.unwrap();
    assert!(sealer.step(1_000).await.unwrap().signed, "the first one at once");
    fill(&world, 99).await;
    assert!(!sealer.step(1_000).await.unwrap().signed);
    store.want_checkpoint(109).await.unwrap();
    assert!(sealer.step(1_000).await.unwrap().signed, "somebody waits");
    assert!(!sealer.step(1_000).await.unwrap().signed, "nothing new");
    fill(&world, 100).await;
    assert!(sealer.step(1_000).await.unwrap().signed, "enough events");
    fill(&world, 1).await;
    let soon = Pace { time: Duration::ZERO, ..every(100) };
    assert!(own(&store, soon).await.unwrap().step(1_000).await.unwrap().signed, "enough time");
    fill(&world, 1).await;
    let patient = Pace { least: Duration::from_secs(3_600), ..every(100) };
    let mut sealer = own(&store, patient).await.unwrap();
    sealer.step(1_000).await.unwrap();
    store.want_checkpoint(211).await.unwrap();
    assert!(!sealer.step(1_000).await.unwrap().signed, "not sooner than allowed after the last");
}

#[tokio::test]
async fn a_former_sealer_writes_nothing_any_more() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 10).await;
    let mut former = own(&store, every(100)).await.unwrap();
    let mut present = own(&store, every(100)).await.unwrap();
    assert!(matches!(former.step(1_000).await, Err(SealError::Fenced)));
    assert_eq!(present.step(1_000).await.unwrap().added, 10);
    assert!(matches!(former.step(1_000).await, Err(SealError::Fenced)));
    assert_eq!(store.sealed_size().await.unwrap(), 10);
}

#[tokio::test]
async fn a_pool_without_a_free_connection_does_not_hold_it_up() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 10).await;
    let mut sealer = own(&store, every(5)).await.unwrap();
    let mut busy = Vec::new();
    while let Ok(connection) = store.pool().acquire().await {
        busy.push(connection);
    }
    let step = sealer.step(1_000).await.unwrap();
    assert_eq!((step.size, step.signed), (10, true));
    drop(busy);
}

#[tokio::test]
async fn what_was_sealed_and_is_not_as_it_was_stops_the_sealer() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 300).await;
    own(&store, every(100)).await.unwrap().step(1_000).await.unwrap();
    let other = Sealer::own(store.clone(), signer(1), "kalel.test/other".into(), "test", every(100)).await;
    assert!(matches!(other, Err(SealError::OtherOrigin { .. })), "{other:?}");

    as_superuser(&world, &["UPDATE event_log.events SET type = 'refund.approved' WHERE position = 290"]).await;
    assert!(matches!(own(&store, every(100)).await, Err(SealError::Changed(290))));
    as_superuser(&world, &["UPDATE event_log.events SET type = 'refund.declined' WHERE position = 290"]).await;
    own(&store, every(100)).await.unwrap();

    as_superuser(&world, &["UPDATE event_log.tiles SET hashes = overlay(hashes PLACING '\\x00' FROM 5)"]).await;
    assert!(matches!(own(&store, every(100)).await, Err(SealError::Tiles)));
    as_superuser(&world, &["DELETE FROM event_log.tiles"]).await;
    assert!(matches!(own(&store, every(100)).await, Err(SealError::Tiles)));
}

#[tokio::test]
async fn a_gap_or_an_end_that_is_cut_off_is_never_sealed_over() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 20).await;
    let mut sealer = own(&store, every(100)).await.unwrap();
    sealer.step(10).await.unwrap();
    as_superuser(&world, &["DELETE FROM event_log.events WHERE position = 15"]).await;
    let gap = sealer.step(1_000).await;
    assert!(matches!(gap, Err(SealError::Gap { expected: 15, found: 16 })), "{gap:?}");
    assert_eq!(store.sealed_size().await.unwrap(), 10, "nothing beyond was written");
    as_superuser(&world, &["DELETE FROM event_log.events WHERE position > 7"]).await;
    let shorter = own(&store, every(100)).await;
    assert!(matches!(shorter, Err(SealError::Shortened { sealed: 10, head: 7 })), "{shorter:?}");
}

#[tokio::test]
async fn the_program_can_neither_change_nor_delete_what_was_signed() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 3).await;
    own(&store, every(1)).await.unwrap().step(10).await.unwrap();
    for statement in [
        "UPDATE event_log.checkpoints SET note = ''",
        "DELETE FROM event_log.checkpoints",
        "TRUNCATE event_log.checkpoints",
    ] {
        let refused = sqlx::query(statement).execute(&world.pool).await.unwrap_err();
        assert_eq!(refused.as_database_error().unwrap().code().as_deref(), Some("42501"), "{statement}");
    }
}
