//! What can go wrong when events become rows.

use domain::event::DecodeError;
use thiserror::Error;
use uuid::Uuid;

use crate::Position;

/// Why a batch could not be written.
#[derive(Debug, Error)]
pub enum ApplyError {
    /// The row that an event changes is not there: the log lacks the event that made it.
    #[error("a {event} event at position {position} is about {stream_id}, which no earlier event made")]
    Missing { stream_id: Uuid, event: &'static str, position: Position },
    /// The events contradict each other (currencies mixed, say).
    #[error("the {event} event at position {position} cannot be: {why}")]
    Contradiction { event: &'static str, position: Position, why: String },
    #[error("a row cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The code that applies it panicked.
    #[error("the projector panicked")]
    Panicked,
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// SQLSTATE classes 21 to 23: the values themselves are refused (PostgreSQL manual, appendix A).
pub(super) fn is_about_data(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| ["21", "22", "23"].iter().any(|class| code.starts_with(class)))
        }
        sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) | sqlx::Error::Encode(_) => true,
        _ => false,
    }
}

/// Why a projector did not go on.
#[derive(Debug, Error)]
pub enum RunError {
    /// Somebody else owns the projector now; nothing was written. Take ownership again, or leave it to them.
    #[error("projector {projector} is owned by somebody else")]
    Fenced { projector: &'static str },
    /// The rows were made by a newer version of Kalel.
    #[error("projector {projector} stands at version {found}, newer than this program's {ours}")]
    Outdated { projector: &'static str, found: i32, ours: i32 },
    /// The rows were made by an older version, which may still be running, and are not touched: this program's version
    /// is built beside them and takes their place.
    #[error(
        "the rows of projector {projector} are of version {found}; version {ours} is built beside them and not in their \
         place yet"
    )]
    Older { projector: &'static str, found: i32, ours: i32 },
    /// The tables of a rebuild and those that are read could not be exchanged: somebody kept using them.
    #[error("the tables of projector {projector} are in use; nothing was exchanged, try again")]
    Busy { projector: &'static str },
    /// The process ended while a batch was read, or decoding it panicked.
    #[error("a batch of the log was not read to its end")]
    Interrupted(#[source] tokio::task::JoinError),
    /// It stopped in front of this event and stays there until the program or the event is put right.
    #[error("projector {projector} stopped at position {position}: {why}")]
    Poisoned { projector: &'static str, position: Position, why: String },
    /// The log did not answer with the next position: it was cut, or it is another log.
    #[error("projector {projector} stands at {at} and the log goes on at {found}")]
    Gap { projector: &'static str, at: Position, found: Position },
    #[error("the log cannot be read")]
    Log(#[from] eventstore::ReadError),
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl RunError {
    /// Whether trying again later may help by itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Log(eventstore::ReadError::Database(_)) | Self::Database(_) | Self::Busy { .. })
    }

    /// Whether the database cancelled a statement for its length (SQLSTATE 57014).
    pub(super) fn took_too_long(&self) -> bool {
        self.code().is_some_and(|code| code == "57014")
    }

    /// Whether a lock was not given in time, or two waited for each other (SQLSTATE 55P03, 40P01).
    pub(super) fn was_in_the_way(&self) -> bool {
        self.code().is_some_and(|code| code == "55P03" || code == "40P01")
    }

    /// Whether a table was not there (SQLSTATE 42P01).
    pub(super) fn is_without_its_table(&self) -> bool {
        self.code().is_some_and(|code| code == "42P01")
    }

    fn code(&self) -> Option<std::borrow::Cow<'_, str>> {
        match self {
            Self::Database(error) => error.as_database_error()?.code(),
            _ => None,
        }
    }
}

/// Why one attempt at a batch wrote nothing.
#[derive(Debug, Error)]
pub(super) enum Setback {
    #[error(transparent)]
    Run(#[from] RunError),
    /// Not known to this version: always stops.
    #[error("{0}")]
    Unknown(String),
    #[error("{0}")]
    Poison(String),
    /// The checkpoint stands elsewhere than the runner thought.
    #[error("the checkpoint moved to {0}")]
    Moved(Position),
}

impl From<sqlx::Error> for Setback {
    fn from(error: sqlx::Error) -> Self {
        Self::Run(RunError::Database(error))
    }
}

impl From<ApplyError> for Setback {
    fn from(error: ApplyError) -> Self {
        match error {
            ApplyError::Database(error) if !is_about_data(&error) => Self::Run(RunError::Database(error)),
            poison => Self::Poison(poison.to_string()),
        }
    }
}

/// An event that cannot be decoded.
pub(super) fn unreadable(error: &DecodeError) -> Setback {
    match error {
        DecodeError::Unknown { .. } => Setback::Unknown(error.to_string()),
        DecodeError::Data { source, .. } => Setback::Poison(format!("{error}: {source}")),
    }
}
