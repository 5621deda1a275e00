//! How many requests are worked on at once: found by their latency.
//!
//! Additive increase, multiplicative decrease (Chiu and Jain 1989, as TCP): one place more while the places are all used and
//! most requests take about as long as when they are alone; a tenth fewer when most take twice as long. "Alone" is learnt per
//! operation, from requests that began beside few others, so that a change of the mix is no change of latency. A gradient
//! over the lowest latency seen (TCP Vegas, Netflix's concurrency-limits) was not taken: under an overload that lasts, what it
//! compares with drifts up with what it measures, unless the limit is cut down again and again to look, as Envoy does. Here
//! what an operation takes alone is learnt while few are there, and kept while many are.
//!
//! A median, not a mean or a high percentile: one slow statement says nothing about how many fit beside each other.

use std::collections::HashMap;

/// Requests beside each other that hardly disturb each other: where "alone" is learnt.
pub const FEW: usize = 4;
/// The least there is. As many never make a process fall over, and fewer would turn callers away whenever the machine is busy
/// with something else.
pub const FLOOR: usize = 16;
/// Where it begins.
const FIRST: usize = 32;
/// Microseconds that are never late, however short an operation is: what a thread may wait for its turn.
const SLACK: u64 = 2_000;
/// What an operation is thought to take before it was seen alone.
const UNKNOWN: u64 = 10_000;
/// One in so many of a new duration goes into what is known of it.
const WEIGHT: u64 = 16;
/// A verdict is over so many requests and so many microseconds at least.
const ENOUGH: u32 = 24;
const WINDOW: u64 = 50_000;

/// What became of one request.
#[derive(Clone, Copy, Debug)]
pub struct Seen {
    pub operation: &'static str,
    /// Microseconds of work, without what it waited for somebody else.
    pub took: u64,
    /// It began beside less than [`FEW`] others.
    pub alone: bool,
    /// It was given up, or something of ours was too full for it.
    pub failed: bool,
}

/// The limit of one process.
#[derive(Debug)]
pub struct Limit {
    places: usize,
    most: usize,
    /// Microseconds each operation takes alone.
    alone: HashMap<&'static str, u64>,
    window: Window,
}

#[derive(Debug, Default)]
struct Window {
    begun: u64,
    seen: u32,
    late: u32,
    /// At least half of the places were used.
    busy: bool,
    /// Somebody did not get a place.
    full: bool,
}

impl Limit {
    /// Never more than `most`, which is at least [`FEW`], and no less than [`FLOOR`] where `most` is more than that.
    pub fn new(most: usize) -> Self {
        let most = most.max(FEW);
        Self { places: FIRST.min(most), most, alone: HashMap::new(), window: Window::default() }
    }

    pub const fn places(&self) -> usize {
        self.places
    }

    /// So many are worked on.
    pub const fn used(&mut self, places: usize) {
        self.window.busy |= places * 2 >= self.places;
    }

    /// Somebody did not get a place.
    pub const fn missed(&mut self) {
        self.window.full = true;
    }

