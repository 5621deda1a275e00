//! Whoever administers the database and tries to change the past: with the tiles, and with the key.

use eventstore::{
    export::{Bad, ExportError, Range, export},
    seal::Sealer,
};

use super::{ORIGIN, as_superuser, every, exported, fill, own, seal, signer, trusting, verified};
use crate::world::World;

#[tokio::test]
async fn an_event_changed_in_the_database_is_found_where_it_is() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 600).await;
    seal(&store, every(10_000)).await;
    for (statement, position) in [
        ("UPDATE event_log.events SET data = '{}' WHERE position = 33", 33),
        ("UPDATE event_log.events SET recorded_at = recorded_at + interval '1 us' WHERE position = 32", 32),
        ("UPDATE event_log.events SET meta = '{\"actor\":{\"role\":\"admin\"}}' WHERE position = 31", 31),
    ] {
        as_superuser(&world, &[statement]).await;
        let bad = verified(&exported(&store, None, None).await, &trusting(None)).unwrap_err();
        assert!(matches!(bad, Bad::Changed(found) if found == position), "{bad:?}");
    }
    // Two events exchange their places.
    as_superuser(
        &world,
        &[
            "UPDATE event_log.events SET position = 1000000 WHERE position = 20",
            "UPDATE event_log.events SET position = 20 WHERE position = 21",
            "UPDATE event_log.events SET position = 21 WHERE position = 1000000",
        ],
    )
    .await;
    let bad = verified(&exported(&store, None, None).await, &trusting(None)).unwrap_err();
    assert!(matches!(bad, Bad::Changed(20)), "{bad:?}");
    // One is removed and the others move up: the last of the sealed ones is missing.
    as_superuser(&world, &["DELETE FROM event_log.events WHERE position = 10"]).await;
    let gap = export(&store, Range::default(), &mut Vec::new(), &mut |_| ()).await;
    assert!(matches!(gap, Err(ExportError::Gap(10))), "{gap:?}");
}

#[tokio::test]
async fn a_log_cut_or_written_anew_with_the_key_is_found_by_a_checkpoint_kept_from_earlier() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 500).await;
    seal(&store, every(10_000)).await;
    let kept = store.checkpoint().await.unwrap().unwrap().note;
    fill(&world, 100).await;
    seal(&store, every(10_000)).await;
    let honest = exported(&store, None, None).await;
    let shown = verified(&honest, &trusting(Some(kept.clone()))).unwrap();
    assert_eq!(shown.earlier.unwrap().size, 500);

    // The cheat has everything, the signing key too: the past is written anew and sealed anew.
    let anew = [
        "UPDATE event_log.events SET data = '{}' WHERE position = 5",
        "DELETE FROM event_log.tiles",
        "DELETE FROM event_log.checkpoints",
        "UPDATE event_log.seal SET size = 0, root = sha256(''), wanted = 0",
    ];
    as_superuser(&world, &anew).await;
    seal(&store, every(10_000)).await;
    let forged = exported(&store, None, None).await;
    verified(&forged, &trusting(None)).expect("by itself it is whole: that is why checkpoints are kept elsewhere");
    let bad = verified(&forged, &trusting(Some(kept.clone()))).unwrap_err();
    assert!(matches!(bad, Bad::Rewritten(500)), "{bad:?}");

    let cut = ["DELETE FROM event_log.events WHERE position > 450"];
    as_superuser(&world, &[&cut[..], &anew[1..]].concat()).await;
    seal(&store, every(10_000)).await;
    let shorter = exported(&store, None, None).await;
    let bad = verified(&shorter, &trusting(Some(kept))).unwrap_err();
    assert!(matches!(bad, Bad::Shorter { earlier: 500, size: 450 }), "{bad:?}");
}

#[tokio::test]
async fn a_checkpoint_of_another_log_or_key_is_told_apart() {
    let (here, there) = (World::new().await, World::new().await);
    let (store, other) = (here.store().await, there.store().await);
    for (world, store) in [(&here, &store), (&there, &other)] {
        fill(world, 20).await;
        store.head().await.unwrap();
    }
    seal(&store, every(10)).await;
    let bytes = exported(&store, None, None).await;
    let mut elsewhere =
        Sealer::own(other.clone(), signer(1), "kalel.test/elsewhere".into(), "test", every(10)).await.unwrap();
    elsewhere.step(100).await.unwrap();
    let note = other.checkpoint().await.unwrap().unwrap().note;
    let bad = verified(&bytes, &trusting(Some(note))).unwrap_err();
    assert_eq!(
        bad.to_string(),
        format!("the earlier checkpoint: this is a checkpoint of kalel.test/elsewhere, not of {ORIGIN}")
    );
    let forged = signer(2).sign(&format!("{ORIGIN}\n20\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"));
    let bad = verified(&bytes, &trusting(Some(forged))).unwrap_err();
    assert!(bad.to_string().starts_with("the earlier checkpoint: no signature by"), "{bad}");
}

#[tokio::test]
async fn what_is_not_sealed_is_not_exported() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 20).await;
    let ask = async |from, to| export(&store, Range { from, to }, &mut Vec::new(), &mut |_| ()).await;
    assert!(matches!(ask(None, None).await, Err(ExportError::NothingSealed)));
    own(&store, every(1_000)).await.unwrap().step(10).await.unwrap();
    let done = ask(None, None).await.unwrap();
    assert_eq!((done.from, done.to, done.unsealed), (1, 10, 10));
    assert!(matches!(ask(None, Some(11)).await, Err(ExportError::NotSealed { to: 11, sealed: 10 })));
    for (from, to) in [(0, 5), (-3, 5), (6, 5)] {
        assert!(matches!(ask(Some(from), Some(to)).await, Err(ExportError::Range { .. })), "{from} {to}");
    }
}
