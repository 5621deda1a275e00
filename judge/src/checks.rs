//! The checks, one file per kind of promise. Each reads the evidence, says how much it looked at, and objects.

mod acknowledged;
mod afterwards;
mod explained;
mod legal;
mod log;
mod same;
mod slots;
mod views;

use crate::{court::Court, input::Input, money, story::Story, verdict::Verdict};

/// Judges the evidence. Pure: the same evidence, the same verdict.
pub fn judge_all(input: &Input) -> Verdict {
    let mut court = Court::new(&input.history);
    let story = Story::of(&input.log);
    log::check(input, &mut court);
    acknowledged::check(input, &story, &mut court);
    explained::check(input, &story, &mut court);
    same::check(input, &mut court);
    slots::check(input, &mut court);
    legal::check(input, &mut court);
    money::check(input, &mut court);
    views::check(input, &story, &mut court);
    afterwards::check(input, &story, &mut court);
    court.close(input)
}
