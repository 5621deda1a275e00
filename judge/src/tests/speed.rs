//! Judging is n log n: a long trial takes seconds, also in a build that is not optimised.

use std::time::{Duration, Instant};

use super::{Deed, tale::Tale};
use crate::{Outcome, judge_all};

/// Each is booked, paid, cancelled and paid back, in 14 events.
const RESERVATIONS: u32 = 3_000;

#[test]
fn a_long_trial_is_judged_in_seconds() {
    let mut tale = Tale::new();
    for number in 0..RESERVATIONS {
        let deed = Deed::new(0x10_0000 + 16 * u128::from(number), super::NORTH, 100 + i64::from(number));
        tale.book(deed, &format!("key-{number}"));
        tale.pay(deed);
        tale.call_off(deed);
        tale.submit(deed, "whole_transaction", 1);
        tale.move_money("api_checkout_refund", &format!("T-back-{number}"), -super::DEPOSIT, &deed.reference());
        tale.paid_back(deed, "whole_transaction", super::DEPOSIT);
    }
    let input = tale.finish();
    let begun = Instant::now();
    let verdict = judge_all(&input);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert_eq!(verdict.outcome, Outcome::Invalid);
    // Nobody is recorded to have called them off.
    assert_eq!(verdict.broken, u64::from(RESERVATIONS), "{verdict}");
}
