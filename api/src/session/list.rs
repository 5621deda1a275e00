//! Where somebody is signed in, and the end of it.

use axum::http::{Method, StatusCode};
use domain::ids::PrincipalId;
use eventstore::auth::session::{self, Session, Which, Why};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ANYBODY;
use crate::{
    http::{
        call::Call,
        halt::Halt,
        operation::{Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::utc_text,
};

pub const LIST: Operation = Operation {
    id: "session.list",
    path: "/v1/sessions",
    summary: "Where you are signed in",
    about: "The latest first.",
    authz: ANYBODY,
    success: Success { shape: Some(Shape::of::<SessionsBody>()), about: "Your sessions.", ..Operation::READ.success },
    run: |call| Box::pin(list(call)),
    ..Operation::READ
};

pub const END: Operation = Operation {
    id: "session.end",
    method: Method::DELETE,
    path: "/v1/sessions/{id}",
    summary: "Sign out",
    about: "Of this session or another of yours, at once: not even what is on its way is written any more.",
    authz: ANYBODY,
    idempotent: false,
    if_match: IfMatch::Ignored,
    success: Success { status: 204, about: "It has ended.", ..Operation::READ.success },
    run: |call| Box::pin(end(call)),
    ..Operation::WRITE
};

pub const END_OTHERS: Operation = Operation {
    id: "session.end_others",
    method: Method::DELETE,
    path: "/v1/sessions",
    summary: "Sign out everywhere else",
    about: "Of all your sessions but this one.",
    authz: ANYBODY,
    idempotent: false,
    if_match: IfMatch::Ignored,
    success: Success { status: 204, about: "They have ended.", ..Operation::READ.success },
    run: |call| Box::pin(end_others(call)),
    ..Operation::WRITE
};

/// A place where somebody is signed in.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionBody {
    object: &'static str,
    id: Uuid,
    role: &'static str,
    device_id: Option<Uuid>,
    /// It is the one that asks.
    current: bool,
    #[schema(format = "date-time")]
    created_at: String,
    /// To the minute.
    #[schema(format = "date-time")]
    seen_at: String,
}

/// All of them.
#[derive(Serialize, ToSchema)]
#[schema(as = Sessions)]
pub struct SessionsBody {
    object: &'static str,
    data: Vec<SessionBody>,
}

impl Exemplary for SessionsBody {
    fn example() -> Value {
        json!({
            "object": "list",
            "data": [{
                "object": "session",
                "id": "019ab2c4-5f00-7000-8000-0000000005e5",
                "role": "client",
                "device_id": "019ab2c4-5f00-7000-8000-00000000de71",
                "current": true,
                "created_at": "2026-11-28T12:00:00Z",
                "seen_at": "2026-11-28T12:10:00Z",
            }],
        })
    }
}

/// Whose session it is that asks: nobody else gets this far.
pub(crate) fn own(call: &Call) -> Result<&Session, Problem> {
    call.caller.session().ok_or_else(|| Problem::new("session.required"))
}

async fn list(call: Call) -> Result<Reply, Halt> {
    let own = own(&call)?;
    let data = of(&call, own.subject.uuid()).await?;
    Ok(Reply::json(StatusCode::OK, &SessionsBody { object: "list", data })?)
}

/// Where somebody is signed in.
///
/// # Errors
/// The database's.
pub async fn of(call: &Call, subject: Uuid) -> Result<Vec<SessionBody>, Halt> {
    let current = call.caller.session().map(|own| own.id);
    let sessions = session::list(&call.app.store, PrincipalId::new(subject)).await;
    let sessions = sessions.map_err(eventstore::ReadError::from)?;
    let body = |session: &Session| SessionBody {
        object: "session",
        id: session.id,
        role: session.role.as_str(),
        device_id: session.device.map(Into::into),
        current: Some(session.id) == current,
        created_at: utc_text(session.opened_at),
        seen_at: utc_text(session.seen_at),
    };
    Ok(sessions.iter().map(body).collect())
}

async fn end(call: Call) -> Result<Reply, Halt> {
    let (own, id) = (own(&call)?, call.uuid("id")?);
    let ended = session::end(&call.app.store, own.subject, id, Why::Asked).await;
    match ended.map_err(eventstore::ReadError::from)? {
        true => Ok(Reply::empty(StatusCode::NO_CONTENT)),
        false => Err(Problem::new("object.not_found").into()),
    }
}

async fn end_others(call: Call) -> Result<Reply, Halt> {
    let own = own(&call)?;
    let ended = session::end_all(&call.app.store, own.subject, Which::AllBut(own.id), Why::Asked).await;
    ended.map_err(eventstore::ReadError::from)?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}
