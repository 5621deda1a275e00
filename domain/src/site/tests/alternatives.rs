//! What is offered instead of a taken slot, and which pitch a format gets.

use uuid::Uuid;

use crate::{
    guard::OpenClaim,
    ids::CellId,
    interval::Interval,
    reservation::Channel::Online,
    site::{alternatives, best_fit},
    spec::{
        example::{self, NORTH, NORTH_CELL, SITE, SOUTH, SOUTH_CELL, WHOLE, at, lasting, pitch},
        load,
    },
    text::Text,
};

fn taken(cell: CellId, during: Interval) -> OpenClaim {
    OpenClaim { cell, during, holder: Uuid::from_u128(1), releasable_at: None }
}

fn offered(claims: &[OpenClaim]) -> Vec<(bool, String)> {
    let during = lasting("2026-11-28 18:00", 60);
    alternatives(&example::site(), NORTH, during, Online, claims, at("2026-11-28 12:00"))
        .iter()
        .map(|other| (other.pitch_id == NORTH, other.during.from().format("%H:%M").to_string()))
        .collect()
}

#[test]
fn the_sibling_at_the_same_time_comes_first_then_the_nearest_times() {
    let claims = [taken(NORTH_CELL, lasting("2026-11-28 18:00", 60))];
    let expected = [(false, "18:00"), (false, "18:30"), (false, "17:30"), (true, "19:00"), (false, "19:00")];
    let expected: Vec<_> = expected.iter().map(|(same, time)| (*same, (*time).to_owned())).collect();
    assert_eq!(offered(&claims), expected);
}

#[test]
fn a_taken_alternative_is_not_offered_and_the_reach_is_two_hours() {
    let evening = lasting("2026-11-28 16:00", 300);
    let claims = [taken(NORTH_CELL, evening), taken(SOUTH_CELL, lasting("2026-11-28 12:00", 600))];
    assert_eq!(offered(&claims), []);
    let claims = [taken(NORTH_CELL, lasting("2026-11-28 17:00", 180)), taken(SOUTH_CELL, evening)];
    let times: Vec<_> = offered(&claims).into_iter().map(|(_, time)| time).collect();
    assert_eq!(times, ["20:00", "16:00"]);
}

#[test]
fn the_reach_goes_over_midnight() {
    let history = [example::registered("Africa/Dakar"), example::ground(0), example::hours("00:00", "00:00")];
    let site = load(SITE, history.into_iter().chain([example::tariffs()]));
    // Everything is taken but the whole for an hour around midnight.
    let claims = [NORTH_CELL, SOUTH_CELL].map(|cell| taken(cell, lasting("2026-11-28 12:00", 690)));
    let during = lasting("2026-11-28 21:30", 60);
    let others = alternatives(&site, WHOLE, during, Online, &claims, at("2026-11-28 10:00"));
    let found: Vec<_> = others.iter().map(|other| other.during).collect();
    assert_eq!(found, [lasting("2026-11-28 23:30", 60)]);
}

#[test]
fn a_format_gets_the_pitch_with_the_fewest_cells() {
    let ground = vec![
        pitch(WHOLE, "big", "5x5", &[NORTH_CELL, SOUTH_CELL], 0),
        pitch(SOUTH, "south", "5x5", &[SOUTH_CELL], 0),
        pitch(NORTH, "north", "5x5", &[NORTH_CELL], 0),
    ];
    let mut site = load::<crate::site::Site>(SITE, example::history());
    site.state.pitches = ground;
    let ids: Vec<_> = best_fit(&site.state, &Text::new("5x5").unwrap()).iter().map(|pitch| pitch.id).collect();
    assert_eq!(ids, [SOUTH, NORTH, WHOLE]);
    assert_eq!(best_fit(&site.state, &Text::new("11x11").unwrap()).len(), 0);
}
