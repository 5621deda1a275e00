//! A circuit breaker and a bulkhead for one provider: an outage there must not use up the workers here.
//!
//! Opens at 50 % failures of at least 20 calls within 10 s, lets one probe through after 5 s; at most 8 calls at a
//! time (reliability.md §5.2).

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

const WINDOW: Duration = Duration::from_secs(10);
const ENOUGH: usize = 20;
const REST: Duration = Duration::from_secs(5);
const AT_A_TIME: usize = 8;

/// Guards the calls to one provider.
#[derive(Clone, Debug)]
pub struct Breaker {
    state: Arc<Mutex<State>>,
    places: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct State {
    calls: VecDeque<(Instant, bool)>,
    open_since: Option<Instant>,
    probing: bool,
}

/// The provider is given a rest: try again after `retry_after`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// At most 5 s.
    pub retry_after: Duration,
}

/// Leave to make one call. Dropping it without a word counts as a failure: whoever was cut off learned nothing good.
#[derive(Debug)]
pub struct Pass {
    state: Arc<Mutex<State>>,
    told: bool,
    _place: OwnedSemaphorePermit,
}

impl Default for Breaker {
    fn default() -> Self {
        Self { state: Arc::default(), places: Arc::new(Semaphore::new(AT_A_TIME)) }
    }
}

impl Breaker {
    /// Waits for a free place, then says whether to call.
    ///
    /// # Errors
    /// [`Open`] while the provider rests.
    pub async fn enter(&self) -> Result<Pass, Open> {
        let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
            return Err(Open { retry_after: REST });
        };
        let now = Instant::now();
        self.lock().admit(now)?;
        Ok(Pass { state: Arc::clone(&self.state), told: false, _place: place })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The provider answered, whatever it said.
    pub fn answered(mut self) {
        self.tell(true);
    }

    /// No answer, or one that says that the provider itself is unwell.
    pub fn failed(mut self) {
        self.tell(false);
    }

    fn tell(&mut self, well: bool) {
        self.told = true;
        self.state.lock().unwrap_or_else(PoisonError::into_inner).record(Instant::now(), well);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.told {
            self.tell(false);
        }
    }
}

impl State {
    fn admit(&mut self, now: Instant) -> Result<(), Open> {
        let Some(since) = self.open_since else { return Ok(()) };
        let rested = now.saturating_duration_since(since);
        if rested < REST {
            return Err(Open { retry_after: REST - rested });
        }
        if self.probing {
            return Err(Open { retry_after: REST });
        }
        self.probing = true;
        Ok(())
    }

    fn record(&mut self, now: Instant, well: bool) {
        if self.probing {
            self.probing = false;
            self.calls.clear();
            self.open_since = if well { None } else { Some(now) };
            return;
        }
        self.calls.push_back((now, well));
        while self.calls.front().is_some_and(|(at, _)| now.saturating_duration_since(*at) > WINDOW) {
            self.calls.pop_front();
        }
        let failures = self.calls.iter().filter(|(_, well)| !well).count();
        if self.open_since.is_none() && self.calls.len() >= ENOUGH && failures * 2 >= self.calls.len() {
            self.open_since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_at_half_of_twenty_and_closes_after_a_good_probe() {
        let (mut state, start) = (State::default(), Instant::now());
        for call in 0..19 {
            state.record(start, call % 2 == 0);
            assert_eq!(state.admit(start), Ok(()));
        }
        state.record(start, false);
        assert_eq!(state.admit(start), Err(Open { retry_after: REST }));
        let later = start + REST;
        assert_eq!(state.admit(later), Ok(()));
        assert!(state.admit(later).is_err(), "one probe at a time");
        state.record(later, true);
        assert_eq!(state.admit(later), Ok(()));
    }

    #[test]
    fn a_bad_probe_opens_it_again() {
        let (mut state, start) = (State::default(), Instant::now());
        (0..20).for_each(|_| state.record(start, false));
        let later = start + REST;
        assert_eq!(state.admit(later), Ok(()));
        state.record(later, false);
        assert!(state.admit(later + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn old_failures_are_forgotten() {
        let (mut state, start) = (State::default(), Instant::now());
        (0..19).for_each(|_| state.record(start, false));
        state.record(start + WINDOW * 2, false);
        assert_eq!(state.admit(start + WINDOW * 2), Ok(()));
    }

    #[tokio::test]
    async fn a_call_cut_off_counts_as_a_failure() {
        let breaker = Breaker::default();
        for _ in 0..20 {
            drop(breaker.enter().await.expect("still closed"));
        }
        assert!(breaker.enter().await.is_err());
    }
}
