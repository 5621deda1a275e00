//! What is proven so far, from the top of the tree to the line that is being read.

use std::io::{BufRead, Read as _};

use super::{
    format::{LONGEST_LINE, Line, above},
    verify::Bad,
    write::is_full,
};
use crate::{
    merkle::{Growing, Hash, Tile, TileId},
    note::Checkpoint,
    recorded::Position,
    seal::tiles,
};

/// Line by line, in memory for one.
pub(super) struct Reading<R> {
    input: R,
    line: Vec<u8>,
    held: bool,
}

impl<R: BufRead> Reading<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::with_capacity(4096), held: false }
    }

    /// Goes to the next line; `false` at the end. A line without its end was cut, and so is one that does not end.
    pub(super) fn next(&mut self) -> Result<bool, std::io::Error> {
        if std::mem::take(&mut self.held) {
            return Ok(true);
        }
        self.line.clear();
        (&mut self.input).take(LONGEST_LINE).read_until(b'\n', &mut self.line)?;
        Ok(self.line.pop() == Some(b'\n'))
    }

    /// Gives the line back: the next one is the same.
    pub(super) fn hold(&mut self) {
        self.held = true;
    }

    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }
}

/// The tiles above the event that is being read, all of them proven by the seal.
pub(super) struct Proving {
    pub seal: Checkpoint,
    /// Per level the tile that is not full, where there is one.
    edge: Vec<Option<Tile>>,
    /// Per level the full tile that was read last.
    full: Vec<Option<Tile>>,
}

impl Proving {
    /// `tree` has the root of the seal.
    pub(super) fn new(seal: Checkpoint, tree: &Growing) -> Self {
        let edge = (0..8).map(|level| tree.edge().find(|tile| tile.id.level == level)).collect();
        Self { seal, edge, full: vec![None; 8] }
    }

    fn tile(&self, id: TileId) -> Option<&Tile> {
        let tiles = if is_full(id, self.seal.size) { &self.full } else { &self.edge };
        tiles.get(usize::from(id.level))?.as_ref().filter(|tile| tile.id == id)
    }

    /// Reads the full tiles that the event at a position is the first under, and proves each by the one above it.
    pub(super) fn tiles_before(
        &mut self,
        reading: &mut Reading<impl BufRead>,
        position: Position,
        first: Position,
    ) -> Result<(), Bad> {
        let leaf = u64::try_from(position - 1).unwrap_or(0);
        if leaf % 256 != 0 && position != first {
            return Ok(());
        }
        for level in (0..7_u8).rev() {
            let id = above(leaf, level).0;
            let events = 256_u64.pow(u32::from(level) + 1);
            if !is_full(id, self.seal.size) || (position != first && leaf % events != 0) {
                continue;
            }
            if !reading.next()? {
                return Err(Bad::Truncated(position - 1));
            }
            let from = i64::try_from(id.index * events).unwrap_or(i64::MAX) + 1;
            let wrong = Bad::Tile { from, to: from.saturating_add(i64::try_from(events).unwrap_or(i64::MAX) - 1) };
            let tile = match Line::parse(reading.line()) {
                Some(Line::Tile(text)) => text.tile().filter(|tile| tile.id == id && tile.hashes.len() == 256),
                _ => None,
            };
            let Some(tile) = tile else { return Err(wrong) };
            let (parent, place) = (above(leaf, level + 1).0, usize::try_from(id.index & 0xff).unwrap_or(0));
            let above = self.tile(parent).and_then(|parent| parent.hashes.get(place));
            if above != Some(&Hash::complete(&tile.hashes)) {
                return Err(wrong);
            }
            if let Some(kept) = self.full.get_mut(usize::from(level)) {
                *kept = Some(tile);
            }
        }
        Ok(())
    }

    /// Proves the line of an event.
    pub(super) fn event(&self, line: &[u8], position: Position) -> Result<(), Bad> {
        let (id, place) = above(u64::try_from(position - 1).unwrap_or(0), 0);
        let leaf = self.tile(id).and_then(|tile| tile.hashes.get(place));
        if leaf == Some(&Hash::leaf(line)) {
            return Ok(());
        }
        Err(match position_in(line) {
            Some(found) if found != position => Bad::OutOfPlace { expected: position, found },
            Some(_) => Bad::Changed(position),
            None => Bad::Line(position),
        })
    }

    /// The size of a checkpoint, when the tree had its root then. Only the sizes around the event that is being read can
    /// be told.
    pub(super) fn position_of(&self, checkpoint: &Checkpoint) -> Option<Position> {
        let tiles = tiles::edge(checkpoint.size).map(|(id, count)| {
            let hashes = self.tile(id)?.hashes.get(..count)?.to_vec();
            Some(Tile { id, hashes })
        });
        let tree = Growing::resume(checkpoint.size, tiles.collect::<Option<Vec<_>>>()?)?;
        if tree.root() == checkpoint.root { i64::try_from(checkpoint.size).ok() } else { None }
    }
}

/// The position that a line says it has.
fn position_in(line: &[u8]) -> Option<Position> {
    let rest = line.strip_prefix(br#"{"v":1,"position":"#)?;
    let digits = rest.split(|byte| *byte == b',').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}
