//! Which rows of a projector: those that are read, or those that are being built beside them.

use super::Projector;

/// The same tables in two schemas, each with a checkpoint of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Schema `read`.
    Live,
    /// Schema `read_shadow`: nobody reads it.
    Shadow,
}

/// What follows a projector's name in the checkpoint of its shadow.
pub(super) const SHADOW: &str = ":shadow";

impl Rows {
    /// The name of the checkpoint.
    pub(super) fn checkpoint(self, projector: &Projector) -> String {
        match self {
            Self::Live => projector.name.to_owned(),
            Self::Shadow => format!("{}{SHADOW}", projector.name),
        }
    }

    pub(super) const fn schema(self) -> &'static str {
        match self {
            Self::Live => "read",
            Self::Shadow => "read_shadow",
        }
    }

    /// Where statements find their tables. `read` is not in the shadow's path: it cannot fall through to live rows.
    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Live => "read,public",
            Self::Shadow => "read_shadow,public",
        }
    }

    /// Whether a commit waits for the disk. A shadow that loses its last batches has lost their checkpoint, too.
    pub(super) const fn synchronous_commit(self) -> &'static str {
        match self {
            Self::Live => "on",
            Self::Shadow => "off",
        }
    }

    /// The one of two steps that is of these rows.
    pub(super) const fn point(self, live: &'static str, shadow: &'static str) -> &'static str {
        match self {
            Self::Live => live,
            Self::Shadow => shadow,
        }
    }

    /// How long one statement may take. A batch is large, and its owner has nothing else to do.
    pub(super) const fn statement_timeout(self) -> &'static str {
        match self {
            Self::Live => "20s",
            Self::Shadow => "60s",
        }
    }
}

/// Under what a transaction writes: the rows, and the ownership of their checkpoint.
#[derive(Clone, Debug)]
pub(super) struct Hold {
    pub projector: &'static Projector,
    pub rows: Rows,
    /// The name of the checkpoint.
    pub key: String,
    /// Number of the ownership; once there is a higher one, nothing more is written.
    pub epoch: i64,
}
