//! Whether a slot can be booked: every rule, each with its value and its version.

use uuid::Uuid;

use crate::{
    ids::{ClosureId, PitchId},
    interval::Interval,
    policy::Policy,
    quote,
    refusal::{Refused, Rule},
    reservation::Channel::{Manual, Online},
    site::{ClosureReason, ClosureScheduled, Event, PolicySet, Refusal, Suspended, check, offer, playable},
    spec::{
        example::{self, NORTH, NORTH_CELL, SITE, SOUTH, WHOLE, at, lasting},
        load,
    },
    text::Note,
};

const NOW: &str = "2026-11-28 12:00";

fn refused(during: Interval, channel: crate::reservation::Channel) -> Option<Refusal> {
    check(&example::site(), NORTH, during, channel, at(NOW)).err()
}

#[test]
fn a_slot_names_its_cells_and_claims_the_buffer_too() {
    let history = vec![
        example::registered("Africa/Dakar"),
        example::ground(15),
        example::hours("08:00", "01:00"),
        example::tariffs(),
    ];
    let site = load(SITE, history);
    // The buffer may lie outside the opening hours: nobody plays in it.
    let slot = check(&site, WHOLE, lasting("2026-11-28 23:30", 90), Online, at(NOW)).unwrap();
    assert_eq!(slot.cells.len(), 2);
    assert_eq!((slot.during.minutes(), slot.claims.minutes()), (90, 105));
}

#[test]
fn eighteen_to_nineteen_and_nineteen_to_twenty_do_not_conflict() {
    let site = example::site();
    let claims = |from| check(&site, NORTH, lasting(from, 60), Online, at(NOW)).unwrap().claims;
    assert!(!claims("2026-11-28 18:00").overlaps(claims("2026-11-28 19:00")));
}

#[test]
fn starts_lie_on_the_grid_and_lengths_are_multiples_of_it() {
    assert_eq!(
        refused(lasting("2026-11-28 18:15", 60), Online),
        Some(Refusal::OffGrid { every_minutes: 30, version: 0 })
    );
    let seconds = at("2026-11-28 18:00") + chrono::TimeDelta::seconds(30);
    let during = Interval::lasting(seconds, 60).unwrap();
    assert_eq!(refused(during, Online), Some(Refusal::OffGrid { every_minutes: 30, version: 0 }));
    let half = at("2026-11-28 18:00") + chrono::TimeDelta::milliseconds(500);
    let during = Interval::lasting(half, 60).unwrap();
    assert_eq!(refused(during, Online), Some(Refusal::OffGrid { every_minutes: 30, version: 0 }));
    let length = Refusal::LengthOffGrid { minutes: 75, every_minutes: 30, version: 0 };
    assert_eq!(refused(lasting("2026-11-28 18:00", 75), Online), Some(length));
    let from = at("2026-11-28 18:00");
    let crooked = Interval::new(from, from + chrono::TimeDelta::seconds(3_601)).unwrap();
    assert!(matches!(refused(crooked, Online), Some(Refusal::LengthOffGrid { minutes: 60, .. })));
    assert_eq!(refused(lasting("2026-11-28 18:30", 90), Online), None);
}

#[test]
fn the_grid_is_the_clock_on_the_wall() {
    let history = |zone| {
        vec![example::registered(zone), example::ground(0), example::hours("00:00", "00:00"), example::tariffs()]
    };
    // Kathmandu is 5 h 45 min ahead: 18:15 UTC is midnight there.
    let kathmandu = load(SITE, history("Asia/Kathmandu"));
    let check = |from| check(&kathmandu, WHOLE, lasting(from, 60), Online, at(NOW));
    assert!(check("2026-11-28 18:15").is_ok());
    assert!(matches!(check("2026-11-28 18:30"), Err(Refusal::OffGrid { .. })));
}

#[test]
fn too_short_and_too_long_say_the_limit() {
    let short = Refusal::TooShort { minutes: 30, shortest_minutes: 60, version: 0 };
    assert_eq!(refused(lasting("2026-11-28 18:00", 30), Online), Some(short));
    let long = Refusal::TooLong { minutes: 510, longest_minutes: 480, version: 0 };
    assert_eq!(refused(lasting("2026-11-29 09:00", 510), Online), Some(long.clone()));
    assert_eq!(refused(lasting("2026-11-29 09:00", 480), Online), None);
    assert_eq!(long.rule(), Some(Rule::new("longest_minutes", 480, 0)));
    assert_eq!(long.code(), "site.too_long");
}

