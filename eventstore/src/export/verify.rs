//! Checking an export, with nothing but the export and what the reader trusts.

use std::io::BufRead;

use thiserror::Error;

use super::{
    format::{End, Header, Line, TileText, VERSION},
    proving::{Proving, Reading},
};
use crate::{
    merkle::{Growing, Tile},
    note::{Checkpoint, NoteError, Verifier},
    recorded::Position,
};

/// What the reader knows from elsewhere. Without any of it, an export is only shown to be one whole.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// The keys that were published: that of today, and former ones. Without any the export's own are used.
    pub keys: Vec<Verifier>,
    /// The name of the log.
    pub origin: Option<String>,
    /// A signed checkpoint that was kept from earlier: what finds a log that was cut or written anew.
    pub earlier: Option<String>,
}

/// What was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    pub from: Position,
    pub to: Position,
    /// The checkpoint that seals it.
    pub seal: Checkpoint,
    /// The keys that the signatures were checked with.
    pub keys: Vec<Verifier>,
    /// Signed checkpoints that were compared on the way.
    pub checkpoints: i64,
    /// The earlier checkpoint, which this log continues.
    pub earlier: Option<Checkpoint>,
}

/// What is wrong: the first thing that is.
#[derive(Debug, Error)]
pub enum Bad {
    #[error("this is not an export of Kalel")]
    NotAnExport,
    #[error("this export has format {0}; this program reads {VERSION}")]
    Format(u32),
    #[error("the seal: {0}")]
    Seal(NoteError),
    #[error("the export names a key that is none, or that is not among those you trust: {0}")]
    Key(String),
    #[error("the hashes under the seal are not those of its root: the head of the export was changed")]
    Root,
    #[error("the export says positions {from} to {to}, its seal is over {size} events: the head was changed")]
    Range { from: Position, to: Position, size: u64 },
    #[error("position {0}: the event is not the one that was sealed; it was changed")]
    Changed(Position),
    #[error(
        "position {expected}: the event at position {found} stands in its place; events were removed, added or moved"
    )]
    OutOfPlace { expected: Position, found: Position },
    #[error("positions {from} to {to}: the hashes of these events are not those under the seal; they were changed")]
    Tile { from: Position, to: Position },
    #[error("position {0}: a line here belongs to no export")]
    Line(Position),
    #[error("the checkpoint after position {position}: {error}")]
    Checkpoint { position: Position, error: NoteError },
    #[error("position {position} or before: the log is not the one of the checkpoint signed at {position}")]
    OtherTree { position: Position },
    #[error("the export ends after position {0}: it was cut")]
    Truncated(Position),
    #[error("after position {0} the export should end and does not")]
    TooMuch(Position),
    #[error("the end says {said} checkpoints, there are {found}")]
    Count { said: i64, found: i64 },
    #[error("the earlier checkpoint: {0}")]
    Earlier(NoteError),
    #[error(
        "the log had {earlier} events when the earlier checkpoint was signed, and this export is sealed at {size}: the log was cut"
    )]
    Shorter { earlier: u64, size: u64 },
    #[error("the first {0} events are not those of the earlier checkpoint: the log was written anew")]
    Rewritten(u64),
    #[error(
        "the earlier checkpoint is over {earlier} events, which this export of positions {from} to {to} cannot show: export from position {earlier} on or before"
    )]
    Elsewhere { earlier: u64, from: Position, to: Position },
    #[error("the export cannot be read; was it cut? ({0})")]
    Read(#[from] std::io::Error),
}

/// Checks an export as it is read, in memory that does not grow with it. `progress` is told the last position that was
/// proven, once per 256.
///
/// # Errors
/// The first thing that is [`Bad`]. Nothing of an export that is bad should be believed beyond what is said.
pub fn verify(input: impl BufRead, trust: &Trust, progress: &mut impl FnMut(Position)) -> Result<Verified, Bad> {
    let mut reading = Reading::new(input);
    let header = match reading.next()?.then(|| Line::parse(reading.line())).flatten() {
        Some(Line::Export(header)) => header,
        _ => return Err(Bad::NotAnExport),
    };
    let Begun { mut proving, keys, earlier } = begin(&header, trust)?;
    let mut shown = false;
    let mut checkpoints = 0;
    for position in header.from..=header.to {
        proving.tiles_before(&mut reading, position, header.from)?;
        if position == header.from {
            shown |= compare(&proving, earlier.as_ref(), position - 1)?;
        }
        if !reading.next()? {
            return Err(Bad::Truncated(position - 1));
        }
        proving.event(reading.line(), position)?;
        shown |= compare(&proving, earlier.as_ref(), position)?;
        if reading.next()? {
            match Line::checkpoint(reading.line()) {
                Some(note) => {
                    let note = note.ok_or(Bad::Line(position))?;
                    let checkpoint = open(&note, &keys, Some(&proving.seal.origin));
                    let checkpoint = checkpoint.map_err(|error| Bad::Checkpoint { position, error })?;
                    if proving.position_of(&checkpoint) != Some(position) {
                        return Err(Bad::OtherTree { position });
                    }
                    checkpoints += 1;
                }
                None => reading.hold(),
            }
        }
        if position % 256 == 0 {
            progress(position);
        }
    }
    progress(header.to);
    end(&mut reading, &header, checkpoints)?;
    if let Some(earlier) = earlier.as_ref().filter(|_| !shown) {
        if earlier.size != proving.seal.size {
            return Err(Bad::Elsewhere { earlier: earlier.size, from: header.from, to: header.to });
        }
        if earlier.root != proving.seal.root {
            return Err(Bad::Rewritten(earlier.size));
        }
    }
    Ok(Verified { from: header.from, to: header.to, seal: proving.seal, keys, checkpoints, earlier })
}

