//! Signing in.

use axum::http::StatusCode;
use domain::{
    actor::Role,
    aggregate::Loaded,
    client::{Client, Language},
    ids::PrincipalId,
    text::Name,
};
use eventstore::auth::session;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{OpenedBody, ended_at_once, enter::enter};
use crate::http::{
    call::Call,
    form,
    halt::Halt,
    operation::{Authz, Exemplary, Operation, Shape, Success},
    reply::Reply,
};

pub const OPEN: Operation = Operation {
    id: "session.open",
    path: "/v1/sessions",
    summary: "Sign in",
    about: "With a challenge that was proven and a PIN: the one that they have, or, when they have none, the one that they choose \
            now. The device is bound with it, and from then on signs in by `POST /v1/devices/{id}/challenges` and the PIN, without \
            a code; of more than five the one that was bound first is released. Five wrong PINs in a row rest for a quarter of \
            an hour, ten for a day, and then want a code as well.",
    authz: Authz::Anyone,
    // The answer holds the tokens, so it is not kept for repetitions: a challenge opens one session.
    idempotent: false,
    body: Some(Shape::of::<OpenSession>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<OpenedBody>()),
        about: "They are signed in.",
        ..Operation::READ.success
    },
    refusals: &[
        "challenge.over",
        "challenge.not_proven",
        "pin.wrong",
        "pin.locked",
        "pin.too_simple",
        "client.erased",
        "client.not_idle",
    ],
    run: |call| Box::pin(open(call)),
    ..Operation::WRITE
};

/// What they have, and what they know.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenSession {
    pub challenge_id: Uuid,
    /// Ed25519 over `sign` of the challenge, 64 bytes in base64url.
    #[schema(min_length = 86, max_length = 86, pattern = "^[A-Za-z0-9_-]{85}[AQgw]$")]
    #[serde(deserialize_with = "form::signature")]
    pub signature: String,
    /// Six digits. One that is chosen may not be what a stranger tries first.
    #[schema(min_length = 4, max_length = 6, pattern = "^[0-9]{4,6}$")]
    #[serde(deserialize_with = "form::pin")]
    pub pin: String,
    /// Somebody else had the number, who was not here for ninety days (`next` was `pin_or_new_account`): begin anew, with a PIN
    /// that is chosen now. What they did stays with them.
    #[serde(default)]
    pub new_account: bool,
    /// What they are called, when they are new here.
    #[schema(value_type = Option<String>, max_length = 120)]
    pub name: Option<Name>,
    /// What their messages are written in, when they are new here. Otherwise as `Accept-Language` says.
    #[schema(value_type = Option<String>)]
    pub language: Option<Language>,
    /// What they call the device, when it is new.
    #[schema(value_type = Option<String>, max_length = 120)]
    pub device_name: Option<Name>,
}

impl Exemplary for OpenSession {
    fn example() -> Value {
        json!({
            "challenge_id": "019ab2c4-5f00-7000-8000-0000000000c4",
            "signature": "A".repeat(86),
            "pin": "739164",
            "name": "Awa Ndiaye",
            "device_name": "Tecno Spark",
        })
    }
}

async fn open(call: Call) -> Result<Reply, Halt> {
    let body: OpenSession = call.body()?;
    let entered = enter(&call, &body).await?;
    let subject = PrincipalId::new(entered.client.uuid());
    let store = &call.app.store;
    let opened = session::open(store, subject, Role::Client, Some(entered.device)).await;
    let opened = opened.map_err(eventstore::ReadError::from)?;
    // Whoever changed the PIN, or released the device, a moment ago ended the sessions that there were: was this one among
    // them? Each writes first and looks then, so one of the two sees the other.
    let now: Loaded<Client> = store.load(entered.client).await?;
    let stands = now.state.erased_at.is_none() && now.state.devices.contains_key(&entered.device);
    if !stands || now.state.pin != Some(entered.pin) {
        return Err(ended_at_once(store, &opened, "challenge.over").await);
    }
    let reply = OpenedBody::reply(opened, StatusCode::CREATED)?;
    Ok(match entered.position {
        Some(position) => reply.position(position),
        None => reply,
    })
}
