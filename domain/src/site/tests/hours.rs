//! Opening windows: past midnight, over the ends of weeks and months, over changes of the clock, and dated exceptions.

use chrono::{NaiveDate, Weekday};
use chrono_tz::{Africa::Dakar, Europe::Paris, Tz};
use proptest::prelude::*;

use crate::{
    interval::Interval,
    site::{Day, Hours, OpeningRule, hours::instant},
    spec::example::{EVERY_DAY, at, lasting, window},
};

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn open(days: &[Weekday], opens: &str, closes: &str) -> OpeningRule {
    let window = window(opens, closes);
    OpeningRule { days: days.to_vec(), opens: window.opens, closes: window.closes }
}

fn hours(weekly: Vec<OpeningRule>) -> Hours {
    Hours { weekly, declared: true, ..Hours::default() }
}

fn every_day(opens: &str, closes: &str) -> Hours {
    hours(vec![open(&EVERY_DAY, opens, closes)])
}

fn between(from: &str, to: &str) -> Interval {
    Interval::new(at(from), at(to)).unwrap()
}

fn days(hours: &Hours, zone: Tz, during: Interval) -> Option<Vec<(NaiveDate, i64)>> {
    let parts = hours.covering(zone, during)?;
    Some(parts.iter().map(|part| (part.day, part.during.minutes())).collect())
}

#[test]
fn half_past_midnight_on_sunday_is_saturdays() {
    let weekend = hours(vec![open(&[Weekday::Sat], "08:00", "03:00")]);
    // 2026-11-29 is a Sunday, and the site does not open on Sundays.
    assert_eq!(days(&weekend, Dakar, lasting("2026-11-29 00:30", 60)), Some(vec![(date("2026-11-28"), 60)]));
    assert_eq!(days(&weekend, Dakar, lasting("2026-11-29 02:30", 60)), None);
    assert_eq!(days(&weekend, Dakar, lasting("2026-11-29 09:00", 60)), None);
}

#[test]
fn a_game_is_of_today_by_the_opening_it_belongs_to() {
    let late = every_day("08:00", "03:00");
    let today = |game: &str, now: &str| late.is_of_today(Dakar, lasting(game, 60), at(now));
    // Saturday's night, seen in its evening and in the middle of it; not on the day after.
    assert!(today("2026-11-29 00:30", "2026-11-28 09:00"));
    assert!(today("2026-11-28 20:00", "2026-11-29 01:00"));
    assert!(!today("2026-11-29 00:30", "2026-11-29 09:00"));
    assert!(!today("2026-11-29 09:00", "2026-11-29 02:59"), "the night is not over");
    assert!(today("2026-11-29 09:00", "2026-11-29 03:00"), "it is: the site is closed");
    assert!(!today("2026-11-30 09:00", "2026-11-29 09:00") && !today("2026-11-28 09:00", "2026-11-29 09:00"));
    // Around the clock the day is the date; what is being played is today's all the same.
    let always = every_day("00:00", "00:00");
    let over_midnight = lasting("2026-11-28 23:30", 60);
    assert!(always.is_of_today(Dakar, over_midnight, at("2026-11-29 00:15")));
    assert!(!always.is_of_today(Dakar, over_midnight, at("2026-11-29 00:30")));
    assert!(!Hours::default().is_of_today(Dakar, over_midnight, at("2026-11-29 12:00")));
    assert!(Hours::default().is_of_today(Dakar, over_midnight, at("2026-11-28 00:00")));
}

#[test]
fn half_past_eleven_to_one_at_a_site_that_closes_at_one_over_a_month_end_too() {
    let late = every_day("08:00", "01:00");
    for evening in ["2026-11-28", "2026-11-30", "2026-12-31"] {
        let during = lasting(&format!("{evening} 23:30"), 90);
        assert_eq!(days(&late, Dakar, during), Some(vec![(date(evening), 90)]));
        assert_eq!(days(&late, Dakar, lasting(&format!("{evening} 23:30"), 120)), None, "half an hour too long");
    }
}

#[test]
fn windows_join_only_where_they_touch() {
    let around_the_clock = every_day("00:00", "00:00");
    let over_midnight = lasting("2026-11-28 23:00", 120);
    let expected = vec![(date("2026-11-28"), 60), (date("2026-11-29"), 60)];
    assert_eq!(days(&around_the_clock, Dakar, over_midnight), Some(expected));
    let lunch = hours(vec![open(&EVERY_DAY, "08:00", "12:00"), open(&EVERY_DAY, "14:00", "18:00")]);
    assert_eq!(days(&lunch, Dakar, lasting("2026-11-28 11:30", 60)), None);
    let touching = hours(vec![open(&EVERY_DAY, "08:00", "12:00"), open(&EVERY_DAY, "12:00", "18:00")]);
    assert_eq!(days(&touching, Dakar, lasting("2026-11-28 11:30", 60)).map(|parts| parts.len()), Some(2));
}

#[test]
fn a_dated_exception_replaces_the_day_and_leaves_the_night_before_alone() {
    let mut late = every_day("16:00", "02:00");
    late.days.insert(date("2026-11-29"), Day { windows: Vec::new(), label: None });
    late.days.insert(date("2026-12-01"), Day { windows: vec![window("20:00", "04:00")], label: None });
    assert_eq!(days(&late, Dakar, lasting("2026-11-29 01:00", 60)), Some(vec![(date("2026-11-28"), 60)]));
    assert_eq!(days(&late, Dakar, lasting("2026-11-29 17:00", 60)), None);
    assert_eq!(days(&late, Dakar, lasting("2026-12-01 17:00", 60)), None);
    assert_eq!(days(&late, Dakar, lasting("2026-12-02 03:00", 60)), Some(vec![(date("2026-12-01"), 60)]));
}

