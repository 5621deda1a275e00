//! A rebuild from beginning to end, by one owner in one go.

use eventstore::Store;

use super::{Projector, RunError, Runner, Shadow, Watch, shadow};
use crate::Position;

/// Builds the rows of a projector again beside the live ones, puts them in their place whatever the difference, and
/// brings them up to the head. Reads go on meanwhile. Sends nothing: projectors have no effects.
///
/// # Errors
/// As [`Shadow::swap`] and [`Runner::run_batch`].
pub async fn rebuild(
    projector: &'static Projector,
    store: &Store,
    owner: &str,
    watch: Option<Watch>,
) -> Result<Position, RunError> {
    shadow::discard(projector, store).await?;
    Shadow::own(projector, store.clone(), owner).await?.swap().await?;
    Runner::own(projector, store.clone(), owner, watch).await?.catch_up().await
}

/// SHA-256 over all rows of a projector's live tables. Two builds from the same log are equal.
///
/// # Errors
/// Whatever the database says.
pub async fn content_digest(projector: &Projector, store: &Store) -> Result<Vec<u8>, sqlx::Error> {
    use sha2::{Digest, Sha256};
    let tables = shadow::contents(projector, store).await?;
    let all = tables.into_iter().fold(Sha256::new(), |all, (_, content)| all.chain_update(content.digest));
    Ok(all.finalize().to_vec())
}
