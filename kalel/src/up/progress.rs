//! What a person sees while `up` works: one aligned line per step, in colour on a terminal.

use std::io::{IsTerminal, Write};
use std::time::Instant;

/// Writes the lines.
#[derive(Debug)]
pub struct Progress {
    colour: bool,
    terminal: bool,
}

/// A step that has begun.
#[derive(Debug)]
pub struct Step {
    name: &'static str,
    began: Instant,
}

impl Progress {
    /// For standard output. Colour only on a terminal, and not when `NO_COLOR` is set (<https://no-color.org>).
    pub fn new() -> Self {
        let terminal = std::io::stdout().is_terminal();
        Self { colour: terminal && std::env::var_os("NO_COLOR").is_none(), terminal }
    }

    /// Begins a step; on a terminal it shows at once.
    pub fn begin(&self, name: &'static str) -> Step {
        self.doing(name, "");
        Step { name, began: Instant::now() }
    }

    /// Says what a long step is doing.
    pub fn doing(&self, name: &str, detail: &str) {
        if self.terminal {
            print!("\r\x1b[2K  {} {name:<11} {}", self.paint("33", "…"), self.paint("2", detail));
            let _ = std::io::stdout().flush();
        } else if !detail.is_empty() {
            self.line(&format!("  … {name:<11} {detail}"));
        }
    }

    /// Ends a step.
    pub fn done(&self, step: &Step, detail: &str) {
        let took = format!("{:.1} s", step.began.elapsed().as_secs_f64());
        if self.terminal {
            print!("\r\x1b[2K");
        }
        self.line(&format!("  {} {:<11} {detail:<46} {}", self.paint("32", "✓"), step.name, self.paint("2", &took)));
    }

    /// Something to know that is not a step: a child that ended, a restart.
    pub fn note(&self, text: &str) {
        self.line(&format!("  {} {text}", self.paint("33", "!")));
    }

    /// A named value, aligned.
    pub fn value(&self, name: &str, value: &str) {
        self.line(&format!("  {:<11} {}", self.paint("2", &format!("{name:<11}")).trim_end(), self.paint("1", value)));
    }

    pub fn line(&self, text: &str) {
        // A closed pipe (`kalel up | head`) is no reason to stop.
        let _ = writeln!(std::io::stdout(), "{text}");
    }

    pub fn paint(&self, code: &str, text: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}
