//! Proofs that a leaf is in a tree, and that one tree is the beginning of another (RFC 6962 §2.1.1 and §2.1.2). They are
//! checked as RFC 9162 §2.1.3.2 and §2.1.4.2 say, which is written from the other end: a mistake in one shows in the other.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Hash, TileId, Tiles, tile::Node};

/// Leaves from `from` to before `to`, a part of a tree whose hash is one line of a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subtree {
    pub from: u64,
    pub to: u64,
}

impl Subtree {
    const fn new(from: u64, to: u64) -> Self {
        Self { from, to }
    }

    /// The complete nodes it consists of, from left to right.
    fn nodes(self) -> impl Iterator<Item = Node> {
        let mut from = self.from;
        std::iter::from_fn(move || {
            let left = self.to.checked_sub(from).filter(|left| *left > 0)?;
            let level = u8::try_from(left.ilog2()).ok()?;
            let node = Node { level, index: from >> level };
            from += 1 << level;
            Some(node)
        })
    }
}

/// Where a tree of more than one leaf divides: the largest power of two below its size.
const fn division(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// What proves that leaf `index` is in the tree of that size. `None` when it is not in it.
pub fn inclusion(index: u64, size: u64) -> Option<Vec<Subtree>> {
    if index >= size {
        return None;
    }
    let (mut from, mut to, mut path) = (0, size, Vec::new());
    while to - from > 1 {
        let middle = from + division(to - from);
        if index < middle {
            path.push(Subtree::new(middle, to));
            to = middle;
        } else {
            path.push(Subtree::new(from, middle));
            from = middle;
        }
    }
    path.reverse();
    Some(path)
}

/// What proves that the tree of size `old` is the beginning of that of size `new`. `None` when it is larger.
pub fn consistency(old: u64, new: u64) -> Option<Vec<Subtree>> {
    if old > new {
        return None;
    }
    if old == 0 || old == new {
        return Some(Vec::new());
    }
    let (mut from, mut to, mut path) = (0, new, Vec::new());
    while to > old {
        let middle = from + division(to - from);
        if old <= middle {
            path.push(Subtree::new(middle, to));
            to = middle;
        } else {
            path.push(Subtree::new(from, middle));
            from = middle;
        }
    }
    // The old tree itself needs not be told: whoever asks has its root.
    if from > 0 {
        path.push(Subtree::new(from, to));
    }
    path.reverse();
    Some(path)
}

/// The tiles that a proof is made from.
pub fn tiles_needed(proof: &[Subtree]) -> BTreeSet<TileId> {
    proof.iter().flat_map(|part| part.nodes()).map(Node::tile).collect()
}

/// The lines of a proof; `None` when a tile is missing.
pub fn prove(proof: &[Subtree], tiles: &Tiles) -> Option<Vec<Hash>> {
    let line = |part: &Subtree| {
        let nodes: Option<Vec<Hash>> = part.nodes().map(|node| tiles.node(node)).collect();
        nodes.map(|nodes| Hash::joined(nodes.into_iter()))
    };
    proof.iter().map(line).collect()
}

/// Why a proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Invalid {
    #[error("there is no such leaf in a tree of that size")]
    OutOfRange,
    #[error("the proof has too few or too many lines")]
    Length,
    #[error("the proof leads to another root")]
    Root,
}

/// Checks that a leaf with this hash stands at `index` in the tree with this size and root.
///
/// # Errors
/// [`Invalid`].
pub fn verify_inclusion(leaf: Hash, index: u64, size: u64, root: Hash, proof: &[Hash]) -> Result<(), Invalid> {
    if index >= size {
        return Err(Invalid::OutOfRange);
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for line in proof {
        if last == 0 {
            return Err(Invalid::Length);
        }
        if at % 2 == 1 || at == last {
            hash = Hash::node(*line, hash);
            while at % 2 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = Hash::node(hash, *line);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    match (last, hash == root) {
        (0, true) => Ok(()),
        (0, false) => Err(Invalid::Root),
        _ => Err(Invalid::Length),
    }
}

/// Checks that the tree `old` (size and root) is the beginning of the tree `new`.
///
/// # Errors
/// [`Invalid`].
pub fn verify_consistency(old: (u64, Hash), new: (u64, Hash), proof: &[Hash]) -> Result<(), Invalid> {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size > new_size {
        return Err(Invalid::OutOfRange);
    }
    if old_size == 0 || old_size == new_size {
        let same = if old_size == 0 { old_root == Hash::empty() } else { old_root == new_root };
        return match (proof.is_empty(), same) {
            (false, _) => Err(Invalid::Length),
            (true, true) => Ok(()),
            (true, false) => Err(Invalid::Root),
        };
    }
    // A complete tree is a node of the new one: its root is the first line, left out because it is known.
    let known = old_size.is_power_of_two().then_some(old_root);
    let mut lines = known.into_iter().chain(proof.iter().copied());
    let first = lines.next().ok_or(Invalid::Length)?;
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at % 2 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (mut before, mut after) = (first, first);
    for line in lines {
        if last == 0 {
            return Err(Invalid::Length);
        }
        if at % 2 == 1 || at == last {
            (before, after) = (Hash::node(line, before), Hash::node(line, after));
            while at % 2 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            after = Hash::node(after, line);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(Invalid::Length);
    }
    if before == old_root && after == new_root { Ok(()) } else { Err(Invalid::Root) }
}
