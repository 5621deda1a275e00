//! Brings a database's schema up to date. The migrations are inside the binary.

use sqlx::PgConnection;
use sqlx::migrate::{MigrateError, Migrator};

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// Applies what is missing, in order, each in its own transaction; returns how many there are in all.
///
/// # Errors
/// A migration that fails, or one that was changed after it was applied.
pub async fn migrate(connection: &mut PgConnection) -> Result<usize, MigrateError> {
    MIGRATIONS.run(connection).await?;
    Ok(MIGRATIONS.iter().count())
}
