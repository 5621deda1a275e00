//! How many streams a process keeps open, in all and for one key. A place is given back when its stream ends.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use uuid::Uuid;

use crate::problem::Problem;

/// What streams of events may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Streams of one key in one process.
    pub per_key: usize,
    /// Streams in one process.
    pub per_process: usize,
    /// After how long without an event a sign of life is sent. Proxies end what is silent for a minute, some for less.
    pub heartbeat: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_key: 50, per_process: 1_000, heartbeat: Duration::from_secs(15) }
    }
}

/// The streams that are open.
#[derive(Default)]
pub struct Places(Arc<Mutex<Taken>>);

#[derive(Default)]
struct Taken {
    all: usize,
    by_key: HashMap<Uuid, usize>,
}

/// One open stream.
pub struct Place {
    taken: Arc<Mutex<Taken>>,
    key: Uuid,
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Places {
    /// # Errors
    /// `event.too_many_streams` (429) for a key that has its share, `server.overloaded` (503) when the process is full.
    pub fn take(&self, key: Uuid, limits: Limits) -> Result<Place, Problem> {
        let mut taken = lock(&self.0);
        if taken.all >= limits.per_process {
            return Err(Problem::new("server.overloaded").retry_after(5));
        }
        let mine = taken.by_key.entry(key).or_default();
        if *mine >= limits.per_key {
            return Err(Problem::new("event.too_many_streams").with("limit", limits.per_key).retry_after(30));
        }
        *mine += 1;
        taken.all += 1;
        metrics::gauge!("kalel_event_streams").increment(1.0);
        Ok(Place { taken: Arc::clone(&self.0), key })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all = taken.all.saturating_sub(1);
        if let Some(mine) = taken.by_key.get_mut(&self.key) {
            *mine = mine.saturating_sub(1);
            if *mine == 0 {
                taken.by_key.remove(&self.key);
            }
        }
        metrics::gauge!("kalel_event_streams").decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_and_a_key_cannot_take_them_all() {
        let (places, limits) = (Places::default(), Limits { per_key: 2, per_process: 3, ..Limits::default() });
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let first = places.take(one, limits).unwrap();
        let _second = places.take(one, limits).unwrap();
        assert_eq!(places.take(one, limits).err().unwrap().code(), "event.too_many_streams");
        let _third = places.take(other, limits).unwrap();
        assert_eq!(places.take(other, limits).err().unwrap().code(), "server.overloaded");
        drop(first);
        assert!(places.take(other, limits).is_ok());
    }
}
