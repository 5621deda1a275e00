//! The last invoice of a site.

use domain::{
    ids::SiteId,
    invoice::{FOLLOWS, Invoice},
};
use eventstore::{LoadError, ReadError, Store};

use crate::chain::{self, Last};

/// The last invoice of a site; `None` before the first.
///
/// # Errors
/// Whatever the log or the database says.
pub async fn last(store: &Store, site: SiteId) -> Result<Option<Last<Invoice>>, LoadError> {
    let known = sqlx::query_scalar!(
        "SELECT invoice_id FROM invoices WHERE site_id = $1 ORDER BY created_position DESC LIMIT 1",
        site.uuid()
    )
    .fetch_optional(store.pool())
    .await
    .map_err(ReadError::from)?;
    chain::last(store, FOLLOWS, site, known).await
}
