//! What `up` tells the world when everything runs: `up.json`, and the lines on the terminal.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Problem;
use super::folder::{Folder, write_private};
use super::progress::Progress;
use crate::fork::Forked;

/// `<data>/up.json`: read by tools, tests and the tour. Only its owner may read it.
#[derive(Debug, Clone, Serialize)]
pub struct Announcement {
    pub base_url: String,
    pub docs_url: String,
    /// Demo API keys: `admin`, `manager`, `client`, `service`, `auditor`, `finance`.
    pub keys: BTreeMap<String, String>,
    /// The provider fakes' addresses: `wave`, `sms`, `email`.
    pub fakes: BTreeMap<String, String>,
    /// As the program connects.
    pub postgres_url: String,
    pub nats_url: String,
    /// A login that may read events and nothing else; docs/events.md.
    pub nats_consumer_url: String,
    pub redis_url: String,
    /// Only of a copy of the past.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fork: Option<Forked>,
    /// `up`, `keeper` and every child by its name. Changes when a child is started again.
    pub pids: BTreeMap<String, i32>,
}

impl Announcement {
    /// Writes `up.json`.
    ///
    /// # Errors
    /// [`Problem::Io`].
    pub fn write(&self, folder: &Folder) -> Result<(), Problem> {
        let mut text = serde_json::to_vec_pretty(self).map_err(|error| Problem::Keeper(error.to_string()))?;
        text.push(b'\n');
        write_private(&folder.path.join("up.json"), &text)
    }

    /// Prints where everything is.
    pub fn print(&self, progress: &Progress, folder: &Folder) {
        progress.line("");
        progress.value("API", &self.base_url);
        progress.value("Docs", &self.docs_url);
        for (name, url) in &self.fakes {
            progress.value(&format!("fake {name}"), url);
        }
        progress.line("");
        if let Some(fork) = &self.fork {
            progress.value("read only", &format!("the past up to {fork}"));
            progress.line("  API keys of that time open it (Authorization: Bearer …).");
        } else {
            progress.line("  Demo keys (Authorization: Bearer …)");
        }
        for (role, key) in &self.keys {
            progress.value(role, key);
        }
        progress.line("");
        progress.line(&format!("  All of it for tools: {}", folder.path.join("up.json").display()));
        progress.line("  Ctrl-C stops everything; the data stays.");
    }
}
