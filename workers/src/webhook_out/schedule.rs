//! When what was not taken is tried again: after 5 s, and at last once a day, for three days (api.md).

use std::time::Duration;

use chrono::TimeDelta;
use domain::Timestamp;

use crate::random::Random;

const HOUR: u64 = 3_600;
/// Seconds between tries.
const WAITS: [u64; 9] = [5, 300, 1_800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
/// What takes nothing for this long is not sent to any more.
const PATIENCE: TimeDelta = TimeDelta::hours(72);

/// When to try again after `attempts` tries in vain, or later when the other side asked for it; at most a day later.
pub(super) fn next(attempts: u32, asked: Option<Duration>, now: Timestamp, random: &Random) -> Timestamp {
    let nth = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let longest = Duration::from_secs(24 * HOUR);
    let wait = Duration::from_secs(WAITS.get(nth).copied().unwrap_or(24 * HOUR));
    let wait = random.around(wait).max(asked.unwrap_or_default()).min(longest);
    now + TimeDelta::from_std(wait).unwrap_or(PATIENCE)
}

/// Whether that was long enough.
pub(super) fn is_over(failing_since: Option<Timestamp>, now: Timestamp) -> bool {
    failing_since.is_some_and(|since| now - since >= PATIENCE)
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    fn now() -> Timestamp {
        chrono::Utc.with_ymd_and_hms(2026, 11, 28, 9, 0, 0).unwrap()
    }

    #[test]
    fn it_is_tried_for_three_days_and_a_day_apart_at_most() {
        for random in [0, 100, 200] {
            let (random, began) = (Random::fixed(random), now());
            let (mut at, mut tries) = (began, 1);
            let mut before = TimeDelta::zero();
            while !is_over(Some(began), at) {
                let due = next(tries, None, at, &random);
                let wait = due - at;
                assert!(wait >= before.min(TimeDelta::hours(21)) && wait <= TimeDelta::hours(24), "{tries}: {wait}");
                (before, at) = (wait, due);
                tries += 1;
            }
            assert!((10..=11).contains(&tries), "{tries}");
            assert!(at - began < TimeDelta::hours(97), "{}", at - began);
        }
        let first = next(1, None, now(), &Random::fixed(100)) - now();
        assert_eq!(first, TimeDelta::seconds(5));
        assert!(!is_over(None, now()));
    }

    #[test]
    fn whoever_asks_to_be_left_alone_is_for_a_day_at_most() {
        let random = Random::fixed(100);
        let after = |asked| next(1, Some(Duration::from_secs(asked)), now(), &random) - now();
        assert_eq!(after(600), TimeDelta::seconds(600));
        assert_eq!(after(1), TimeDelta::seconds(5), "not sooner than we would");
        assert_eq!(after(1_000_000), TimeDelta::hours(24));
    }
}
