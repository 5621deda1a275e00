//! Why a handler stopped: a problem, or because its command was carried out before.

use eventstore::Record;

use crate::problem::Problem;

/// The way out of a handler that did not answer.
#[derive(Debug)]
pub enum Halt {
    Problem(Problem),
    /// The lane refused the command, and it asks after the key first: whoever it refuses is not a repetition.
    Refused(Problem),
    /// The lane knows this key: the answer of then is to be given again.
    Before(Box<Record>),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Halt {
    /// What a guard said no to, as the caller is told.
    pub fn refused(refusal: impl Into<Problem>) -> Self {
        Self::Refused(refusal.into())
    }

    /// Whether this request wrote nothing, for sure.
    pub fn is_certain(&self) -> bool {
        match self {
            Self::Problem(problem) | Self::Refused(problem) => !problem.status().is_server_error(),
            Self::Before(_) => true,
        }
    }
}

/// Any failure that is our own, or a refusal, by way of its problem.
macro_rules! through_problem {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Halt {
            fn from(error: $error) -> Self {
                Self::Problem(error.into())
            }
        }
    )*};
}

through_problem!(
    eventstore::ReadError,
    eventstore::LoadError,
    eventstore::SubjectError,
    domain::account::Refusal,
    domain::site::Refusal,
    domain::quote::Refusal,
    domain::reservation::Refusal,
    domain::payment::Refusal,
    domain::refund::Refusal,
    domain::reconciliation::Refusal,
    domain::payout::Refusal,
    domain::invoice::Refusal,
    domain::client::Refusal,
    domain::key::Refusal,
    domain::endpoint::Refusal,
    domain::promotion::Refusal,
    domain::till::Refusal,
    sqlx::Error,
    projections::page::ListError,
);
