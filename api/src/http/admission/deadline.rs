//! `X-Deadline`: until when a caller waits for the answer.

use std::time::Duration;

use axum::http::HeaderMap;
use domain::Timestamp;
use eventstore::Clock;

use crate::problem::Problem;

const HEADER: &str = "x-deadline";

/// Until when the caller waits, by the clocks of the world and not by the clock of a test log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(Option<Timestamp>);

impl Deadline {
    /// # Errors
    /// 400 `request.invalid_header` for what is no time.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(HEADER) else { return Ok(Self(None)) };
        let time = value.to_str().ok().and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
        let malformed = || Problem::new("request.invalid_header").parameter("X-Deadline", "must be a time (RFC 3339)");
        time.map(|time| Self(Some(time.into()))).ok_or_else(malformed)
    }

    /// What is left; `None` when they wait as long as it takes.
    pub fn left(self) -> Option<Duration> {
        self.0.map(|until| (until - Clock::system().now()).to_std().unwrap_or_default())
    }

    /// Nobody waits for the answer any more.
    pub fn is_over(self) -> bool {
        self.left().is_some_and(|left| left.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Deadline, Problem> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, value.parse().unwrap());
        Deadline::of(&headers)
    }

    #[test]
    fn a_deadline_is_a_time_and_past_ones_are_over() {
        assert!(!Deadline::of(&HeaderMap::new()).unwrap().is_over());
        assert!(read("2026-11-28T01:30:00.250Z").is_ok() && read("2001-01-01T01:00:00+02:00").unwrap().is_over());
        let later = read("9999-01-01T00:00:00Z").unwrap();
        assert!(!later.is_over() && later.left().unwrap() > Duration::from_secs(1_000_000));
        for nonsense in ["", "soon", "1500", "2026-11-28", "2026-11-28T01:30:00"] {
            assert_eq!(read(nonsense).unwrap_err().code(), "request.invalid_header", "{nonsense}");
        }
    }
}
