//! `kalel bench guess`: a million guesses at codes and PINs, at the tables that count them. Whoever guesses asks for a code whenever
//! one is given, has every device there is, and time: an hour goes by between two rounds.
//!
//! What is looked at: how many guesses were compared at all, whether that is what the rules allow, and how many were right, beside
//! the odds of as many blind guesses.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use domain::{
    client::{DeviceKey, Language},
    ids::SecretId,
    phone::{Phone, PhoneError},
    sign_in::Purpose,
};
use eventstore::{
    Keyring, Mode, Options, Store,
    auth::{
        AuthError, Hashing,
        challenge::{self, Answered, Known, Wish},
        secret::{self, Compared},
    },
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use tokio::sync::Mutex;

use super::append::Problem;
use crate::seeded::Seeded;

/// How hard to try.
#[derive(Clone, Debug)]
pub struct Plan {
    pub database_url: String,
    /// Half of them at codes, half at PINs.
    pub guesses: u64,
    /// Whom they are at.
    pub people: u64,
    pub seed: u64,
}

/// Guesses of one kind.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Guessed {
    pub tried: u64,
    /// The others were turned away unread.
    pub compared: u64,
    pub right: u64,
    /// The most that the rules let be compared in that time.
    pub allowed: u64,
}

impl Guessed {
    /// How many of as many blind guesses would be right, 999 times of 1 000, when one of a million is: Poisson.
    fn odds(self) -> u64 {
        let mean = self.compared as f64 / 1_000_000.0;
        let (mut term, mut sum, mut most) = ((-mean).exp(), (-mean).exp(), 0);
        while sum < 0.999 && most < 1_000 {
            most += 1;
            term *= mean / most as f64;
            sum += term;
        }
        most
    }

