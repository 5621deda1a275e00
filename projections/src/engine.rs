//! How events become rows, whatever the rows are.
//!
//! A [`Projector`] is a pure description: which events it wants and how they are written. A [`Runner`] owns it under an
//! epoch and applies batches: rows, checkpoint and running digest in one transaction, so that redelivery, two owners or
//! a crash at any place change nothing (reliability.md R9, F29–F31). A [`Shadow`] is the same for rows built again
//! beside those that are read; an [`Aside`] for rows that only one question is about.

mod apply;
mod aside;
mod batch;
mod bulk;
mod copy;
mod entry;
mod error;
mod kept;
mod park;
mod progress;
mod projector;
mod rebuild;
mod rows;
mod runner;
pub mod shadow;
mod watch;

pub use aside::Aside;
pub use bulk::{Bulk, Changes, Sizes};
pub(crate) use copy::{Tuples, copy_in};
pub use entry::Entry;
pub use error::{ApplyError, RunError};
pub(crate) use kept::{Copied, Kept};
pub use park::{Parked, parked, resume_parked};
pub use progress::{Status, progress};
pub(crate) use projector::breathe;
pub use projector::{Applying, Poison, Projector};
pub use rebuild::{content_digest, rebuild};
pub use runner::{Progress, Runner};
pub use shadow::Shadow;
pub use watch::{WaitError, Watch};
