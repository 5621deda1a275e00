//! What is free on a date.

use chrono::NaiveDate;
use uuid::Uuid;

use crate::{
    Timestamp,
    guard::OpenClaim,
    ids::{CellId, PitchId},
    interval::Interval,
    reservation::Channel::Online,
    site::{PitchStarts, Wanted, starts},
    spec::{
        example::{self, NORTH, NORTH_CELL, SITE, SOUTH, SOUTH_CELL, WHOLE, at, lasting},
        load,
    },
    text::Text,
};

const EARLY: &str = "2026-11-27 00:00";

fn wanted(date: &str, minutes: u32) -> Wanted {
    Wanted { date: date.parse::<NaiveDate>().unwrap(), minutes, format: None, channel: Online }
}

fn claim(cell: CellId, during: Interval, releasable_at: Option<Timestamp>) -> OpenClaim {
    OpenClaim { cell, during, holder: Uuid::from_u128(1), releasable_at }
}

fn of(pitch: PitchId, found: &[PitchStarts]) -> Vec<String> {
    let starts = found.iter().find(|starts| starts.pitch_id == pitch).unwrap();
    starts.starts.iter().map(|start| start.during.from().format("%d %H:%M").to_string()).collect()
}

#[test]
fn a_saturday_runs_until_one_on_sunday_and_every_start_has_its_price() {
    let found = starts(&example::site(), &wanted("2026-11-28", 60), &[], at(EARLY));
    let north = of(NORTH, &found);
    assert_eq!(
        (north.first().map(String::as_str), north.last().map(String::as_str)),
        (Some("28 08:00"), Some("29 00:00"))
    );
    assert_eq!(north.len(), 33);
    let evening = &found[0].starts[32];
    assert_eq!((evening.price.total.amount, evening.price.deposit.amount), (40_000, 12_000));
}

#[test]
fn a_claim_on_one_half_takes_the_whole_and_leaves_the_other_half() {
    let claims = [claim(NORTH_CELL, lasting("2026-11-28 18:00", 60), None)];
    let found = starts(&example::site(), &wanted("2026-11-28", 60), &claims, at(EARLY));
    let at_six = "28 18:00".to_owned();
    assert!(!of(NORTH, &found).contains(&at_six) && !of(WHOLE, &found).contains(&at_six));
    assert!(of(SOUTH, &found).contains(&at_six));
    for touching in ["28 17:00", "28 19:00"] {
        assert!(of(NORTH, &found).contains(&touching.to_owned()), "{touching} only touches");
    }
    for overlapping in ["28 17:30", "28 18:30"] {
        assert!(!of(NORTH, &found).contains(&overlapping.to_owned()), "{overlapping} overlaps");
    }
}

#[test]
fn a_hold_that_has_ended_blocks_nobody() {
    let until = at("2026-11-27 10:00");
    let claims = [claim(SOUTH_CELL, lasting("2026-11-28 18:00", 60), Some(until))];
    let free = |now| of(SOUTH, &starts(&example::site(), &wanted("2026-11-28", 60), &claims, now)).len();
    assert_eq!(free(until - chrono::TimeDelta::seconds(1)), 30);
    assert_eq!(free(until), 33);
}

#[test]
fn the_candidates_own_buffer_counts() {
    let history = vec![
        example::registered("Africa/Dakar"),
        example::ground(15),
        example::hours("08:00", "01:00"),
        example::tariffs(),
    ];
    let claims = [claim(NORTH_CELL, lasting("2026-11-28 18:00", 60), None)];
    let found = starts(&load(SITE, history), &wanted("2026-11-28", 60), &claims, at(EARLY));
    assert!(!of(NORTH, &found).contains(&"28 17:00".to_owned()), "its buffer would run into 18:00");
    assert!(of(NORTH, &found).contains(&"28 16:30".to_owned()));
}

#[test]
fn only_the_format_asked_for_and_only_what_is_ahead() {
    let eight = Wanted { format: Some(Text::new("8x8").unwrap()), ..wanted("2026-11-28", 60) };
    let found = starts(&example::site(), &eight, &[], at("2026-11-28 20:00"));
    assert_eq!(found.len(), 1);
    assert_eq!(of(WHOLE, &found).first().map(String::as_str), Some("28 20:30"), "lead time");
    assert_eq!(of(WHOLE, &starts(&example::site(), &eight, &[], at("2026-11-30 00:00"))).len(), 0);
    assert_eq!(of(WHOLE, &starts(&example::site(), &wanted("2026-11-28", u32::MAX), &[], at(EARLY))).len(), 0);
}

#[test]
fn paris_has_two_hours_less_or_more_to_sell_in_the_nights_of_change() {
    let history = |zone| {
        vec![example::registered(zone), example::ground(0), example::hours("00:00", "00:00"), example::tariffs()]
    };
    let paris = load(SITE, history("Europe/Paris"));
    let count = |date, now| of(WHOLE, &starts(&paris, &wanted(date, 60), &[], at(now))).len();
    assert_eq!(count("2026-03-28", "2026-03-01 00:00"), 48);
    assert_eq!(count("2026-03-29", "2026-03-01 00:00"), 46);
    assert_eq!(count("2026-10-25", "2026-10-01 00:00"), 50);
}

#[test]
fn every_start_offered_passes_the_check_and_no_other_does() {
    let site = example::site();
    let now = at("2026-11-28 09:00");
    let offered = of(NORTH, &starts(&site, &wanted("2026-11-28", 90), &[], now));
    let mut accepted = Vec::new();
    for quarter in 0..160 {
        let from = at("2026-11-28 08:00") + chrono::TimeDelta::minutes(quarter * 15);
        let during = Interval::lasting(from, 90).unwrap();
        let of_the_day = from < at("2026-11-29 01:00");
        if of_the_day && crate::site::check(&site, NORTH, during, Online, now).is_ok() {
            accepted.push(from.format("%d %H:%M").to_string());
        }
    }
    assert_eq!(offered, accepted);
}
