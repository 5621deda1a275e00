//! How events become rows, whatever the rows are.
//!
//! A [`Projector`] is a pure description: which events it wants and how they are written. A [`Runner`] owns it under an
//! epoch and applies batches: rows, checkpoint and running digest in one transaction, so that redelivery, two owners or
//! a crash at any place change nothing (reliability.md R9, F29–F31).

mod apply;
mod entry;
mod error;
mod park;
mod progress;
mod projector;
mod reset;
mod runner;
mod watch;

pub use entry::Entry;
pub use error::{ApplyError, RunError};
pub use progress::{Status, progress};
pub use projector::{Applying, Poison, Projector};
pub use reset::{content_digest, reset_and_replay};
pub use runner::{Progress, Runner};
pub use watch::{WaitError, Watch};