    /// Learns from one request; whether the limit is another now.
    pub fn learn(&mut self, seen: Seen, now: u64) -> bool {
        if seen.alone && !seen.failed {
            let known = self.alone.entry(seen.operation).or_insert(seen.took);
            *known = (*known * (WEIGHT - 1) + seen.took) / WEIGHT;
        }
        let alone = self.alone.get(seen.operation).copied().unwrap_or(UNKNOWN);
        self.window.seen += 1;
        self.window.late += u32::from(seen.failed || seen.took > alone * 2 + SLACK);
        if self.window.seen < ENOUGH || now < self.window.begun + WINDOW {
            return false;
        }
        let Window { seen, late, busy, full, .. } = self.window;
        self.window = Window { begun: now, ..Window::default() };
        let before = self.places;
        if late * 2 > seen {
            // Nothing is gained by fewer places when few are used.
            self.places = if busy { (before - before.div_ceil(10)).max(FLOOR.min(self.most)) } else { before };
        } else if full {
            self.places = (before + 1).min(self.most);
        }
        self.places != before
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A machine: up to `cores` requests do not disturb each other, more take as much longer as they are more.
    struct Machine {
        cores: u64,
        alone: u64,
    }

    /// The limit after so many requests of one after the other window, with everybody wanting a place.
    fn overloaded(limit: &mut Limit, machine: &Machine, requests: u32, now: &mut u64) {
        for _ in 0..requests {
            let places = limit.places() as u64;
            let took = machine.alone * places.max(machine.cores) / machine.cores;
            *now += took / places;
            limit.used(limit.places());
            limit.missed();
            limit.learn(Seen { operation: "thing.show", took, alone: places <= FEW as u64, failed: false }, *now);
        }
    }

    /// The machine while nobody is in a hurry.
    fn quiet(limit: &mut Limit, machine: &Machine, requests: u32, now: &mut u64) {
        for _ in 0..requests {
            *now += 10_000;
            limit.used(1);
            limit.learn(Seen { operation: "thing.show", took: machine.alone, alone: true, failed: false }, *now);
        }
    }

    #[test]
    fn it_settles_where_requests_take_twice_as_long_as_alone() {
        for cores in [8, 16, 64] {
            let machine = Machine { cores, alone: 20_000 };
            let (mut limit, mut now) = (Limit::new(512), 0);
            quiet(&mut limit, &machine, 200, &mut now);
            assert_eq!(limit.places(), FIRST, "a quiet time changed it");
            overloaded(&mut limit, &machine, 60_000, &mut now);
            let cores = usize::try_from(cores).unwrap();
            assert!((cores * 3 / 2..=cores * 5 / 2).contains(&limit.places()), "{cores}: {}", limit.places());
        }
    }

    #[test]
    fn a_machine_that_became_slower_is_learnt_anew_in_a_quiet_moment() {
        let (mut limit, mut now) = (Limit::new(512), 0);
        quiet(&mut limit, &Machine { cores: 16, alone: 5_000 }, 200, &mut now);
        let slower = Machine { cores: 16, alone: 50_000 };
        let mut most = 0;
        for _ in 0..400 {
            overloaded(&mut limit, &slower, 100, &mut now);
            if limit.places() == FLOOR {
                quiet(&mut limit, &slower, 60, &mut now);
            }
            most = most.max(limit.places());
        }
        assert!(limit.places() >= 16 && most <= 48, "{} {most}", limit.places());
    }

    #[test]
    fn failures_and_only_failures_that_are_many_take_places_away() {
        let fail = |share: u32| {
            let (mut limit, mut now) = (Limit::new(512), 0);
            for number in 0..2_000 {
                now += 3_000;
                limit.used(FIRST);
                let failed = number % 10 < share;
                limit.learn(Seen { operation: "thing.show", took: 1_000, alone: false, failed }, now);
            }
            limit.places()
        };
        assert_eq!((fail(0), fail(4)), (FIRST, FIRST));
        assert_eq!(fail(7), FLOOR);
    }

    proptest! {
        #[test]
        fn it_stays_within_its_bounds_whatever_is_seen(
            most in 0_usize..600,
            seen in prop::collection::vec((0_u64..100_000, any::<bool>(), any::<bool>(), 0_usize..700, 0_u64..9_000), 0..2_000),
        ) {
            let (mut limit, mut now) = (Limit::new(most), 0);
            for (took, alone, failed, used, pause) in seen {
                now += pause;
                limit.used(used);
                if used > limit.places() {
                    limit.missed();
                }
                let before = limit.places();
                let changed = limit.learn(Seen { operation: "thing.show", took, alone, failed }, now);
                prop_assert!((FLOOR.min(most.max(FEW))..=most.max(FEW)).contains(&limit.places()));
                prop_assert!(limit.places() <= before + 1 && limit.places() * 10 + 10 >= before * 9);
                prop_assert_eq!(changed, limit.places() != before);
            }
        }
    }
}
