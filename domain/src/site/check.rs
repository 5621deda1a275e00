//! Whether a slot can be booked at all: everything but what others already hold, which only the lane decides.

use chrono::{Days, Timelike};

use crate::{
    Timestamp,
    aggregate::Loaded,
    ids::PitchId,
    interval::Interval,
    quote::{Price, price_openings},
    reservation::{Channel, Slot},
};

use super::{Identity, Opening, Pitch, Refusal, Site, hours::cover};

/// A manual booking may be written down after the players walked on (decisions.md).
pub const MANUAL_LATENESS_MINUTES: i64 = 30;

/// The slot of an interval on a pitch, when the site's rules allow it.
///
/// # Errors
/// [`Refusal`] with the rule, its value and the version of the site that set it.
pub fn check(
    site: &Loaded<Site>,
    pitch: PitchId,
    during: Interval,
    channel: Channel,
    now: Timestamp,
) -> Result<Slot, Refusal> {
    offer(site, pitch, during, channel, now).map(|(slot, _)| slot)
}

/// The slot and what it costs.
///
/// # Errors
/// As [`check`].
pub fn offer(
    site: &Loaded<Site>,
    pitch: PitchId,
    during: Interval,
    channel: Channel,
    now: Timestamp,
) -> Result<(Slot, Price), Refusal> {
    let identity = site.state.identity.as_ref().ok_or(Refusal::Unknown)?;
    let pitch = site.state.pitch(pitch).ok_or(Refusal::UnknownPitch(pitch))?;
    offer_within(site, pitch, during, channel, now, &site.state.hours.around(identity.time_zone, during))
}

/// The slot alone, for a price that was promised before: everything but the tariffs, which may have changed since.
///
/// # Errors
/// As [`check`], but for the price.
pub fn playable(
    site: &Loaded<Site>,
    pitch: PitchId,
    during: Interval,
    channel: Channel,
    now: Timestamp,
) -> Result<Slot, Refusal> {
    let identity = site.state.identity.as_ref().ok_or(Refusal::Unknown)?;
    let pitch = site.state.pitch(pitch).ok_or(Refusal::UnknownPitch(pitch))?;
    let around = site.state.hours.around(identity.time_zone, during);
    playable_within(site, pitch, during, channel, now, &around).map(|(slot, _)| slot)
}

/// [`offer`] with the openings around the interval already at hand.
pub(super) fn offer_within(
    site: &Loaded<Site>,
    pitch: &Pitch,
    during: Interval,
    channel: Channel,
    now: Timestamp,
    openings: &[Opening],
) -> Result<(Slot, Price), Refusal> {
    let (slot, openings) = playable_within(site, pitch, during, channel, now, openings)?;
    let price = price_openings(site, pitch, &openings)?;
    Ok((slot, price))
}

/// The slot, and the interval cut along the openings.
fn playable_within(
    site: &Loaded<Site>,
    pitch: &Pitch,
    during: Interval,
    channel: Channel,
    now: Timestamp,
    openings: &[Opening],
) -> Result<(Slot, Vec<Opening>), Refusal> {
    let identity = site.state.identity.as_ref().ok_or(Refusal::Unknown)?;
    if let Some(suspension) = &site.state.suspended {
        return Err(Refusal::Suspended { reason: suspension.reason.to_string(), version: suspension.version });
    }
    on_the_grid(&site.state, identity, during)?;
    in_time(&site.state, identity, during, channel, now)?;
    let openings = cover(openings, during).ok_or(Refusal::NotOpen { version: site.state.hours.version })?;
    let claims = claimed(&site.state, pitch, during)?;
    let slot = Slot {
        site_id: site.id,
        pitch_id: pitch.id,
        cells: pitch.cells.clone(),
        during,
        claims,
        time_zone: identity.time_zone,
    };
    Ok((slot, openings))
}

/// Starts and lengths are multiples of the granularity, counted from midnight at the site.
fn on_the_grid(site: &Site, identity: &Identity, during: Interval) -> Result<(), Refusal> {
    let (policy, version) = (site.policy(), site.terms.version);
    let every_minutes = policy.start_every_minutes;
    let local = during.from().with_timezone(&identity.time_zone);
    let seconds = local.num_seconds_from_midnight();
    if every_minutes == 0 || !seconds.is_multiple_of(every_minutes * 60) || local.nanosecond() != 0 {
        return Err(Refusal::OffGrid { every_minutes, version });
    }
    let minutes = during.minutes();
    let whole = during.to() - during.from() == chrono::TimeDelta::minutes(minutes);
    if !whole || minutes % i64::from(every_minutes) != 0 {
        return Err(Refusal::LengthOffGrid { minutes, every_minutes, version });
    }
    if minutes < i64::from(policy.shortest_minutes) {
        return Err(Refusal::TooShort { minutes, shortest_minutes: policy.shortest_minutes, version });
    }
    if minutes > i64::from(policy.longest_minutes) {
        return Err(Refusal::TooLong { minutes, longest_minutes: policy.longest_minutes, version });
    }
    Ok(())
}

/// Neither in the past, nor too soon, nor too far away.
fn in_time(
    site: &Site,
    identity: &Identity,
    during: Interval,
    channel: Channel,
    now: Timestamp,
) -> Result<(), Refusal> {
    let (policy, version) = (site.policy(), site.terms.version);
    let earliest = match channel {
        Channel::Online => now + chrono::TimeDelta::minutes(i64::from(policy.lead_minutes)),
        Channel::Manual => now - chrono::TimeDelta::minutes(MANUAL_LATENESS_MINUTES),
    };
    if during.from() < earliest {
        return Err(match channel {
            Channel::Online if during.from() >= now => {
                Refusal::TooSoon { lead_minutes: policy.lead_minutes, earliest, version }
            }
            Channel::Online => Refusal::InThePast { earliest, version },
            Channel::Manual => Refusal::InThePast { earliest, version: 0 },
        });
    }
    // By local date, so that a whole day becomes bookable at its midnight.
    let date = |instant: Timestamp| instant.with_timezone(&identity.time_zone).date_naive();
    let last = date(now).checked_add_days(Days::new(u64::from(policy.horizon_days)));
    if last.is_some_and(|last| date(during.from()) > last) {
        return Err(Refusal::TooFar { horizon_days: policy.horizon_days, version });
    }
    Ok(())
}

/// What it claims: the time played and the pitch's buffer. The candidate's own buffer counts against a closure too.
fn claimed(site: &Site, pitch: &Pitch, during: Interval) -> Result<Interval, Refusal> {
    let claims = during.extended(pitch.buffer_minutes).unwrap_or(during);
    let hit = site.closures.iter().find(|(_, closure)| {
        closure.during.overlaps(claims) && closure.cells.iter().any(|cell| pitch.cells.contains(cell))
    });
    match hit {
        Some((closure_id, closure)) => Err(Refusal::Closed { closure_id: *closure_id, version: closure.version }),
        None => Ok(claims),
    }
}
