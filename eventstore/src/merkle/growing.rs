//! The right edge of a tree that grows: all that is needed to add leaves and to say the root.

use super::{
    Hash,
    tile::{Tile, TileId, WIDTH},
};

/// A tree of any size, of which only the tiles that are not full yet are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Growing {
    size: u64,
    /// Per level of tiles the last one, with fewer than 256 hashes.
    edge: Vec<Vec<Hash>>,
}

impl Growing {
    /// A tree as it was, from its size and the tiles at its edge in any order; `None` when they do not fit the size.
    pub fn resume(size: u64, edge: impl IntoIterator<Item = Tile>) -> Option<Self> {
        let mut tree = Self { size, edge: Vec::new() };
        let mut left = size;
        while left > 0 {
            tree.edge.push(Vec::new());
            left /= WIDTH;
        }
        for tile in edge {
            *tree.edge.get_mut(usize::from(tile.id.level))? = tile.hashes;
        }
        let mut left = size;
        for hashes in &tree.edge {
            if u64::try_from(hashes.len()).ok()? != left % WIDTH {
                return None;
            }
            left /= WIDTH;
        }
        Some(tree)
    }

    /// How many leaves there are.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf by its hash; answers the tiles that it filled, which will never change again.
    pub fn push(&mut self, leaf: Hash) -> Vec<Tile> {
        let mut filled = Vec::new();
        let (mut level, mut hash, mut count) = (0_u8, leaf, self.size);
        self.size += 1;
        loop {
            if self.edge.len() <= usize::from(level) {
                self.edge.push(Vec::new());
            }
            let Some(edge) = self.edge.get_mut(usize::from(level)) else { return filled };
            edge.push(hash);
            if count % WIDTH != WIDTH - 1 {
                return filled;
            }
            let hashes = std::mem::take(edge);
            hash = Hash::complete(&hashes);
            count /= WIDTH;
            filled.push(Tile { id: TileId { level, index: count }, hashes });
            level += 1;
        }
    }

    /// The tiles that are not full yet: what has to be kept to go on.
    pub fn edge(&self) -> impl Iterator<Item = Tile> + '_ {
        (0_u8..).zip(&self.edge).filter(|(_, hashes)| !hashes.is_empty()).map(|(level, hashes)| {
            let index = self.size >> (8 * u32::from(level)) >> 8;
            Tile { id: TileId { level, index }, hashes: hashes.clone() }
        })
    }

    /// The root hash (RFC 6962 §2.1).
    pub fn root(&self) -> Hash {
        let parts = self.edge.iter().rev().flat_map(|hashes| {
            let mut rest = hashes.as_slice();
            let mut parts = Vec::new();
            while !rest.is_empty() {
                // The largest power of two that is left.
                let (part, after) = rest.split_at(1 << rest.len().ilog2());
                parts.push(Hash::complete(part));
                rest = after;
            }
            parts
        });
        Hash::joined(parts.collect::<Vec<_>>().into_iter())
    }
}
