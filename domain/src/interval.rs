//! Half-open intervals of time `[from, to)`: 18–19 and 19–20 touch and do not overlap.

use chrono::{Duration, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Timestamp;

/// Why an interval cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IntervalError {
    #[error("an interval must end after it begins")]
    Empty,
    #[error("an instant must lie between the years 2000 and 2200")]
    OutOfRange,
}

/// `[from, to)`, never empty, within the years 2000 to 2200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct Interval {
    from: Timestamp,
    to: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Bounds {
    from: Timestamp,
    to: Timestamp,
}

impl TryFrom<Bounds> for Interval {
    type Error = IntervalError;

    fn try_from(bounds: Bounds) -> Result<Self, Self::Error> {
        Self::new(bounds.from, bounds.to)
    }
}

impl From<Interval> for Bounds {
    fn from(interval: Interval) -> Self {
        Self { from: interval.from, to: interval.to }
    }
}

impl Interval {
    /// # Errors
    /// [`IntervalError`] when `to` is not after `from`, or an end lies outside the years 2000 to 2200.
    pub fn new(from: Timestamp, to: Timestamp) -> Result<Self, IntervalError> {
        if !in_range(from) || !in_range(to) {
            return Err(IntervalError::OutOfRange);
        }
        if from < to { Ok(Self { from, to }) } else { Err(IntervalError::Empty) }
    }

    /// The interval that begins at `from` and lasts `minutes`.
    ///
    /// # Errors
    /// As [`Interval::new`].
    pub fn lasting(from: Timestamp, minutes: u32) -> Result<Self, IntervalError> {
        if !in_range(from) {
            return Err(IntervalError::OutOfRange);
        }
        Self::new(from, from + Duration::minutes(i64::from(minutes)))
    }

    pub const fn from(self) -> Timestamp {
        self.from
    }

    pub const fn to(self) -> Timestamp {
        self.to
    }

    /// Length in whole minutes.
    pub fn minutes(self) -> i64 {
        (self.to - self.from).num_minutes()
    }

    /// False when they only touch.
    pub fn overlaps(self, other: Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    /// The end does not belong to it.
    pub fn contains(self, instant: Timestamp) -> bool {
        self.from <= instant && instant < self.to
    }

    /// Whether `other` lies wholly inside.
    pub fn covers(self, other: Self) -> bool {
        self.from <= other.from && other.to <= self.to
    }

    /// The interval with `minutes` added at its end (a buffer is part of what a reservation claims).
    ///
    /// # Errors
    /// [`IntervalError::OutOfRange`] at the end of time.
    pub fn extended(self, minutes: u32) -> Result<Self, IntervalError> {
        Self::new(self.from, self.to + Duration::minutes(i64::from(minutes)))
    }
}

/// Whether an instant is one the product can mean: the years 2000 to 2200.
pub fn in_range(instant: Timestamp) -> bool {
    let bound = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single();
    match (bound(2000), bound(2200)) {
        (Some(low), Some(high)) => low <= instant && instant < high,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: u32) -> Timestamp {
        Utc.with_ymd_and_hms(2026, 11, 22, hour, 0, 0).single().expect("a real hour")
    }

    #[test]
    fn touching_intervals_do_not_overlap() {
        let (six, seven) =
            (Interval::lasting(at(18), 60).expect("valid"), Interval::lasting(at(19), 60).expect("valid"));
        assert!(!six.overlaps(seven) && !seven.overlaps(six));
    }

    #[test]
    fn an_interval_is_never_empty() {
        assert_eq!(Interval::new(at(18), at(18)), Err(IntervalError::Empty));
        assert_eq!(Interval::lasting(at(18), 0), Err(IntervalError::Empty));
    }
}
