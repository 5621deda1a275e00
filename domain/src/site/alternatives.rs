//! What to offer instead of a taken slot.

use chrono::TimeDelta;

use crate::{
    Timestamp, aggregate::Loaded, guard::OpenClaim, ids::PitchId, interval::Interval, quote::Price,
    reservation::Channel,
};

use super::{Pitch, Site, best_fit::best_fit, starts::free};

/// How many are offered (domain.md).
pub const MOST_ALTERNATIVES: usize = 5;
/// How far from the time asked, in minutes.
const REACH_MINUTES: i64 = 120;

/// A slot that is free at the moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Alternative {
    pub pitch_id: PitchId,
    pub during: Interval,
    pub price: Price,
}

/// Up to five free slots of the same length at the site: nearest in time first (a sibling pitch at the very time asked
/// before the same pitch half an hour later), the pitch asked for before its siblings, later before earlier. The nearest
/// other site is the caller's to add.
pub fn alternatives(
    site: &Loaded<Site>,
    pitch: PitchId,
    during: Interval,
    channel: Channel,
    claims: &[OpenClaim],
    now: Timestamp,
) -> Vec<Alternative> {
    let (Some(identity), Some(asked)) = (&site.state.identity, site.state.pitch(pitch)) else { return Vec::new() };
    let siblings = best_fit(&site.state, &asked.format).into_iter().filter(|sibling| sibling.id != asked.id);
    let pitches: Vec<&Pitch> = std::iter::once(asked).chain(siblings).collect();
    let every = i64::from(site.state.policy().start_every_minutes.max(1));
    let reach = TimeDelta::minutes(REACH_MINUTES);
    let around = Interval::new(during.from() - reach, during.to() + reach).unwrap_or(during);
    let openings = site.state.hours.around(identity.time_zone, around);
    shifts(every)
        .flat_map(|shift| pitches.iter().map(move |pitch| (shift, *pitch)))
        .filter(|(shift, pitch)| *shift != 0 || pitch.id != asked.id)
        .filter_map(|(shift, pitch)| {
            let shift = TimeDelta::minutes(shift);
            let during = Interval::new(during.from() + shift, during.to() + shift).ok()?;
            let start = free(site, pitch, during, channel, claims, &openings, now)?;
            Some(Alternative { pitch_id: pitch.id, during: start.during, price: start.price })
        })
        .take(MOST_ALTERNATIVES)
        .collect()
}

/// 0, +30, -30, +60, -60, … within reach.
fn shifts(every: i64) -> impl Iterator<Item = i64> {
    std::iter::once(0).chain((1..=REACH_MINUTES / every).flat_map(move |step| [step * every, -step * every]))
}
