//! Randomness that is passed in: for jitter only, never for a decision.

use std::{sync::Arc, time::Duration};

/// A source of uniformly distributed numbers.
#[derive(Clone)]
pub struct Random(Arc<dyn Fn() -> u64 + Send + Sync>);

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Random")
    }
}

impl Random {
    /// The operating system's.
    pub fn system() -> Self {
        // Without entropy a retry is merely not spread.
        Self(Arc::new(|| getrandom::u64().unwrap_or(u64::MAX)))
    }

    /// The same number each time, for tests.
    pub fn fixed(value: u64) -> Self {
        Self(Arc::new(move || value))
    }

    /// Up to a tenth more or less: what is due on a schedule does not all come at the same moment.
    pub fn around(&self, wait: Duration) -> Duration {
        let permille = u32::try_from(self.0() % 201).unwrap_or(100) + 900;
        wait.saturating_mul(permille) / 1_000
    }

    /// Full jitter: uniform between zero and `most`, which doubles from `base` with each attempt up to `cap`
    /// (reliability.md §5.2; AWS Architecture Blog, "Exponential Backoff and Jitter").
    pub fn backoff(&self, attempt: u32, base: Duration, cap: Duration) -> Duration {
        let most = base.saturating_mul(2_u32.saturating_pow(attempt.min(16))).min(cap);
        let millis = u64::try_from(most.as_millis()).unwrap_or(u64::MAX).max(1);
        Duration::from_millis(self.0() % millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_grows_to_its_cap_and_stays_below() {
        let random = Random::fixed(u64::MAX - 1);
        for attempt in 0..40 {
            let wait = random.backoff(attempt, Duration::from_secs(1), Duration::from_secs(60));
            assert!(wait < Duration::from_secs(60));
        }
        assert_eq!(Random::fixed(0).backoff(3, Duration::from_secs(1), Duration::from_secs(60)), Duration::ZERO);
    }
}
