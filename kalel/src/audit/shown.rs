//! What a person sees while an export is written or read, and after.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// A line on standard error that says how far it is; nothing when that is no terminal.
pub(super) struct Counter {
    terminal: bool,
    doing: &'static str,
    from: i64,
    begun: Instant,
    last: Instant,
}

impl Counter {
    pub(super) fn new(doing: &'static str, from: i64) -> Self {
        let now = Instant::now();
        Self { terminal: std::io::stderr().is_terminal(), doing, from, begun: now, last: now }
    }

    pub(super) fn at(&mut self, position: i64) {
        if !self.terminal || self.last.elapsed() < Duration::from_millis(100) {
            return;
        }
        self.last = Instant::now();
        #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
        let rate = (position - self.from) as f64 / self.begun.elapsed().as_secs_f64();
        let _ = write!(std::io::stderr(), "\r\x1b[2K  … {} position {position}, {rate:.0} events/s", self.doing);
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

/// Aligned names and values.
pub(super) struct Page {
    colour: bool,
}

impl Page {
    pub(super) fn new() -> Self {
        Self { colour: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() }
    }

    pub(super) fn good(&self, name: &str, value: &str) {
        self.line("32", "✓", name, value);
    }

    /// Something that was not checked, and how it could be.
    pub(super) fn open(&self, name: &str, value: &str) {
        self.line("33", "!", name, value);
    }

    fn line(&self, code: &str, sign: &str, name: &str, value: &str) {
        let sign = if self.colour { format!("\x1b[{code}m{sign}\x1b[0m") } else { sign.to_owned() };
        // A closed pipe is no reason to stop.
        let _ = writeln!(std::io::stdout(), "  {sign} {name:<12} {value}");
    }
}