/// Compares the tree with the earlier checkpoint once it has that size; answers whether it had.
fn compare(proving: &Proving, earlier: Option<&Checkpoint>, position: Position) -> Result<bool, Bad> {
    let Some(earlier) = earlier.filter(|earlier| i64::try_from(earlier.size).is_ok_and(|size| size == position)) else {
        return Ok(false);
    };
    match proving.position_of(earlier) {
        Some(_) => Ok(true),
        None => Err(Bad::Rewritten(earlier.size)),
    }
}

fn end(reading: &mut Reading<impl BufRead>, header: &Header, found: i64) -> Result<(), Bad> {
    if !reading.next()? {
        return Err(Bad::Truncated(header.to));
    }
    match Line::parse(reading.line()) {
        Some(Line::End(End { events, checkpoints })) if events == header.to - header.from + 1 => {
            if checkpoints != found {
                return Err(Bad::Count { said: checkpoints, found });
            }
        }
        _ => return Err(Bad::TooMuch(header.to)),
    }
    if reading.next()? { Err(Bad::TooMuch(header.to)) } else { Ok(()) }
}

struct Begun {
    proving: Proving,
    keys: Vec<Verifier>,
    earlier: Option<Checkpoint>,
}

fn begin(header: &Header, trust: &Trust) -> Result<Begun, Bad> {
    if header.v != VERSION {
        return Err(Bad::Format(header.v));
    }
    let mut keys = trust.keys.clone();
    for text in &header.keys {
        let key = Verifier::parse(text).ok().filter(|key| key.to_text() == *text);
        match key {
            Some(key) if trust.keys.is_empty() => keys.push(key),
            Some(key) if trust.keys.contains(&key) => {}
            _ => return Err(Bad::Key(text.clone())),
        }
    }
    let seal = open(&header.seal, &keys, trust.origin.as_deref()).map_err(Bad::Seal)?;
    let earlier = trust.earlier.as_ref().map(|note| open(note, &keys, Some(&seal.origin))).transpose();
    let earlier = earlier.map_err(Bad::Earlier)?;

    let edge: Option<Vec<Tile>> = header.edge.iter().map(TileText::tile).collect();
    let tree = edge.and_then(|edge| Growing::resume(seal.size, edge)).ok_or(Bad::Root)?;
    // Written in one way only: the tiles in order, under the numbers they have.
    if tree.root() != seal.root || tree.edge().map(|tile| TileText::from(&tile)).ne(header.edge.iter().cloned()) {
        return Err(Bad::Root);
    }
    let (from, to) = (header.from, header.to);
    if from < 1 || from > to || u64::try_from(to).map_or(true, |to| to > seal.size) {
        return Err(Bad::Range { from, to, size: seal.size });
    }
    if let Some(earlier) = earlier.as_ref().filter(|earlier| earlier.size > seal.size) {
        return Err(Bad::Shorter { earlier: earlier.size, size: seal.size });
    }
    Ok(Begun { proving: Proving::new(seal, &tree), keys, earlier })
}

/// Reads a checkpoint that one of the keys signed.
pub(crate) fn open(note: &str, keys: &[Verifier], origin: Option<&str>) -> Result<Checkpoint, NoteError> {
    let mut outcome = Err(NoteError::Malformed);
    for key in keys {
        outcome = match origin {
            Some(origin) => Checkpoint::open(note, origin, key),
            None => Checkpoint::read(note, key),
        };
        if !matches!(outcome, Err(NoteError::Unsigned(_))) {
            break;
        }
    }
    outcome
}
