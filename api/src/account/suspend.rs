//! An account is stopped, and may go on.

use axum::http::StatusCode;
use domain::{account, ids::PrincipalId, text::Note};
use eventstore::auth::session::{self, Which, Why};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{ADMINS, AccountBody, change};
use crate::http::{
    call::Call,
    halt::Halt,
    operation::{Exemplary, Operation, Shape, Success},
    reply::Reply,
};

pub const SUSPEND: Operation = Operation {
    id: "account.suspend",
    path: "/v1/accounts/{id}/suspension",
    summary: "Suspend an account",
    about: "At once: its sessions have ended, its keys open nothing, and not even what is on its way is written. One admin is enough, \
            because it must not wait.",
    authz: ADMINS,
    idempotent: false,
    body: Some(Shape::of::<SuspendAccount>()),
    success: Success { shape: Some(Shape::of::<AccountBody>()), about: "Suspended.", ..Operation::READ.success },
    refusals: &["account.same_person"],
    run: |call| Box::pin(suspend(call)),
    ..Operation::WRITE
};

pub const RESUME: Operation = Operation {
    id: "account.resume",
    path: "/v1/accounts/{id}/resumption",
    summary: "Let an account go on",
    about: "Whoever it belongs to signs in anew.",
    authz: ADMINS,
    step_up: true,
    idempotent: false,
    success: Success { shape: Some(Shape::of::<AccountBody>()), about: "It goes on.", ..Operation::READ.success },
    refusals: &["account.same_person"],
    run: |call| Box::pin(resume(call)),
    ..Operation::WRITE
};

/// Why.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendAccount {
    #[schema(value_type = String, max_length = 500)]
    reason: Note,
}

impl Exemplary for SuspendAccount {
    fn example() -> Value {
        json!({ "reason": "Enquête en cours" })
    }
}

async fn suspend(call: Call) -> Result<Reply, Halt> {
    let body: SuspendAccount = call.body()?;
    let id = PrincipalId::new(call.uuid("id")?);
    let reply = change(&call, StatusCode::OK, |account| {
        account::suspend(account, body.reason.clone(), call.actor(), call.now())
    })
    .await?;
    // The event alone stops them; this is so that no token of then is good when they go on.
    let ended = session::end_all(&call.app.store, id, Which::All, Why::Suspended).await;
    ended.map_err(eventstore::ReadError::from)?;
    call.app.keys.forget_all();
    Ok(reply)
}

async fn resume(call: Call) -> Result<Reply, Halt> {
    change(&call, StatusCode::OK, |account| account::resume(account, call.actor(), call.now())).await
}
