//! What stands on each cell is what the guard says, at every position.

use domain::{
    event::Event,
    guard::{OpenClaim, stands_in_the_way},
    ids::*,
    interval::Interval,
    site as ground_event,
};
use projections::schedule;

use super::{
    engine::a_little_history,
    make::{Booking, Ground, Log, at, hours, id},
};

async fn standing(log: &Log, ground: &Ground) -> Vec<OpenClaim> {
    log.project().await;
    let within = hours(0, 48);
    let by_cell = schedule::of_cells(&log.world.pool, &ground.cells, within).await.unwrap();
    let by_site = schedule::of_site(&log.world.pool, ground.site, within).await.unwrap();
    assert_eq!(by_cell, by_site);
    assert_eq!(by_cell.as_of, log.store.head().await.unwrap());
    let guard = log.store.claims(&ground.cells, within).await.unwrap();
    let same =
        |cell: CellId, during: Interval, holder, releasable_at| OpenClaim { cell, during, holder, releasable_at };
    let mut guard: Vec<_> =
        guard.into_iter().map(|row| same(row.cell, row.during, row.holder, row.releasable_at)).collect();
    guard.sort_by_key(|claim| (claim.during.from(), claim.cell));
    assert_eq!(by_cell.claims, guard, "the view and the guard disagree");
    guard
}

async fn version(log: &Log, ground: &Ground, during: Interval) -> i64 {
    schedule::version(&log.world.pool, ground.site, during).await.unwrap()
}

#[tokio::test]
async fn a_hold_lapses_a_checkout_prolongs_it_a_payment_makes_it_firm() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let booking = Booking::new(ground.slot(ground.whole, hours(20, 21)));
    assert_eq!(standing(&log, &ground).await, []);
    log.write(booking.id, vec![booking.held(at(2))]).await;
    let held = standing(&log, &ground).await;
    assert_eq!(held.iter().map(|claim| claim.releasable_at).collect::<Vec<_>>(), [Some(at(2)), Some(at(2))]);
    assert!(stands_in_the_way(&held, &ground.cells[..1], hours(20, 21), at(1)));
    assert!(!stands_in_the_way(&held, &ground.cells[..1], hours(20, 21), at(2)), "lapsed");
    assert!(!stands_in_the_way(&held, &ground.cells[..1], hours(21, 22), at(1)), "half-open");
    log.write(booking.payment, vec![booking.requested(), booking.opened(Some(at(3)))]).await;
    assert_eq!(standing(&log, &ground).await[0].releasable_at, Some(at(3)));
    log.write(booking.id, vec![booking.received(), booking.confirmed(false)]).await;
    assert_eq!(standing(&log, &ground).await[0].releasable_at, None);
    // A checkout that opens after the fact does not make it lapse again.
    log.write(booking.payment, vec![booking.opened(Some(at(3)))]).await;
    assert_eq!(standing(&log, &ground).await[0].releasable_at, None);
}

#[tokio::test]
async fn a_reschedule_frees_and_takes_and_the_end_frees() {
    let mut log = Log::new().await;
    let (ground, moved, late) = a_little_history(&mut log).await;
    let both = standing(&log, &ground).await;
    assert_eq!(both.iter().map(|claim| claim.holder).collect::<Vec<_>>(), [late.id.uuid(), moved.id.uuid()]);
    let done = domain::reservation::Completed { reservation_id: moved.id, at: at(22) };
    log.write(moved.id, vec![done.into()]).await;
    assert_eq!(standing(&log, &ground).await.len(), 1);
}

/// In one batch: a cell goes from one holder to the next and on, also within its own stream.
#[tokio::test]
async fn cells_may_change_hands_within_a_batch() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let mut last = None;
    for _ in 0..5 {
        let booking = Booking::new(ground.slot(ground.whole, hours(20, 21)));
        log.write(booking.id, vec![booking.held(at(2))]).await;
        log.write(booking.id, vec![booking.moved(ground.slot(ground.whole, hours(21, 22)), 30_000)]).await;
        log.write(booking.id, vec![booking.moved(ground.slot(ground.whole, hours(20, 21)), 30_000)]).await;
        if let Some(former) = last.replace(booking.id) {
            assert_ne!(former, booking.id);
        }
        log.write(booking.id, vec![booking.expired()]).await;
    }
    assert_eq!(standing(&log, &ground).await, []);
}

#[tokio::test]
async fn a_closure_lists_the_reservations_it_hits_and_then_stands_there_itself() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let (hit, beside, after) = (
        Booking::new(ground.slot(ground.north, hours(20, 21))),
        Booking::new(ground.slot(ground.south, hours(20, 21))),
        Booking::new(ground.slot(ground.north, hours(22, 23))),
    );
    for booking in [&hit, &beside, &after] {
        log.write(booking.id, vec![booking.held(at(2))]).await;
    }
    log.project().await;
    let (_, hits) = schedule::hits(&log.world.pool, &ground.cells[..1], hours(19, 22)).await.unwrap();
    assert_eq!(hits, [hit.id]);
    let closure: ClosureId = id();
    let closed: Event = ground_event::ClosureScheduled {
        site_id: ground.site,
        closure_id: closure,
        cells: vec![ground.cells[0]],
        during: hours(19, 22),
        reason: ground_event::ClosureReason::Weather,
        note: None,
        hits: vec![hit.id],
    }
    .into();
    log.write(ground.site, vec![ground.registered("Closing", None)]).await;
    log.write_all(vec![(hit.id.uuid(), vec![hit.expired()]), (ground.site.uuid(), vec![closed])]).await;
    let claims = standing(&log, &ground).await;
    assert!(claims.iter().any(|claim| claim.holder == closure.uuid() && claim.releasable_at.is_none()));
    let answer = schedule::of_site(&log.world.pool, ground.site, hours(19, 20)).await.unwrap();
    assert_eq!(answer.closures.iter().collect::<Vec<_>>(), [&closure]);
    assert_eq!(answer.reservation(&answer.claims[0]), None);
    let (_, hits) = schedule::hits(&log.world.pool, &ground.cells, hours(0, 24)).await.unwrap();
    assert_eq!(hits, [beside.id, after.id], "a closure is not a reservation");
    let lifted = ground_event::ClosureLifted { site_id: ground.site, closure_id: closure };
    log.write(ground.site, vec![lifted.into()]).await;
    assert!(standing(&log, &ground).await.iter().all(|claim| claim.holder != closure.uuid()));
}

#[tokio::test]
async fn the_version_of_a_day_moves_with_every_change_of_it_and_no_other() {
    let mut log = Log::new().await;
    let ground = Ground::new();
    let night = Booking::new(ground.slot(ground.north, hours(23, 25)));
    log.write(night.id, vec![night.held(at(2))]).await;
    log.project().await;
    assert_eq!(version(&log, &ground, hours(0, 1)).await, 1);
    assert_eq!(version(&log, &ground, hours(24, 25)).await, 1, "it runs into the next day");
    assert_eq!(version(&log, &ground, hours(48, 49)).await, 0);
    let next = Booking::new(ground.slot(ground.south, hours(30, 31)));
    log.write(next.id, vec![next.held(at(2))]).await;
    log.project().await;
    assert_eq!(version(&log, &ground, hours(0, 24)).await, 1);
    assert_eq!(version(&log, &ground, hours(0, 25)).await, 2);
    log.write(night.id, vec![night.expired()]).await;
    log.project().await;
    assert_eq!(version(&log, &ground, hours(0, 24)).await, 3);
    assert_eq!(schedule::version(&log.world.pool, id(), hours(0, 24)).await.unwrap(), 0);
}
