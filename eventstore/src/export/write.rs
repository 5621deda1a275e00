//! Writing an export from the database.

use std::{collections::VecDeque, io::Write};

use thiserror::Error;

use super::format::{End, Header, Line, VERSION, above};
use crate::{
    Store,
    merkle::{Tile, TileId},
    recorded::Position,
    seal::{Sealed, tiles},
};

/// Which positions; what is left out is the beginning, or the end of what is sealed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Range {
    pub from: Option<Position>,
    pub to: Option<Position>,
}

/// Why nothing was exported.
#[derive(Debug, Error)]
pub enum ExportError {
    #[error("nothing of this log is sealed yet: run the role `sealer`, then export")]
    NothingSealed,
    #[error("position {to} is not under a checkpoint yet: the last one is over {sealed}")]
    NotSealed { to: Position, sealed: Position },
    #[error("positions {from} to {to} are no range of this log: it begins at 1")]
    Range { from: Position, to: Position },
    #[error("the seal has no tile {index} of level {level}: the table of tiles was changed")]
    Tile { level: u8, index: u64 },
    #[error("the log has no event at position {0}: it was removed, and this log cannot be exported beyond")]
    Gap(Position),
    #[error("the log cannot be read")]
    Database(#[from] sqlx::Error),
    #[error("the export cannot be written")]
    Write(#[from] std::io::Error),
    #[error("the export cannot be written")]
    Json(#[from] serde_json::Error),
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    pub from: Position,
    pub to: Position,
    /// The checkpoint that seals it.
    pub seal: Sealed,
    /// Events after the last checkpoint, which are not sealed yet and were left out unless a range was asked for.
    pub unsealed: i64,
}

/// Events read at once.
const BATCH: i64 = 2_048;

/// Writes a part of the log with all that proves it. `progress` is told the last position written, now and then.
///
/// # Errors
/// [`ExportError`]; what was written until then is not an export.
pub async fn export(
    store: &Store,
    range: Range,
    out: &mut (impl Write + Send),
    progress: &mut (impl FnMut(Position) + Send),
) -> Result<Exported, ExportError> {
    let newest = store.checkpoint().await?.ok_or(ExportError::NothingSealed)?;
    let (from, to) = (range.from.unwrap_or(1), range.to.unwrap_or(newest.size));
    if to > newest.size {
        return Err(ExportError::NotSealed { to, sealed: newest.size });
    }
    if from < 1 || from > to {
        return Err(ExportError::Range { from, to });
    }
    let seal = store.checkpoint_over(to).await?.unwrap_or(newest);
    let size = u64::try_from(seal.size).unwrap_or(0);
    let edge = tiles::read_edge(store.pool(), size).await?;
    let header = Header {
        v: VERSION,
        from,
        to,
        keys: keys(store, &seal, from, to).await?,
        seal: seal.note.clone(),
        edge: edge.iter().map(Into::into).collect(),
    };
    line(out, &Line::Export(header))?;

    let mut writing = Writing { store, size, checkpoints: Checkpoints::from(store, from, to), written: 0 };
    let mut at = from;
    while at <= to {
        // Up to the end of a tile, so that a batch never begins with half of one but the first.
        let until = to.min((at - 1) / BATCH * BATCH + BATCH);
        let events = store.lines_after(at - 1, until - at + 1).await?;
        for (expected, event) in (at..=until).zip(events.iter().map(Some).chain(std::iter::repeat(None))) {
            let (_, event) = event.filter(|(found, _)| *found == expected).ok_or(ExportError::Gap(expected))?;
            writing.tiles_before(out, expected, from).await?;
            out.write_all(event.as_bytes())?;
            out.write_all(b"\n")?;
            writing.checkpoints_after(out, expected).await?;
        }
        progress(until);
        at = until + 1;
    }
    line(out, &Line::End(End { events: to - from + 1, checkpoints: writing.written }))?;
    out.flush()?;
    let unsealed = store.head_of_log().await? - seal.size;
    Ok(Exported { from, to, seal, unsealed: unsealed.max(0) })
}

fn line(out: &mut impl Write, line: &Line) -> Result<(), ExportError> {
    out.write_all(line.to_text()?.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(())
}

/// The keys that signed what is exported, that of the seal first.
async fn keys(store: &Store, seal: &Sealed, from: Position, to: Position) -> Result<Vec<String>, sqlx::Error> {
    let others = store.verifiers(from - 1, to).await?;
    let others = others.into_iter().filter(|key| *key != seal.verifier);
    Ok(std::iter::once(seal.verifier.clone()).chain(others).collect())
}

struct Writing<'a> {
    store: &'a Store,
    /// Of the tree that seals it.
    size: u64,
    checkpoints: Checkpoints<'a>,
    written: i64,
}

impl Writing<'_> {
    /// The full tiles that the event at a position is the first under, from the top.
    async fn tiles_before(&self, out: &mut impl Write, position: Position, first: Position) -> Result<(), ExportError> {
        let leaf = u64::try_from(position - 1).unwrap_or(0);
        if leaf % 256 != 0 && position != first {
            return Ok(());
        }
        let begins = |id: TileId| leaf % (256_u64.pow(u32::from(id.level) + 1)) == 0;
        let wanted: Vec<TileId> = (0..7_u8)
            .rev()
            .map(|level| above(leaf, level).0)
            .filter(|id| position == first || begins(*id))
            .filter(|id| is_full(*id, self.size))
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        let found = tiles::read(self.store.pool(), wanted.iter().copied()).await?;
        for id in wanted {
            let tile: Option<&Tile> = found.iter().find(|tile| tile.id == id);
            let tile = tile.ok_or(ExportError::Tile { level: id.level, index: id.index })?;
            line(out, &Line::Tile(tile.into()))?;
        }
        Ok(())
    }

    /// The checkpoint whose last event this is.
    async fn checkpoints_after(&mut self, out: &mut impl Write, position: Position) -> Result<(), ExportError> {
        if let Some(checkpoint) = self.checkpoints.at(position).await? {
            line(out, &Line::Checkpoint(checkpoint.note))?;
            self.written += 1;
        }
        Ok(())
    }
}

/// Whether a tile holds 256 hashes in a tree of this size.
pub(super) fn is_full(id: TileId, size: u64) -> bool {
    id.index < size >> (8 * u32::from(id.level)) >> 8
}

/// The checkpoints of a range, one after the other.
struct Checkpoints<'a> {
    store: &'a Store,
    next: VecDeque<Sealed>,
    /// Asked for up to this size.
    known: Position,
    last: Position,
}

impl<'a> Checkpoints<'a> {
    fn from(store: &'a Store, from: Position, to: Position) -> Self {
        Self { store, next: VecDeque::new(), known: from - 1, last: to }
    }

    async fn at(&mut self, position: Position) -> Result<Option<Sealed>, sqlx::Error> {
        if self.next.is_empty() && position > self.known {
            const PAGE: usize = 256;
            let page = self.store.checkpoints(self.known, self.last, 256).await?;
            self.known = if page.len() < PAGE { self.last } else { page.last().map_or(self.last, |last| last.size) };
            self.next = page.into();
        }
        match self.next.front() {
            Some(next) if next.size == position => Ok(self.next.pop_front()),
            _ => Ok(None),
        }
    }
}
