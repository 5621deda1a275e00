//! Folded states kept in memory, by stream: a site is read by every reservation and seldom changes.
//!
//! A remembered state may be old. That is safe wherever the decision says what it relied on: the lane refuses when the
//! stream has moved, the entry is dropped, and the next attempt reads the log.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use domain::{
    aggregate::{Aggregate, Loaded},
    ids::StreamId,
};
use uuid::Uuid;

use crate::{Store, read::LoadError};

/// Streams remembered at most; beyond, all are forgotten and read again.
const STREAMS_MAX: usize = 4_096;

type Entry = (TypeId, Arc<dyn Any + Send + Sync>);

#[derive(Debug, Default)]
pub(crate) struct Cache {
    entries: RwLock<HashMap<Uuid, Entry>>,
}

impl Cache {
    fn get<T: Any + Send + Sync>(&self, stream: Uuid) -> Option<Arc<T>> {
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let (_, known) = entries.get(&stream).filter(|(kind, _)| *kind == TypeId::of::<T>())?;
        Arc::clone(known).downcast().ok()
    }

    fn put<T: Any + Send + Sync>(&self, stream: Uuid, value: Arc<T>) {
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        if entries.len() >= STREAMS_MAX {
            entries.clear();
        }
        entries.insert(stream, (TypeId::of::<T>(), value));
    }

    /// Drops what is remembered of streams.
    pub(crate) fn forget(&self, streams: impl Iterator<Item = Uuid> + Clone) {
        // Most streams are not remembered: only then is the lock of writers worth taking.
        let known = {
            let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
            streams.clone().any(|stream| entries.contains_key(&stream))
        };
        if known {
            let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
            for stream in streams {
                entries.remove(&stream);
            }
        }
    }
}

impl Store {
    /// A state from memory, as old as it may be; folded from the log the first time. For decisions that say what they
    /// relied on (`Decision::relying_on`), such as the site of a reservation.
    ///
    /// # Errors
    /// [`LoadError`].
    pub async fn recall<A>(&self, id: A::Id) -> Result<Arc<Loaded<A>>, LoadError>
    where
        A: Aggregate + Send + Sync + 'static,
        A::Id: Send + Sync + 'static,
    {
        let stream: StreamId = id.into();
        if let Some(known) = self.cache().get::<Loaded<A>>(stream.uuid()) {
            return Ok(known);
        }
        let loaded = Arc::new(self.load::<A>(id).await?);
        // A stream that does not exist is not worth remembering: its first event may come from another process.
        if loaded.version > 0 {
            self.cache().put(stream.uuid(), Arc::clone(&loaded));
        }
        Ok(loaded)
    }
}
