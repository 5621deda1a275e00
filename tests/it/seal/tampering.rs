//! An export that somebody changed: 10 000 times at random, and in every way that has a name.

use eventstore::export::Bad;

use super::{every, exported, fill, own, seal, signer, trusting, verified};
use crate::world::World;

/// A generator of pseudo-random numbers (SplitMix64): the same tamperings at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % u64::try_from(limit).unwrap()).unwrap()
    }
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// Changes a file in one of eight ways; says which.
fn tampered(original: &[u8], random: &mut Random) -> (&'static str, Vec<u8>) {
    let mut bytes = original.to_vec();
    let mut all = lines(original);
    let (one, other) = (random.below(all.len()), random.below(all.len()));
    let at = random.below(bytes.len());
    match random.below(8) {
        0 => {
            bytes[at] ^= 1 << random.below(8);
            ("a bit turned over", bytes)
        }
        1 => {
            bytes[at] = u8::try_from(random.below(256)).unwrap();
            ("a byte replaced", bytes)
        }
        2 => {
            bytes.remove(at);
            ("a byte removed", bytes)
        }
        3 => {
            bytes.insert(at, u8::try_from(random.below(256)).unwrap());
            ("a byte put in", bytes)
        }
        4 => {
            all.remove(one);
            ("a line removed", all.concat())
        }
        5 => {
            let copy = all[one].clone();
            all.insert(other, copy);
            ("a line copied", all.concat())
        }
        6 => {
            all.swap(one, other);
            ("two lines exchanged", all.concat())
        }
        _ => {
            bytes.truncate(at);
            ("the end cut off", bytes)
        }
    }
}

#[tokio::test]
async fn of_10_000_random_tamperings_every_one_is_found() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 300).await;
    seal(&store, every(60)).await;
    let original = exported(&store, None, None).await;
    let shown = verified(&original, &trusting(None)).unwrap();
    assert_eq!((shown.from, shown.to, shown.seal.size), (1, 300, 300));
    assert!(shown.checkpoints >= 2, "{shown:?}");
    let work = move || {
        let mut random = Random(20_261_123);
        let (mut tried, mut found) = (0, 0);
        while tried < 10_000 {
            let (how, bytes) = tampered(&original, &mut random);
            if bytes == original {
                continue;
            }
            tried += 1;
            match verified(&bytes, &trusting(None)) {
                Err(_) => found += 1,
                Ok(_) => panic!("not found: {how}, number {tried}"),
            }
        }
        (tried, found)
    };
    assert_eq!(tokio::task::spawn_blocking(work).await.unwrap(), (10_000, 10_000));
}

#[tokio::test]
async fn the_first_bad_position_is_said() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 600).await;
    own(&store, every(10_000)).await.unwrap().step(1_000).await.unwrap();
    let original = lines(&exported(&store, None, None).await);
    // Head, a tile, 256 events, a tile, 256 events, 88 events, end.
    let line_of = |position: usize| position + 1 + (position - 1).min(511) / 256;
    let is_event =
        |line: &[u8], position: usize| line.starts_with(format!("{{\"v\":1,\"position\":{position},").as_bytes());
    for position in [1, 256, 257, 512, 513, 600] {
        assert!(is_event(&original[line_of(position)], position), "{position}");
    }
    let judged = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut all = original.clone();
        change(&mut all);
        verified(&all.concat(), &trusting(None)).unwrap_err()
    };
    for position in [1, 2, 256, 257, 513, 600] {
        let at = line_of(position);
        let expected = i64::try_from(position).unwrap();
        let bad = judged(&|all| {
            let from = all[at].windows(7).position(|w| w == b"\"reason").unwrap();
            all[at][from + 12] ^= 1;
        });
        assert!(matches!(bad, Bad::Changed(found) if found == expected), "{bad:?}");
        assert!(bad.to_string().starts_with(&format!("position {position}:")), "{bad}");
    }
    let removed = judged(&|all| drop(all.remove(line_of(100))));
    assert!(matches!(removed, Bad::OutOfPlace { expected: 100, found: 101 }), "{removed:?}");
    let added = judged(&|all| all.insert(line_of(100), all[line_of(99)].clone()));
    assert!(matches!(added, Bad::OutOfPlace { expected: 100, found: 99 }), "{added:?}");
    let exchanged = judged(&|all| all.swap(line_of(300), line_of(310)));
    assert!(matches!(exchanged, Bad::OutOfPlace { expected: 300, found: 310 }), "{exchanged:?}");
    let cut = judged(&|all| all.truncate(line_of(301)));
    assert!(matches!(cut, Bad::Truncated(300)), "{cut:?}");
    let cut_inside = judged(&|all| {
        all.truncate(line_of(301) + 1);
        all[line_of(301)].truncate(40);
    });
    assert!(matches!(cut_inside, Bad::Truncated(300)), "{cut_inside:?}");
    let more = judged(&|all| all.push(b"{}\n".to_vec()));
    assert!(matches!(more, Bad::TooMuch(600)), "{more:?}");
    // The event and the hash it is compared with: then it is the tile that gives it away.
    let hidden = judged(&|all| {
        let tile = String::from_utf8(all[1].clone()).unwrap();
        let from = tile.find("hashes").unwrap() + 9;
        let other = if &tile[from..=from] == "A" { "B" } else { "A" };
        all[1] = format!("{}{other}{}", &tile[..from], &tile[from + 1..]).into_bytes();
    });
    assert!(matches!(hidden, Bad::Tile { from: 1, to: 256 }), "{hidden:?}");
    assert!(matches!(verified(b"", &trusting(None)), Err(Bad::NotAnExport)));
    assert!(matches!(verified(b"{\"v\":1}\n", &trusting(None)), Err(Bad::NotAnExport)));
}

