//! That the log of one checkpoint is the beginning of the log of a later one.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    http::{
        admission::Class,
        call::Call,
        halt::Halt,
        operation::{Authz, Exemplary, Kind, Operation, Param, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
};

pub const CONSISTENCY: Operation = Operation {
    id: "audit.consistency",
    path: "/v1/audit/consistency",
    class: Class::Analytics,
    summary: "A proof that the log only grew",
    about: "RFC 6962 §2.1.2: with it the roots of two checkpoints show that the first `from` events of the later log are \
            those of the earlier one.",
    authz: Authz::Anyone,
    query: &[
        Param::new("from", Kind::Integer { min: 0, max: i64::MAX }, "Size of the earlier tree.", "40").required(),
        Param::new(
            "to",
            Kind::Integer { min: 0, max: i64::MAX },
            "Size of the later tree; that of the newest checkpoint when left out.",
            "42",
        ),
    ],
    success: Success { shape: Some(Shape::of::<ConsistencyBody>()), about: "The proof.", ..Operation::READ.success },
    refusals: &["audit.not_sealed_yet", "audit.no_such_position"],
    run: |call| Box::pin(consistency(call)),
    ..Operation::READ
};

/// A consistency proof.
#[derive(Serialize, ToSchema)]
#[schema(as = ConsistencyProof)]
pub struct ConsistencyBody {
    object: &'static str,
    from: i64,
    to: i64,
    /// Base64 each.
    proof: Vec<String>,
}

impl Exemplary for ConsistencyBody {
    fn example() -> Value {
        json!({ "object": "consistency_proof", "from": 40, "to": 42, "proof": ["47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="] })
    }
}

async fn consistency(call: Call) -> Result<Reply, Halt> {
    let store = &call.app.store;
    let from = call.query.integer("from").unwrap_or(0);
    let to = match call.query.integer("to") {
        Some(to) => to,
        None => store.checkpoint().await.map_err(Problem::from)?.map_or(0, |newest| newest.size),
    };
    let found = store.prove_consistency(from, to).await.map_err(Problem::from)?;
    let proof = found.proof.iter().map(|hash| STANDARD.encode(hash.0)).collect();
    let body = ConsistencyBody { object: "consistency_proof", from: found.from, to: found.to, proof };
    Ok(Reply::json(StatusCode::OK, &body)?)
}
