//! The last payout of a site.

use domain::{
    ids::SiteId,
    payout::{FOLLOWS, Payout},
};
use eventstore::{LoadError, ReadError, Store};

use crate::chain::{self, Last};

/// The last payout of a site; `None` before the first.
///
/// # Errors
/// Whatever the log or the database says.
pub async fn last(store: &Store, site: SiteId) -> Result<Option<Last<Payout>>, LoadError> {
    let known = sqlx::query_scalar!(
        "SELECT payout_id FROM payouts WHERE site_id = $1 ORDER BY created_position DESC LIMIT 1",
        site.uuid()
    )
    .fetch_optional(store.pool())
    .await
    .map_err(ReadError::from)?;
    chain::last(store, FOLLOWS, site, known).await
}
