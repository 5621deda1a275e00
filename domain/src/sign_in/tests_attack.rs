//! A million guesses, by the rules alone: nothing opens beyond the odds.

use std::collections::BTreeMap;

use chrono::Duration;

use super::{Caps, Challenge, Hour, Lock, Mood, Sent, TooMany, after_wrong, may_answer, may_send, may_try, mood};
use crate::{Timestamp, spec::example::at};

/// A generator of numbers, the same every time (xorshift64*).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) % below
    }
}

#[derive(Default)]
struct Phone {
    sent: Vec<Timestamp>,
    wrong: Vec<Timestamp>,
    challenge: Option<(Challenge, u64)>,
}

/// What an attack got.
#[derive(Debug, Default)]
struct Got {
    compared: u64,
    hits: u64,
    sent: u64,
    work: u64,
}

/// Guesses at random telephones for a year, each as soon as the rules let, from addresses that nobody sees twice.
fn attack(phones: u64, guesses: u64, seed: u64) -> Got {
    let mut dice = Dice(seed);
    let mut all: BTreeMap<u64, Phone> = BTreeMap::new();
    let (mut got, mut hours, mut running) = (Got::default(), Vec::<Hour>::new(), Hour::default());
    let begin = at("2026-01-01 00:00");
    let mut today = (begin.date_naive(), 0_u32);
    let step = Duration::days(365) / i32::try_from(guesses / 1_000).unwrap();
    let mut hour = 0;
    for n in 0..guesses {
        let now = begin + step * i32::try_from(n / 1_000).unwrap();
        if (now - begin).num_hours() != hour {
            hour = (now - begin).num_hours();
            hours.insert(0, std::mem::take(&mut running));
            hours.truncate(200);
        }
        if now.date_naive() != today.0 {
            today = (now.date_naive(), 0);
        }
        let phone = all.entry(dice.roll(phones)).or_default();
        phone.sent.retain(|at| now - *at < Duration::days(1));
        phone.wrong.retain(|at| now - *at < Duration::days(1));
        let slower = match mood(running, &hours) {
            Mood::Alarmed => {
                got.work += 1;
                4
            }
            Mood::Calm => 1,
        };
        let alive = phone.challenge.is_some_and(|(it, _)| may_answer(it, &phone.wrong, now).is_ok());
        if !alive {
            let sent = Sent { to_phone: &phone.sent, today: today.1, ..Sent::default() };
            match may_send(sent, Caps { a_day: 20_000, slower }, now) {
                Ok(()) => {
                    phone.sent.push(now);
                    (today.1, got.sent) = (today.1 + 1, got.sent + 1);
                    let challenge = Challenge { armed_at: Some(now), tries: 0, over: false };
                    phone.challenge = Some((challenge, dice.roll(1_000_000)));
                }
                Err(TooMany::Later { .. } | TooMany::Spent) => continue,
            }
        }
        let Some((challenge, code)) = &mut phone.challenge else { continue };
        if may_answer(*challenge, &phone.wrong, now).is_err() {
            continue;
        }
        challenge.tries += 1;
        got.compared += 1;
        if dice.roll(1_000_000) == *code {
            challenge.over = true;
            running.right += 1;
            got.hits += 1;
        } else {
            phone.wrong.push(now);
            running.wrong += 1;
        }
    }
    got
}

/// Above it lies one outcome of a thousand, of so many throws with one in a million each (Poisson).
fn most_by_chance(throws: u64) -> u64 {
    [(2_000, 1), (50_000, 2), (190_000, 3), (430_000, 4), (740_000, 5), (1_110_000, 6)]
        .into_iter()
        .find(|(up_to, _)| throws <= *up_to)
        .map_or(u64::MAX, |(_, hits)| hits)
}

#[test]
fn a_million_guesses_of_codes_hit_no_more_than_chance_and_a_pin_stands_behind_each() {
    // One telephone, attacked for a year without a pause: ten answers a day, at most.
    let one = attack(1, 1_000_000, 7);
    assert!(one.compared <= 366 * 10, "{one:?}");
    assert!(one.hits <= most_by_chance(one.compared), "{one:?}");
    // A hundred thousand of them: what each has left is little, and the alarm rings.
    let many = attack(100_000, 1_000_000, 11);
    assert!(many.hits <= most_by_chance(many.compared), "{many:?}");
    assert!(many.work * 10 > 1_000_000 * 9, "whoever sprays works for each: {many:?}");
    // Whatever code was hit, an account with a PIN is opened by both: of six digits, after ten wrong ones a day each.
    let (mut lock, mut dice, mut opened) = (Lock::default(), Dice(13), 0);
    let begin = at("2026-01-01 00:00");
    let mut compared = 0;
    for n in 0..1_000_000_i64 {
        let now = begin + Duration::seconds(n * 31);
        if may_try(lock, now).is_ok() {
            lock = after_wrong(lock, now);
            compared += 1;
            opened += u64::from(dice.roll(1_000_000) == 739_164);
        }
    }
    assert!(compared <= 10 + 366, "{compared} of a million in a year");
    assert_eq!(opened, 0);
}
