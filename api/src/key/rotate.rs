//! Another secret for a key, while the one before still opens.

use axum::http::{StatusCode, header};
use chrono::Duration;
use domain::{
    aggregate::Loaded,
    ids::KeyId,
    key::{self, Key, SecretHash},
};
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::{
    grant::{KEYS, KeyBody},
    new_secret,
};
use crate::{
    http::{
        auth::key_hash,
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    reservation::not_found_if_other,
};

pub const ROTATE: Operation = Operation {
    id: "key.rotate",
    path: "/v1/keys/{id}/rotation",
    summary: "Give an API key another secret",
    about: "The new secret is in this answer and never again. The one before opens for `overlap_hours` longer, 168 at most; with 0 it \
            ends at once. Of three only the last two open.",
    authz: KEYS,
    // The answer holds the secret, so it is not kept for repetitions: again is another secret.
    step_up: true,
    idempotent: false,
    body: Some(Shape::of::<RotateKey>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<KeyBody>()),
        about: "The key with its new secret.",
        ..Operation::READ.success
    },
    refusals: &["key.revoked", "key.overlap_too_long"],
    run: |call| Box::pin(rotate(call)),
    ..Operation::WRITE
};

/// How long the present secret opens beside the new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateKey {
    #[schema(maximum = 168)]
    overlap_hours: u16,
}

impl Exemplary for RotateKey {
    fn example() -> Value {
        json!({ "overlap_hours": 24 })
    }
}

async fn rotate(call: Call) -> Result<Reply, Halt> {
    call.may_touch_what_is_of_no_site()?;
    let id = KeyId::new(call.uuid("id")?);
    let body: RotateKey = call.body()?;
    let secret = new_secret(call.app.is_test())?;
    let hash = SecretHash(key_hash(&call.app.keyring, &secret));
    let overlap = Duration::hours(body.overlap_hours.into());
    let mut tries = Tries::default();
    loop {
        let known: Loaded<Key> = call.app.store.load(id).await.map_err(not_found_if_other)?;
        if known.version == 0 {
            return Err(Problem::new("object.not_found").into());
        }
        call.precondition.check(known.version)?;
        let decision = key::rotate(&known, hash.clone(), overlap, call.actor(), call.now())?;
        if let Some(written) = call.write(decision.clone(), None).await? {
            call.app.keys.forget_all();
            let body = KeyBody::of(&after(known, &decision), Some(secret));
            let body = body.ok_or_else(|| Problem::new("server.error"))?;
            let reply = Reply::json(StatusCode::CREATED, &body)?.header(header::CACHE_CONTROL, "no-store");
            return Ok(reply.position(written.position));
        }
        tries.again()?;
    }
}
