//! The lines of an export that are not events.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::merkle::{Hash, Tile, TileId};

/// Of this format.
pub(super) const VERSION: u32 = 1;
/// No line is longer: an event is bounded far below, and so is a tile.
pub(super) const LONGEST_LINE: u64 = 4 << 20;

/// A line that is not an event. There is one way only to write each, so that a changed byte is a wrong byte.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line {
    Export(Header),
    Tile(TileText),
    Checkpoint(String),
    End(End),
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub v: u32,
    /// The first position.
    pub from: i64,
    /// The last.
    pub to: i64,
    /// The keys that signed, that of the seal first: to be compared with those that were published.
    pub keys: Vec<String>,
    /// The signed checkpoint over all events here.
    pub seal: String,
    /// The tiles that are not full in the tree of the checkpoint.
    pub edge: Vec<TileText>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TileText {
    level: u8,
    index: u64,
    /// Base64 of the hashes, one after the other.
    hashes: String,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct End {
    pub events: i64,
    pub checkpoints: i64,
}

impl Line {
    pub(super) fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// `None` when it is none, or is written in another way.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let line: Self = serde_json::from_slice(bytes).ok()?;
        (line.to_text().ok()?.as_bytes() == bytes).then_some(line)
    }

    /// The note of a line that begins as one with a checkpoint; `None` in it when it is no such line after all.
    pub(super) fn checkpoint(bytes: &[u8]) -> Option<Option<String>> {
        bytes.starts_with(br#"{"checkpoint":"#).then(|| match Self::parse(bytes) {
            Some(Self::Checkpoint(note)) => Some(note),
            _ => None,
        })
    }
}

impl From<&Tile> for TileText {
    fn from(tile: &Tile) -> Self {
        let hashes: Vec<u8> = tile.hashes.iter().flat_map(|hash| hash.0).collect();
        Self { level: tile.id.level, index: tile.id.index, hashes: STANDARD.encode(hashes) }
    }
}

impl TileText {
    pub(super) fn tile(&self) -> Option<Tile> {
        let bytes = STANDARD.decode(&self.hashes).ok()?;
        let hashes: Option<Vec<Hash>> = bytes.chunks(32).map(|hash| hash.try_into().ok().map(Hash)).collect();
        Some(Tile { id: TileId { level: self.level, index: self.index }, hashes: hashes? })
    }
}

/// The full tile of a level that a leaf is under, and its place in it.
pub(super) fn above(leaf: u64, level: u8) -> (TileId, usize) {
    let count = leaf >> (8 * u32::from(level));
    (TileId { level, index: count >> 8 }, usize::try_from(count & 0xff).unwrap_or(0))
}
