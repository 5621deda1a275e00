//! What proves the log to people outside: signed checkpoints and proofs under them.

mod checkpoint;
mod consistency;
mod proof;

pub use checkpoint::CheckpointBody;
pub use proof::ReceiptBody;

use eventstore::seal::ProofError;

use crate::{http::operation::Operation, problem::Problem};

pub const OPERATIONS: &[&Operation] =
    &[&checkpoint::CHECKPOINT, &proof::PROOF, &proof::RECEIPT, &consistency::CONSISTENCY];

impl From<ProofError> for Problem {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::NoSuchPosition(position) => {
                Self::new("audit.no_such_position").with("position", position.to_string())
            }
            ProofError::NotYet(position) => {
                Self::new("audit.not_sealed_yet").with("position", position.to_string()).retry_after(1)
            }
            ProofError::Tiles => {
                tracing::error!("the tiles of the seal are not complete");
                Self::new("server.error")
            }
            ProofError::Database(error) => error.into(),
            ProofError::Read(error) => error.into(),
        }
    }
}
