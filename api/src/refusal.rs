//! From what the inner crates refuse or fail at, to problem documents.

use domain::refusal::Refused;
use serde_json::json;

use crate::problem::Problem;

/// A rule of the domain said no: its code, its sentence, and the rule with value and version.
pub fn refused(refusal: &dyn Refused) -> Problem {
    let mut problem = Problem::new(refusal.code()).saying(sentence(refusal));
    if let Some(rule) = refusal.rule() {
        problem = problem
            .with("value", rule.value.clone())
            .member("rule", json!({ "id": rule.name, "value": rule.value, "version": rule.version }));
    }
    problem
}

/// The refusal's own words as a sentence.
fn sentence(refusal: &dyn Refused) -> String {
    let text = refusal.to_string();
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => text,
    }
}

macro_rules! refusals {
    ($($refusal:ty),* $(,)?) => {$(
        impl From<$refusal> for Problem {
            fn from(refusal: $refusal) -> Self {
                refused(&refusal)
            }
        }
    )*};
}

refusals!(
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
);

/// What a guard of the lane refuses, when the operation has no better word for it.
impl From<eventstore::Refusal> for Problem {
    fn from(refusal: eventstore::Refusal) -> Self {
        match refusal {
            eventstore::Refusal::SlotTaken { .. } => Self::new("reservation.slot_taken"),
            eventstore::Refusal::NotUnique { .. } => Self::new("object.exists"),
            // Whoever owes a fine books nothing before it is settled, waived or appealed.
            eventstore::Refusal::LimitReached { scope, .. } if scope.ends_with(":debts") => Self::new("client.debt"),
            eventstore::Refusal::LimitReached { scope, max } => {
                // `client:<id>:unpaid_holds` or `client:<id>:lapsed_holds:<day>`: only the kind is told.
                let rule = if scope.contains("lapsed") { "unpaid_holds_per_day" } else { "unpaid_holds_at_once" };
                Self::new("reservation.too_many_holds")
                    .with("value", max)
                    .member("rule", json!({ "id": rule, "value": max.to_string(), "version": 0 }))
            }
        }
    }
}

impl From<eventstore::AppendError> for Problem {
    fn from(error: eventstore::AppendError) -> Self {
        use eventstore::AppendError as E;
        match error {
            E::Conflict { .. } => Self::new("version.conflict").retry_after(1),
            E::Refused(refusal) => refusal.into(),
            E::KeyReused => Self::new("idempotency.key_reused"),
            E::Fork { .. } => Self::new("log.is_a_fork"),
            E::Overloaded { .. } => Self::new("server.overloaded").retry_after(1),
            E::Unknown => Self::new("server.outcome_unknown").retry_after(1),
            other => {
                tracing::error!(error = %other, "the lane failed");
                Self::new("server.overloaded").retry_after(1)
            }
        }
    }
}

/// The memory cannot be reached or read: ours to repair, nothing was done.
fn unreadable(error: &dyn std::error::Error) -> Problem {
    let cause = error.source().map(ToString::to_string).unwrap_or_default();
    tracing::error!(%error, cause, "the log or a view cannot be read");
    Problem::new("server.overloaded").retry_after(1)
}

macro_rules! unreadables {
    ($($error:ty),* $(,)?) => {$(
        impl From<$error> for Problem {
            fn from(error: $error) -> Self {
                unreadable(&error)
            }
        }
    )*};
}

unreadables!(eventstore::ReadError, sqlx::Error);

impl From<eventstore::SubjectError> for Problem {
    fn from(error: eventstore::SubjectError) -> Self {
        match error {
            // Nothing can be written of somebody who was forgotten.
            eventstore::SubjectError::Erased => Self::new("client.erased"),
            other => unreadable(&other),
        }
    }
}

impl From<eventstore::LoadError> for Problem {
    fn from(error: eventstore::LoadError) -> Self {
        match error {
            // An id of something else names nothing.
            eventstore::LoadError::OtherNoun { .. } => Self::new("object.not_found"),
            other => unreadable(&other),
        }
    }
}

impl From<projections::page::ListError> for Problem {
    fn from(error: projections::page::ListError) -> Self {
        use projections::page::ListError as E;
        match error {
            E::Cursor => Self::new("request.invalid_parameter")
                .parameter("cursor", "is not a cursor of this list with these filters"),
            E::Limit => Self::new("request.invalid_parameter").parameter("limit", "must be between 1 and 100"),
            E::Database(error) => unreadable(&error),
        }
    }
}
