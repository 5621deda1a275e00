//! How often something may happen: the generic cell rate algorithm, which remembers one moment per caller and has no edges
//! of windows to burst at (ITU-T I.371; reliability.md §4.1).
//!
//! The moment is when all that was taken will have been paid for, one call each interval. A call is admitted while it is no
//! further away than a burst takes. Whole microseconds, so that the same sum in Redis (`take.lua`) has the same answers.

/// Microseconds in a second.
const SECOND: i64 = 1_000_000;
/// The longest that a whole burst may take to come back: what is reckoned stays exact in the doubles of Lua.
const LONGEST: i64 = 7 * 86_400 * SECOND;

/// A rate and a burst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Microseconds from one call to the next once the burst is used up.
    interval: i64,
    /// Calls at once.
    burst: i64,
}

/// What became of one call, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    pub admitted: bool,
    /// When all that was taken will have been paid for, in microseconds of the clock that `now` is of.
    pub due: i64,
    pub now: i64,
}

impl Rate {
    /// The least there is.
    pub const ONCE_A_DAY: Self = Self { interval: 86_400 * SECOND, burst: 1 };

    /// So many calls in so many seconds, and so many at once. `None` when one of them is 0, or when a whole burst would take
    /// more than a week to come back. An interval is rounded up: never more than was said.
    pub fn new(calls: u32, seconds: u32, burst: u32) -> Option<Self> {
        let calls = i64::from(calls);
        let window = i64::from(seconds).checked_mul(SECOND)?;
        let interval = window.checked_add(calls - 1)?.checked_div(calls)?;
        let rate = Self { interval, burst: i64::from(burst) };
        (interval > 0 && burst > 0 && rate.tolerance() <= LONGEST).then_some(rate)
    }

    /// Half of it, for who cannot see what others count (reliability.md F26); at least one call at once.
    pub fn halved(self) -> Self {
        Self { interval: self.interval.saturating_mul(2), burst: (self.burst / 2).max(1) }
    }

    /// Microseconds from one call to the next.
    pub const fn interval(self) -> i64 {
        self.interval
    }

    /// Calls at once.
    pub const fn burst(self) -> i64 {
        self.burst
    }

    /// Whole calls within so many seconds, once the burst is used up.
    pub fn calls_in(self, seconds: u32) -> i64 {
        i64::from(seconds).saturating_mul(SECOND) / self.interval
    }

    /// How far ahead of now a caller may be.
    const fn tolerance(self) -> i64 {
        self.interval.saturating_mul(self.burst)
    }

    /// Asks for one call. `due` is what was remembered, if anything was.
    ///
    /// What is further ahead than it could be (a clock went back, or a rate was changed) counts as a whole burst: nobody is
    /// shut out for longer.
    pub fn take(self, due: Option<i64>, now: i64) -> Tally {
        let due = due.unwrap_or(now).clamp(now, now.saturating_add(self.tolerance()));
        let next = due.saturating_add(self.interval);
        let admitted = next.saturating_sub(self.tolerance()) <= now;
        Tally { admitted, due: if admitted { next } else { due }, now }
    }

    /// What is remembered once a call that was taken is given back.
    pub const fn give_back(self, due: i64) -> i64 {
        due.saturating_sub(self.interval)
    }

    /// Calls that would be admitted right now.
    pub const fn left(self, tally: Tally) -> i64 {
        (tally.now + self.tolerance() - tally.due) / self.interval
    }

    /// Microseconds until the next call is admitted; 0 when it would be at once.
    pub fn wait(self, tally: Tally) -> i64 {
        (tally.due + self.interval - self.tolerance() - tally.now).max(0)
    }
}

impl Tally {
    /// Microseconds until a whole burst is there again.
    pub fn until_whole(self) -> i64 {
        (self.due - self.now).max(0)
    }
}

