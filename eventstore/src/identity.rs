//! Which log this is: its id, and whether its money is real.

use std::fmt;

use sqlx::PgPool;
use thiserror::Error;
use uuid::Uuid;

use crate::{cipher, clock::Clock, keyring::Keyring, recorded::Position};

/// A test log has a settable clock and provider fakes; the money of a live log is real. Keys of the other mode are
/// refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    Test,
    Live,
}

impl Mode {
    /// `test` or `live`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The id under which this log is known outside (subjects, exports), its mode, and whether it is a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogIdentity {
    pub id: Uuid,
    pub mode: Mode,
    /// The last position of a copy of the past ([`Store::fork`](crate::Store::fork)); `None` for the log itself.
    pub fork: Option<Position>,
}

/// Why the log of a database is not the one that was asked for.
#[derive(Debug, Error)]
pub enum IdentityError {
    #[error("the database holds a {found} log, this process was started for a {wanted} one")]
    OtherMode { wanted: Mode, found: Mode },
    #[error("the keys given to this process are not those of the log")]
    WrongKeys,
    #[error("the identity of the log cannot be read")]
    Database(#[from] sqlx::Error),
}

const KEY_CHECK: &str = "key_check";

/// Reads the identity of the log, and gives it one when it has none yet.
pub(crate) async fn establish(
    pool: &PgPool,
    mode: Mode,
    keyring: &Keyring,
    clock: &Clock,
) -> Result<LogIdentity, IdentityError> {
    let new = clock.new_id();
    let check = cipher::seal(&keyring.store_key(), &cipher::aad(new, KEY_CHECK), new.as_bytes());
    sqlx::query!(
        "INSERT INTO event_log.identity (id, mode, key_check) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        new,
        mode.as_str(),
        check
    )
    .execute(pool)
    .await?;
    let row = sqlx::query!("SELECT id, mode, key_check, forked_at FROM event_log.identity").fetch_one(pool).await?;
    let found = if row.mode == "live" { Mode::Live } else { Mode::Test };
    if found != mode {
        return Err(IdentityError::OtherMode { wanted: mode, found });
    }
    let opened = cipher::open(&keyring.store_key(), &cipher::aad(row.id, KEY_CHECK), &row.key_check);
    if opened.as_deref() != Some(row.id.as_bytes().as_slice()) {
        return Err(IdentityError::WrongKeys);
    }
    Ok(LogIdentity { id: row.id, mode: found, fork: row.forked_at })
}
