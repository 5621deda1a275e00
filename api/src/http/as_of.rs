//! `?as_of=`: a read that answers from the past, under present rights.

use eventstore::{AsOf, Moment, MomentError};
use projections::RunError;

use crate::{
    http::{
        call::Call,
        operation::{Kind, Param},
        position,
    },
    problem::Problem,
};

pub const AS_OF: Param = Param::new(
    "as_of",
    Kind::Moment,
    "As it was after the event at this position, or at this time (RFC 3339). Such an answer has no ETag.",
    "",
)
.checked("where the log begins and ends");

impl Call {
    /// The moment that is asked about, once the views hold it; `None` for now.
    ///
    /// # Errors
    /// 400 for what is no moment of this log, 503 while the views are behind it.
    pub async fn as_of(&self) -> Result<Option<Moment>, Problem> {
        // In a query string an unescaped + arrives as a space.
        let Some(text) = self.query.text("as_of").map(|text| text.replace(' ', "+")) else { return Ok(None) };
        let as_of: AsOf = text.parse()?;
        let moment = self.app.store.moment(as_of).await?;
        position::reached(&self.app, moment.position).await?;
        Ok(Some(moment))
    }
}

impl From<MomentError> for Problem {
    fn from(error: MomentError) -> Self {
        let sentence = error.to_string();
        match error {
            MomentError::Malformed(_) => Self::new("request.invalid_parameter").parameter(
                "as_of",
                "must be a position or a time with its offset, such as 2026-11-28T18:00:00Z (RFC 3339)",
            ),
            MomentError::BeforeStart(_) | MomentError::Empty => Self::new("position.before_start").saying(sentence),
            MomentError::BeyondHead { head, .. } => Self::new("position.beyond_head").member("head", head),
            MomentError::Read(error) => error.into(),
        }
    }
}

/// What the views could not tell of the past.
pub fn untold(error: RunError) -> Problem {
    match error {
        RunError::Database(error) => error.into(),
        RunError::Log(error) => error.into(),
        other => {
            tracing::error!(error = &other as &dyn std::error::Error, "the past cannot be told");
            Problem::new("server.error")
        }
    }
}
