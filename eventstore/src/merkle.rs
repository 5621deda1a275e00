//! The Merkle tree over the log (RFC 6962 §2.1): pure arithmetic on hashes, without a database.
//!
//! The data of leaf `i` is the export line of position `i + 1`. The tree is kept as tiles of 256 hashes (C2SP
//! tlog-tiles): nothing that is complete ever changes, a tree that grows only adds.

mod growing;
mod hash;
mod proof;
mod tile;

#[cfg(test)]
mod tests;

pub use growing::Growing;
pub use hash::Hash;
pub use proof::{Invalid, Subtree, consistency, inclusion, prove, tiles_needed, verify_consistency, verify_inclusion};
pub use tile::{Tile, TileId, Tiles};
