//! A circuit breaker (`workers/src/breaker.rs`).

use std::collections::VecDeque;

use chrono::Duration;

use crate::Timestamp;

#[derive(Default)]
pub(super) struct Breaker {
    calls: VecDeque<(Timestamp, bool)>,
    open_since: Option<Timestamp>,
    probing: bool,
}

impl Breaker {
    const REST: Duration = Duration::seconds(5);

    pub(super) fn admit(&mut self, now: Timestamp) -> Result<(), Duration> {
        let Some(since) = self.open_since else { return Ok(()) };
        let rested = now - since;
        if rested < Self::REST {
            return Err(Self::REST - rested);
        }
        if self.probing {
            return Err(Self::REST);
        }
        self.probing = true;
        Ok(())
    }

    pub(super) fn record(&mut self, now: Timestamp, well: bool) {
        if self.probing {
            self.probing = false;
            self.calls.clear();
            self.open_since = if well { None } else { Some(now) };
            return;
        }
        self.calls.push_back((now, well));
        while self.calls.front().is_some_and(|(at, _)| now - *at > Duration::seconds(10)) {
            self.calls.pop_front();
        }
        let failures = self.calls.iter().filter(|(_, well)| !well).count();
        if self.open_since.is_none() && self.calls.len() >= 20 && failures * 2 >= self.calls.len() {
            self.open_since = Some(now);
        }
    }
}
