//! What is free on a date: opening windows × tariffs × open claims. Advice; the lane decides.

use chrono::{LocalResult, NaiveDate, TimeDelta, TimeZone};
use chrono_tz::Tz;

use crate::{
    Timestamp,
    aggregate::Loaded,
    guard::{OpenClaim, stands_in_the_way},
    ids::PitchId,
    interval::Interval,
    quote::Price,
    reservation::Channel,
};

use super::{Format, Opening, Pitch, Site, check::offer_within, hours::cover};

/// What somebody would like to play.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The date of the opening window: 00:30 after a Saturday night is still Saturday.
    pub date: NaiveDate,
    /// Length of what is wanted.
    pub minutes: u32,
    /// `None` for any.
    pub format: Option<Format>,
    pub channel: Channel,
}

/// A start that can be booked at the moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Start {
    pub during: Interval,
    pub price: Price,
}

/// The free starts of one pitch, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct PitchStarts {
    pub pitch_id: PitchId,
    pub starts: Vec<Start>,
}

/// The free starts of every pitch of the format, in the order of the ground. A pitch without any is listed with none.
/// `claims` are the open claims on the site's cells around the date; those that no longer block are looked through.
pub fn starts(site: &Loaded<Site>, wanted: &Wanted, claims: &[OpenClaim], now: Timestamp) -> Vec<PitchStarts> {
    let Some(identity) = &site.state.identity else { return Vec::new() };
    let zone = identity.time_zone;
    let openings = site.state.hours.between(zone, wanted.date, days_after(wanted));
    let candidates: Vec<Interval> = grid(zone, wanted.date, site.state.policy().start_every_minutes)
        .into_iter()
        .filter_map(|from| Interval::lasting(from, wanted.minutes).ok())
        .filter(|during| begins_on(&openings, *during, wanted.date))
        .collect();
    site.state
        .pitches
        .iter()
        .filter(|pitch| wanted.format.as_ref().is_none_or(|format| *format == pitch.format))
        .map(|pitch| PitchStarts {
            pitch_id: pitch.id,
            starts: candidates
                .iter()
                .filter_map(|during| free(site, pitch, *during, wanted.channel, claims, &openings, now))
                .collect(),
        })
        .collect()
}

/// The start, when the rules allow it and nobody is in the way.
pub(super) fn free(
    site: &Loaded<Site>,
    pitch: &Pitch,
    during: Interval,
    channel: Channel,
    claims: &[OpenClaim],
    openings: &[Opening],
    now: Timestamp,
) -> Option<Start> {
    // The cheapest question first: a busy evening is mostly taken.
    let wanted = during.extended(pitch.buffer_minutes).ok()?;
    if stands_in_the_way(claims, &pitch.cells, wanted, now) {
        return None;
    }
    let (slot, price) = offer_within(site, pitch, during, channel, now, openings).ok()?;
    Some(Start { during: slot.during, price })
}

/// How many days after the date a reservation of this length may still run.
fn days_after(wanted: &Wanted) -> u64 {
    2 + u64::from(wanted.minutes) / (24 * 60)
}

fn begins_on(openings: &[Opening], during: Interval, date: NaiveDate) -> bool {
    cover(openings, during).and_then(|parts| parts.first().map(|part| part.day)) == Some(date)
}

/// Every instant of the grid on a date and the night after it, counted from local midnight. A local time that happens
/// twice is two starts, one that does not happen is none.
fn grid(zone: Tz, date: NaiveDate, every_minutes: u32) -> Vec<Timestamp> {
    let step = usize::try_from(every_minutes.max(1)).unwrap_or(usize::MAX);
    let midnight = date.and_time(chrono::NaiveTime::MIN);
    let mut starts: Vec<Timestamp> = (0..2 * 24 * 60_i64)
        .step_by(step)
        .filter_map(|minute| midnight.checked_add_signed(TimeDelta::minutes(minute)))
        .flat_map(|local| match zone.from_local_datetime(&local) {
            LocalResult::Single(only) => vec![only.to_utc()],
            LocalResult::Ambiguous(first, second) => vec![first.to_utc(), second.to_utc()],
            LocalResult::None => Vec::new(),
        })
        .collect();
    starts.sort_unstable();
    starts
}
