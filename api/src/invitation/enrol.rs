//! The second factor is shown.

use axum::http::{StatusCode, header};
use eventstore::auth::{invitation, totp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::standing;
use crate::{
    http::{
        call::Call,
        form,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const ENROL: Operation = Operation {
    id: "invitation.enrol",
    path: "/v1/invitations/enrolment",
    summary: "Take up a second factor",
    about: "For an authenticator app: by `uri` (as a QR code) or by `seed`. Again is another one, and the last one shown counts.",
    authz: Authz::Anyone,
    idempotent: false,
    body: Some(Shape::of::<EnrolInvitation>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<EnrolmentBody>()),
        about: "What the app reads.",
        ..Operation::READ.success
    },
    refusals: &["invitation.over"],
    run: |call| Box::pin(enrol(call)),
    ..Operation::WRITE
};

/// The token of the mail.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnrolInvitation {
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    #[serde(deserialize_with = "form::token")]
    token: String,
}

impl Exemplary for EnrolInvitation {
    fn example() -> Value {
        json!({ "token": "ki_6mM4oSSuPpqvyGzXCRnHMPa1ow0QqKdYxZTWNVOcb3E" })
    }
}

/// What an authenticator app reads.
#[derive(Serialize, ToSchema)]
#[schema(as = Enrolment)]
pub struct EnrolmentBody {
    object: &'static str,
    /// Base32.
    seed: String,
    /// `otpauth://…` (Key Uri Format).
    uri: String,
}

impl Exemplary for EnrolmentBody {
    fn example() -> Value {
        json!({
            "object": "enrolment", "seed": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "uri": "otpauth://totp/Kalel:0a4c?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Kalel",
        })
    }
}

async fn enrol(call: Call) -> Result<Reply, Halt> {
    let body: EnrolInvitation = call.body()?;
    let invited = standing(&call.app, &body.token).await?;
    let store = &call.app.store;
    let offered = totp::make(store, invited.account.uuid()).await.map_err(Problem::from)?;
    invitation::show(store, invited.account, offered.id).await.map_err(eventstore::ReadError::from)?;
    let seed = offered.seed.to_string();
    // The app shows it beside the code; the address would be one place more where it stands.
    let label = invited.account.to_string().chars().rev().take(4).collect::<String>();
    let uri = format!("otpauth://totp/Kalel:{label}?secret={seed}&issuer=Kalel");
    let reply = Reply::json(StatusCode::CREATED, &EnrolmentBody { object: "enrolment", seed, uri })?;
    Ok(reply.header(header::CACHE_CONTROL, "no-store"))
}
