//! How long somebody stays signed in.

use chrono::Duration;

use crate::Timestamp;

/// An access token that nobody uses ends.
pub const IDLE: Duration = Duration::minutes(15);
/// And so does one that is used all the time.
pub const ABSOLUTE: Duration = Duration::hours(12);
/// A refresh token is used once, within so long.
pub const REFRESH: Duration = Duration::days(30);
/// An invitation is good for so long.
pub const INVITATION: Duration = Duration::hours(72);
/// Whoever has proven themselves once more may move money for so long.
pub const STEP_UP: Duration = Duration::minutes(5);

/// When an access token ends, as things stand (reliability.md §4.1, Sessions).
pub fn access_ends(opened_at: Timestamp, used_at: Timestamp) -> Timestamp {
    (used_at + IDLE).min(opened_at + ABSOLUTE)
}

/// Whether somebody has proven themselves lately.
pub fn stepped_up(at: Option<Timestamp>, now: Timestamp) -> bool {
    at.is_some_and(|at| at <= now && now < at + STEP_UP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::example::at;

    #[test]
    fn a_session_ends_after_15_minutes_idle_and_12_hours() {
        let opened = at("2026-11-28 10:00");
        assert_eq!(access_ends(opened, opened), at("2026-11-28 10:15"));
        assert_eq!(access_ends(opened, at("2026-11-28 11:00")), at("2026-11-28 11:15"));
        assert_eq!(access_ends(opened, at("2026-11-28 21:50")), at("2026-11-28 22:00"));
    }

    #[test]
    fn a_second_look_counts_for_five_minutes() {
        let now = at("2026-11-28 10:00");
        assert!(stepped_up(Some(now), now) && stepped_up(Some(now), now + Duration::seconds(299)));
        assert!(!stepped_up(Some(now), now + STEP_UP) && !stepped_up(None, now));
        assert!(!stepped_up(Some(now + Duration::seconds(1)), now));
    }
}
