//! A PIN: six digits beside something that a person has, never alone.

use chrono::{Duration, NaiveDate};
use thiserror::Error;

use crate::Timestamp;

/// Wrong ones in a row until it rests, and for how long; and until a code is wanted as well.
const REST_AFTER: u16 = 5;
const REST: Duration = Duration::minutes(15);
const CODE_AFTER: u16 = 10;
const LONG_REST: Duration = Duration::days(1);

/// A PIN that may be chosen. Never written down, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Pin(String);

/// It would be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TooSimple {
    #[error("a PIN has six digits")]
    NotSixDigits,
    #[error("it repeats itself")]
    Repeats,
    #[error("it counts up or down")]
    Counts,
    #[error("it is a date")]
    IsADate,
    #[error("it is one of those that everybody takes")]
    IsCommon,
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pin(…)")
    }
}

impl Pin {
    /// # Errors
    /// [`TooSimple`] for anything but six digits, and for those that a stranger tries first (reliability.md §4.1).
    pub fn new(text: &str) -> Result<Self, TooSimple> {
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0').collect();
        if digits.len() != 6 || text.len() != 6 {
            return Err(TooSimple::NotSixDigits);
        }
        if repeats(&digits) {
            return Err(TooSimple::Repeats);
        }
        if counts(&digits) {
            return Err(TooSimple::Counts);
        }
        if is_a_date(&digits) {
            return Err(TooSimple::IsADate);
        }
        if COMMON.contains(&text) {
            return Err(TooSimple::IsCommon);
        }
        Ok(Self(text.to_owned()))
    }

    /// For the hasher.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// `121212`, `123123`, `112233`, `000001`: two different digits at most, or one part over and over, or pairs.
fn repeats(digits: &[u8]) -> bool {
    let mut kinds = digits.to_vec();
    kinds.sort_unstable();
    kinds.dedup();
    let parts = |size: usize| digits.chunks(size).all(|part| digits.starts_with(part));
    let pairs = digits.chunks(2).all(|pair| pair.first() == pair.last());
    kinds.len() <= 2 || parts(2) || parts(3) || pairs
}

/// `345678`, `987654`, `246802`: the same step from each digit to the next.
fn counts(digits: &[u8]) -> bool {
    let steps: Vec<u8> = digits.windows(2).map(|two| (two[1] + 10 - two[0]) % 10).collect();
    steps.windows(2).all(|two| two[0] == two[1])
}

/// As people write birthdays: `DDMMYY`, `MMDDYY`, `YYMMDD`, or a month and a year of the last hundred years.
fn is_a_date(digits: &[u8]) -> bool {
    let two = |at: usize| match digits.get(at..at + 2) {
        Some([tens, ones]) => u32::from(*tens) * 10 + u32::from(*ones),
        _ => 0,
    };
    let (a, b, c) = (two(0), two(2), two(4));
    // A leap year, so that the 29th of February is one.
    let day = |day, month| NaiveDate::from_ymd_opt(2000, month, day).is_some();
    let century = |year: u32| (1920..=2020).contains(&year);
    let month = |month| (1..=12).contains(&month);
    day(a, b) || day(b, a) || day(c, b) || (century(b * 100 + c) && month(a)) || (century(a * 100 + b) && month(c))
}

/// Those of published lists that no rule above refuses.
const COMMON: &[&str] = &[
    "147258", "258369", "147852", "159753", "159357", "753951", "951753", "147369", "963852", "852963", "741852",
    "258147", "369258", "321654", "456789", "654321", "789456", "456123", "789123", "123789", "321987", "135790",
    "246810", "102030", "112358", "314159", "271828", "123654", "456321", "369147", "963741", "741963", "142536",
    "362514", "147896", "123698", "987412", "145236", "520131", "201314", "102938", "192837", "564738", "918273",
    "221770", "221771", "221775", "221776", "221777", "221778", "199019", "786786", "420420", "696969", "007007",
];

/// How far a PIN is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// In a row; a right one forgets them.
    pub wrong: u16,
    /// Nothing is compared before.
    pub until: Option<Timestamp>,
    /// Then a code as well.
    pub needs_code: bool,
}

impl Lock {
    /// Wrong ones until it rests, or rests for longer; none when it does.
    pub const fn left(self) -> u16 {
        let next = if self.wrong <= REST_AFTER { REST_AFTER } else { CODE_AFTER };
        next.saturating_sub(self.wrong)
    }
}

