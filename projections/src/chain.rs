//! Chains at a site, payouts and invoices: each stream is followed by at most one, and who follows it is a name that is taken.
//! Their rows and lists are the same but for the table; the last one is found in the log.

mod row;
mod search;

use domain::{
    aggregate::{Aggregate, Loaded},
    ids::SiteId,
};
use eventstore::{LoadError, Store};
use uuid::Uuid;

pub use row::{Chained, Row};
pub(crate) use row::{columns, fold};
pub use search::{Filter, Whose, list};

use crate::Position;

/// One that nobody follows yet.
pub struct Last<A: Aggregate> {
    pub it: Loaded<A>,
    /// Of its last event.
    pub position: Position,
}

/// The last one of a site; `None` before the first. `follows` is the scope of the names. The view only says where to begin to
/// look (`known`), so that a site's whole history is not walked through: what it says may be old.
pub(crate) async fn last<A>(
    store: &Store,
    follows: &str,
    site: SiteId,
    known: Option<Uuid>,
) -> Result<Option<Last<A>>, LoadError>
where
    A: Aggregate,
    A::Id: From<Uuid>,
{
    let mut found = known;
    let mut key = known.unwrap_or(site.uuid());
    while let Some(next) = store.holder_of(follows, &key.to_string()).await? {
        found = Some(next);
        key = next;
    }
    match found {
        Some(id) => load(store, id).await.map(Some),
        None => Ok(None),
    }
}

async fn load<A>(store: &Store, id: Uuid) -> Result<Last<A>, LoadError>
where
    A: Aggregate,
    A::Id: From<Uuid>,
{
    let mut last = Last { it: Loaded::new(id.into()), position: 0 };
    for recorded in store.read_stream(id, 0, i64::MAX).await? {
        let Some(event) = A::select(recorded.event()?) else {
            return Err(LoadError::OtherNoun { stream: recorded.stream_id, found: recorded.name });
        };
        last.it.apply(event);
        last.position = recorded.position;
    }
    Ok(last)
}
