//! The weekly opening hours.

use chrono::{NaiveTime, Timelike};

use crate::{aggregate::Loaded, decision::Decision};

use super::{HoursSet, Invalid, OpeningRule, Refusal, Site, Window, invalid::at_most};

const MOST_RULES: usize = 100;
pub(super) const DAY_MINUTES: u32 = 24 * 60;

/// Replaces the weekly hours. No rule at all means closed; the dated exceptions stay.
///
/// # Errors
/// [`Refusal::Invalid`] when windows overlap, also over midnight and from Sunday into Monday.
pub fn set_hours(site: &Loaded<Site>, weekly: Vec<OpeningRule>, declared: bool) -> Result<Decision, Refusal> {
    if !site.state.is_registered() {
        return Err(Refusal::Unknown);
    }
    check_weekly(&weekly)?;
    // The version tells "never set" from "set to closed".
    let hours = &site.state.hours;
    if hours.version > 0 && hours.weekly == weekly && hours.declared == declared {
        return Ok(Decision::nothing());
    }
    Ok(Decision::nothing().then(site, HoursSet { site_id: site.id, weekly, declared }))
}

fn check_weekly(weekly: &[OpeningRule]) -> Result<(), Invalid> {
    at_most("opening rules", weekly.len(), MOST_RULES)?;
    let mut week = Vec::new();
    for rule in weekly {
        if rule.days.is_empty() {
            return Err(Invalid::NoDays);
        }
        let (opens, length) = minutes(Window { opens: rule.opens, closes: rule.closes })?;
        week.extend(rule.days.iter().map(|day| (day.num_days_from_monday() * DAY_MINUTES + opens, length)));
    }
    overlap_free(week, 7 * DAY_MINUTES)
}

/// Minute of the day at which a window opens, and how many minutes it lasts on a day without a change of the clock.
pub(super) fn minutes(window: Window) -> Result<(u32, u32), Invalid> {
    let opens = minute(window.opens)?;
    let closes = minute(window.closes)?;
    Ok((opens, if closes > opens { closes - opens } else { closes + DAY_MINUTES - opens }))
}

fn minute(time: NaiveTime) -> Result<u32, Invalid> {
    let whole = time.second() == 0 && time.nanosecond() == 0;
    if whole { Ok(time.hour() * 60 + time.minute()) } else { Err(Invalid::NotWholeMinutes) }
}

/// Refuses windows `(start, length)` that overlap on a circle of `around` minutes.
fn overlap_free(mut windows: Vec<(u32, u32)>, around: u32) -> Result<(), Invalid> {
    windows.sort_unstable();
    let Some(first) = windows.first().copied() else { return Ok(()) };
    let followers = windows.iter().skip(1).map(|(start, _)| *start).chain([first.0 + around]);
    let overlaps = windows.iter().zip(followers).any(|((start, length), next)| start + length > next);
    if overlaps { Err(Invalid::HoursOverlap) } else { Ok(()) }
}
