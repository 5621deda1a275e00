//! Bad input, class by class (reliability.md §4.3): generated from a seed, at `kalel serve` as a process of its own.
//!
//! Whatever is sent: never a 5xx, always a problem document whose code has a page, nothing written unless it was accepted,
//! and no memory kept. What was found once is in `tests/corpus/bad/` and is sent first. To try other cases, or the nightly
//! number of them:
//!
//! ```sh
//! KALEL_BAD_SEED=7 KALEL_BAD_NIGHTLY=1 cargo test --workspace --locked --test it -- bad::
//! ```
//!
//! Ids and owners (the class of that name) are the matrix (`matrix.rs`); parsers are fuzzed (`fuzz/`).

mod corpus;
mod document;
mod geo;
mod house;
mod http;
mod idempotency;
mod injection;
mod json;
mod numbers;
mod phone;
mod process;
mod races;
mod run;
mod sequences;
mod strings;
mod time;
mod webhooks;

/// Of the 2 000 of reliability.md what fits into a run (docs/reliability.md says what all of them take).
const SEQUENCES_PER_RUN: usize = 500;

/// The seed of a run: that of the environment, or the committed one.
fn seed() -> u64 {
    std::env::var("KALEL_BAD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_128)
}

/// As many cases as the class has per run, or by night.
fn count(per_run: usize, nightly: usize) -> usize {
    if std::env::var_os("KALEL_BAD_NIGHTLY").is_some() { nightly } else { per_run }
}
