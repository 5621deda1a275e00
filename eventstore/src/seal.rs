//! The seal over the log: a Merkle tree that follows it, kept as tiles, and signed checkpoints of it (design.md §2, Seal).
//!
//! A [`Sealer`] writes; whoever wants a proof reads tiles and checkpoints. Everything but a signature can be made again
//! from the events, so only a checkpoint must survive a crash.

mod checkpoints;
mod proofs;
mod sealer;
pub(crate) mod tiles;

pub use checkpoints::Sealed;
pub use proofs::{Consistency, Inclusion, ProofError};
pub use sealer::{Pace, SealError, Sealer, Step};
