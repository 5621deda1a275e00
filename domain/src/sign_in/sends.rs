//! How often a code is sent: an SMS costs money, and annoys whoever did not ask for it.

use chrono::Duration;
use thiserror::Error;

use super::Mood;
use crate::Timestamp;

/// To one telephone, in an hour and in a day.
const AN_HOUR: usize = 5;
const A_DAY: usize = 10;
/// At the wish of one address in an hour, and of all that are its neighbours.
const OF_AN_ADDRESS: usize = 20;
const OF_NEIGHBOURS: usize = 100;
/// Between the first code and the second; each further wait is twice as long.
const FIRST_WAIT: Duration = Duration::seconds(30);

/// When codes were sent within the last day, the oldest first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sent<'a> {
    pub to_phone: &'a [Timestamp],
    pub by_address: &'a [Timestamp],
    pub by_neighbours: &'a [Timestamp],
    /// To everybody, since midnight.
    pub today: u32,
}

/// What whoever pays for the messages has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Messages of a day, to all together.
    pub a_day: u32,
    /// How many times longer the waits are: more than 1 while somebody tries numbers at random.
    pub slower: i32,
}

/// Times longer while somebody tries numbers at random.
const ALARMED: i32 = 4;

impl Caps {
    /// As things are.
    pub const fn of(mood: Mood, a_day: u32) -> Self {
        let slower = match mood {
            Mood::Calm => 1,
            Mood::Alarmed => ALARMED,
        };
        Self { a_day, slower }
    }
}

/// No code is sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooMany {
    #[error("another code can be sent at {retry_at}")]
    Later { retry_at: Timestamp },
    /// Somebody must look: it may be an attack on our purse.
    #[error("all messages of today are sent")]
    Spent,
}

/// Whether a code may be sent now (reliability.md §4.1).
///
/// # Errors
/// [`TooMany`], and when to come back: at that moment it may be sent, if nothing else was sent in between.
pub fn may_send(sent: Sent<'_>, caps: Caps, now: Timestamp) -> Result<(), TooMany> {
    if sent.today >= caps.a_day {
        return Err(TooMany::Spent);
    }
    let hour = Duration::hours(1);
    let free = [
        after_the_last(sent.to_phone, caps.slower, now),
        free(sent.to_phone, AN_HOUR, hour, now),
        free(sent.to_phone, A_DAY, Duration::days(1), now),
        free(sent.by_address, OF_AN_ADDRESS, hour, now),
        free(sent.by_neighbours, OF_NEIGHBOURS, hour, now),
    ];
    match free.into_iter().max() {
        Some(retry_at) if retry_at > now => Err(TooMany::Later { retry_at }),
        _ => Ok(()),
    }
}

/// From when on another code may be sent to a telephone to which these were sent, if nothing else is in the way.
pub fn resend_at(to_phone: &[Timestamp], caps: Caps, now: Timestamp) -> Timestamp {
    match may_send(Sent { to_phone, ..Sent::default() }, caps, now) {
        Err(TooMany::Later { retry_at }) => retry_at,
        Ok(()) | Err(TooMany::Spent) => now,
    }
}

/// From when on one more fits into the window.
fn free(sent: &[Timestamp], most: usize, window: Duration, now: Timestamp) -> Timestamp {
    // With `most` of them left in it, the window is full until the oldest of those leaves.
    let oldest = sent.len().checked_sub(most).and_then(|index| sent.get(index));
    oldest.map_or(now, |oldest| *oldest + window)
}

