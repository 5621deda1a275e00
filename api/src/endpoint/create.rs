//! Add an endpoint.

use adapters::webhook_out::SharedSecret;
use axum::http::{StatusCode, header};
use domain::{
    aggregate::Loaded,
    endpoint::{self, Endpoint},
    ids::{EndpointId, EndpointSecretId},
};
use eventstore::{Refusal, webhook_out};

use super::{
    OWNERS,
    body::{EndpointBody, WantedEndpoint},
    callable,
};
use crate::{
    http::{
        call::Call,
        command::{Attempt, Tries, after},
        halt::Halt,
        operation::{IfMatch, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const CREATE: Operation = Operation {
    id: "endpoint.create",
    path: "/v1/endpoints",
    summary: "Have events sent to an address",
    about: "Standard Webhooks: each event that this key may read is posted there as a CloudEvent, in the order of the log, \
            signed. The secret is in this answer and never again. At most 10 endpoints each.",
    authz: OWNERS,
    // The answer holds the secret, so it is not kept for repetitions: again is another endpoint.
    idempotent: false,
    if_match: IfMatch::Ignored,
    body: Some(Shape::of::<WantedEndpoint>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<EndpointBody>()),
        about: "The endpoint with its secret.",
        ..Operation::READ.success
    },
    refusals: &[
        "endpoint.not_encrypted",
        "endpoint.not_public",
        "endpoint.unknown_type",
        "endpoint.too_many_types",
        "endpoint.no_sites",
        "endpoint.may_not_read",
        "endpoint.too_many",
    ],
    run: |call| Box::pin(create(call)),
    ..Operation::WRITE
};

/// A new secret of 256 random bits.
///
/// # Errors
/// `server.overloaded` when the system has no randomness.
pub(super) fn new_secret() -> Result<SharedSecret, Problem> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| Problem::new("server.overloaded"))?;
    Ok(SharedSecret::from_bytes(&bytes))
}

async fn create(call: Call) -> Result<Reply, Halt> {
    let wish = call.wish(call.body()?).await?;
    let new = Loaded::<Endpoint>::new(EndpointId::new(call.new_id()));
    let (secret_id, secret) = (EndpointSecretId::new(call.new_id()), new_secret()?.expose());
    let key = call.own_key()?;
    let decide = || endpoint::add(&new, wish.clone(), key, secret_id, call.app.is_test(), call.now());
    // What the rules refuse leaves no secret behind.
    decide()?;
    callable(&call, &wish)?;
    webhook_out::keep(&call.app.store, new.id.uuid(), secret_id.uuid(), &secret).await.map_err(Problem::from)?;
    let mut tries = Tries::default();
    loop {
        let decision = decide()?;
        match call.append(decision.clone(), None).await? {
            Attempt::Written(written) => {
                let body = EndpointBody::of(&after(new, &decision), Some(secret));
                let body = body.ok_or_else(|| Problem::new("server.error"))?;
                let reply = Reply::json(StatusCode::CREATED, &body)?.header(header::CACHE_CONTROL, "no-store");
                return Ok(reply.position(written.position));
            }
            Attempt::Guarded(Refusal::LimitReached { max, .. }) => {
                let gone = webhook_out::forget(&call.app.store, new.id.uuid(), &[]).await;
                gone.map_err(Problem::from)?;
                return Err(Problem::new("endpoint.too_many").with("value", max).into());
            }
            Attempt::Guarded(refusal) => return Err(Halt::refused(refusal)),
            Attempt::Moved => tries.again()?,
        }
    }
}
