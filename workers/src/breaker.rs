//! A circuit breaker and a bulkhead for one provider: an outage there must not use up the workers here.
//!
//! Opens at 50 % failures of at least 20 calls within 10 s, lets one probe through after 5 s; at most 8 calls at a
//! time (reliability.md §5.2).
//!
//! It also says how the provider fares ([`Breaker::unwell`]), for those who choose among providers: out of order is one
//! whose breaker is open, or that did not answer three times in a row. Where little is paid, twenty calls within ten
//! seconds never come together.

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
/// Calls without an answer, one after the other, after which the provider counts as out of order.
const IN_A_ROW: u32 = 3;
/// How long after the last failure it counts as that: whoever is sent elsewhere does not call, so nobody would learn that
/// it is well again.
const REMEMBERED: Duration = Duration::from_secs(60);

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
    /// Failures since the last good answer.
    in_a_row: u32,
    trouble: Option<Trouble>,
}

/// What was wrong lately.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    first: Instant,
    last: Instant,
    why: &'static str,
}

/// A provider that is out of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwell {
    pub for_as_long: Duration,
    /// A class, such as `timeout`.
    pub why: &'static str,
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

    /// Whether the provider is out of order, as far as the calls of this process tell.
    pub fn unwell(&self) -> Option<Unwell> {
        self.lock().unwell(Instant::now())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pass {
    /// The provider answered, whatever it said.
    pub fn answered(mut self) {
        self.tell(None, None);
    }

    /// The provider answered, but it wants nothing to do with us: a key that it no longer knows. It needs no rest, and
    /// nobody can pay there.
    pub fn refused_us(mut self) {
        self.tell(None, Some("refused_us"));
    }

    /// No answer, or one that says that the provider itself is unwell. `why` is a class.
    pub fn failed(mut self, why: &'static str) {
        self.tell(Some(why), Some(why));
    }

    fn tell(&mut self, failure: Option<&'static str>, trouble: Option<&'static str>) {
        self.told = true;
        let now = Instant::now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.record(now, failure.is_none());
        state.note(now, trouble);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if !self.told {
            self.tell(Some("cut_off"), Some("cut_off"));
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

    fn note(&mut self, now: Instant, trouble: Option<&'static str>) {
        let Some(why) = trouble else {
            self.in_a_row = 0;
            return;
        };
        let goes_on = self.in_a_row > 0 || self.open_since.is_some();
        let first = self.trouble.filter(|_| goes_on).map_or(now, |trouble| trouble.first);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.trouble = Some(Trouble { first, last: now, why });
    }

    fn unwell(&self, now: Instant) -> Option<Unwell> {
        let Trouble { first, last, why } = self.trouble?;
        let out_of_order = self.open_since.is_some() || self.in_a_row >= IN_A_ROW;
        let lately = now.saturating_duration_since(last) < REMEMBERED;
        (out_of_order && lately).then(|| Unwell { for_as_long: now.saturating_duration_since(first), why })
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

    #[test]
    fn three_times_no_answer_is_out_of_order_until_it_answers_or_a_minute_has_passed() {
        let (mut state, start) = (State::default(), Instant::now());
        let second = Duration::from_secs(1);
        state.note(start, Some("timeout"));
        state.note(start + second, Some("timeout"));
        assert_eq!(state.unwell(start + second), None, "twice happens");
        state.note(start + second * 2, Some("unreachable"));
        let unwell = Unwell { for_as_long: second * 3, why: "unreachable" };
        assert_eq!(state.unwell(start + second * 3), Some(unwell));
        assert_eq!(state.unwell(start + second * 62), None, "nobody called it since: somebody must be let try");
        state.note(start + second * 63, None);
        state.note(start + second * 64, Some("timeout"));
        assert_eq!(state.unwell(start + second * 64), None, "it had answered in between");
    }

    #[test]
    fn an_open_breaker_is_out_of_order_until_a_probe_is_good() {
        let (mut state, start) = (State::default(), Instant::now());
        for call in 0..20 {
            let trouble = (call % 2 == 1).then_some("http_5xx");
            state.record(start, trouble.is_none());
            state.note(start, trouble);
        }
        assert_eq!(state.unwell(start), Some(Unwell { for_as_long: Duration::ZERO, why: "http_5xx" }));
        assert_eq!(state.admit(start + REST), Ok(()));
        state.record(start + REST, true);
        state.note(start + REST, None);
        assert_eq!(state.unwell(start + REST), None);
    }

    #[tokio::test]
    async fn a_provider_that_no_longer_knows_us_needs_no_rest_and_is_out_of_order() {
        let breaker = Breaker::default();
        for _ in 0..30 {
            breaker.enter().await.expect("it answers: it is not given a rest").refused_us();
        }
        assert_eq!(breaker.unwell().map(|unwell| unwell.why), Some("refused_us"));
        breaker.enter().await.expect("as before").answered();
        assert_eq!(breaker.unwell(), None);
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
