//! What this process counts by itself, in bounded memory: those who asked last are remembered.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
    mem,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use super::gcra::{Rate, Tally};

const SHARDS: usize = 16;
/// Callers remembered in one half of a shard: 131 072 at most in all, some 20 MB.
const MOST: usize = 4_096;

/// Counts of one process, by its own clock.
pub struct Local {
    begun: Instant,
    hasher: RandomState,
    shards: [Mutex<Halves>; SHARDS],
}

/// Whoever asks is in the younger half; when that is full it becomes the older one, and the older one is forgotten.
#[derive(Default)]
struct Halves {
    younger: HashMap<String, i64>,
    older: HashMap<String, i64>,
}

impl Default for Local {
    fn default() -> Self {
        Self { begun: Instant::now(), hasher: RandomState::new(), shards: Default::default() }
    }
}

impl Local {
    /// Asks for one call.
    pub fn take(&self, key: &str, rate: Rate) -> Tally {
        self.take_at(key, rate, self.now())
    }

    /// The same, at a moment that is given.
    pub fn take_at(&self, key: &str, rate: Rate, now: i64) -> Tally {
        self.with(key, |halves| {
            let tally = rate.take(halves.recall(key), now);
            halves.remember(key, tally.due);
            tally
        })
    }

    /// Gives one call back.
    pub fn give_back(&self, key: &str, rate: Rate) {
        self.with(key, |halves| {
            if let Some(due) = halves.recall(key) {
                halves.remember(key, rate.give_back(due));
            }
        });
    }

    /// Microseconds since this began.
    fn now(&self) -> i64 {
        i64::try_from(self.begun.elapsed().as_micros()).unwrap_or(i64::MAX)
    }

    fn with<T>(&self, key: &str, work: impl FnOnce(&mut Halves) -> T) -> T {
        let shard = usize::try_from(self.hasher.hash_one(key) % SHARDS as u64).unwrap_or(0);
        let [first, ..] = &self.shards;
        work(&mut self.shards.get(shard).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Halves {
    fn recall(&self, key: &str) -> Option<i64> {
        self.younger.get(key).or_else(|| self.older.get(key)).copied()
    }

    fn remember(&mut self, key: &str, due: i64) {
        if let Some(known) = self.younger.get_mut(key) {
            *known = due;
            return;
        }
        if self.younger.len() >= MOST {
            self.older = mem::take(&mut self.younger);
        }
        self.younger.insert(key.to_owned(), due);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_are_counted_one_by_one() {
        let (local, rate) = (Local::default(), Rate::new(60, 60, 2).unwrap());
        for caller in ["one", "two"] {
            assert!(local.take_at(caller, rate, 0).admitted);
            assert!(local.take_at(caller, rate, 0).admitted);
            assert!(!local.take_at(caller, rate, 0).admitted);
        }
        local.give_back("one", rate);
        assert!(local.take_at("one", rate, 0).admitted);
        assert!(!local.take_at("two", rate, 0).admitted);
    }

    #[test]
    fn memory_is_bounded_and_whoever_goes_on_asking_is_not_forgotten() {
        let (local, rate) = (Local::default(), Rate::new(1, 3_600, 1).unwrap());
        assert!(local.take_at("busy", rate, 0).admitted);
        for other in 0..SHARDS * MOST * 4 {
            local.take_at(&format!("other {other}"), rate, 0);
            if other % 1_000 == 0 {
                assert!(!local.take_at("busy", rate, 0).admitted);
            }
        }
        let remembered = local.shards.iter().map(|shard| {
            let halves = shard.lock().unwrap();
            halves.younger.len() + halves.older.len()
        });
        assert!(remembered.sum::<usize>() <= SHARDS * MOST * 2);
    }
}