#[test]
fn an_exception_that_overlaps_the_night_before_waits_for_it_to_close() {
    let mut late = every_day("16:00", "02:00");
    late.days.insert(date("2026-11-29"), Day { windows: vec![window("01:00", "05:00")], label: None });
    let expected = vec![(date("2026-11-28"), 30), (date("2026-11-29"), 60)];
    assert_eq!(days(&late, Dakar, lasting("2026-11-29 01:30", 90)), Some(expected));
}

#[test]
fn paris_loses_an_hour_in_march_and_gains_one_in_october() {
    let around_the_clock = every_day("00:00", "00:00");
    let minutes = |day| around_the_clock.on(Paris, date(day)).iter().map(|open| open.during.minutes()).sum::<i64>();
    assert_eq!(minutes("2026-03-28"), 24 * 60);
    assert_eq!(minutes("2026-03-29"), 23 * 60);
    assert_eq!(minutes("2026-10-25"), 25 * 60);
    // 01:00 to 04:00 by the clock on the wall.
    let night = every_day("01:00", "04:00");
    assert_eq!(night.on(Paris, date("2026-03-29")).first().map(|open| open.during.minutes()), Some(120));
    assert_eq!(night.on(Paris, date("2026-10-25")).first().map(|open| open.during.minutes()), Some(240));
}

#[test]
fn a_window_inside_the_lost_hour_does_not_open() {
    let lost = every_day("02:00", "03:00");
    assert_eq!(lost.on(Paris, date("2026-03-29")), []);
    assert_eq!(lost.on(Paris, date("2026-03-28")).len(), 1);
}

#[test]
fn windows_that_touch_still_touch_when_the_clock_changes() {
    let touching = hours(vec![open(&EVERY_DAY, "20:00", "02:30"), open(&EVERY_DAY, "02:30", "06:00")]);
    for (from, to) in [("2026-03-28 22:00", "2026-03-29 03:30"), ("2026-10-24 22:00", "2026-10-25 04:00")] {
        let parts = touching.covering(Paris, between(from, to)).unwrap();
        assert_eq!(parts.len(), 2);
    }
}

#[test]
fn a_time_that_happens_twice_is_the_first_and_one_that_never_happens_is_the_jump() {
    let local = |text: &str| chrono::NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
    assert_eq!(instant(Paris, local("2026-10-25 02:30")), Some(at("2026-10-25 00:30")));
    assert_eq!(instant(Paris, local("2026-03-29 02:30")), Some(at("2026-03-29 01:00")));
    // Samoa went from the 29th straight to the 31st of December 2011.
    assert_eq!(instant(chrono_tz::Pacific::Apia, local("2011-12-30 12:00")), Some(at("2011-12-30 10:00")));
}

#[test]
fn a_stranger_asking_for_a_century_costs_nothing() {
    let around_the_clock = every_day("00:00", "00:00");
    assert_eq!(around_the_clock.covering(Dakar, between("2026-01-01 00:00", "2126-01-01 00:00")), None);
}

/// Zones with changes of a whole and of half an hour, and one that skipped a day.
const ZONES: [Tz; 5] =
    [Dakar, Paris, chrono_tz::Australia::Lord_Howe, chrono_tz::America::New_York, chrono_tz::Pacific::Apia];

fn a_zone() -> impl Strategy<Value = Tz> {
    prop::sample::select(ZONES.to_vec())
}

/// Minutes around 2011 (Apia skipped 30 December) and 2026.
fn a_minute() -> impl Strategy<Value = i64> {
    let (year, day) = (365 * 24 * 60_i64, 24 * 60_i64);
    prop_oneof![0..4 * year, 41 * year + 10 * day..43 * year]
}

proptest! {
    #[test]
    fn local_time_never_runs_backwards(zone in a_zone(), minute in a_minute(), later in 0..3_000_i64) {
        let start = NaiveDate::from_ymd_opt(2010, 1, 1).unwrap().and_time(chrono::NaiveTime::MIN);
        let local = start + chrono::TimeDelta::minutes(minute);
        let (first, second) = (instant(zone, local), instant(zone, local + chrono::TimeDelta::minutes(later)));
        prop_assert!(first.is_some() && first <= second);
    }

    #[test]
    fn openings_cover_an_interval_exactly_once(
        zone in a_zone(),
        minute in 0..2 * 365 * 24 * 60_i64,
        length in 1..10 * 60_i64,
        split in 1..24_u32,
    ) {
        // Every minute of the week is open, in two windows a day that change over at a whole hour.
        let change = format!("{split:02}:00");
        let open_all_day = hours(vec![open(&EVERY_DAY, "00:00", &change), open(&EVERY_DAY, &change, "00:00")]);
        let from = at("2025-06-01 00:00") + chrono::TimeDelta::minutes(minute);
        let during = Interval::new(from, from + chrono::TimeDelta::minutes(length)).unwrap();
        let parts = open_all_day.covering(zone, during);
        prop_assert!(parts.is_some(), "something is closed in {zone}");
        let parts = parts.unwrap();
        prop_assert_eq!(parts.first().map(|part| part.during.from()), Some(during.from()));
        prop_assert_eq!(parts.last().map(|part| part.during.to()), Some(during.to()));
        prop_assert!(parts.windows(2).all(|pair| pair[0].during.to() == pair[1].during.from()));
    }
}