/// 30 s after the first of the last hour, 60 s after the second, and so on.
fn after_the_last(sent: &[Timestamp], slower: i32, now: Timestamp) -> Timestamp {
    let Some(last) = sent.last() else { return now };
    let lately = sent.iter().filter(|at| now - **at < Duration::hours(1)).count();
    let doubled = u32::try_from(lately.saturating_sub(1)).unwrap_or(u32::MAX).min(8);
    *last + FIRST_WAIT * 2_i32.pow(doubled) * slower.clamp(1, 100)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::example::at;

    const CAPS: Caps = Caps { a_day: 10_000, slower: 1 };

    fn seconds(all: &[i64]) -> Vec<Timestamp> {
        all.iter().map(|s| at("2026-11-28 10:00") + Duration::seconds(*s)).collect()
    }

    fn to_phone(sent: &[Timestamp], now: Timestamp) -> Result<(), TooMany> {
        may_send(Sent { to_phone: sent, ..Sent::default() }, CAPS, now)
    }

    #[test]
    fn codes_are_sent_at_30_60_120_seconds_five_an_hour_ten_a_day() {
        let mut sent: Vec<Timestamp> = Vec::new();
        let begin = at("2026-11-28 10:00");
        let mut now = begin;
        for _ in 0..10 {
            match to_phone(&sent, now) {
                Ok(()) => {}
                Err(TooMany::Later { retry_at }) => now = retry_at,
                Err(TooMany::Spent) => unreachable!(),
            }
            assert_eq!(to_phone(&sent, now), Ok(()));
            sent.push(now);
        }
        let gaps: Vec<i64> = sent.windows(2).take(5).map(|two| (two[1] - two[0]).num_seconds()).collect();
        assert_eq!(gaps, [30, 60, 120, 240, 3_600 - 450]);
        let Err(TooMany::Later { retry_at }) = to_phone(&sent, now) else { panic!() };
        assert_eq!(retry_at, begin + Duration::days(1), "the eleventh is of tomorrow");
    }

    #[test]
    fn an_address_and_its_neighbours_are_counted_over_all_telephones() {
        let now = at("2026-11-28 11:00");
        let twenty = seconds(&(0..20).map(|n| n * 10).collect::<Vec<_>>());
        let by_address = Sent { by_address: &twenty, ..Sent::default() };
        let free = at("2026-11-28 11:00");
        assert_eq!(may_send(by_address, CAPS, now - Duration::seconds(1)), Err(TooMany::Later { retry_at: free }));
        assert_eq!(may_send(by_address, CAPS, free), Ok(()));
        let by_neighbours = Sent { by_neighbours: &twenty, ..Sent::default() };
        assert_eq!(may_send(by_neighbours, CAPS, now - Duration::seconds(1)), Ok(()));
        let hundred = seconds(&(0..100).collect::<Vec<_>>());
        let by_neighbours = Sent { by_neighbours: &hundred, ..Sent::default() };
        assert!(may_send(by_neighbours, CAPS, now - Duration::seconds(1)).is_err());
    }

    #[test]
    fn a_day_has_so_many_messages_and_an_alarm_makes_waits_longer() {
        let now = at("2026-11-28 10:00");
        let spent = Sent { today: 10_000, ..Sent::default() };
        assert_eq!(may_send(spent, CAPS, now), Err(TooMany::Spent));
        let one = [now];
        let slow = Caps { slower: 4, ..CAPS };
        let retry_at = now + Duration::seconds(120);
        assert_eq!(may_send(Sent { to_phone: &one, ..Sent::default() }, slow, now), Err(TooMany::Later { retry_at }));
        assert_eq!(resend_at(&one, slow, now), retry_at);
        assert_eq!((Caps::of(Mood::Alarmed, 10_000), Caps::of(Mood::Calm, 10_000)), (slow, CAPS));
    }

    proptest! {
        /// Whoever asks at random moments never gets more, and whoever comes back when told is served.
        #[test]
        fn no_window_has_too_many_and_the_word_is_kept(gaps in prop::collection::vec(0..4_000i64, 1..120)) {
            let mut sent: Vec<Timestamp> = Vec::new();
            let mut now = at("2026-11-28 00:00");
            for gap in gaps {
                now += Duration::seconds(gap);
                sent.retain(|at| now - *at < Duration::days(1));
                match to_phone(&sent, now) {
                    Ok(()) => sent.push(now),
                    Err(TooMany::Later { retry_at }) => {
                        prop_assert!(retry_at > now);
                        let then: Vec<Timestamp> =
                            sent.iter().copied().filter(|at| retry_at - *at < Duration::days(1)).collect();
                        prop_assert_eq!(to_phone(&then, retry_at), Ok(()));
                    }
                    Err(TooMany::Spent) => prop_assert!(false),
                }
                let within = |window: Duration| sent.iter().filter(|at| now - **at < window).count();
                prop_assert!(within(Duration::hours(1)) <= AN_HOUR && within(Duration::days(1)) <= A_DAY);
                prop_assert!(sent.windows(2).all(|two| two[1] - two[0] >= FIRST_WAIT));
            }
        }
    }
}
