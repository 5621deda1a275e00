//! A day later: another PIN.

use axum::http::StatusCode;
use domain::{
    actor::{Actor, Role},
    aggregate::Loaded,
    client::{self, Client, NewDevice, Recovered},
    ids::{ClientId, DeviceId, PrincipalId, RecoveryId, SecretId},
    sign_in::Purpose,
    text::Name,
};
use eventstore::auth::session::{self, Which, Why};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::refused;
use crate::{
    challenge::{Proven, proven, use_up},
    http::{
        call::Call,
        command::{Attempt, Tries},
        form,
        halt::Halt,
        limits,
        operation::{Authz, Exemplary, IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    session::{OpenedBody, choose, ended_at_once, sealed_name},
};

pub const COMPLETE: Operation = Operation {
    id: "recovery.complete",
    path: "/v1/recoveries/{id}/completion",
    summary: "Choose another PIN",
    about: "From `ready_at` on, with the device that said so and a challenge of purpose `recover` that was proven since. All devices \
            that were bound are released, all sessions have ended, and this one is opened.",
    authz: Authz::Anyone,
    limit: limits::Purpose::Call,
    // The answer holds the tokens, so it is not kept for repetitions: a recovery is completed once.
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<CompleteRecovery>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<OpenedBody>()),
        about: "They are signed in, with the PIN that they chose.",
        ..Operation::READ.success
    },
    refusals: &["challenge.over", "challenge.not_proven", "recovery.over", "recovery.waiting", "pin.too_simple"],
    run: |call| Box::pin(complete(call)),
    ..Operation::WRITE
};

/// A number that was proven once more, and another PIN.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CompleteRecovery {
    challenge_id: Uuid,
    /// Ed25519 over `sign` of the challenge, 64 bytes in base64url.
    #[schema(min_length = 86, max_length = 86, pattern = "^[A-Za-z0-9_-]{85}[AQgw]$")]
    #[serde(deserialize_with = "form::signature")]
    signature: String,
    /// Six digits, and not what a stranger tries first.
    #[schema(min_length = 6, max_length = 6, pattern = "^[0-9]{6}$")]
    #[serde(deserialize_with = "form::six_digits")]
    pin: String,
    /// What they call the device.
    #[schema(value_type = Option<String>, max_length = 120)]
    device_name: Option<Name>,
}

impl Exemplary for CompleteRecovery {
    fn example() -> Value {
        json!({
            "challenge_id": "019ab2c4-5f00-7000-8000-0000000000c4",
            "signature": "A".repeat(86),
            "pin": "739164",
            "device_name": "Tecno Spark",
        })
    }
}

async fn complete(call: Call) -> Result<Reply, Halt> {
    let body: CompleteRecovery = call.body()?;
    let recovery_id = RecoveryId::new(call.uuid("id")?);
    let proven = proven(&call.app, body.challenge_id, &body.signature, Purpose::Recover).await?;
    let (client, device, pin, position) = recover(&call, &body, &proven, recovery_id).await?;
    // What was bound before opens nothing since the decision; here its sessions are told.
    let subject = PrincipalId::new(client.uuid());
    let store = &call.app.store;
    session::end_all(store, subject, Which::All, Why::Changed).await.map_err(eventstore::ReadError::from)?;
    let opened = session::open(store, subject, Role::Client, Some(device)).await;
    let opened = opened.map_err(eventstore::ReadError::from)?;
    // As for whoever signs in: what they came in by may be another by now.
    let now: Loaded<Client> = store.load(client).await?;
    if now.state.pin != Some(pin) || !now.state.devices.contains_key(&device) {
        return Err(ended_at_once(store, &opened, "recovery.over").await);
    }
    Ok(OpenedBody::reply(opened, StatusCode::CREATED)?.position(position))
}

async fn recover(
    call: &Call,
    body: &CompleteRecovery,
    proven: &Proven,
    recovery_id: RecoveryId,
) -> Result<(ClientId, DeviceId, SecretId, i64), Halt> {
    let store = &call.app.store;
    let device_id = DeviceId::new(call.new_id());
    let (mut tries, mut chosen) = (Tries::default(), None);
    loop {
        let holder = store.holder_of(client::PHONE, &proven.phone_hash.0).await?;
        let holder = holder.ok_or_else(|| Problem::new("recovery.over"))?;
        let known: Loaded<Client> = store.load(ClientId::new(holder)).await?;
        let actor = Actor::new(Role::Client, PrincipalId::new(holder));
        let decide = |pin: SecretId, name| {
            let device = NewDevice { device_id, device_key: proven.device_key.clone(), name };
            let recovered = Recovered { recovery_id, pin, device };
            client::complete_recovery(&known, recovered, actor, call.now()).map_err(refused)
        };
        // Too early, or never: nothing is hashed for it, and the code can be used later.
        decide(SecretId::new(call.new_id()), None)?;
        let first = chosen.is_none();
        let pin = choose(call, known.id, &body.pin, &mut chosen).await?;
        if first {
            use_up(call, proven.id).await?;
        }
        let name = sealed_name(call, known.id, body.device_name.as_ref().map(Name::as_str)).await?;
        let decision = decide(pin, name)?;
        match call.append_as(actor, decision, None).await? {
            Attempt::Written(written) => return Ok((known.id, device_id, pin, written.position)),
            Attempt::Moved => tries.again()?,
            Attempt::Guarded(refusal) => return Err(Halt::refused(refusal)),
        }
    }
}
