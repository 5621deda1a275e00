//! A PIN is lost, as whoever has the number says.

use axum::http::{StatusCode, header};
use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{self, Client},
    ids::{ClientId, PrincipalId, RecoveryId},
    sign_in::Purpose,
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{RecoveryBody, refused};
use crate::{
    challenge::{proven, use_up},
    http::{
        call::Call,
        command::{Attempt, Tries, after},
        form,
        halt::Halt,
        limits,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const BEGIN: Operation = Operation {
    id: "recovery.begin",
    path: "/v1/recoveries",
    summary: "Say that the PIN is lost",
    about: "With a challenge of purpose `recover` that was proven. From `ready_at` on, a day later, another PIN can be chosen with \
            this device and another code. Until then everything goes on as it was: devices that are bound sign in with the PIN, \
            and can stop it, and so can whoever has the number by the link that is sent to it. Meanwhile the number does not change, \
            and no money goes back by another way than it came. Again with the same device is the same recovery.",
    authz: Authz::Anyone,
    limit: limits::Purpose::Call,
    // A challenge begins one recovery.
    idempotent: false,
    body: Some(Shape::of::<BeginRecovery>()),
    success: Success {
        status: 202,
        shape: Some(Shape::of::<RecoveryBody>()),
        about: "It waits.",
        ..Operation::READ.success
    },
    refusals: &["challenge.over", "challenge.not_proven", "recovery.not_needed", "client.number_changes"],
    run: |call| Box::pin(begin(call)),
    ..Operation::WRITE
};

/// A number that was proven.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginRecovery {
    challenge_id: Uuid,
    /// Ed25519 over `sign` of the challenge, 64 bytes in base64url.
    #[schema(min_length = 86, max_length = 86, pattern = "^[A-Za-z0-9_-]{85}[AQgw]$")]
    #[serde(deserialize_with = "form::signature")]
    signature: String,
}

impl Exemplary for BeginRecovery {
    fn example() -> Value {
        json!({ "challenge_id": "019ab2c4-5f00-7000-8000-0000000000c4", "signature": "A".repeat(86) })
    }
}

async fn begin(call: Call) -> Result<Reply, Halt> {
    let body: BeginRecovery = call.body()?;
    let proven = proven(&call.app, body.challenge_id, &body.signature, Purpose::Recover).await?;
    let store = &call.app.store;
    let id = RecoveryId::new(call.new_id());
    let (mut tries, mut used) = (Tries::default(), false);
    loop {
        // Only whoever has the number learns that nobody is known by it.
        let holder = store.holder_of(client::PHONE, &proven.phone_hash.0).await?;
        let holder = holder.ok_or_else(|| Problem::new("recovery.not_needed"))?;
        let known: Loaded<Client> = store.load(ClientId::new(holder)).await?;
        let (actor, now) = (Actor::new(Role::Client, PrincipalId::new(holder)), call.now());
        let decision = client::begin_recovery(&known, id, proven.device_key.clone(), actor, now).map_err(refused)?;
        if !used {
            use_up(&call, proven.id).await?;
            used = true;
        }
        let there = after(known, &decision);
        let recovery = there.state.recovery.as_ref().ok_or_else(|| Problem::new("server.error"))?;
        let reply = Reply::json(StatusCode::ACCEPTED, &RecoveryBody::of(recovery, now))?;
        let reply = reply.header(header::CACHE_CONTROL, "no-store");
        if decision.is_nothing() {
            return Ok(reply);
        }
        match call.append_as(actor, decision, None).await? {
            Attempt::Written(written) => return Ok(reply.position(written.position)),
            Attempt::Moved => tries.again()?,
            Attempt::Guarded(refusal) => return Err(Halt::refused(refusal)),
        }
    }
}