#[tokio::test]
async fn a_range_proves_itself_as_the_whole_does() {
    let world = World::new().await;
    let store = world.store().await;
    // More than 65 536: three levels of tiles.
    fill(&world, 66_500).await;
    seal(&store, every(20_000)).await;
    for (from, to) in [
        (1, 66_500),
        (1, 1),
        (256, 257),
        (257, 512),
        (65_536, 65_537),
        (65_537, 66_048),
        (66_049, 66_500),
        (500, 40_000),
    ] {
        let bytes = exported(&store, Some(from), Some(to)).await;
        let shown = verified(&bytes, &trusting(None)).unwrap();
        assert_eq!((shown.from, shown.to), (from, to));
        assert!(shown.seal.size >= u64::try_from(to).unwrap());
        let events = bytes.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"{\"v\":1,"));
        assert_eq!(i64::try_from(events.count()).unwrap(), to - from + 1);
        let mut random = Random(u64::try_from(from).unwrap());
        for _ in 0..40 {
            let (how, bad) = tampered(&bytes, &mut random);
            assert!(bad == bytes || verified(&bad, &trusting(None)).is_err(), "{from} to {to}: {how}");
        }
    }
    let middle = store.checkpoints(0, 50_000, 100).await.unwrap().pop().unwrap();
    let part = exported(&store, Some(middle.size + 1), None).await;
    let shown = verified(&part, &trusting(Some(middle.note.clone()))).unwrap();
    assert_eq!(
        shown.earlier.unwrap().size,
        u64::try_from(middle.size).unwrap(),
        "what follows a checkpoint continues it"
    );
    let late = exported(&store, Some(middle.size + 2), None).await;
    let bad = verified(&late, &trusting(Some(middle.note))).unwrap_err();
    assert!(matches!(bad, Bad::Elsewhere { .. }), "{bad:?}");
}

#[tokio::test]
async fn a_key_that_is_not_trusted_signs_nothing() {
    let world = World::new().await;
    let store = world.store().await;
    fill(&world, 10).await;
    seal(&store, every(10)).await;
    let bytes = exported(&store, None, None).await;
    let mut trust = trusting(None);
    trust.keys = vec![signer(2).verifier()];
    assert!(matches!(verified(&bytes, &trust), Err(Bad::Key(_))));
    trust.keys.push(signer(1).verifier());
    verified(&bytes, &trust).unwrap();
    trust.origin = Some("kalel.test/another".into());
    let bad = verified(&bytes, &trust).unwrap_err();
    assert_eq!(bad.to_string(), "the seal: this is a checkpoint of kalel.test/log, not of kalel.test/another");
}
