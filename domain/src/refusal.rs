//! What a refusal owes whoever is refused: a stable code, and the rule with its value and version.

use crate::aggregate::Version;

/// The rule that said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name of the rule, such as `shortest_minutes`.
    pub name: &'static str,
    /// What it is set to, as text.
    pub value: String,
    /// Version of the site (or of the snapshot's site) that set it; 0 is the platform's default.
    pub version: Version,
}

impl Rule {
    pub fn new(name: &'static str, value: impl ToString, version: Version) -> Self {
        Self { name, value: value.to_string(), version }
    }
}

/// A business rule said no: nothing was written, and asking again in the same way will be refused again.
pub trait Refused: std::error::Error {
    /// Stable code, such as `site.too_short`. Part of the API's contract.
    fn code(&self) -> &'static str;

    /// The rule behind it; `None` when the request contradicts a state rather than a rule.
    fn rule(&self) -> Option<Rule> {
        None
    }
}
