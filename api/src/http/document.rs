//! A table as a file to keep: CSV, XLSX or PDF, of the same rows.

use adapters::document::{self, Table};
use axum::http::{StatusCode, header};

use super::reply::Reply;
use crate::problem::Problem;

/// The form of a file.
#[derive(Clone, Copy, Debug)]
pub enum Form {
    Csv,
    Xlsx,
    Pdf,
}

impl Form {
    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    pub const fn media(self) -> &'static str {
        match self {
            Self::Csv => document::CSV,
            Self::Xlsx => document::XLSX,
            Self::Pdf => document::PDF,
        }
    }
}

/// The table as a file of that name.
///
/// # Errors
/// `server.error` when it cannot be written.
pub fn attached(name: &str, form: Form, table: &Table) -> Result<Reply, Problem> {
    let bytes = match form {
        Form::Csv => Ok(document::csv(table)),
        Form::Xlsx => document::xlsx(table),
        Form::Pdf => document::pdf(table),
    };
    let bytes = bytes.map_err(|error| {
        tracing::error!(%error, "a document could not be written");
        Problem::new("server.error")
    })?;
    let disposition = format!("attachment; filename=\"{name}.{}\"", form.ending());
    Ok(Reply::bytes(StatusCode::OK, form.media(), bytes).header(header::CONTENT_DISPOSITION, disposition))
}
