//! When a site is open: windows by date in the site's own zone, past midnight and over changes of the clock.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike};
use chrono_tz::Tz;

use crate::{Timestamp, interval::Interval};

use super::{Hours, Window};

/// An opening window, or a part of one. `day` is the date it belongs to, also after midnight: the weekday of 00:30 on
/// Sunday, at a site open through the night, is Saturday's (decisions.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    pub day: NaiveDate,
    pub during: Interval,
}

/// A reservation of seven days (the bound of `longest_minutes`), and the nights around it.
const MOST_DAYS: u64 = 9;

impl Hours {
    /// The windows of one date, in order. Empty when closed.
    pub fn on(&self, zone: Tz, day: NaiveDate) -> Vec<Opening> {
        let open = |window| at(zone, day, window).map(|during| Opening { day, during });
        let mut openings: Vec<Opening> = match self.days.get(&day) {
            Some(exception) => exception.windows.iter().copied().filter_map(open).collect(),
            None => self
                .weekly
                .iter()
                .filter(|rule| rule.days.contains(&day.weekday()))
                .map(|rule| Window { opens: rule.opens, closes: rule.closes })
                .filter_map(open)
                .collect(),
        };
        openings.sort_by_key(|opening| (opening.during.from(), opening.during.to()));
        openings
    }

    /// The windows that can touch an interval, in order of their dates.
    pub(super) fn around(&self, zone: Tz, during: Interval) -> Vec<Opening> {
        let date = |instant: Timestamp| instant.with_timezone(&zone).date_naive();
        let first = date(during.from());
        let days = (date(during.to()) - first).num_days();
        self.between(zone, first, u64::try_from(days).unwrap_or_default())
    }

    /// The windows of the night before a date, the date, and the days after it. Looks no further than the longest
    /// reservation there can be, whatever a stranger asks for.
    pub(super) fn between(&self, zone: Tz, date: NaiveDate, days_after: u64) -> Vec<Opening> {
        let days_after = days_after.min(MOST_DAYS);
        let first = date.checked_sub_days(Days::new(1)).unwrap_or(date);
        let last = date.checked_add_days(Days::new(days_after)).unwrap_or(date);
        first.iter_days().take_while(|day| *day <= last).flat_map(|day| self.on(zone, day)).collect()
    }

    /// The openings that cover an interval, cut to it and in order; `None` when a part of it is closed. Windows that
    /// touch are one opening for the player; where two overlap, the one that opened first counts until it closes.
    pub fn covering(&self, zone: Tz, during: Interval) -> Option<Vec<Opening>> {
        cover(&self.around(zone, during), during)
    }
}

impl Hours {
    /// Whether a game is one of today's: of the opening that counts now, or being played. At an hour when the site is
    /// closed the day is the date.
    pub fn is_of_today(&self, zone: Tz, game: Interval, now: Timestamp) -> bool {
        game.contains(now) || self.day_of(zone, game.from()) == self.day_of(zone, now)
    }

    /// The date that an instant belongs to: that of its opening, also after midnight.
    fn day_of(&self, zone: Tz, instant: Timestamp) -> NaiveDate {
        let date = instant.with_timezone(&zone).date_naive();
        let openings = self.between(zone, date, 0);
        let opened = openings.iter().filter(|opening| opening.during.contains(instant));
        opened.min_by_key(|opening| (opening.during.from(), opening.day)).map_or(date, |opening| opening.day)
    }
}

/// Cuts an interval along openings.
pub(super) fn cover(openings: &[Opening], during: Interval) -> Option<Vec<Opening>> {
    let mut parts = Vec::new();
    let mut reached = during.from();
    while reached < during.to() {
        let opening = openings
            .iter()
            .filter(|opening| opening.during.contains(reached))
            .min_by_key(|opening| (opening.during.from(), opening.day))?;
        let to = opening.during.to().min(during.to());
        parts.push(Opening { day: opening.day, during: Interval::new(reached, to).ok()? });
        reached = to;
    }
    Some(parts)
}

/// A window of local time that begins on a date. `closes` at or before `opens` is on the next day. `None` when the
/// change to summer time swallows it, or at the end of time.
pub(crate) fn at(zone: Tz, day: NaiveDate, window: Window) -> Option<Interval> {
    let closing_day = if window.closes <= window.opens { day.checked_add_days(Days::new(1))? } else { day };
    Interval::new(instant(zone, day.and_time(window.opens))?, instant(zone, closing_day.and_time(window.closes))?).ok()
}

/// The instant of a local time. Never runs backwards: a time that happens twice is its first occurrence, a time that
/// does not happen is the moment the clock jumps. So windows and bands that touch still touch when the clock changes.
pub(crate) fn instant(zone: Tz, local: NaiveDateTime) -> Option<Timestamp> {
    if let Some(found) = zone.from_local_datetime(&local).earliest() {
        return Some(found.to_utc());
    }
    // The longest jump on record is a whole day (Samoa, 2011).
    let minute = local.with_second(0)?.with_nanosecond(0)?;
    (1..=26 * 60).find_map(|later| {
        let local = minute.checked_add_signed(TimeDelta::minutes(later))?;
        zone.from_local_datetime(&local).earliest().map(|found| found.to_utc())
    })
}
