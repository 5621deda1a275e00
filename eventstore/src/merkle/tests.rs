//! Test vectors of others, the tree word for word beside ours, and proofs that were tampered with.

use proptest::prelude::*;

use super::*;

/// The tree of RFC 6962 §2.1, word for word.
fn naive(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty(),
        [leaf] => *leaf,
        more => {
            let mut k = 1;
            while k * 2 < more.len() {
                k *= 2;
            }
            Hash::node(naive(&more[..k]), naive(&more[k..]))
        }
    }
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|number| Hash::leaf(format!("line {number}").as_bytes())).collect()
}

/// A tree with all its tiles, full or not.
fn grown(leaves: &[Hash]) -> (Growing, Tiles) {
    let (mut tree, mut tiles) = (Growing::default(), Tiles::default());
    for leaf in leaves {
        tree.push(*leaf).into_iter().for_each(|tile| tiles.put(tile));
    }
    tree.edge().for_each(|tile| tiles.put(tile));
    (tree, tiles)
}

/// Inputs and roots of Certificate Transparency's own test, which other implementations use, too.
#[test]
fn the_roots_are_those_of_certificate_transparency() {
    let inputs = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut tree = Growing::default();
    assert_eq!(format!("{:?}", tree.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    for (input, root) in inputs.into_iter().zip(roots) {
        tree.push(Hash::leaf(&hex::decode(input).unwrap()));
        assert_eq!(format!("{:?}", tree.root()), root, "{} leaves", tree.size());
    }
}

/// Seven leaves: the examples of RFC 6962 §2.1.3.
#[test]
fn the_proofs_are_those_of_the_rfc() {
    let parts = |proof: Option<Vec<Subtree>>| -> Vec<(u64, u64)> {
        proof.unwrap().into_iter().map(|part| (part.from, part.to)).collect()
    };
    assert_eq!(parts(inclusion(0, 7)), [(1, 2), (2, 4), (4, 7)]);
    assert_eq!(parts(inclusion(3, 7)), [(2, 3), (0, 2), (4, 7)]);
    assert_eq!(parts(inclusion(4, 7)), [(5, 6), (6, 7), (0, 4)]);
    assert_eq!(parts(inclusion(6, 7)), [(4, 6), (0, 4)]);
    assert_eq!(parts(consistency(3, 7)), [(2, 3), (3, 4), (0, 2), (4, 7)]);
    assert_eq!(parts(consistency(4, 7)), [(4, 7)]);
    assert_eq!(parts(consistency(6, 7)), [(4, 6), (6, 7), (0, 4)]);
}

#[test]
fn what_is_not_in_the_tree_has_no_proof() {
    assert_eq!(inclusion(7, 7), None);
    assert_eq!(inclusion(0, 0), None);
    assert_eq!(consistency(8, 7), None);
    let root = naive(&leaves(7));
    assert_eq!(verify_inclusion(root, 7, 7, root, &[]), Err(Invalid::OutOfRange));
    assert_eq!(verify_consistency((8, root), (7, root), &[]), Err(Invalid::OutOfRange));
    assert_eq!(verify_consistency((0, root), (7, root), &[]), Err(Invalid::Root), "an empty tree has one root only");
}

/// Over the edges of tiles of two levels.
#[test]
fn tiles_of_every_level_prove_what_is_in_them() {
    let leaves = leaves(65_536 + 300);
    let (tree, tiles) = grown(&leaves);
    let root = tree.root();
    assert_eq!(root, naive(&leaves));
    let size = tree.size();
    for index in [0, 255, 256, 65_535, 65_536, 65_791, 65_792, size - 1] {
        let proof = prove(&inclusion(index, size).unwrap(), &tiles).unwrap();
        assert_eq!(verify_inclusion(leaves[index as usize], index, size, root, &proof), Ok(()), "{index}");
    }
    for old in [1, 255, 256, 257, 65_535, 65_536, 65_537, size] {
        let proof = prove(&consistency(old, size).unwrap(), &tiles).unwrap();
        let before = naive(&leaves[..old as usize]);
        assert_eq!(verify_consistency((old, before), (size, root), &proof), Ok(()), "{old}");
    }
}

#[test]
fn a_tree_goes_on_where_it_stopped_and_not_on_another_edge() {
    let leaves = leaves(700);
    for stop in [0, 1, 255, 256, 257, 511, 512, 700] {
        let (tree, _) = grown(&leaves[..stop]);
        let mut resumed = Growing::resume(tree.size(), tree.edge()).unwrap();
        assert_eq!(resumed, tree);
        for leaf in &leaves[stop..] {
            resumed.push(*leaf);
        }
        assert_eq!(resumed.root(), naive(&leaves), "stopped at {stop}");
        assert_eq!(Growing::resume(tree.size() + 1, tree.edge()), None);
    }
}

proptest! {
    /// A proof of a tree of any size holds for its own leaf and its own roots, and for nothing else.
    #[test]
    fn a_proof_holds_for_what_it_is_about_and_for_nothing_else(
        (size, index, old) in (1_usize..600).prop_flat_map(|size| (Just(size), 0..size, 0..=size)),
        flip in any::<prop::sample::Index>(),
        bit in 0_u8..8,
    ) {
        let leaves = leaves(size);
        let (tree, tiles) = grown(&leaves);
        let root = tree.root();
        prop_assert_eq!(root, naive(&leaves));
        let (size, index, old_size) = (size as u64, index as u64, old as u64);

        let parts = inclusion(index, size).unwrap();
        prop_assert!(tiles_needed(&parts).len() <= parts.len());
        let proof = prove(&parts, &tiles).unwrap();
        let leaf = leaves[index as usize];
        prop_assert_eq!(verify_inclusion(leaf, index, size, root, &proof), Ok(()));
        let mut other = leaf;
        other.0[flip.index(32)] ^= 1 << bit;
        prop_assert_eq!(verify_inclusion(other, index, size, root, &proof), Err(Invalid::Root));
        let elsewhere = (index + 1) % size;
        prop_assert!(size == 1 || verify_inclusion(leaf, elsewhere, size, root, &proof).is_err());
        if !proof.is_empty() {
            let mut bent = proof.clone();
            bent[flip.index(proof.len())].0[flip.index(32)] ^= 1 << bit;
            prop_assert_eq!(verify_inclusion(leaf, index, size, root, &bent), Err(Invalid::Root));
            prop_assert_eq!(verify_inclusion(leaf, index, size, root, &proof[1..]).is_err(), true);
        }
        let longer: Vec<Hash> = proof.iter().copied().chain([leaf]).collect();
        prop_assert_eq!(verify_inclusion(leaf, index, size, root, &longer), Err(Invalid::Length));

        let before = naive(&leaves[..old]);
        let proof = prove(&consistency(old_size, size).unwrap(), &tiles).unwrap();
        prop_assert_eq!(verify_consistency((old_size, before), (size, root), &proof), Ok(()));
        let mut rewritten = leaves[..old].to_vec();
        if let Some(changed) = rewritten.get_mut(flip.index(old.max(1))) {
            changed.0[flip.index(32)] ^= 1 << bit;
            let rewritten = naive(&rewritten);
            prop_assert!(verify_consistency((old_size, rewritten), (size, root), &proof).is_err());
        }
    }
}
