//! Waiting before what proves that somebody is they is another: whoever it is taken from has the time to say so
//! (reliability.md §4.1, SIM swap and recycled numbers).

use chrono::Duration;

use crate::Timestamp;

/// Between the wish for another PIN or number and its coming about.
pub const WAIT: Duration = Duration::hours(24);
/// Afterwards no money goes anywhere it did not come from for so long.
pub const COOLING: Duration = Duration::hours(24);
/// A lost PIN that nobody replaced for so long after it could be is forgotten about.
pub const RECOVERY_LASTS: Duration = Duration::days(7);
/// A number that nobody was here with for so long may be somebody else's.
pub const RECYCLED: Duration = Duration::days(90);

/// Whether whoever proves a number, and has no PIN, may be somebody else than whoever was last seen with it then.
pub fn is_recycled(last_seen: Timestamp, now: Timestamp) -> bool {
    now - last_seen >= RECYCLED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::example::at;

    #[test]
    fn a_number_is_recycled_after_ninety_days() {
        let seen = at("2026-08-30 10:00");
        assert!(!is_recycled(seen, seen) && !is_recycled(seen, seen + Duration::days(90) - Duration::seconds(1)));
        assert!(is_recycled(seen, seen + Duration::days(90)));
        // A clock that went back has seen nobody for no time.
        assert!(!is_recycled(seen, seen - Duration::days(90)));
    }
}
