//! SHA-256 with the two prefixes of RFC 6962 §2.1, so that no leaf can pass for a node.

use std::fmt;

use sha2::{Digest as _, Sha256};

const LEAF: [u8; 1] = [0x00];
const NODE: [u8; 1] = [0x01];

/// 32 bytes that stand for a leaf, a subtree or a tree.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(pub [u8; 32]);

impl Hash {
    /// Of a leaf with this data.
    pub fn leaf(data: &[u8]) -> Self {
        Self(Sha256::new().chain_update(LEAF).chain_update(data).finalize().into())
    }

    /// Of a node with these two under it.
    pub fn node(left: Self, right: Self) -> Self {
        Self(Sha256::new().chain_update(NODE).chain_update(left.0).chain_update(right.0).finalize().into())
    }

    /// Of the tree without leaves.
    pub fn empty() -> Self {
        Self(Sha256::digest(b"").into())
    }

    /// Of a subtree whose leaves are a power of two, from hashes of one level.
    pub(crate) fn complete(hashes: &[Self]) -> Self {
        match hashes {
            [] => Self::empty(),
            [one] => *one,
            more => {
                let (left, right) = more.split_at(more.len() / 2);
                Self::node(Self::complete(left), Self::complete(right))
            }
        }
    }

    /// Of neighbours that get smaller to the right, as the parts of a tree do.
    pub(super) fn joined(parts: impl DoubleEndedIterator<Item = Self>) -> Self {
        parts.rev().reduce(|right, left| Self::node(left, right)).unwrap_or_else(Self::empty)
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
