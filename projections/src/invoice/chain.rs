//! The last invoice of a site, by the log: each one is followed by at most one, and who follows it is a name that is taken.
//!
//! The view only says where to begin to look, so that a site's whole history is not walked through; what it says may be old.

use domain::{
    aggregate::Loaded,
    event::Event,
    ids::{InvoiceId, SiteId},
    invoice::{FOLLOWS, Invoice},
};
use eventstore::{LoadError, ReadError, Store};
use uuid::Uuid;

use crate::Position;

/// An invoice that nobody follows yet.
#[derive(Clone, Debug)]
pub struct Last {
    pub invoice: Loaded<Invoice>,
    /// Of its last event.
    pub position: Position,
}

/// The last invoice of a site; `None` before the first.
///
/// # Errors
/// Whatever the log or the database says.
pub async fn last(store: &Store, site: SiteId) -> Result<Option<Last>, LoadError> {
    let known = sqlx::query_scalar!(
        "SELECT invoice_id FROM invoices WHERE site_id = $1 ORDER BY created_position DESC LIMIT 1",
        site.uuid()
    )
    .fetch_optional(store.pool())
    .await
    .map_err(ReadError::from)?;
    let mut found = known;
    let mut key = known.unwrap_or(site.uuid());
    while let Some(next) = store.holder_of(FOLLOWS, &key.to_string()).await? {
        found = Some(next);
        key = next;
    }
    match found {
        Some(id) => load(store, id).await.map(Some),
        None => Ok(None),
    }
}

async fn load(store: &Store, id: Uuid) -> Result<Last, LoadError> {
    let mut last = Last { invoice: Loaded::new(InvoiceId::new(id)), position: 0 };
    for recorded in store.read_stream(id, 0, i64::MAX).await? {
        let Event::Invoice(event) = recorded.event()? else {
            return Err(LoadError::OtherNoun { stream: recorded.stream_id, found: recorded.name });
        };
        last.invoice.apply(event);
        last.position = recorded.position;
    }
    Ok(last)
}
