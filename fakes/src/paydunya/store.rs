//! The fake's memory over a restart: one JSON file, replaced as a whole.

use std::{io, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::json;

use super::{Config, PayDunya, books::Books, hooks::Book};
use crate::{clock::Clock, server::lock};

/// What was kept.
#[derive(Deserialize)]
pub(crate) struct Kept {
    pub books: Books,
    pub book: Book,
    clock_offset_ms: i64,
}

/// Reads what an earlier run kept, or starts afresh. Sets the clock to where it was.
///
/// # Errors
/// A file that is there and cannot be read: better to stop than to forget money.
pub(crate) fn load(config: &Config, clock: &Clock) -> io::Result<Kept> {
    let afresh =
        || Kept { books: Books::new(config.opening_balance, clock.now()), book: Book::default(), clock_offset_ms: 0 };
    let Some(path) = &config.state_file else { return Ok(afresh()) };
    let kept = match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice::<Kept>(&bytes).map_err(io::Error::other)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => afresh(),
        Err(error) => return Err(error),
    };
    clock.set_offset_ms(kept.clock_offset_ms);
    Ok(kept)
}

impl PayDunya {
    /// Saves soon after each change, until aborted.
    pub(crate) async fn save_changes(self: Arc<Self>) {
        loop {
            self.changed.notified().await;
            tokio::time::sleep(Duration::from_millis(50)).await;
            // The next change tries again, and the end reports it.
            let _ = self.save();
        }
    }

    /// Writes everything, if it is to be kept at all.
    pub(crate) fn save(&self) -> io::Result<()> {
        let Some(path) = &self.config.state_file else { return Ok(()) };
        let state = {
            let books = lock(&self.books);
            json!({ "books": *books, "book": self.hooks.keep(), "clock_offset_ms": self.clock.offset_ms() })
        };
        let beside = path.with_extension("new");
        std::fs::write(&beside, state.to_string())?;
        std::fs::rename(beside, path)
    }
}
