//! Signing in to work, from many networks at once: strangers slow each other down, and keep nobody out who comes from where
//! they came from before.

use chrono::Duration;

use crate::Timestamp;

/// How long a network is trusted that somebody signed in from.
pub const TRUSTED: Duration = Duration::days(90);

/// Wrong ones for one account, from everywhere, within a day, that cost nobody a wait.
const FREE: usize = 20;
const DAY: Duration = Duration::days(1);
/// The wait after those; each further one is twice as long, up to the longest.
const FIRST_WAIT: Duration = Duration::seconds(30);
const LONGEST_WAIT: Duration = Duration::minutes(15);

/// Wrong ones of one address for all accounts within an hour, and of all that are its neighbours: as many as the codes that are
/// sent at their wish (reliability.md §4.1).
const OF_AN_ADDRESS: usize = 20;
const OF_NEIGHBOURS: usize = 100;
const HOUR: Duration = Duration::hours(1);

/// Until when no stranger signs in to an account. `wrong`: tries at it from everywhere, the oldest first.
pub fn slowed(wrong: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let lately = wrong.iter().filter(|at| now - **at < DAY).count();
    let beyond = lately.checked_sub(FREE)?;
    let doublings = u32::try_from(beyond).unwrap_or(u32::MAX).min(8);
    let wait = (FIRST_WAIT * 2_i32.pow(doublings)).min(LONGEST_WAIT);
    wrong.last().map(|last| *last + wait).filter(|until| now < *until)
}

/// Until when no stranger signs in from a network, to any account. Both the oldest first.
pub fn sprayed(by_address: &[Timestamp], by_neighbours: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let full = |wrong: &[Timestamp], most: usize| {
        let oldest = wrong.len().checked_sub(most).and_then(|index| wrong.get(index));
        oldest.map(|oldest| *oldest + HOUR).filter(|until| now < *until)
    };
    full(by_address, OF_AN_ADDRESS).max(full(by_neighbours, OF_NEIGHBOURS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::example::at;

    #[test]
    fn the_wait_grows_to_a_quarter_of_an_hour_and_no_further() {
        let now = at("2026-11-28 10:00");
        let wait = |wrong: usize| slowed(&vec![now; wrong], now).map(|until| (until - now).num_seconds());
        assert_eq!((wait(0), wait(19)), (None, None));
        let waits: Vec<_> = (20..27).map(wait).collect();
        assert_eq!(waits, [30, 60, 120, 240, 480, 900, 900].map(Some));
        assert_eq!(wait(100_000), Some(900));
        assert_eq!(slowed(&[now; 30], now + LONGEST_WAIT), None);
        assert_eq!(slowed(&[now; 30], now + DAY), None);
    }

    /// From as many networks as they like, each guess as soon as the rules let: the figures of docs/signing-in.md.
    #[test]
    fn a_year_of_guesses_from_everywhere_is_forty_thousand() {
        let begin = at("2026-01-01 00:00");
        let (mut now, mut wrong, mut compared) = (begin, Vec::<Timestamp>::new(), 0_u64);
        while now - begin < Duration::days(365) {
            wrong.retain(|at| now - *at < DAY);
            now = slowed(&wrong, now).unwrap_or(now);
            wrong.push(now);
            compared += 1;
        }
        assert!((35_000..=44_000).contains(&compared), "{compared}");
    }

    #[test]
    fn a_network_has_twenty_wrong_ones_in_an_hour_and_its_neighbours_a_hundred() {
        let now = at("2026-11-28 10:00");
        let later = now + Duration::minutes(30);
        assert_eq!(sprayed(&[now; 19], &[now; 99], later), None);
        assert_eq!(sprayed(&[now; 20], &[now; 99], later), Some(now + HOUR));
        assert_eq!(sprayed(&[now; 1], &[now; 100], later), Some(now + HOUR));
        assert_eq!(sprayed(&[now; 20], &[now; 100], now + HOUR), None);
    }
}
