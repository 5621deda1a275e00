//! The fake's memory over a restart: one JSON file, replaced as a whole.

use std::{io, sync::Arc, time::Duration};

use serde::Deserialize;
use serde_json::json;

use super::{
    Config, Sonatel,
    hooks::Book,
    state::{Books, Registered},
};
use crate::{clock::Clock, server::lock};

/// What was kept.
#[derive(Deserialize)]
pub(crate) struct Kept {
    pub books: Books,
    pub book: Book,
    clock_offset_ms: i64,
}

/// The books of a first start.
pub(crate) fn fresh(config: &Config, clock: &Clock) -> Books {
    let registered = config.callback.clone().map(|callback| {
        let name = config.merchant_name.clone();
        Registered { callback, name, created: clock.now() }
    });
    Books::new(config.opening_balance, registered, clock.now())
}

/// Reads what an earlier run kept, or starts afresh. Sets the clock to where it was.
///
/// # Errors
/// A file that is there and cannot be read: better to stop than to forget money.
pub(crate) fn load(config: &Config, clock: &Clock) -> io::Result<Kept> {
    let afresh = || Kept { books: fresh(config, clock), book: Book::default(), clock_offset_ms: 0 };
    let Some(path) = &config.state_file else { return Ok(afresh()) };
    let mut kept = match std::fs::read(path) {
        Ok(bytes) => serde_json::from_slice::<Kept>(&bytes).map_err(io::Error::other)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => afresh(),
        Err(error) => return Err(error),
    };
    clock.set_offset_ms(kept.clock_offset_ms);
    // The address may have moved since: what is configured wins over what was.
    if config.callback.is_some() {
        kept.books.registered = fresh(config, clock).registered;
    }
    Ok(kept)
}

impl Sonatel {
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
