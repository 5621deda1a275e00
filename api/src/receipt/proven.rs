//! That an event is in the log.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use eventstore::{Store, merkle::Hash, seal::Sealed};

use crate::problem::Problem;

/// The way from an event to the root of a checkpoint.
pub struct Proven {
    /// Base64, as all hashes.
    pub leaf_hash: String,
    /// The export line, which holds nothing that is sealed of a person.
    pub line: Option<String>,
    pub proof: Vec<String>,
}

impl Proven {
    /// # Errors
    /// `audit.not_sealed_yet`, or whatever the database says.
    pub async fn of(store: &Store, position: i64, sealed: &Sealed) -> Result<Self, Problem> {
        let found = store.prove_inclusion(position, sealed).await?;
        let withheld = ["payment.succeeded", "payment.duplicated"].map(domain::event::withheld);
        let open = withheld.iter().all(|fields| fields.is_empty());
        Ok(Self {
            leaf_hash: STANDARD.encode(Hash::leaf(found.line.as_bytes()).0),
            line: open.then_some(found.line),
            proof: found.proof.iter().map(|hash| STANDARD.encode(hash.0)).collect(),
        })
    }
}
