//! The worlds that are played.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use super::{Broken, Fault, Found, Report, Run, table::Table};

fn play(seed: u64, payments: u64, broken: Option<Broken>) -> Result<Report, Found> {
    Run::new(seed, payments, broken).play()
}

/// Worlds by their seeds, on every core. The story of the lowest seed in which something is wrong.
fn worlds(seeds: std::ops::RangeInclusive<u64>, payments: u64) -> Report {
    let (next, last) = (AtomicU64::new(*seeds.start()), *seeds.end());
    let all: Mutex<(Report, Vec<(u64, String)>)> = Mutex::default();
    let player = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed > last {
            return;
        }
        let played = play(seed, payments, None);
        let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
        match played {
            Ok(report) => all.0.add(report),
            Err(found) => all.1.push((seed, found.story)),
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(player);
        }
    });
    let (report, mut wrong) = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    wrong.sort();
    for (_, story) in &wrong {
        println!("{}", story.lines().next().unwrap_or_default());
    }
    if let Some((_, story)) = wrong.first() {
        panic!("{} worlds are wrong, the first:\n{story}", wrong.len());
    }
    report
}

/// What must be so of any number of worlds that were played to their end.
fn holds(report: &Report, payments: u64) {
    println!("{report}");
    assert_eq!(report.tally.missing(), Vec::<Fault>::new(), "a fault that did not happen proves nothing");
    assert_eq!(report.missing_ends(), Vec::<&str>::new(), "each end is reached by somebody");
    assert_eq!(report.francs.orphaned, 0);
    assert_eq!(report.francs.sum(), report.charged);
    assert!(report.payments >= payments, "{} payments", report.payments);
}

#[test]
fn of_ten_thousand_payments_each_is_confirmed_refunded_credited_or_an_open_case() {
    holds(&worlds(1..=4, 2_500), 10_000);
}

#[test]
fn a_seed_is_a_world() {
    let told = |seed| play(seed, 150, None).unwrap_or_else(|found| panic!("{}", found.story)).to_string();
    assert_eq!(told(7), told(7));
    assert_ne!(told(7), told(8));
}

/// A simulation that nothing could make fail would prove nothing.
#[test]
fn whatever_is_broken_on_purpose_is_found() {
    let mut table = Table::new(2, ["broken", "found by", "seed", "events before it was found"]);
    let mut missed = Vec::new();
    for (broken, laws) in Broken::ALL {
        let found = (1..=10).find_map(|seed| play(seed, 800, Some(broken)).err().map(|found| (seed, found)));
        match found {
            Some((seed, found)) if laws.contains(&found.law) => {
                table.row([&broken.says(), &found.law, &seed, &found.events]);
            }
            Some((seed, found)) => {
                missed.push(format!("{broken:?}: seed {seed} breaks {}: {}", found.law, found.story))
            }
            None => missed.push(format!("{broken:?}: nobody noticed")),
        }
    }
    println!("{table}");
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

/// Minutes, in release: `cargo test -p domain --release --lib a_million_payments -- --ignored --nocapture`.
#[test]
#[ignore = "a million payments take minutes, and are meant for a release build"]
fn a_million_payments() {
    let began = Instant::now();
    let report = worlds(1..=100, 10_000);
    holds(&report, 1_000_000);
    let took = began.elapsed();
    println!(
        "played in {} s, {} payments a second",
        took.as_secs(),
        u128::from(report.payments) * 1_000 / took.as_millis()
    );
}
