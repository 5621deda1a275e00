//! What the judge says: per check how much was looked at, and every violation with what went on around it.

use std::fmt;

use serde::Serialize;

use crate::history::Record;

/// Violations told in full; all are counted.
pub const KEPT: usize = 100;
/// Of one check, so that it does not hide the others.
pub const KEPT_OF_ONE: u64 = 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Everything was looked at and nothing is wrong.
    Valid,
    /// At least one promise was broken.
    Invalid,
    /// The evidence is not whole, or proves nothing.
    Unknown,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::Unknown => "unknown",
        }
    }
}

/// One named check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub looked_at: u64,
    pub violations: u64,
}

/// One broken promise.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    pub check: &'static str,
    /// One sentence.
    pub said: String,
    /// Of the log.
    pub position: Option<i64>,
    /// Of the history.
    pub call: Option<u64>,
    /// What was done to the engine around then.
    pub around: Vec<Record>,
    /// Everything the clients recorded under the key or call it is about.
    pub history: Vec<Record>,
}

/// The verdict on a trial.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    pub outcome: Outcome,
    pub seed: u64,
    /// Events of the log.
    pub events: i64,
    /// Calls of the clients.
    pub calls: u64,
    pub acknowledged: u64,
    pub refused: u64,
    /// Calls whose outcome the client never learnt.
    pub uncertain: u64,
    /// Things done to the engine.
    pub faults: u64,
    /// Of all checks.
    pub broken: u64,
    /// What the evidence lacks: why it is `unknown`.
    pub reasons: Vec<String>,
    pub checks: Vec<Check>,
    /// The first ones, at most 25 of one check and 100 in all.
    pub violations: Vec<Violation>,
}

impl Verdict {
    /// The check of this name.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, calls, acknowledged, refused, uncertain, faults, seed, .. } = self;
        writeln!(f, "{}: {events} events, {calls} calls, {faults} faults, seed {seed}", self.outcome.as_str())?;
        writeln!(f, "calls: {acknowledged} acknowledged, {refused} refused, {uncertain} uncertain\n")?;
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        writeln!(f, "{:<width$}  {:>11}  {:>10}", "check", "looked at", "violations")?;
        for Check { name, looked_at, violations } in &self.checks {
            writeln!(f, "{name:<width$}  {looked_at:>11}  {violations:>10}")?;
        }
        for reason in &self.reasons {
            writeln!(f, "\nlacking: {reason}")?;
        }
        for violation in &self.violations {
            write!(f, "\n{violation}")?;
        }
        let told = self.violations.len() as u64;
        if told < self.broken {
            writeln!(f, "\n… and {} more", self.broken - told)?;
        }
        Ok(())
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.check)?;
        if let Some(position) = self.position {
            write!(f, ", position {position}")?;
        }
        if let Some(call) = self.call {
            write!(f, ", call {call}")?;
        }
        writeln!(f, ": {}", self.said)?;
        for (title, records) in [("around it", &self.around), ("history", &self.history)] {
            if !records.is_empty() {
                writeln!(f, "  {title}:")?;
            }
            for record in records {
                writeln!(f, "    {record}")?;
            }
        }
        Ok(())
    }
}
