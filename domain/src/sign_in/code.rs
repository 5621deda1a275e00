//! Answering a challenge: a code of six digits, sent to a telephone. Every try is counted before it is compared, so that a
//! hundred at once count as a hundred.

use chrono::Duration;
use thiserror::Error;

use crate::Timestamp;

/// How long a code can be answered.
pub const LIFE: Duration = Duration::minutes(5);
/// Answers to one challenge.
pub const TRIES: u16 = 5;
/// Wrong answers to all challenges of a telephone within 24 hours.
pub const WRONG_A_DAY: usize = 10;

/// How long after its code was given a challenge opens something: time to think of a PIN.
pub const PROVEN: Duration = Duration::minutes(10);

/// What a challenge is answered for: a code for one thing does nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    SignIn,
    /// The PIN is lost.
    Recover,
    /// To be known by this number instead.
    ChangeNumber,
}

impl Purpose {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Recover => "recover",
            Self::ChangeNumber => "change_number",
        }
    }

    pub fn named(name: &str) -> Option<Self> {
        [Self::SignIn, Self::Recover, Self::ChangeNumber].into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// Whether what was proven then still opens something.
pub fn proven_for(proven_at: Option<Timestamp>, now: Timestamp) -> bool {
    proven_at.is_some_and(|at| at <= now && now < at + PROVEN)
}

/// A challenge as it stands before an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// When its code was made, at the moment of sending; `None` while it waits for that.
    pub armed_at: Option<Timestamp>,
    /// Answers so far, right or wrong.
    pub tries: u16,
    /// It was answered, or a newer one of the same telephone and purpose took its place.
    pub over: bool,
}

impl Challenge {
    /// Answers that are left after this one, which was wrong; `wrong` counts it.
    pub fn left_after_this(self, wrong: &[Timestamp], now: Timestamp) -> u16 {
        let lately = wrong.iter().filter(|at| now - **at < Duration::days(1)).count();
        let today = u16::try_from(WRONG_A_DAY.saturating_sub(lately)).unwrap_or(0);
        TRIES.saturating_sub(self.tries.saturating_add(1)).min(today)
    }
}

/// The answer is not even compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Denied {
    /// Expired, used, answered too often, never sent: whoever asks need not know which.
    #[error("the challenge is over")]
    Over,
    /// Too many wrong codes for this telephone today: the PIN, or a wait.
    #[error("no code of this telephone is compared before {until}")]
    Locked { until: Timestamp },
}

/// Whether an answer may be compared. It counts as a try from here on, whatever becomes of it. `wrong` are the moments of
/// wrong answers for this telephone within the last 24 hours, the oldest first.
///
/// # Errors
/// [`Denied`].
pub fn may_answer(challenge: Challenge, wrong: &[Timestamp], now: Timestamp) -> Result<(), Denied> {
    let alive = challenge.armed_at.is_some_and(|armed| armed <= now && now < armed + LIFE);
    if challenge.over || !alive || challenge.tries >= TRIES {
        return Err(Denied::Over);
    }
    let day = Duration::days(1);
    let lately: Vec<Timestamp> = wrong.iter().copied().filter(|at| now - *at < day).collect();
    let full = lately.len().checked_sub(WRONG_A_DAY).and_then(|index| lately.get(index));
    match full {
        Some(oldest) => Err(Denied::Locked { until: *oldest + day }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::example::at;

    fn sent(at: Timestamp) -> Challenge {
        Challenge { armed_at: Some(at), tries: 0, over: false }
    }

    #[test]
    fn a_code_lives_five_minutes_and_has_five_answers() {
        let now = at("2026-11-28 10:00");
        assert_eq!(may_answer(sent(now), &[], now), Ok(()));
        assert_eq!(may_answer(sent(now), &[], now + LIFE - Duration::seconds(1)), Ok(()));
        for over in [
            Challenge { armed_at: None, ..sent(now) },
            Challenge { tries: TRIES, ..sent(now) },
            Challenge { over: true, ..sent(now) },
        ] {
            assert_eq!(may_answer(over, &[], now), Err(Denied::Over));
        }
        assert_eq!(may_answer(sent(now), &[], now + LIFE), Err(Denied::Over));
        assert_eq!(may_answer(sent(now), &[], now - Duration::seconds(1)), Err(Denied::Over));
    }

    #[test]
    fn what_is_left_is_of_this_challenge_or_of_the_day() {
        let now = at("2026-11-28 10:00");
        let left = |tries, wrong| Challenge { tries, ..sent(now) }.left_after_this(&vec![now; wrong], now);
        assert_eq!((left(0, 1), left(3, 4), left(4, 5)), (4, 1, 0));
        assert_eq!((left(0, 8), left(0, 10)), (2, 0), "of the day");
    }

    #[test]
    fn what_was_proven_opens_for_ten_minutes() {
        let now = at("2026-11-28 10:00");
        assert!(proven_for(Some(now), now) && proven_for(Some(now), now + PROVEN - Duration::seconds(1)));
        assert!(!proven_for(Some(now), now + PROVEN) && !proven_for(None, now));
        for purpose in [Purpose::SignIn, Purpose::Recover, Purpose::ChangeNumber] {
            assert_eq!(Purpose::named(purpose.as_str()), Some(purpose));
        }
        assert_eq!(Purpose::named("anything"), None);
    }

    #[test]
    fn ten_wrong_answers_a_day_lock_the_telephone_whatever_the_challenge() {
        let first = at("2026-11-28 00:00");
        let wrong: Vec<Timestamp> = (0..10).map(|n| first + Duration::minutes(n)).collect();
        let now = at("2026-11-28 12:00");
        assert_eq!(may_answer(sent(now), &wrong[..9], now), Ok(()));
        assert_eq!(may_answer(sent(now), &wrong, now), Err(Denied::Locked { until: first + Duration::days(1) }));
        let tomorrow = first + Duration::days(1);
        assert_eq!(may_answer(sent(tomorrow), &wrong, tomorrow), Ok(()));
    }
}