    fn holds(self) -> bool {
        self.compared <= self.allowed && self.right <= self.odds()
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Report {
    pub codes: Guessed,
    pub pins: Guessed,
    /// Hours that went by.
    pub hours: u64,
    pub people: u64,
    pub codes_sent: u64,
}

impl Report {
    /// Whether nothing was let through that must not be.
    pub fn holds(&self) -> bool {
        self.codes.holds() && self.pins.holds()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| guesses at | tried | compared | the rules allow | right | by the odds at most |")?;
        writeln!(f, "|---|---:|---:|---:|---:|---:|")?;
        for (name, guessed) in [("codes", self.codes), ("PINs", self.pins)] {
            let Guessed { tried, compared, right, allowed } = guessed;
            writeln!(f, "| {name} | {tried} | {compared} | {allowed} | {right} | {} |", guessed.odds())?;
        }
        write!(f, "\n{} people, {} codes sent, {} hours of the clock.", self.people, self.codes_sent, self.hours)
    }
}

/// Guesses at once.
const AT_ONCE: usize = 16;
/// Guesses at each person and round: more than are compared of one code, or before a PIN rests.
const A_ROUND: u64 = 25;

/// Guesses.
///
/// # Errors
/// When the database does not do what it must.
pub async fn run(plan: &Plan, say: &mut (dyn FnMut(&str) + Send)) -> Result<Report, Problem> {
    let mut options = Options::new(&plan.database_url, Keyring::new([1; 32], [2; 32]), Mode::Test);
    options.connections = 24;
    // What is counted is counted before it is hashed: what hashing costs changes nothing here.
    options.hashing = Hashing { memory: 8, passes: 1, at_once: AT_ONCE * 2 };
    let store = Store::open(options).await?;
    let mut random = Seeded(plan.seed);
    say("whom to guess at");
    let mut people = Vec::new();
    for number in 0..plan.people {
        people.push(Victim::of(&store, number, &mut random).await?);
    }
    let rounds = (plan.guesses / 2).div_ceil(plan.people.max(1) * A_ROUND);
    let mut report = Report {
        codes: Guessed::default(),
        pins: Guessed::default(),
        hours: rounds,
        people: plan.people,
        codes_sent: 0,
    };
    let sent = AtomicU64::new(0);
    for round in 0..rounds {
        if round % 24 == 0 {
            say(&format!("day {} of {}", round / 24 + 1, rounds.div_ceil(24)));
        }
        let each = people.iter().map(|victim| victim.guess(&store, &sent, random.next(), round));
        let all: Vec<(Guessed, Guessed)> = stream::iter(each).buffer_unordered(AT_ONCE).try_collect().await?;
        for (codes, pins) in all {
            for (sum, one) in [(&mut report.codes, codes), (&mut report.pins, pins)] {
                sum.tried += one.tried;
                sum.compared += one.compared;
                sum.right += one.right;
            }
        }
        store.clock().advance(Duration::from_secs(3_600)).await?;
    }
    let days = rounds.div_ceil(24) + 1;
    // Ten wrong codes a day and number; five PINs, a quarter of an hour, five more, and then a day and a code.
    report.codes.allowed = days * 10 * plan.people;
    report.pins.allowed = days * 10 * plan.people;
    report.codes_sent = sent.into_inner();
    store.close().await;
    Ok(report)
}

/// Somebody with a number, a device and a PIN.
struct Victim {
    number: u64,
    phone: Phone,
    device_key: DeviceKey,
    secret: SecretId,
    /// The last challenge there was, over or not.
    last: Mutex<Option<Known>>,
}

impl Victim {
    async fn of(store: &Store, number: u64, random: &mut Seeded) -> Result<Self, Problem> {
        let phone = Phone::new(&format!("+22177{number:07}")).map_err(|error: PhoneError| error.to_string())?;
        let (secret, pin) = (SecretId::new(store.clock().new_id()), six(random.next()));
        secret::keep(store, store.clock().new_id(), secret, &pin).await?;
        let device_key = DeviceKey(format!("device {number}"));
        Ok(Self { number, phone, device_key, secret, last: Mutex::default() })
    }

    /// One round: at a code, if one is to be had, and at the PIN.
    async fn guess(
        &self,
        store: &Store,
        sent: &AtomicU64,
        seed: u64,
        round: u64,
    ) -> Result<(Guessed, Guessed), Problem> {
        let mut random = Seeded(seed);
        // From everywhere: what counts is the number.
        let address = format!("10.{}.{}.{}", round % 251, self.number / 250 % 250, self.number % 250);
        let neighbours = format!("{address}/24");
        let (mut codes, mut pins) = (Guessed::default(), Guessed::default());
        let wish = Wish {
            purpose: Purpose::SignIn,
            phone: &self.phone,
            device_key: &self.device_key,
            language: Language::Fr,
            address: &address,
            neighbours: &neighbours,
        };
        let mut last = self.last.lock().await;
        if let Ok(asked) = challenge::ask(store, &wish, u32::MAX).await? {
            // As the worker does that sends it; it is the only one who sees the code.
            sent.fetch_add(1, Ordering::Relaxed);
            challenge::arm(store, asked.id).await?;
            *last = challenge::find(store, asked.id).await?;
        }
        for _ in 0..A_ROUND {
            codes.tried += 1;
            if let Some(known) = &*last {
                match challenge::answer(store, known, &six(random.next())).await? {
                    Answered::Right => (codes.compared, codes.right) = (codes.compared + 1, codes.right + 1),
                    Answered::Wrong { .. } => codes.compared += 1,
                    Answered::Denied(_) => {}
                }
            }
            pins.tried += 1;
            let guess = six(random.next());
            let compared = match secret::compare(store, self.secret, &guess, false, &address).await {
                // Too many at once: nobody counts it, and nobody compares it.
                Err(AuthError::Busy) => continue,
                other => other?,
            };
            match compared {
                // Right ends the count, so the next guess is at the same PIN with a new one.
                Compared::Right => (pins.compared, pins.right) = (pins.compared + 1, pins.right + 1),
                Compared::Wrong { .. } => pins.compared += 1,
                Compared::Locked { .. } => {}
            }
        }
        Ok((codes, pins))
    }
}

fn six(random: u64) -> String {
    format!("{:06}", random % 1_000_000)
}

/// Sessions are opened by none of this: a code alone opens nothing for whoever has a PIN (`tests/it/sign_in/attack.rs`).
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_odds_are_those_of_blind_guesses() {
        let of = |compared| Guessed { compared, ..Guessed::default() }.odds();
        assert_eq!([of(0), of(1_000), of(1_000_000), of(10_000_000)], [0, 0, 5, 21]);
        let held = Guessed { tried: 10, compared: 5, right: 1, allowed: 5 };
        assert!(!held.holds() && Guessed { right: 0, ..held }.holds());
        assert!(!Guessed { right: 0, compared: 6, ..held }.holds());
    }
}
