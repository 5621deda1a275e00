//! Reads the evidence: the folder of the trial, and the database, without changing either.

mod database;
mod files;

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::input::Input;

/// Why nothing could be judged.
#[derive(Debug, Error)]
pub enum JudgeError {
    #[error("{} cannot be read", path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("{} is not what it should be", path.display())]
    Shape { path: PathBuf, source: serde_json::Error },
    #[error("the address of the database is not one")]
    Address(#[source] sqlx::Error),
    #[error("the database cannot be read")]
    Database(#[from] sqlx::Error),
    #[error("judging was given up")]
    Gone,
}

/// Everything in the folder and the database.
///
/// # Errors
/// [`JudgeError`] when a file is missing or of another shape, or the database cannot be read.
pub async fn read(folder: &Path, database_url: &str) -> Result<Input, JudgeError> {
    let files = files::read(folder)?;
    let rows = database::read(database_url).await?;
    Ok(Input {
        stage: files.stage,
        history: files.history,
        log: rows.log,
        claims: rows.claims,
        views: rows.views,
        ledger: rows.ledger,
        effects: rows.effects,
        wave: files.wave,
        sms: files.sms,
        rebuild: files.rebuild,
        bus: files.bus,
        verify: files.verify,
    })
}