/// Whether a PIN may be compared now; if not, from when on.
///
/// # Errors
/// The moment from which on it may.
pub fn may_try(lock: Lock, now: Timestamp) -> Result<(), Timestamp> {
    match lock.until {
        Some(until) if now < until => Err(until),
        _ => Ok(()),
    }
}

/// What one more try leads to while it is not known to be right: written before the comparison, forgotten after a right one.
pub fn after_wrong(lock: Lock, now: Timestamp) -> Lock {
    let wrong = lock.wrong.saturating_add(1);
    let rest = match wrong {
        wrong if wrong >= CODE_AFTER => Some(LONG_REST),
        REST_AFTER => Some(REST),
        _ => None,
    };
    Lock { wrong, until: rest.map(|rest| now + rest), needs_code: lock.needs_code || wrong >= CODE_AFTER }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::example::at;

    #[test]
    fn what_a_stranger_tries_first_is_refused() {
        for (pin, why) in [
            ("12345", TooSimple::NotSixDigits),
            ("1234567", TooSimple::NotSixDigits),
            ("12345a", TooSimple::NotSixDigits),
            ("１２３４５６", TooSimple::NotSixDigits),
            ("000000", TooSimple::Repeats),
            ("000001", TooSimple::Repeats),
            ("121212", TooSimple::Repeats),
            ("123123", TooSimple::Repeats),
            ("112233", TooSimple::Repeats),
            ("123456", TooSimple::Counts),
            ("987654", TooSimple::Counts),
            ("246802", TooSimple::Counts),
            ("290288", TooSimple::IsADate),
            ("022988", TooSimple::IsADate),
            ("880229", TooSimple::IsADate),
            ("071987", TooSimple::IsADate),
            ("198707", TooSimple::IsADate),
            ("147258", TooSimple::IsCommon),
        ] {
            assert_eq!(Pin::new(pin).map(drop), Err(why), "{pin}");
        }
        for pin in ["739164", "804957", "350862"] {
            assert_eq!(Pin::new(pin).unwrap().expose(), pin);
        }
        assert_eq!(format!("{:?}", Pin::new("739164").unwrap()), "Pin(…)");
    }

    #[test]
    fn most_pins_are_left() {
        let left = (0..1_000_000).filter(|pin| Pin::new(&format!("{pin:06}")).is_ok()).count();
        assert!(left > 850_000, "{left}");
    }

    #[test]
    fn common_ones_are_those_that_no_rule_refuses() {
        let mut seen = std::collections::BTreeSet::new();
        for pin in COMMON {
            assert_eq!(pin.len(), 6);
            assert!(seen.insert(pin), "{pin} stands there twice");
        }
    }

    #[test]
    fn five_wrong_ones_rest_a_quarter_of_an_hour_and_ten_ask_for_a_code_and_a_day() {
        let mut now = at("2026-11-28 10:00");
        let mut lock = Lock::default();
        for tried in 1..=10_u16 {
            if let Err(until) = may_try(lock, now) {
                assert_eq!((tried, until - now), (6, REST));
                now = until;
            }
            lock = after_wrong(lock, now);
            assert_eq!((lock.wrong, lock.needs_code), (tried, tried == 10));
            assert_eq!(lock.left(), if tried <= 5 { 5 - tried } else { 10 - tried });
        }
        assert_eq!(may_try(lock, now), Err(now + LONG_REST));
        assert_eq!(may_try(lock, now + LONG_REST), Ok(()));
    }

    proptest! {
        /// However it is asked, a PIN is compared 10 times on the first day and once on each day after.
        #[test]
        fn nobody_guesses_faster_than_the_locks_let(gaps in prop::collection::vec(0..20_000i64, 1..300)) {
            let begin = at("2026-11-28 00:00");
            let (mut now, mut lock, mut compared) = (begin, Lock::default(), 0i64);
            for gap in gaps {
                now += Duration::seconds(gap);
                if may_try(lock, now).is_ok() {
                    lock = after_wrong(lock, now);
                    compared += 1;
                }
                prop_assert!(compared <= 10 + (now - begin).num_days());
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,12}") {
            let _ = Pin::new(&text);
        }
    }
}
