//! The newest signed checkpoint.

use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::Timestamp;
use eventstore::{
    note::{Checkpoint, Verifier},
    seal::Sealed,
};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::{
    http::{
        admission::Class,
        call::Call,
        etag,
        halt::Halt,
        operation::{Authz, Exemplary, Operation, Shape, Success},
        reply::Reply,
    },
    problem::Problem,
    shape::utc_text,
};

pub const CHECKPOINT: Operation = Operation {
    id: "audit.checkpoint",
    path: "/v1/audit/checkpoint",
    class: Class::Analytics,
    summary: "The newest signed checkpoint of the log",
    about: "How many events there are and the root of the Merkle tree over them (RFC 6962), signed (C2SP tlog-checkpoint, \
            Ed25519). It tells nothing of what happened: publish it, keep it, compare later ones with it.",
    authz: Authz::Anyone,
    success: Success { shape: Some(Shape::of::<CheckpointBody>()), about: "It.", ..Operation::READ.success },
    refusals: &["audit.not_sealed_yet"],
    run: |call| Box::pin(checkpoint(call)),
    ..Operation::READ
};

/// A signed checkpoint.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Checkpoint)]
pub struct CheckpointBody {
    object: &'static str,
    /// Names the log for ever.
    origin: String,
    /// Events under it: positions 1 to `size`.
    size: i64,
    /// Base64.
    root: String,
    /// The signed note itself, byte for byte.
    note: String,
    /// `name+id+key`: compare it with the one that was published elsewhere.
    key: String,
    signed_at: String,
    #[serde(skip)]
    made_at: Timestamp,
}

impl CheckpointBody {
    /// # Errors
    /// `server.error` when what is kept is no signed checkpoint.
    pub fn of(sealed: &Sealed) -> Result<Self, Problem> {
        let wrong = |error| {
            tracing::error!(size = sealed.size, %error, "a checkpoint that is kept is not signed by its key");
            Problem::new("server.error")
        };
        let verifier = Verifier::parse(&sealed.verifier).map_err(wrong)?;
        let checkpoint = Checkpoint::read(&sealed.note, &verifier).map_err(wrong)?;
        Ok(Self {
            object: "checkpoint",
            origin: checkpoint.origin,
            size: sealed.size,
            root: STANDARD.encode(checkpoint.root.0),
            note: sealed.note.clone(),
            key: sealed.verifier.clone(),
            signed_at: utc_text(sealed.signed_at),
            made_at: sealed.signed_at,
        })
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Events under it.
    pub const fn size(&self) -> i64 {
        self.size
    }

    /// Base64.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// When it was signed.
    pub const fn made_at(&self) -> Timestamp {
        self.made_at
    }
}

impl Exemplary for CheckpointBody {
    fn example() -> Value {
        json!({
            "object": "checkpoint", "origin": "example.sn/kalel", "size": 42,
            "root": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
            "note": "example.sn/kalel\n42\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— example.sn/kalel …\n",
            "key": "example.sn/kalel+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
            "signed_at": "2026-11-28T12:00:00Z",
        })
    }
}

async fn checkpoint(call: Call) -> Result<Reply, Halt> {
    let newest = call.app.store.checkpoint().await.map_err(Problem::from)?;
    let newest = newest.ok_or_else(|| Problem::new("audit.not_sealed_yet").with("position", "1").retry_after(1))?;
    let reply = Reply::json(StatusCode::OK, &CheckpointBody::of(&newest)?)?;
    let tag = etag::of(0, &[&reply.body]);
    Ok(reply.etag(tag).position(newest.size))
}
