//! Who is signed in: opened with a telephone and a PIN, refreshed, listed, ended.

mod enter;
mod list;
mod open;
mod refresh;
mod staff;

pub(crate) use enter::{choose, compare, sealed_name};
pub(crate) use list::own;
pub use list::{SessionBody, SessionsBody, of};
pub(crate) use staff::{WRONG, prove_staff};

use axum::http::{StatusCode, header};
use domain::actor::Role;
use eventstore::{
    Store,
    auth::{
        AuthError,
        session::{self, Opened, Session, Why},
    },
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    http::{
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Over},
        reply::Reply,
    },
    problem::Problem,
    shape::utc_text,
};

pub const OPERATIONS: &[&Operation] =
    &[&open::OPEN, &staff::OPEN_STAFF, &staff::STEP_UP, &refresh::REFRESH, &list::LIST, &list::END, &list::END_OTHERS];

/// About one's own way of signing in.
pub const OWN: Authz = Authz::Session { roles: &[(Role::Client, Over::Own)] };

/// About one's own sessions: everybody has some.
pub const ANYBODY: Authz = Authz::Session {
    roles: &[
        (Role::Client, Over::Own),
        (Role::Manager, Over::Own),
        (Role::Gatekeeper, Over::Own),
        (Role::Cashier, Over::Own),
        (Role::Support, Over::Own),
        (Role::Finance, Over::Own),
        (Role::Admin, Over::Own),
        (Role::Auditor, Over::Own),
    ],
};

/// Somebody is signed in. The tokens are in this answer and never again.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenedSession)]
pub struct OpenedBody {
    object: &'static str,
    id: Uuid,
    role: &'static str,
    /// Whose it is; for a client their id.
    subject_id: Uuid,
    device_id: Option<Uuid>,
    /// For `Authorization: Bearer`. It ends 15 minutes after it was last used, and after 12 hours in any case.
    access_token: String,
    #[schema(format = "date-time")]
    access_expires_at: String,
    /// For `POST /v1/sessions/refresh`, once, within 30 days.
    refresh_token: String,
    #[schema(format = "date-time")]
    refresh_expires_at: String,
}

impl OpenedBody {
    pub(crate) fn reply(opened: Opened, status: StatusCode) -> Result<Reply, Problem> {
        let session = opened.session;
        let body = Self {
            object: "session",
            id: session.id,
            role: session.role.as_str(),
            subject_id: session.subject.uuid(),
            device_id: session.device.map(Into::into),
            access_token: opened.access,
            access_expires_at: utc_text(opened.access_expires_at),
            refresh_token: opened.refresh,
            refresh_expires_at: utc_text(opened.refresh_expires_at),
        };
        Ok(Reply::json(status, &body)?.header(header::CACHE_CONTROL, "no-store"))
    }
}

impl Exemplary for OpenedBody {
    fn example() -> Value {
        json!({
            "object": "session",
            "id": "019ab2c4-5f00-7000-8000-0000000005e5",
            "role": "client",
            "subject_id": "019ab2c4-5f00-7000-8000-0000000000c9",
            "device_id": "019ab2c4-5f00-7000-8000-00000000de71",
            "access_token": "ks_test_6mM4oSSuPpqvyGzXCRnHMPa1ow0QqKdYxZTWNVOcb3E",
            "access_expires_at": "2026-11-28T12:15:00Z",
            "refresh_token": "kr_test_QzZ1bVqHn0YJr9kR2c0dX5mS8wTfLxP4uEaGhBiNoKs",
            "refresh_expires_at": "2026-12-28T12:00:00Z",
        })
    }
}

/// Ends a session that nobody was told of yet, because what it was opened by counts no longer; answers with what is said.
pub(crate) async fn ended_at_once(store: &Store, opened: &Opened, code: &'static str) -> Halt {
    let Session { id, subject, .. } = opened.session;
    match session::end(store, subject, id, Why::Changed).await {
        Ok(_) => Problem::new(code).into(),
        Err(error) => eventstore::ReadError::from(error).into(),
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        match error {
            AuthError::Database(error) => eventstore::ReadError::from(error).into(),
            AuthError::Busy => Self::new("server.overloaded").retry_after(1),
            AuthError::Hashing => Self::new("server.error"),
        }
    }
}
