//! The published libraries we are compared with: small programs of their own that put the same load on the same Postgres
//! and print what they saw as one line of JSON.

use std::{path::PathBuf, process::Stdio, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use super::super::append::{Figure, Problem};

/// A program that puts our load on a library.
#[derive(Clone, Debug)]
pub struct Program {
    /// As it is published.
    pub library: &'static str,
    pub program: PathBuf,
    pub arguments: Vec<PathBuf>,
}

/// What a program printed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    pub library: String,
    pub version: String,
    /// What it ran with: handed back to it, so that it tries nothing again.
    pub setting: String,
    /// The same in words.
    pub how: String,
    /// What it chose from, while loading and appending.
    #[serde(default)]
    pub tried: Vec<Tried>,
    pub callers: usize,
    /// Bytes of an event's payload.
    pub event_bytes: usize,
    /// A stream of 20 events is loaded and 2 are appended.
    pub load_and_append: Figure,
    /// One event for a new stream.
    pub append: Figure,
    pub read_all: ReadAll,
    /// From an insert that returned until a subscriber had it, where the library has subscribers.
    pub follow: Option<Follow>,
}

/// A setting that was tried.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    pub setting: String,
    pub per_second: f64,
}

/// Every event read and decoded, in the library's own way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ReadAll {
    pub events: u64,
    pub seconds: f64,
    pub per_second: f64,
}

/// How far a subscriber is behind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Follow {
    pub events: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
}

/// The load of one round.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    pub callers: usize,
    pub lasting: Duration,
    /// Streams of 20 events that are there before.
    pub streams: usize,
}

/// Longer than any round takes besides its measurements: making the streams, reading them all.
const PATIENCE: Duration = Duration::from_secs(180);

impl Program {
    /// One round of it.
    ///
    /// # Errors
    /// When it cannot be started, fails, takes forever or prints something else.
    pub async fn run(&self, database_url: &str, load: Load, setting: Option<&str>) -> Result<Told, Problem> {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .env("DATABASE_URL", database_url)
            .env("CALLERS", load.callers.to_string())
            .env("SECONDS", load.lasting.as_secs().max(1).to_string())
            .env("STREAMS", load.streams.to_string())
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true);
        if let Some(setting) = setting {
            command.env("SETTING", setting);
        }
        let output = tokio::time::timeout(PATIENCE + load.lasting * 8, command.output())
            .await
            .map_err(|_| format!("{} takes forever", self.library))??;
        if !output.status.success() {
            return Err(format!("its program failed ({})", output.status).into());
        }
        Ok(told(&output.stdout)?)
    }
}

/// Reads what a program printed: the last line, whatever it said before.
///
/// # Errors
/// When that is not what it must be.
pub fn told(output: &[u8]) -> Result<Told, serde_json::Error> {
    let line = output.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_programs_print_is_understood() {
        let rust = told(include_bytes!("printed/postgres-es.json")).unwrap();
        assert_eq!((rust.library.as_str(), rust.setting.as_str(), rust.callers), ("postgres-es", "32", 32));
        assert!(rust.load_and_append.per_second > 0.0 && rust.append.p99_ms > 0.0 && rust.read_all.events > 0);
        assert_eq!((rust.tried.len(), rust.follow), (2, None));
        let python = told(include_bytes!("printed/eventsourcing.json")).unwrap();
        assert_eq!((python.library.as_str(), python.setting.as_str()), ("eventsourcing", "1x32"));
        assert!(python.follow.unwrap().p99_ms > 0.0 && python.tried.len() == 3);
        for told in [rust, python] {
            assert!((400..500).contains(&told.event_bytes), "{} writes {} bytes", told.library, told.event_bytes);
        }
    }

    #[test]
    fn only_the_last_line_counts() {
        let printed = [b"warming up\n".as_slice(), include_bytes!("printed/postgres-es.json"), b"\n"].concat();
        assert_eq!(told(&printed).unwrap().library, "postgres-es");
        assert!(told(b"").is_err() && told(b"{\"library\": \"postgres-es\"}").is_err());
    }
}
