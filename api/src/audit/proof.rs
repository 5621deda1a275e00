//! That an event, or all that happened to a reservation, is in the log.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use eventstore::{merkle::Hash, receipt::Receipt};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::checkpoint::CheckpointBody;
use crate::{
    event,
    http::{
        admission::Class,
        call::Call,
        halt::Halt,
        operation::{Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    reservation,
};

pub const PROOF: Operation = Operation {
    id: "audit.proof",
    path: "/v1/audit/proofs/{position}",
    class: Class::Analytics,
    summary: "A proof that an event is in the log",
    about: "RFC 6962 §2.1.1, under the newest checkpoint. The leaf is the export line of the event; it is left out where it \
            holds what is sealed or hashed of a person.",
    authz: event::READS,
    success: Success { shape: Some(Shape::of::<ProofBody>()), about: "The proof.", ..Operation::READ.success },
    refusals: &["audit.not_sealed_yet", "audit.no_such_position"],
    run: |call| Box::pin(proof(call)),
    ..Operation::READ
};

pub const RECEIPT: Operation = Operation {
    id: "reservation.proof",
    path: "/v1/reservations/{id}/proof",
    class: Class::Analytics,
    summary: "What happened to a reservation, proven",
    about: "Its events and those of its payments and refunds, each with the proof that it is in the log: a file that can be \
            checked without us, by `kalel audit verify` or the program of 50 lines in the documentation.",
    authz: reservation::READS,
    success: Success { shape: Some(Shape::of::<ReceiptBody>()), about: "The receipt.", ..Operation::READ.success },
    refusals: &["audit.not_sealed_yet"],
    run: |call| Box::pin(receipt(call)),
    ..Operation::READ
};

/// An inclusion proof.
#[derive(Serialize, ToSchema)]
#[schema(as = InclusionProof)]
pub struct ProofBody {
    object: &'static str,
    /// The leaf is number `position - 1`, counted from 0.
    position: i64,
    /// Base64.
    leaf_hash: String,
    /// The data of the leaf.
    line: Option<String>,
    /// Base64 each, from the leaf to the root.
    proof: Vec<String>,
    checkpoint: CheckpointBody,
}

impl Exemplary for ProofBody {
    fn example() -> Value {
        let hash = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        json!({
            "object": "inclusion_proof", "position": 42, "leaf_hash": hash, "line": "{\"v\":1,\"position\":42,…}",
            "proof": [hash], "checkpoint": CheckpointBody::example(),
        })
    }
}

async fn proof(call: Call) -> Result<Reply, Halt> {
    let position = call.segment("position").parse::<i64>().ok().filter(|position| *position > 0);
    let position = position.ok_or_else(|| Problem::new("object.not_found"))?;
    let store = &call.app.store;
    let recorded = store.read_after(position - 1, 1).await.map_err(Problem::from)?.pop();
    let recorded = recorded.filter(|event| event.position == position);
    let recorded = recorded.ok_or_else(|| Problem::new("object.not_found"))?;
    // What the caller may not see does not exist.
    if !event::sees(&call, &recorded).await? {
        return Err(Problem::new("object.not_found").into());
    }
    let sealed = store.sealed(position).await.map_err(Problem::from)?;
    let found = store.prove_inclusion(position, &sealed).await.map_err(Problem::from)?;
    let body = ProofBody {
        object: "inclusion_proof",
        position,
        leaf_hash: STANDARD.encode(Hash::leaf(found.line.as_bytes()).0),
        line: domain::event::withheld(&recorded.name).is_empty().then_some(found.line),
        proof: found.proof.iter().map(|hash| STANDARD.encode(hash.0)).collect(),
        checkpoint: CheckpointBody::of(&sealed)?,
    };
    Ok(Reply::json(StatusCode::OK, &body)?)
}

/// A receipt, as `kalel audit prove` writes it.
#[derive(Serialize, ToSchema)]
#[serde(transparent)]
#[schema(as = Receipt, value_type = Object)]
pub struct ReceiptBody(Receipt);

impl Exemplary for ReceiptBody {
    fn example() -> Value {
        json!({
            "receipt": {
                "v": 1, "streams": ["019ab2c4-5f00-7000-8000-0000000000b1"],
                "key": "example.sn/kalel+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                "checkpoint": "example.sn/kalel\n42\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— example.sn/kalel …\n",
            },
            "events": [{ "position": 42, "line": "{\"v\":1,\"position\":42,…}", "proof": [] }],
        })
    }
}

async fn receipt(call: Call) -> Result<Reply, Halt> {
    let reservation = call.own_reservation().await?;
    let receipt = call.app.store.reservation_receipt(reservation.id).await.map_err(Problem::from)?;
    let receipt = receipt.ok_or_else(|| Problem::new("object.not_found"))?;
    Ok(Reply::json(StatusCode::OK, &ReceiptBody(receipt))?)
}
