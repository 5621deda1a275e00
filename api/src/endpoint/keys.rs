//! The key by which a log signs what it sends, for those who would rather share no secret.

use adapters::webhook_out::{LogKey, published};
use axum::http::StatusCode;
use eventstore::webhook_out::key_seed;
use serde_json::json;

use crate::{
    http::{
        call::Call,
        halt::Halt,
        operation::{Authz, Operation, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const KEYS: Operation = Operation {
    id: "endpoint.keys",
    path: "/v1/webhook-keys",
    summary: "Keys that messages are checked with",
    about: "Ed25519, for signatures of the version `v1a`: a JSON Web Key Set (RFC 8037), with each key as Standard Webhooks \
            writes it (`whpk_…`) beside it.",
    authz: Authz::Anyone,
    success: Success { about: "The keys.", ..Operation::READ.success },
    run: |call| Box::pin(keys(call)),
    ..Operation::READ
};

async fn keys(call: Call) -> Result<Reply, Halt> {
    let key = LogKey::from_seed(&key_seed(&call.app.store)).public().ok_or_else(|| Problem::new("server.error"))?;
    let mut jwk = key.jwk();
    jwk["public_key"] = json!(published(&key));
    Ok(Reply::json(StatusCode::OK, &json!({ "keys": [jwk] }))?)
}
