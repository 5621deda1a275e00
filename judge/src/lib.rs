//! Judges a trial of the engine: whether everything that was promised to clients, while processes were killed under
//! them, is so. It shares nothing with what it judges: the events are read by their published schemas, folded by tables
//! of its own, and compared with what clients, the payment provider and the message gateway saw.
//!
//! [`read()`] collects the evidence, [`judge_all`] is a pure function of it, [`judge()`] is both.

mod checks;
mod court;
mod event;
mod ground;
mod history;
mod input;
mod machine;
mod money;
mod read;
mod story;
#[cfg(test)]
mod tests;
mod verdict;

use std::path::Path;

pub use checks::judge_all;
pub use event::{Event, Fact, Time};
pub use history::{About, Call, History, Outcome as CallOutcome, Record, Said};
pub use input::{
    Bus, Claim, Content, Effect, Effects, Entry, Input, Posting, Rebuilt, Repeated, Sms, Stage, Table, Verify, View,
    Wave,
};
pub use read::{JudgeError, read};
pub use verdict::{Check, Outcome, Verdict, Violation};

/// Reads the evidence and judges it.
///
/// # Errors
/// [`JudgeError`] when a file is missing or of another shape, or the database cannot be read.
pub async fn judge(folder: &Path, database_url: &str) -> Result<Verdict, JudgeError> {
    let input = read(folder, database_url).await?;
    // Seconds of work without a pause: it has no place on a thread that serves others.
    tokio::task::spawn_blocking(move || judge_all(&input)).await.map_err(|_| JudgeError::Gone)
}