#[test]
fn online_needs_lead_time_and_a_manager_may_be_half_an_hour_late() {
    let site = example::site();
    let at_noon = lasting("2026-11-28 12:00", 60);
    let check = |channel, now| check(&site, NORTH, at_noon, channel, at(now)).err();
    assert_eq!(check(Online, "2026-11-28 11:45"), None);
    let earliest = at("2026-11-28 12:01");
    assert_eq!(check(Online, "2026-11-28 11:46"), Some(Refusal::TooSoon { lead_minutes: 15, earliest, version: 0 }));
    let earliest = at("2026-11-28 12:16");
    assert_eq!(check(Online, "2026-11-28 12:01"), Some(Refusal::InThePast { earliest, version: 0 }));
    assert_eq!(check(Manual, "2026-11-28 12:30"), None);
    let earliest = at("2026-11-28 12:01");
    assert_eq!(check(Manual, "2026-11-28 12:31"), Some(Refusal::InThePast { earliest, version: 0 }));
}

#[test]
fn the_horizon_is_counted_in_local_days() {
    assert_eq!(refused(lasting("2027-02-26 23:00", 60), Online), None);
    let far = Refusal::TooFar { horizon_days: 90, version: 0 };
    assert_eq!(refused(lasting("2027-02-27 08:00", 60), Online), Some(far.clone()));
    assert_eq!(refused(lasting("2027-02-27 08:00", 60), Manual), Some(far));
}

#[test]
fn a_rule_names_the_version_that_set_it() {
    let policy = Policy { shortest_minutes: 90, ..Policy::default() };
    let history = example::history().into_iter().chain([PolicySet { site_id: SITE, policy }.into()]);
    let refused = check(&load(SITE, history), NORTH, lasting("2026-11-28 18:00", 60), Online, at(NOW));
    assert_eq!(refused, Err(Refusal::TooShort { minutes: 60, shortest_minutes: 90, version: 5 }));
}

#[test]
fn closed_hours_are_not_bookable() {
    assert_eq!(refused(lasting("2026-11-29 07:30", 60), Online), Some(Refusal::NotOpen { version: 3 }));
    assert_eq!(refused(lasting("2026-11-29 00:30", 60), Online), Some(Refusal::NotOpen { version: 3 }));
    assert_eq!(refused(lasting("2026-11-29 00:00", 60), Online), None);
}

#[test]
fn a_closure_keeps_every_pitch_off_its_cells() {
    let closure_id = ClosureId::new(Uuid::from_u128(1));
    let closure = ClosureScheduled {
        site_id: SITE,
        closure_id,
        cells: vec![NORTH_CELL],
        during: lasting("2026-11-28 18:00", 60),
        reason: ClosureReason::Maintenance,
        note: None,
        hits: Vec::new(),
    };
    let site = load(SITE, example::history().into_iter().chain([closure.into()]));
    let check = |pitch, from| check(&site, pitch, lasting(from, 60), Online, at(NOW)).map(|_| ());
    assert_eq!(check(NORTH, "2026-11-28 17:30"), Err(Refusal::Closed { closure_id, version: 5 }));
    assert_eq!(check(WHOLE, "2026-11-28 18:30"), Err(Refusal::Closed { closure_id, version: 5 }));
    assert_eq!(check(SOUTH, "2026-11-28 18:00"), Ok(()));
    assert_eq!(check(NORTH, "2026-11-28 19:00"), Ok(()));
}

#[test]
fn nothing_is_bookable_without_a_tariff_or_while_suspended() {
    let bare: Vec<Event> =
        vec![example::registered("Africa/Dakar"), example::ground(0), example::hours("08:00", "01:00")];
    let during = lasting("2026-11-28 18:00", 60);
    let refused = check(&load(SITE, bare), NORTH, during, Manual, at(NOW));
    assert_eq!(refused, Err(Refusal::NoPrice(quote::Refusal::NoTariff { uncovered: during, version: 0 })));
    // A price that was promised is honoured even so.
    let bare = load(SITE, [example::registered("Africa/Dakar"), example::ground(0), example::hours("08:00", "01:00")]);
    assert_eq!(playable(&bare, NORTH, during, Manual, at(NOW)).map(|slot| slot.during), Ok(during));
    let reason = Note::new("address and point disagree").unwrap();
    let suspended = example::history().into_iter().chain([Suspended { site_id: SITE, reason }.into()]);
    let refused = check(&load(SITE, suspended), NORTH, during, Manual, at(NOW)).unwrap_err();
    assert_eq!((refused.code(), refused.rule().map(|rule| rule.version)), ("site.suspended", Some(5)));
}

#[test]
fn another_sites_pitch_is_unknown() {
    let stranger = PitchId::new(Uuid::from_u128(0xBAD));
    let refused = offer(&example::site(), stranger, lasting("2026-11-28 18:00", 60), Online, at(NOW));
    assert_eq!(refused.err(), Some(Refusal::UnknownPitch(stranger)));
}
