//! How processes end, seal, rebuild and share their work.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// How a process of the role `api` ends.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shutdown {
    /// How long it goes on taking requests after it was asked to end and `/readyz` says so: longer than whoever spreads
    /// the load takes to notice. Milliseconds, default 1000.
    pub notice_ms: u64,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self { notice_ms: 1_000 }
    }
}

/// How the log is sealed; needed by the role `sealer` only.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Seal {
    /// The file that `kalel audit key` made, readable by its owner only.
    pub key_file: Option<PathBuf>,
    /// Names the log for ever, like a URL without its scheme. Default: the name of the key.
    pub origin: Option<String>,
}

/// How a new version of the views takes the place of the one before.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Projections {
    /// Put rows of a newer version in the place of the older ones as soon as they are built. Default `false`: by
    /// `kalel rebuild NAME --swap`, once no program of the older version runs any more.
    pub swap: bool,
}

/// How work is shared among processes.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Workers {
    /// How long a process may hang before its work is given to another. Milliseconds, default 45 000; a live log takes
    /// nothing below 20 000, since a provider may take 15 s to answer.
    pub lease_ms: u64,
    /// Whether the statement of each day is asked for the night after, of providers that list their transactions. Default
    /// `true`.
    pub nightly_statements: bool,
}

impl Default for Workers {
    fn default() -> Self {
        Self { lease_ms: 45_000, nightly_statements: true }
    }
}
