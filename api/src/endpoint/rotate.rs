//! Another secret for an endpoint, while the one before still signs.

use axum::http::{StatusCode, header};
use chrono::Duration;
use domain::{endpoint, ids::EndpointSecretId};
use eventstore::webhook_out;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{OWNERS, body::EndpointBody, create::new_secret};
use crate::{
    http::{
        call::Call,
        command::{Tries, after},
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const ROTATE: Operation = Operation {
    id: "endpoint.rotate",
    path: "/v1/endpoints/{id}/secret-rotation",
    summary: "Give an endpoint another secret",
    about: "The new secret is in this answer and never again. The one before signs beside it for `overlap_hours`, 168 at \
            most: each message then carries a signature by each. With 0 it ends at once. Of three only the last two sign.",
    authz: OWNERS,
    // The answer holds the secret, so it is not kept for repetitions: again is another secret.
    idempotent: false,
    body: Some(Shape::of::<RotateSecret>()),
    success: Success {
        status: 201,
        shape: Some(Shape::of::<EndpointBody>()),
        about: "The endpoint with its new secret.",
        ..Operation::READ.success
    },
    refusals: &["endpoint.overlap_too_long"],
    run: |call| Box::pin(rotate(call)),
    ..Operation::WRITE
};

/// How long the present secret signs beside the new one.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSecret {
    #[schema(maximum = 168)]
    overlap_hours: u16,
}

impl Exemplary for RotateSecret {
    fn example() -> Value {
        json!({ "overlap_hours": 24 })
    }
}

async fn rotate(call: Call) -> Result<Reply, Halt> {
    let body: RotateSecret = call.body()?;
    let overlap = Duration::hours(body.overlap_hours.into());
    let (secret_id, secret) = (EndpointSecretId::new(call.new_id()), new_secret()?.expose());
    let mut kept = false;
    let mut tries = Tries::default();
    loop {
        let (known, _) = call.own_endpoint().await?;
        call.precondition.check(known.version)?;
        let decision = endpoint::rotate(&known, secret_id, overlap, call.actor(), call.now())?;
        let store = &call.app.store;
        if !kept {
            let keeping = webhook_out::keep(store, known.id.uuid(), secret_id.uuid(), &secret).await;
            keeping.map_err(Problem::from)?;
            kept = true;
        }
        if let Some(written) = call.write(decision.clone(), None).await? {
            let endpoint = after(known, &decision);
            let live: Vec<Uuid> = endpoint.state.secrets(call.now()).map(EndpointSecretId::uuid).collect();
            // What is left of older ones is of no use to anybody; when that fails, the next time does it.
            if let Err(error) = webhook_out::forget(store, endpoint.id.uuid(), &live).await {
                tracing::warn!(%error, "secrets that sign nothing any more were not forgotten");
            }
            let body = EndpointBody::of(&endpoint, Some(secret)).ok_or_else(|| Problem::new("server.error"))?;
            let reply = Reply::json(StatusCode::CREATED, &body)?.header(header::CACHE_CONTROL, "no-store");
            return Ok(reply.position(written.position));
        }
        tries.again()?;
    }
}
