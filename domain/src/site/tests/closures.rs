//! Closing ground: what it hits is called off in the same decision, or nothing happens.

use uuid::Uuid;

use crate::{
    aggregate::Loaded,
    decision::{Change, Decision},
    guard,
    ids::{CellId, ClosureId, ReservationId, StreamId},
    reservation::Completed,
    site::{
        ClosureLifted, ClosureReason, ClosureScheduled, Event, Hit, Invalid, PlannedClosure, Refusal, Site,
        lift_closure, schedule_closure,
    },
    spec::{
        example::{self, NORTH_CELL, SITE, SOUTH_CELL, at, lasting},
        given,
    },
};

const CLOSURE: ClosureId = ClosureId::new(Uuid::from_u128(0xC105));
const NOW: &str = "2026-11-28 12:00";

fn planned() -> PlannedClosure {
    PlannedClosure {
        closure_id: CLOSURE,
        cells: vec![NORTH_CELL],
        during: lasting("2026-11-28 18:00", 120),
        reason: ClosureReason::Weather,
        note: None,
    }
}

fn scheduled(hits: Vec<ReservationId>) -> Event {
    let PlannedClosure { closure_id, cells, during, reason, note } = planned();
    ClosureScheduled { site_id: SITE, closure_id, cells, during, reason, note, hits }.into()
}

fn reservation(number: u128) -> ReservationId {
    ReservationId::new(Uuid::from_u128(number))
}

/// Stands for what `reservation::cancel` decides: any event of the reservation's stream will do here.
fn hit(number: u128) -> Hit {
    let reservation_id = reservation(number);
    let freed = Completed { reservation_id, at: at(NOW) };
    let stream = StreamId::from(reservation_id);
    let cancellation =
        Decision { changes: vec![Change { stream, expected: 3, events: vec![freed.into()] }], reads: Vec::new() };
    Hit { reservation_id, cancellation }
}

fn closing(hits: Vec<Hit>) -> impl FnOnce(&Loaded<Site>) -> Result<Decision, Refusal> {
    move |site| schedule_closure(site, planned(), hits, at(NOW))
}

fn history(more: &[Event]) -> Vec<Event> {
    example::history().into_iter().chain(more.iter().cloned()).collect()
}

#[test]
fn what_a_closure_hits_is_called_off_before_it_takes_the_cells() {
    let freed = Completed { reservation_id: reservation(1), at: at(NOW) };
    let decision = given::<Site>(SITE, history(&[]))
        .when(closing(vec![hit(1)]))
        .then([crate::event::Event::from(freed), scheduled(vec![reservation(1)]).into()]);
    assert_eq!(decision.changes.iter().map(|change| change.expected).collect::<Vec<_>>(), [3, 4]);
    let ops = guard::of(&scheduled(vec![]).into());
    assert!(matches!(ops.as_slice(), [guard::Op::Claim(claim)] if claim.releasable_at.is_none()));
}

#[test]
fn a_reservation_called_off_meanwhile_is_not_hit() {
    let gone = Hit { reservation_id: reservation(2), cancellation: Decision::nothing() };
    given::<Site>(SITE, history(&[])).when(closing(vec![gone])).then([scheduled(Vec::new())]);
}

#[test]
fn at_most_a_hundred_reservations_are_called_off_at_once() {
    let hits = |count: u128| (1..=count).map(hit).collect::<Vec<_>>();
    given::<Site>(SITE, history(&[]))
        .when(closing(hits(101)))
        .then_refused(Refusal::TooManyHits { hits: 101, most: 100 });
    assert!(schedule_closure(&example::site(), planned(), hits(100), at(NOW)).is_ok());
    given::<Site>(SITE, history(&[]))
        .when(closing(vec![hit(1), hit(1)]))
        .then_refused(Invalid::Twice { what: "reservation", id: reservation(1).to_string() }.into());
}

#[test]
fn the_same_closure_again_is_nothing_and_another_one_there_is_refused() {
    given::<Site>(SITE, history(&[scheduled(vec![])])).when(closing(vec![])).then_nothing();
    let other = |site: &Loaded<Site>| {
        let planned = PlannedClosure {
            closure_id: ClosureId::new(Uuid::from_u128(7)),
            cells: vec![SOUTH_CELL, NORTH_CELL],
            during: lasting("2026-11-28 19:30", 60),
            ..planned()
        };
        schedule_closure(site, planned, vec![], at(NOW))
    };
    given::<Site>(SITE, history(&[scheduled(vec![])]))
        .when(other)
        .then_refused(Refusal::Closed { closure_id: CLOSURE, version: 5 });
}

#[test]
fn closures_that_touch_in_time_or_lie_beside_each_other_stand_together() {
    for (cell, from) in [(NORTH_CELL, "2026-11-28 20:00"), (SOUTH_CELL, "2026-11-28 18:00")] {
        let closure_id = ClosureId::new(Uuid::from_u128(7));
        let during = lasting(from, 60);
        let beside = PlannedClosure { closure_id, cells: vec![cell], during, ..planned() };
        let site = crate::spec::load(SITE, history(&[scheduled(vec![])]));
        assert!(schedule_closure(&site, beside, vec![], at(NOW)).is_ok());
    }
}

#[test]
fn only_own_ground_can_be_closed_and_only_ahead_of_time() {
    let stranger = CellId::new(Uuid::from_u128(0xBAD));
    let with = |cells: Vec<CellId>| {
        move |site: &Loaded<Site>| schedule_closure(site, PlannedClosure { cells, ..planned() }, vec![], at(NOW))
    };
    given::<Site>(SITE, history(&[]))
        .when(with(vec![NORTH_CELL, stranger]))
        .then_refused(Invalid::UnknownCell(stranger).into());
    given::<Site>(SITE, history(&[])).when(with(vec![])).then_refused(Invalid::NoCells.into());
    given::<Site>(SITE, history(&[]))
        .when(|site| schedule_closure(site, planned(), vec![], at("2026-11-28 20:00")))
        .then_refused(Refusal::ClosureEnded { closure_id: CLOSURE });
}

#[test]
fn a_lifted_closure_frees_its_cells_once() {
    let lifted: Event = ClosureLifted { site_id: SITE, closure_id: CLOSURE }.into();
    given::<Site>(SITE, history(&[scheduled(vec![])])).when(|site| lift_closure(site, CLOSURE)).then([lifted.clone()]);
    given::<Site>(SITE, history(&[scheduled(vec![]), lifted.clone()]))
        .when(|site| lift_closure(site, CLOSURE))
        .then_refused(Refusal::UnknownClosure(CLOSURE));
    assert_eq!(guard::of(&lifted.into()), [guard::Op::Release { holder: CLOSURE.uuid() }]);
}
