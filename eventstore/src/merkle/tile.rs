//! Tiles: 256 neighbouring hashes of every eighth level.

use std::collections::BTreeMap;

use super::Hash;

/// Hashes in a full tile.
pub(super) const WIDTH: u64 = 256;
/// Levels of the tree between one level of tiles and the next.
const HEIGHT: u8 = 8;

/// Which tile: its level among tiles (0: leaves), and its number from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    pub level: u8,
    pub index: u64,
}

/// Up to 256 hashes; full ones never change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    pub id: TileId,
    pub hashes: Vec<Hash>,
}

/// A node of the tree: `2^level` leaves from leaf `index · 2^level` on, all of them there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) level: u8,
    pub(super) index: u64,
}

impl Node {
    /// The tile that holds what it is made of, and where in it.
    fn place(self) -> (TileId, u64, u64) {
        let first = self.index << (self.level % HEIGHT);
        let id = TileId { level: self.level / HEIGHT, index: first / WIDTH };
        (id, first % WIDTH, 1 << (self.level % HEIGHT))
    }

    pub(super) fn tile(self) -> TileId {
        self.place().0
    }
}

/// Tiles that were fetched.
#[derive(Clone, Debug, Default)]
pub struct Tiles(BTreeMap<TileId, Vec<Hash>>);

impl Tiles {
    pub fn put(&mut self, tile: Tile) {
        self.0.insert(tile.id, tile.hashes);
    }

    pub(super) fn node(&self, node: Node) -> Option<Hash> {
        let (id, from, count) = node.place();
        let (from, count) = (usize::try_from(from).ok()?, usize::try_from(count).ok()?);
        Some(Hash::complete(self.0.get(&id)?.get(from..from + count)?))
    }
}

impl FromIterator<Tile> for Tiles {
    fn from_iter<I: IntoIterator<Item = Tile>>(tiles: I) -> Self {
        let mut all = Self::default();
        tiles.into_iter().for_each(|tile| all.put(tile));
        all
    }
}
