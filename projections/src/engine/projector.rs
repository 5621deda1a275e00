//! What a projector is.

use std::pin::Pin;

use sqlx::PgConnection;

use super::{ApplyError, Entry};

/// What to do with an event that cannot be applied. It is never skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// Stop and say so: wrong money or availability is worse than old (R9).
    Stop,
    /// Set its stream aside, counted, and go on with the others.
    Park,
}

/// The writing of a batch under way.
pub type Applying<'a> = Pin<Box<dyn Future<Output = Result<(), ApplyError>> + Send + 'a>>;

/// Fills some tables of schema `read` from the events of some nouns.
pub struct Projector {
    /// Name of its checkpoint: the noun.
    pub name: &'static str,
    /// Raise it when the rows mean something else: they are then built again from the first event.
    pub version: i32,
    pub poison: Poison,
    /// The nouns whose events it wants.
    pub kinds: &'static [&'static str],
    /// Its tables, without the schema.
    pub tables: &'static [&'static str],
    /// Writes a batch, in log order, set by set. Several events of one stream may be in a batch.
    pub apply: for<'a> fn(&'a mut PgConnection, &'a [Entry]) -> Applying<'a>,
}

impl std::fmt::Debug for Projector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Projector({} v{})", self.name, self.version)
    }
}