/// Whole seconds that are at least so many microseconds.
pub fn seconds(microseconds: i64) -> u64 {
    u64::try_from(microseconds.max(0)).unwrap_or(0).div_ceil(SECOND.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Some moment of the years to come.
    const NOW: i64 = 1_800_000_000 * SECOND;

    fn rates() -> impl Strategy<Value = Rate> {
        (1_u32..=2_000, 1_u32..=3_600, 1_u32..=50)
            .prop_filter_map("a burst that takes longer than a week", |(calls, seconds, burst)| {
                Rate::new(calls, seconds, burst)
            })
    }

    /// Moments that do not go back: many at once, and some far apart, by the interval.
    fn moments(rate: Rate) -> impl Strategy<Value = Vec<i64>> {
        let gap = prop_oneof![Just(0), 0..=rate.interval() / 3, 0..=rate.interval() * 3];
        prop::collection::vec(gap, 1..150).prop_map(|gaps| {
            gaps.into_iter()
                .scan(NOW, |now, gap| {
                    *now += gap;
                    Some(*now)
                })
                .collect()
        })
    }

    /// When calls were admitted.
    fn admitted(rate: Rate, moments: &[i64]) -> Vec<i64> {
        let mut due = None;
        let mut admitted = Vec::new();
        for &now in moments {
            let tally = rate.take(due, now);
            due = Some(tally.due);
            if tally.admitted {
                admitted.push(now);
            }
        }
        admitted
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_the_rate_in_any_window(
            (rate, moments) in rates().prop_flat_map(|rate| (Just(rate), moments(rate)))
        ) {
            for rate in [rate, rate.halved()] {
                let admitted = admitted(rate, &moments);
                for (first, from) in admitted.iter().enumerate() {
                    for (nth, to) in admitted.iter().enumerate().skip(first) {
                        let count = i64::try_from(nth - first).unwrap() + 1;
                        prop_assert!(count <= rate.burst() + (to - from) / rate.interval());
                    }
                }
            }
        }

        #[test]
        fn a_refusal_says_exactly_when_to_come_back(
            (rate, moments) in rates().prop_flat_map(|rate| (Just(rate), moments(rate)))
        ) {
            let mut due = None;
            for now in moments {
                let tally = rate.take(due, now);
                let wait = rate.wait(tally);
                let after = Some(tally.due);
                prop_assert!(rate.take(after, now + wait).admitted);
                prop_assert!(wait == 0 || !rate.take(after, now + wait - 1).admitted);
                prop_assert_eq!(tally.admitted || wait > 0, true);
                due = after;
            }
        }

        #[test]
        fn what_is_left_is_what_is_admitted_at_once(
            (rate, moments) in rates().prop_flat_map(|rate| (Just(rate), moments(rate)))
        ) {
            let mut due = None;
            for now in moments {
                let tally = rate.take(due, now);
                let mut at_once = 0;
                let mut next = rate.take(Some(tally.due), now);
                while next.admitted {
                    at_once += 1;
                    next = rate.take(Some(next.due), now);
                }
                prop_assert_eq!(rate.left(tally), at_once);
                let whole = rate.take(Some(tally.due), now + tally.until_whole());
                prop_assert_eq!(rate.left(whole), rate.burst() - 1);
                due = Some(tally.due);
            }
        }

        #[test]
        fn who_keeps_to_the_rate_is_never_refused(rate in rates(), late in prop::collection::vec(0_i64..1_000_000, 1..200)) {
            let mut now = NOW;
            let moments: Vec<i64> = late.into_iter().map(|late| { now += rate.interval() + late; now }).collect();
            prop_assert_eq!(admitted(rate, &moments), moments);
        }

        #[test]
        fn what_is_given_back_can_be_taken_again(
            (rate, moments) in rates().prop_flat_map(|rate| (Just(rate), moments(rate)))
        ) {
            let mut due = None;
            for now in moments {
                let tally = rate.take(due, now);
                if tally.admitted {
                    let back = rate.give_back(tally.due);
                    prop_assert_eq!(rate.take(Some(back), now), tally);
                }
                due = Some(tally.due);
            }
        }

        #[test]
        fn a_clock_that_went_back_shuts_nobody_out_for_longer_than_a_burst(rate in rates(), ahead in 0_i64..i64::MAX / 2) {
            let tally = rate.take(Some(NOW.saturating_add(ahead)), NOW);
            prop_assert!(rate.wait(tally) <= rate.interval());
            prop_assert!(tally.until_whole() <= rate.interval() * rate.burst());
        }
    }

    #[test]
    fn sixty_a_minute_with_a_burst_of_twenty() {
        let rate = Rate::new(60, 60, 20).unwrap();
        assert_eq!((rate.interval(), rate.burst(), rate.calls_in(60)), (SECOND, 20, 60));
        let at_once = admitted(rate, &[NOW; 100]);
        assert_eq!(at_once.len(), 20);
        let a_minute: Vec<i64> = (0..600).map(|tenth| NOW + tenth * SECOND / 10).collect();
        assert_eq!(admitted(rate, &a_minute).len(), 20 + 59);
        assert_eq!(admitted(rate.halved(), &a_minute).len(), 10 + 29);
    }

    #[test]
    fn what_cannot_be_reckoned_is_no_rate() {
        for (calls, seconds, burst) in [(0, 60, 1), (1, 0, 1), (1, 60, 0), (1, u32::MAX, 1), (1, 3_600, u32::MAX)] {
            assert_eq!(Rate::new(calls, seconds, burst), None);
        }
        // Seven in ten seconds do not divide: the interval is rounded up.
        assert_eq!(Rate::new(7, 10, 1).unwrap().interval(), 1_428_572);
        assert_eq!((seconds(0), seconds(1), seconds(SECOND), seconds(SECOND + 1)), (0, 1, 1, 2));
    }
}
