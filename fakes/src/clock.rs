//! The fake's own clock: the machine's, plus an offset that `/__control` moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::SystemTime,
};

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};

/// Real time plus an offset. Cloning shares the offset.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock(Arc<AtomicI64>);

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "a fake provider is a world of its own: this is its clock")]
    pub(crate) fn now(&self) -> DateTime<Utc> {
        DateTime::<Utc>::from(SystemTime::now()) + TimeDelta::milliseconds(self.0.load(Ordering::SeqCst))
    }

    /// Moves the clock; time never runs backwards for a provider, so negative values are ignored.
    pub(crate) fn advance(&self, seconds: i64) {
        // A century at most: far from where dates overflow.
        let seconds = seconds.clamp(0, 3_200_000_000);
        self.0.fetch_add(seconds.saturating_mul(1_000), Ordering::SeqCst);
    }

    pub(crate) fn offset_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set_offset_ms(&self, ms: i64) {
        self.0.store(ms, Ordering::SeqCst);
    }

    pub(crate) fn reset(&self) {
        self.set_offset_ms(0);
    }
}

/// `2026-11-22T18:00:00Z`, as Wave writes instants.
pub(crate) fn seconds(at: DateTime<Utc>) -> String {
    at.trunc_subsecs(0).format("%Y-%m-%dT%H:%M:%SZ").to_string()
}
