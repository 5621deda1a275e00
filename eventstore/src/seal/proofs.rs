//! Proofs from the tiles.

use thiserror::Error;

use super::Sealed;
use crate::{
    ReadError, Store,
    merkle::{self, Hash, Subtree},
    recorded::Position,
};

/// Why there is no proof.
#[derive(Debug, Error)]
pub enum ProofError {
    #[error("there is no position {0} in this log")]
    NoSuchPosition(Position),
    /// It will be in a moment: ask again.
    #[error("position {0} is not under a checkpoint yet")]
    NotYet(Position),
    /// The tiles do not hold what they must: somebody changed them.
    #[error("the tiles of the seal are not complete: run `kalel audit export` and `verify`")]
    Tiles,
    #[error("the log cannot be read")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// That an event is in the tree of a checkpoint.
#[derive(Clone, Debug)]
pub struct Inclusion {
    pub position: Position,
    /// The data of the leaf.
    pub line: String,
    pub proof: Vec<Hash>,
}

/// That one tree is the beginning of another.
#[derive(Clone, Debug)]
pub struct Consistency {
    pub from: Position,
    pub to: Position,
    pub proof: Vec<Hash>,
}

impl Store {
    /// A checkpoint over a position: the newest there is. When it is not under one yet, one is asked for.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn sealed(&self, position: Position) -> Result<Sealed, ProofError> {
        match self.checkpoint().await? {
            Some(checkpoint) if checkpoint.size >= position => Ok(checkpoint),
            _ if position < 1 || position > self.head_of_log().await? => Err(ProofError::NoSuchPosition(position)),
            _ => {
                self.want_checkpoint(position).await?;
                Err(ProofError::NotYet(position))
            }
        }
    }

    /// Proves that the event at a position is in the tree of a checkpoint.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn prove_inclusion(&self, position: Position, checkpoint: &Sealed) -> Result<Inclusion, ProofError> {
        let line = self.lines_after(position - 1, 1).await?.pop().filter(|(found, _)| *found == position);
        let (_, line) = line.ok_or(ProofError::NoSuchPosition(position))?;
        let (Ok(leaf), Ok(size)) = (u64::try_from(position - 1), u64::try_from(checkpoint.size)) else {
            return Err(ProofError::NoSuchPosition(position));
        };
        let parts = merkle::inclusion(leaf, size).ok_or(ProofError::NotYet(position))?;
        Ok(Inclusion { position, line, proof: self.prove(&parts).await? })
    }

    /// Proves that the tree of size `from` is the beginning of that of size `to`, which is sealed.
    ///
    /// # Errors
    /// [`ProofError`].
    pub async fn prove_consistency(&self, from: Position, to: Position) -> Result<Consistency, ProofError> {
        if to > self.sealed_size().await? {
            return Err(if to > self.head_of_log().await? {
                ProofError::NoSuchPosition(to)
            } else {
                ProofError::NotYet(to)
            });
        }
        let (Ok(old), Ok(new)) = (u64::try_from(from), u64::try_from(to)) else {
            return Err(ProofError::NoSuchPosition(from));
        };
        let parts = merkle::consistency(old, new).ok_or(ProofError::NoSuchPosition(from))?;
        Ok(Consistency { from, to, proof: self.prove(&parts).await? })
    }

    async fn prove(&self, parts: &[Subtree]) -> Result<Vec<Hash>, ProofError> {
        let tiles = self.tiles(merkle::tiles_needed(parts)).await?;
        merkle::prove(parts, &tiles).ok_or(ProofError::Tiles)
    }
}
