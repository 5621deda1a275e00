//! What a projector is.

use std::pin::Pin;

use sqlx::PgConnection;

use super::{ApplyError, Bulk, Entry, RunError};

/// What to do with an event that cannot be applied. It is never skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poison {
    /// Stop and say so: wrong money or availability is worse than old (R9).
    Stop,
    /// Set its stream aside, counted, and go on with the others.
    Park,
}

/// To be awaited for each row of a large batch: folding thousands of them must not keep a thread from serving requests.
pub(crate) async fn breathe(row: usize) {
    if row % 128 == 127 {
        tokio::task::yield_now().await;
    }
}

/// The writing of a batch under way.
pub type Applying<'a> = Pin<Box<dyn Future<Output = Result<(), ApplyError>> + Send + 'a>>;

/// Fills some tables of schema `read` from the events of some nouns.
///
/// Its statements name their tables without a schema: the same code fills live rows, a [`super::Shadow`] of them and
/// an [`super::Aside`].
pub struct Projector {
    /// Name of its checkpoint: the noun.
    pub name: &'static str,
    /// Raise it when the rows mean something else: they are then built again from the first event, beside the ones of
    /// before, which go on being read until they are exchanged. So what reads a row must read those of before, too.
    pub version: i32,
    pub poison: Poison,
    /// The nouns whose events it wants.
    pub kinds: &'static [&'static str],
    /// Its tables, without the schema; `read.views` in the database says the same.
    pub tables: &'static [&'static str],
    /// Writes a batch, in log order, set by set. Several events of one stream may be in a batch.
    pub apply: for<'a> fn(&'a mut PgConnection, &'a [Entry]) -> Applying<'a>,
    /// The same into a shadow that is being filled, where many rows are made: folded in memory, written once. Without it
    /// a shadow is filled batch by batch like live rows, as it is where poison is parked. It makes the very rows that
    /// `apply` makes.
    pub bulk: Option<fn() -> Box<dyn Bulk>>,
}

impl Projector {
    /// Whether rows of this version are this program's to write.
    pub(super) fn accepts(&self, found: i32) -> Result<(), RunError> {
        let (projector, ours) = (self.name, self.version);
        match found.cmp(&ours) {
            std::cmp::Ordering::Equal => Ok(()),
            std::cmp::Ordering::Greater => Err(RunError::Outdated { projector, found, ours }),
            std::cmp::Ordering::Less => Err(RunError::Older { projector, found, ours }),
        }
    }
}

impl std::fmt::Debug for Projector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Projector({} v{})", self.name, self.version)
    }
}
